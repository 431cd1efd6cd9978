"""How fast the core is, as ratios: against the least that plain code needs (the floor) and against other libraries.

    python benchmarks/core.py [--rounds 9] [--peers FOLDER [--fetch]] [--json]

Everything alternates in one process; each figure is the median over rounds of CPU microseconds per operation, and each
ratio is the median of the ratios round by round, so that a machine that changes speed changes both sides. The bars
are those the project set itself; a missed one is printed as MISSED, and docs/performance.md says why.
"""
import argparse
import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import time
import warnings
from urllib.parse import quote_plus, unquote_to_bytes, urlencode

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import peers as other_libraries

import alipay_mapi as mapi
from alipay_mapi import crypto, keys
from alipay_mapi.crypto import pycryptodome

VENDOR = ["alipay.aop.api.util.SignatureUtils"]
MD5_KEY = "test0only0md5key0test0only0md5ke"
PARTNER = "2088000000000000"

REQUEST = {
    "out_trade_no": "T202611210000001", "subject": "Green tea, 250 g & cup", "body": "two tins, gift wrapped",
    "total_fee": "350.45", "currency": "USD", "notify_url": "https://shop.example.com/alipay/notify",
    "return_url": "https://shop.example.com/alipay/return", "supplier": "Tea House", "timeout_rule": "12h",
    "product_code": "NEW_OVERSEAS_SELLER", "refer_url": "https://shop.example.com/",
    "secondary_merchant_id": "SM_0001", "secondary_merchant_name": "Tea House Ltd",
    "secondary_merchant_industry": "5499", "order_gmt_create": "2026-11-21 20:00:00", "order_valid_time": "3600",
    "auth_token": "",
}
NOTIFICATION = {
    "discount": "0.00", "payment_type": "1", "subject": "Order 58bbe2e6 测试",
    "trade_no": "2017030521001004840200342628",
    "buyer_email": "buyer@example.com", "gmt_create": "2017-03-05 18:06:49", "notify_type": "trade_status_sync",
    "quantity": "1", "out_trade_no": "T202611210000001", "seller_id": PARTNER, "body": "two tins, gift wrapped",
    "notify_time": "2017-03-05 18:21:11", "trade_status": "TRADE_SUCCESS", "is_total_fee_adjust": "N",
    "total_fee": "793.36", "gmt_payment": "2017-03-05 18:17:17", "seller_email": "seller@example.com",
    "price": "793.36", "buyer_id": "2088000000000001", "notify_id": "39863b44e9bf2e9877a57ef5451a717mhe",
    "use_coupon": "N", "extra_common_param": "uid=5", "out_channel_type": "BALANCE",
}
TRADE = {
    "buyer_email": "buy***@example.com", "buyer_id": "2088000000000001", "discount": "0.00", "flag_trade_locked": "0",
    "gmt_create": "2020-01-16 17:56:12", "gmt_last_modified_time": "2020-01-16 17:56:13",
    "gmt_payment": "2020-01-16 17:56:13", "is_total_fee_adjust": "F", "operator_role": "B",
    "out_trade_no": "T202611210000001", "payment_type": "100", "price": "73.82", "quantity": "1",
    "seller_email": "sel***@example.com", "seller_id": PARTNER, "subject": "Tea", "to_buyer_fee": "0.00",
    "to_seller_fee": "73.82", "total_fee": "73.82", "trade_no": "2020011622001381441000075584",
    "trade_status": "TRADE_FINISHED", "use_coupon": "F",
}


