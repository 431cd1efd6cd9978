"""The warning: at the shop's line, once for each, seen in production, and not heard by other threads."""
import subprocess
import sys
import threading
import warnings

from alipay_mapi.compat import CompatWarning, warned

SHOP = """
from alipay_mapi.compat.lxneng import Alipay
alipay = Alipay("2088101122136241", "test0only0md5key0test0only0md5k1", "shop@example.com")
for number in range(3):
    alipay.create_direct_pay_by_user_url(out_trade_no="A1", subject="tea", total_fee="1", body="")
alipay.create_direct_pay_by_user_url(out_trade_no="A1", subject="tea", total_fee="1", body="")
"""


def test_production_sees_each_place_once(tmp_path, checkout):
    shop = tmp_path / "shop.py"
    shop.write_text(SHOP, encoding="utf-8")
    run = subprocess.run([sys.executable, "-W", "default::UserWarning", str(shop)], cwd=str(checkout),
                         env={"PYTHONPATH": str(checkout), "PATH": ""}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         universal_newlines=True, timeout=60)
    assert run.returncode == 0, run.stderr
    places = [line.split(": ")[0] for line in run.stderr.splitlines() if "CompatWarning" in line]
    assert [place.rpartition(":")[2] for place in places] == ["5", "6"] and str(shop) in places[0]


def test_it_is_not_of_the_kind_that_python_hides():
    assert not issubclass(CompatWarning, (DeprecationWarning, PendingDeprecationWarning, ImportWarning))


def test_who_listens_hears_his_own_thread_alone():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with warned.listening() as heard:
            thread = threading.Thread(target=warned.warn, args=("other", "changed", "new"))
            thread.start()
            thread.join(20)
            with warned.listening() as inner:
                warned.warn("call", "changed", "new")
    assert heard == [] and inner == ["call: changed. Instead: new"]
    assert [str(one.message) for one in caught] == ["other: changed. Instead: new"]
