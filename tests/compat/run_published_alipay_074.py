"""PyPI's ``alipay`` 0.7.4 beside ``compat.lxneng``. Run by hand or by CI; needs a package index.

1. The published file of tests, taken from its source package, runs against ours: its ``pid`` and ``key`` are replaced
   by a well-formed PID and key, and nothing else. The three of its tests that ask Alipay's servers are left out.
2. The published package, in an environment of its own, makes the same URLs as ours, from the same inputs, up to the
   differences that docs/compat.md tells of.

Each line is one observation; the exit status is 1 if one is not as expected.
"""
import glob
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import types
import unittest
import warnings
from unittest import mock

from alipay_mapi.compat import comparing, lxneng
from alipay_mapi.compat.lxneng import exceptions

PID, KEY, EMAIL = "2088101122136241", "test0only0md5key0test0only0md5k1", "shop@example.com"
#: They need Alipay's servers. tests/compat/test_compat_lxneng_own_tests.py has them with a script in their place.
ONLINE = ("test_single_trade_query", "test_wap_notifyurl", "test_wap_unauthorization_token")

_ORDER = {"out_trade_no": "1", "subject": "测试 & more", "price": "0.01", "quantity": 1}
_SHIPPED = dict(_ORDER, logistics_type="POST", logistics_fee="0", logistics_payment="SELLER_PAY")
_LINES = [{"account": "b@example.com", "name": "姓名", "fee": fee, "note": "test"} for fee in ("0.10", "0.20")]
_BATCH = {"account_name": "n", "batch_no": "20260131001", "notify_url": "https://shop.example.com/n"}
#: The class, the call, what it is given, and the fields in which the two differ.
CASES = [
    ("Alipay", "create_direct_pay_by_user_url", _ORDER, []),
    ("Alipay", "create_direct_pay_by_user_url", dict(_ORDER, body=""), ["body"]),
    ("Alipay", "create_direct_pay_by_user_url", dict(_ORDER, body=None), ["body"]),
    ("Alipay", "create_direct_pay_by_user_url", dict(_ORDER, price=0.5), []),
    ("Alipay", "create_partner_trade_by_buyer_url", _SHIPPED, []),
    ("Alipay", "trade_create_by_buyer_url", _SHIPPED, []),
    ("Alipay", "create_forex_trade_url", dict(_ORDER, currency="USD"), ["payment_type", "seller_email"]),
    ("Alipay", "create_forex_trade_wap_url", dict(_ORDER, currency="USD"), ["payment_type", "seller_email"]),
    ("Alipay", "send_goods_confirm_by_platform", {"trade_no": 1, "logistics_name": "X"}, []),
    ("Alipay", "add_alipay_qrcode_url", {"biz_data": '{"a": "测试"}', "biz_type": "10"}, []),
    ("Alipay", "create_batch_trans_notify_url", dict(_BATCH, batch_list=_LINES), ["batch_fee", "detail_data"]),
    ("Alipay", "refund_fastpay_by_platform_pwd", {"batch_no": "20260131001", "batch_list": []}, ["(raises)"]),
    ("Alipay", "create_direct_pay_by_user_url", {"subject": "t", "total_fee": "1"}, []),
    ("Alipay", "create_direct_pay_by_user_url", {"out_trade_no": "1", "subject": "t"}, []),
    ("Alipay", "create_direct_pay_by_user_url", dict(_ORDER, price="0.015"), ["(raises)"]),
    ("WapAlipay", "create_direct_pay_by_user_url", {"token": "abc"}, ["(gateway)"]),
    ("WapAlipay", "trade_create_by_buyer_url", {}, []),
]
#: What the published package is asked, in its own environment.
DRIVER = """
import json, sys
answers, sys.stdout = sys.stdout, sys.stderr
import alipay
for text in sys.stdin:
    owner, name, given = json.loads(text)
    made = getattr(alipay, owner)({!r}, {!r}, {!r})
    try:
        answer = [getattr(made, name)(**given), None]
    except Exception as error:
        answer = [None, type(error).__name__]
    answers.write(json.dumps(answer) + "\\n")
    answers.flush()
""".format(PID, KEY, EMAIL)


def published_tests(source):
    """The published test case as a class, with our modules under the names that it imports."""
    text = source.replace("pid='pid'", "pid='{}'".format(PID)).replace("key='key'", "key='{}'".format(KEY))
    module = types.ModuleType("alipay.tests")
    module.__package__ = "alipay"
    with as_alipay():
        exec(compile(text, "alipay/tests.py", "exec"), module.__dict__)
    return unittest.TestSuite(
        test for test in unittest.defaultTestLoader.loadTestsFromTestCase(module.AlipayTests)
        if test.id().rpartition(".")[2] not in ONLINE)


def as_alipay():
    six = types.ModuleType("six")   # of which the published tests want to know one thing
    six.PY3 = True      # type: ignore[attr-defined]
    return mock.patch.dict(sys.modules, {"alipay": lxneng, "alipay.exceptions": exceptions, "six": six})


def source_of(folder):
    subprocess.check_call([sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps",
                           "--no-binary", ":all:", "-d", folder, "alipay==0.7.4"])
    with tarfile.open(glob.glob(os.path.join(folder, "alipay-0.7.4.tar.gz"))[0]) as packed:
        name = [name for name in packed.getnames() if name.endswith("alipay/tests.py")][0]
        return packed.extractfile(name).read().decode("utf-8")


def environment(folder):
    subprocess.check_call([sys.executable, "-m", "venv", folder])
    python = os.path.join(folder, "Scripts" if os.name == "nt" else "bin", "python")
    subprocess.check_call([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "alipay==0.7.4"])
    return python


def published_results(python):
    run = subprocess.run([python, "-I", "-c", DRIVER], input="".join(json.dumps(case[:3]) + "\n" for case in CASES),
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True, timeout=120)
    return [json.loads(line) for line in run.stdout.splitlines()]


def ours(owner, name, given):
    try:
        return [getattr(getattr(lxneng, owner)(PID, KEY, EMAIL), name)(**given), None]
    except Exception as error:
        return [None, type(error).__name__]


def differences(theirs, made):
    if theirs[1] is None and made[1] is None:
        return sorted(one.field for one in comparing.of_urls(theirs[0], made[0]))
    names = {"NotSupported": "NotImplementedError"}
    return [] if theirs[1] == names.get(made[1], made[1]) else ["(raises)"]


def main():
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        with as_alipay():
            result = unittest.TextTestRunner(stream=sys.stdout).run(published_tests(source_of(folder)))
        passed = result.testsRun - len(result.failures) - len(result.errors)
        wrong += passed != 14
        print("{} of the published file's tests pass against compat.lxneng".format(passed))
        results = published_results(environment(os.path.join(folder, "env")))
        wrong += len(results) != len(CASES)
        for (owner, name, given, expected), theirs in zip(CASES, results):
            found = differences(theirs, ours(owner, name, given))
            wrong += found != expected
            print("{}  {}.{}: {}".format("ok   " if found == expected else "WRONG", owner, name,
                                         ", ".join(found) or "the same"))
    print("{} not as expected".format(wrong) if wrong else "all as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main())