class Bench:
    """Runs contestants in turn, round by round, and remembers CPU seconds per operation."""

    def __init__(self, rounds, milliseconds):
        self.rounds, self.seconds, self.rows = rounds, milliseconds / 1000.0, []

    def run(self, title, contestants):
        """``contestants``: name → function; the first one is ours. Returns name → list of microseconds."""
        counts, times = {}, {name: [] for name in contestants}
        for name, function in contestants.items():
            function()
            started, count = time.process_time(), 0
            while time.process_time() - started < self.seconds / 4:
                function()
                count += 1
            counts[name] = max(1, count * 4)
        names = list(contestants)
        for _ in range(self.rounds):
            random.shuffle(names)
            for name in names:
                function, count = contestants[name], counts[name]
                started = time.process_time()
                for _ in range(count):
                    function()
                times[name].append((time.process_time() - started) / count * 1e6)
        print("\n" + title)
        ours = next(iter(contestants))
        for name, values in times.items():
            note = "" if name == ours else "   ours / this = {:.2f}".format(ratio(times, ours, name))
            print("  {:44s} {:9.1f} us{}".format(name, statistics.median(values), note))
        return times

    def bar(self, text, value, limit, at_most=True):
        met = value <= limit if at_most else value >= limit
        self.rows.append((text, value, limit, at_most, met))


def ratio(times, a, b):
    """Median of a/b, round by round."""
    return statistics.median(x / y for x, y in zip(times[a], times[b]))


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--milliseconds", type=float, default=60, help="CPU time per contestant and round")
    parser.add_argument("--peers", help="folder with (or for) the other libraries")
    parser.add_argument("--fetch", action="store_true", help="install the missing ones there")
    parser.add_argument("--json", action="store_true", help="one line of JSON with the bars at the end")
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    if options.peers and options.fetch:
        other_libraries.fetch(options.peers, other_libraries.PEERS)
    bench = Bench(options.rounds, options.milliseconds)
    print("Python {}.{}.{}, back end {}".format(*sys.version_info[:3], crypto.backend().NAME))
    pairs = make_pairs()
    urls_md5(bench, options.peers)
    urls_rsa2(bench, options.peers, pairs)
    notifications(bench, options.peers, pairs)
    answers(bench, pairs)
    key_reading(bench, pairs)
    imports(bench)
    print("\n{:62s} {:>8s} {:>8s}".format("bar", "measured", "bar"))
    for text, value, limit, at_most, met in bench.rows:
        print("{:62s} {:8.2f} {} {:5.2f}  {}".format(text, value, "<=" if at_most else ">=", limit,
                                                     "met" if met else "MISSED"))
    if options.json:
        print(json.dumps([{"bar": t, "measured": round(v, 3), "limit": b, "at_most": m, "met": ok}
                          for t, v, b, m, ok in bench.rows]))
    return 0


# --- what the contestants work on ---------------------------------------------------------------------------------

def make_pairs():
    made = {}
    for name, bits in (("ours", 2048), ("alipay", 2048), ("ours1024", 1024), ("alipay1024", 1024)):
        private = pycryptodome.generate("RSA", bits)
        made[name] = private, pycryptodome.export(private, "RSA", "SPKI")
    return made


def merchant(sign_type, pairs=None, suffix=""):
    if sign_type == "MD5":
        return mapi.Merchant(partner=PARTNER, sign_type="MD5", md5_key=MD5_KEY)
    return mapi.Merchant(partner=PARTNER, sign_type=sign_type, private_key=pairs["ours" + suffix][0],
                         alipay_public_key=pairs["alipay" + suffix][1])


def presign(params):
    return "&".join(k + "=" + params[k] for k in sorted(params) if params[k]).encode("utf-8")


def bare(pair, hash_name, data, signature=None, module=None):
    """The library's own call and nothing around it, with the key already read."""
    module = module or crypto.backend()
    if signature is None:
        key = module.private_key(pair[0], "RSA")
        return lambda: module.sign(key, "RSA", hash_name, data)
    if module is not pycryptodome:
        key = module.public_key(pair[1], "RSA")
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA1, SHA256
        padding, digest = PKCS1v15(), SHA1() if hash_name == "SHA1" else SHA256()
        return lambda: key.verify(signature, data, padding, digest)
    from Crypto.Hash import SHA1, SHA256
    from Crypto.PublicKey import RSA
    from Crypto.Signature import pkcs1_15
    key = RSA.import_key(pair[1])
    made = SHA1 if hash_name == "SHA1" else SHA256
    return lambda: pkcs1_15.new(key).verify(made.new(data), signature)


def b64(raw):
    import base64
    return base64.b64encode(raw).decode("ascii")


# --- the comparisons ----------------------------------------------------------------------------------------------

