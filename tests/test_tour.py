"""The tour's input is genuine, its attacks are real, and what it builds was computed by others."""
import base64
import hashlib
import json
import re
from urllib.parse import parse_qsl

import pytest
from openssl_command import accepts, openssl

from alipay_mapi import tour
from alipay_mapi.merchant import Merchant


@pytest.fixture(scope="module")
def data(checkout):
    return json.loads((checkout / "alipay_mapi" / "data" / "tour.json").read_text(encoding="utf-8"))


def test_the_answer_is_the_one_that_alipays_sandbox_signed(data, tmp_path):
    """openssl, and not this library, says that the sign fits under the key that is shipped with it."""
    xml = data["answer"]["xml"]
    trade = dict(re.findall("<([a-z_]+)>([^<]*)</", xml[xml.index("<trade>"):xml.index("</trade>")]))
    text = "&".join("{}={}".format(name, trade[name]) for name in sorted(trade))
    public = tmp_path / "alipay.pem"
    public.write_bytes(openssl("pkey", "-pubin", "-inform", "DER", stdin=base64.b64decode(
        data["answer"]["alipay_public_key"])))
    sign = base64.b64decode(re.search("<sign>([^<]+)</sign>", xml).group(1))
    assert trade["total_fee"] == "73.82"
    assert accepts("sha256", public, text.encode("utf-8"), sign, tmp_path)


def test_the_notification_is_signed_as_hashlib_says(data):
    params = dict(parse_qsl(data["notification"]["body"]))
    sign = params.pop("sign")
    assert params.pop("sign_type") == "MD5"
    text = "&".join("{}={}".format(name, params[name]) for name in sorted(params))
    assert hashlib.md5((text + data["notification"]["md5_key"]).encode()).hexdigest() == sign


def test_the_expected_sign_of_the_url_is_that_of_hashlib(data):
    text = ("_input_charset=utf-8&currency=USD&notify_url=https://shop.example/alipay/notify&out_trade_no=TOUR-0001"
            "&partner=2088101122136241&product_code=NEW_OVERSEAS_SELLER&return_url=https://shop.example/alipay/return"
            "&service=create_forex_trade&subject=Longjing tea, 250 g&total_fee=12.30")
    assert hashlib.md5((text + data["test_merchant"]["md5_key"]).encode()).hexdigest() == data["expected"]["url_sign"]


def test_the_expected_sign_of_the_order_string_is_that_of_openssl(data, checkout):
    text = ('_input_charset="utf-8"&currency="USD"&forex_biz="FP"&notify_url="https://shop.example/alipay/notify"'
            '&out_trade_no="TOUR-0002"&partner="2088101122136241"&payment_type="1"'
            '&product_code="NEW_WAP_OVERSEAS_SELLER"&seller_id="2088101122136241"&service="mobile.securitypay.pay"'
            '&subject="Longjing tea, 250 g"&total_fee="12.30"')
    key = checkout / "alipay_mapi" / "data" / "test-only-private-key.pem"
    sign = openssl("dgst", "-sha256", "-sign", key, stdin=text.encode())
    assert openssl("base64", "-A", stdin=sign).decode() == data["expected"]["order_string_sign"]


def test_the_recut_attack_carries_a_sign_that_fits(data):
    """An implementation without the rule would believe it: that is what makes the refusal worth showing."""
    test = data["test_merchant"]
    shop = Merchant(partner=test["partner"], sign_type="MD5", md5_key=test["md5_key"])
    forged = dict(parse_qsl(tour.recut(shop).decode("ascii")))
    sign = forged.pop("sign")
    forged.pop("sign_type")
    text = "&".join("{}={}".format(name, forged[name]) for name in sorted(forged))
    assert hashlib.md5((text + test["md5_key"]).encode()).hexdigest() == sign
    assert (forged["total_fee"], forged["trade_status"]) == ("800.00", "TRADE_FINISHED")
    assert "service" not in forged
    # the same text, read as the request that the shop signed
    assert "&service=create_forex_trade&" in text and text.endswith("&total_fee=0.01")


def test_the_downgrade_attack_carries_a_sign_that_anybody_can_make(data):
    public = data["answer"]["alipay_public_key"]
    forged = dict(parse_qsl(tour.downgraded(public).decode("ascii")))
    sign = forged.pop("sign")
    assert forged.pop("sign_type") == "MD5"
    text = "&".join("{}={}".format(name, forged[name]) for name in sorted(forged))
    assert hashlib.md5((text + public).encode()).hexdigest() == sign


def test_every_part_holds_something_accepted_or_refused():
    steps = tour.tour()
    assert [step.part for step in steps if tour.succeeded(step)] == [step.part for step in steps]
    for part in (tour.ANSWER, tour.REQUEST, tour.NOTIFICATION):
        outcomes = [step.outcome in tour.ACCEPTED for step in steps if step.part == part]
        assert True in outcomes and False in outcomes


def test_the_shipped_key_is_marked(checkout):
    text = (checkout / "alipay_mapi" / "data" / "test-only-private-key.pem").read_text()
    assert text.startswith("TEST ONLY")