def urls_md5(bench, folder):
    shop = merchant("MD5")
    sent = mapi.build_request(shop, "create_forex_trade", REQUEST).params

    def floor():
        params = {k: v for k, v in sent.items() if k not in ("sign", "sign_type")}
        text = "&".join([k + "=" + params[k] for k in sorted(params)])
        params["sign"] = hashlib.md5((text + MD5_KEY).encode("utf-8")).hexdigest()
        params["sign_type"] = "MD5"
        return shop.gateway + "?" + "&".join([k + "=" + quote_plus(v) for k, v in params.items()])

    contestants = {"ours: build_request(...).url": lambda: mapi.build_request(shop, "create_forex_trade", REQUEST).url,
                   "floor: sort, join, md5, quote_plus": floor}
    peer = other_libraries.load(folder, "alipay", ["alipay"]) if folder else None
    if peer:
        theirs = peer[0].Alipay(pid=PARTNER, key=MD5_KEY, seller_email="seller@example.com")
        contestants["alipay 0.7.4: create_forex_trade_url"] = lambda: theirs.create_forex_trade_url(**REQUEST)
    times = bench.run("signed MD5 URL, {} fields".format(len(sent)), contestants)
    if peer:
        bench.bar("signed MD5 URL: alipay 0.7.4 / ours",
                  1 / ratio(times, *[list(contestants)[i] for i in (0, 2)]), 2, at_most=False)


def urls_rsa2(bench, folder, pairs):
    shop = merchant("RSA2", pairs)
    sent = mapi.build_request(shop, "create_forex_trade", REQUEST)
    ours = "ours: build_request(...).url"
    contestants = {ours: lambda: mapi.build_request(shop, "create_forex_trade", REQUEST).url,
                   "floor: the bare signature": bare(pairs["ours"], "SHA256", sent.presign.encode("utf-8"))}
    peer = other_libraries.load(folder, "python-alipay-sdk", ["alipay"]) if folder else None
    if peer:
        client = fzlee(peer[0], pairs)
        contestants["python-alipay-sdk: page pay"] = lambda: client.api_alipay_trade_page_pay(
            subject="Green tea, 250 g & cup", out_trade_no="T202611210000001", total_amount="350.45",
            return_url=REQUEST["return_url"], notify_url=REQUEST["notify_url"])
    vendor = other_libraries.load(folder, "alipay-sdk-python", VENDOR) if folder else None
    if vendor:
        key = b64(pycryptodome.export(pairs["ours"][0], "RSA", "PKCS#1"))
        params = {k: v for k, v in sent.params.items() if k not in ("sign", "sign_type")}

        def official():
            text = vendor[0].get_sign_content(params)
            signed = dict(params, sign=vendor[0].sign_with_rsa2(key, text, "utf-8"))
            return shop.gateway + "?" + urlencode(signed)
        contestants["alipay-sdk-python: sign_with_rsa2 + urlencode"] = official
    times = bench.run("signed RSA2 URL (2048 bits)", contestants)
    bench.bar("signed RSA2 URL: ours / bare signature", ratio(times, ours, "floor: the bare signature"), 1.2)
    if peer:
        bench.bar("signed RSA2 URL: python-alipay-sdk / ours", 1 / ratio(times, ours, "python-alipay-sdk: page pay"), 3,
                  at_most=False)


def fzlee(module, pairs):
    def pem(der, label):
        text = b64(der)
        lines = [text[i:i + 64] for i in range(0, len(text), 64)]
        return "\n".join(["-----BEGIN {}-----".format(label)] + lines + ["-----END {}-----".format(label)])
    private = pycryptodome.export(pairs["ours"][0], "RSA", "PKCS#1")
    return module.AliPay(appid="2016000000000000", app_notify_url=None,
                         app_private_key_string=pem(private, "RSA PRIVATE KEY"),
                         alipay_public_key_string=pem(pairs["alipay"][1], "PUBLIC KEY"), sign_type="RSA2")


def notifications(bench, folder, pairs):
    order = mapi.Order("T202611210000001", total_fee="793.36")
    text = presign(NOTIFICATION)
    cases = (("MD5", "", None), ("RSA", "1024", "SHA1"), ("RSA2", "", "SHA256"))
    for sign_type, suffix, hash_name in cases:
        shop = merchant(sign_type, pairs, suffix)
        if sign_type == "MD5":
            sign = hashlib.md5(text + MD5_KEY.encode("ascii")).hexdigest()
        else:
            raw = bare(pairs["alipay" + suffix], hash_name, text)()
            sign = b64(raw)
        params = dict(NOTIFICATION, sign=sign, sign_type=sign_type)
        body = urlencode(params).encode("ascii")
        wrong = body.replace(b"793.36", b"793.37")
        ours = "ours: verify_notify, raw body, every check"
        contestants = {ours: lambda s=shop, b=body: mapi.verify_notify(s, b, order=order)}

        def refused(s=shop, b=wrong):
            try:
                mapi.verify_notify(s, b, order=order)
            except mapi.SignatureInvalid:
                return
            raise SystemExit("a wrong signature was accepted")
        contestants["ours: a wrong signature"] = refused
        if sign_type == "MD5":
            def floor(b=body):
                pairs_ = dict(part.split(b"=", 1) for part in b.split(b"&"))
                found = {k: unquote_to_bytes(v.replace(b"+", b" ")) for k, v in pairs_.items()}
                found.pop(b"sign_type")
                theirs = found.pop(b"sign")
                text_ = b"&".join([k + b"=" + found[k] for k in sorted(found)])
                return hashlib.md5(text_ + MD5_KEY.encode("ascii")).hexdigest().encode("ascii") == theirs
            floor_name = "floor: split, unquote, sort, join, md5"
            contestants[floor_name] = floor
        else:
            floor_name = "floor: the bare verification"
            contestants[floor_name] = bare(pairs["alipay" + suffix], hash_name, text, raw)
        if sign_type == "MD5" and folder and other_libraries.load(folder, "alipay", ["alipay"]):
            lx = other_libraries.load(folder, "alipay", ["alipay"])[0].Alipay(pid=PARTNER, key=MD5_KEY,
                                                                           seller_email="seller@example.com")
            lx.check_notify_remotely = lambda **kw: True
            contestants["alipay 0.7.4: verify_notify, from a dict"] = lambda p=params: lx.verify_notify(**p)
        if sign_type == "RSA2" and folder:
            peer = other_libraries.load(folder, "python-alipay-sdk", ["alipay"])
            if peer:
                client = fzlee(peer[0], pairs)
                theirs = {k: v for k, v in params.items() if k != "sign"}
                contestants["python-alipay-sdk: verify, from a dict"] = lambda: client.verify(dict(theirs), sign)
            vendor = other_libraries.load(folder, "alipay-sdk-python", VENDOR)
            if vendor:
                public = b64(pairs["alipay"][1])
                contestants["alipay-sdk-python: verify_with_rsa, from text"] = \
                    lambda: vendor[0].verify_with_rsa(public, text, sign)
        times = bench.run("verify a {}-field notification, {}".format(len(params), sign_type), contestants)
        bench.bar("{} notification: wrong / right signature".format(sign_type),
                  ratio(times, "ours: a wrong signature", ours), 1.15)
        if sign_type == "RSA2":
            limit = 1.7 if crypto.backend() is pycryptodome else 3.5
            bench.bar("RSA2 notification: ours / bare {} call".format(crypto.backend().NAME),
                      ratio(times, ours, floor_name), limit)
            name = "python-alipay-sdk: verify, from a dict"
            if name in times:
                bench.bar("RSA2 notification: python-alipay-sdk / ours", 1 / ratio(times, ours, name), 6, at_most=False)


def answer(charset, pairs, subject):
    trade = dict(TRADE, subject=subject)
    data = "&".join(k + "=" + trade[k] for k in sorted(trade)).encode(charset)
    sign = b64(bare(pairs["alipay"], "SHA256", data)())
    echo = "".join('<param name="{}">{}</param>'.format(*item) for item in (
        ("out_trade_no", TRADE["out_trade_no"]), ("partner", PARTNER), ("_input_charset", charset),
        ("service", "single_trade_query"), ("sign_type", "RSA2"), ("sign", sign)))
    return ('<?xml version="1.0" encoding="{}"?>\n<alipay><is_success>T</is_success><request>{}</request><response>'
            "<trade>{}</trade></response><sign>{}</sign><sign_type>RSA2</sign_type></alipay>").format(
        charset, echo, "".join("<{0}>{1}</{0}>".format(*item) for item in trade.items()), sign).encode(charset)


def answers(bench, pairs):
    import base64

    from lxml import etree
    shop = merchant("RSA2", pairs)
    gbk_shop = mapi.Merchant(partner=PARTNER, sign_type="RSA2", alipay_public_key=pairs["alipay"][1],
                             input_charset="gbk")
    utf8, gbk = answer("utf-8", pairs, "绿茶"), answer("gbk", pairs, "绿茶")
    asked = {"service": "single_trade_query", "out_trade_no": TRADE["out_trade_no"]}
    module, key = crypto.backend(), crypto.backend().public_key(pairs["alipay"][1], "RSA")
    parser = etree.XMLParser(resolve_entities=False, no_network=True)

    def check(trade, sign):
        text = "&".join([k + "=" + trade[k] for k in sorted(trade)]).encode("utf-8")
        if not module.verify(key, "RSA", "SHA256", text, base64.b64decode(sign)):
            raise SystemExit("the floor does not verify")

    def floor():
        root = etree.fromstring(utf8, parser)
        check({leaf.tag: leaf.text for leaf in root.find("response")[0]}, root.findtext("sign"))
    ours = "ours: parse_response, UTF-8"
    contestants = {ours: lambda: mapi.parse_response(shop, utf8, asked),
                   "ours: parse_response, GBK": lambda: mapi.parse_response(gbk_shop, gbk, asked),
                   "floor: bare lxml, one pass, the same check": floor}
    try:
        import xmltodict

        def with_xmltodict():
            found = xmltodict.parse(utf8)["alipay"]
            check(found["response"]["trade"], found["sign"])
        contestants["xmltodict, the same check"] = with_xmltodict
    except ImportError:
        print("xmltodict is not installed: left out")
    times = bench.run("read and check a {:.1f} KB query answer, RSA2".format(len(utf8) / 1024.0), contestants)
    if "xmltodict, the same check" in times:
        bench.bar("query answer: xmltodict with the same check / ours",
                  1 / ratio(times, ours, "xmltodict, the same check"), 2.5, at_most=False)
    bench.bar("query answer: GBK / UTF-8", ratio(times, "ours: parse_response, GBK", ours), 1.5)


def key_reading(bench, pairs):
    module, counted = crypto.backend(), []
    private_key, public_key = module.private_key, module.public_key
    module.private_key = lambda *a: counted.append(1) or private_key(*a)
    module.public_key = lambda *a: counted.append(1) or public_key(*a)
    try:
        shop = merchant("RSA2", pairs)
        for _ in range(50):
            mapi.build_request(shop, "create_forex_trade", REQUEST)
    finally:
        module.private_key, module.public_key = private_key, public_key
    bench.bar("keys read per merchant with two keys, 50 calls", len(counted), 2)
    assert isinstance(shop.private_key, keys.Key)


def imports(bench):
    """Each import in a fresh interpreter, alternating; user + system CPU, less that of an empty interpreter."""
    code = ("import resource; a = resource.getrusage(resource.RUSAGE_SELF); {}; "
            "b = resource.getrusage(resource.RUSAGE_SELF); "
            "print((b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime) * 1e6)")
    times = {"alipay_mapi": [], "requests": []}
    env = dict(os.environ, PYTHONPATH=os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
    for _ in range(bench.rounds):
        for name in times:
            times[name].append(float(subprocess.run([sys.executable, "-c", code.format("import " + name)], env=env,
                                                    stdout=subprocess.PIPE, check=True).stdout))
    print("\nimport, CPU ms: " + ", ".join(
        "{} {:.1f}".format(name, statistics.median(values) / 1000) for name, values in times.items()))
    bench.bar("import alipay_mapi / import requests", ratio(times, "alipay_mapi", "requests"), 0.3)


if __name__ == "__main__":
    sys.exit(main())
