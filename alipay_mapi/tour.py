"""A tour of the library on real input: what Alipay signed is believed, what was altered is refused, and why.

Needs no account, no network and no configuration, and gives the same result each time. The input is in ``data/``:
an answer and a notification that Alipay signed, a published test merchant, and a key made for this tour.
"""
import hmac
import json
import pkgutil
from typing import Any, Callable, Dict, List, NamedTuple, Tuple
from urllib.parse import urlencode

from . import presign, services, signing
from .errors import AlipayError
from .keys import MD5Key
from .merchant import Merchant
from .notification import verify_notify
from .order import Order
from .request import build_order_string, build_request
from .response import parse_response

#: ``part``: the heading it stands under. ``what``: what was tried. ``expected`` and ``outcome``: "verified", "built",
#: "paid", or the class of the error. ``message``: why. ``facts``: names to text, for a table. ``text``: what was built.
Step = NamedTuple("Step", [("part", str), ("what", str), ("expected", str), ("outcome", str), ("message", str),
                           ("facts", Dict[str, str]), ("text", str)])

ACCEPTED = ("verified", "built", "paid")

ANSWER = "An answer that Alipay signed"
REQUEST = "A signed payment URL, and an order string for the app"
NOTIFICATION = "A notification that Alipay signed"
ATTACKS = "Attacks with a sign that fits"

_SHOWN = ("out_trade_no", "trade_no", "trade_status", "total_fee", "price", "subject", "buyer_email", "gmt_create",
          "gmt_payment", "seller_id")


def succeeded(step: Step) -> bool:
    """Did the step end as it must?"""
    return step.outcome == step.expected


def tour() -> List[Step]:
    """All steps, done now.

    >>> all(succeeded(step) for step in tour())
    True
    """
    data = _data()
    return _answer(data["answer"]) + _requests(data) + _notification(data["notification"]) + _attacks(data)


def _data() -> Dict[str, Any]:
    data = json.loads(_file("tour.json").decode("utf-8"))
    data["private_key"] = _file("test-only-private-key.pem")
    return data


def _file(name) -> bytes:
    return pkgutil.get_data("alipay_mapi", "data/" + name) or b""


def _step(part: str, what: str, expected: str, action: Callable[[], Tuple]) -> Step:
    """Run one action: (outcome, message[, facts[, text]]), or the error that it raises."""
    try:
        outcome, message, facts, text = (action() + ({}, ""))[:4]
    except AlipayError as err:
        outcome, message, facts, text = type(err).__name__, str(err), {}, ""
    return Step(part, what, expected, outcome, message, facts, text)


# --- 1 ----------------------------------------------------------------------------------------------------------

def _answer(data) -> List[Step]:
    shop = Merchant(partner=data["partner"], sign_type="RSA2", alipay_public_key=data["alipay_public_key"])
    xml = data["xml"].encode("utf-8")
    asked = {"service": "single_trade_query", "out_trade_no": "PAYLINE20200116105303"}
    unsigned = xml[:xml.index(b"<sign>")] + b"</alipay>"

    def check(body, question=asked):
        answer = parse_response(shop, body, asked=question)
        return ("verified", "the sign fits under Alipay's public key; the answer is for this partner and about the "
                            "order that was asked for", {name: answer[name] for name in _SHOWN if name in answer})

    return [
        _step(ANSWER, data["about"], "verified", lambda: check(xml)),
        _step(ANSWER, "its total_fee changed from 73.82 to 0.01", "ResponseSignatureInvalid",
              lambda: check(xml.replace(b"<total_fee>73.82<", b"<total_fee>0.01<"))),
        _step(ANSWER, "its sign taken out", "ResponseSignatureMissing", lambda: check(unsigned)),
        _step(ANSWER, "the same answer, given for order PAYLINE-2", "OrderMismatch",
              lambda: check(xml, dict(asked, out_trade_no="PAYLINE-2"))),
    ]


# --- 2 ----------------------------------------------------------------------------------------------------------

def _requests(data) -> List[Step]:
    test, expected = data["test_merchant"], data["expected"]
    web = Merchant(partner=test["partner"], sign_type="MD5", md5_key=test["md5_key"])
    app = Merchant(partner=test["partner"], sign_type="RSA2", private_key=data["private_key"])
    notify_url = "https://shop.example/alipay/notify"

    def url(**changed):
        arguments: Dict[str, Any] = dict(
            out_trade_no="TOUR-0001", subject="Longjing tea, 250 g", currency="USD", total_fee="12.30",
            notify_url=notify_url, return_url="https://shop.example/alipay/return")
        arguments.update(changed)
        request = build_request(web, "create_forex_trade", _in_order(services.create_forex_trade(**arguments)))
        return _as_expected(request.sign, expected["url_sign"], "hashlib") + ({}, request.url)

    def order_string():
        params = _in_order(services.mobile_securitypay_pay(
            seller_id=test["partner"], out_trade_no="TOUR-0002", subject="Longjing tea, 250 g", currency="USD",
            total_fee="12.30", notify_url=notify_url))
        request = build_request(app, "mobile.securitypay.pay", params)
        return _as_expected(request.sign, expected["order_string_sign"], "openssl") + (
            {}, build_order_string(app, params))

    return [
        _step(REQUEST, "create_forex_trade, MD5, a test merchant whose key is public", "built", url),
        _step(REQUEST, "mobile.securitypay.pay, RSA2, a key made for this tour", "built", order_string),
        _step(REQUEST, "an amount of 12.305 USD", "InvalidRequest", lambda: url(total_fee="12.305")),
        _step(REQUEST, "a product called \"Tea&total_fee=0.01\"", "UnsafeValue",
              lambda: url(subject="Tea&total_fee=0.01")),
    ]


def _in_order(params: Dict[str, str]) -> Dict[str, str]:
    """Sorted by name, so that what is printed is the same on every Python (the sign is, in any order)."""
    return {name: params[name] for name in sorted(params)}


def _as_expected(ours, theirs, whose):
    return ("built" if hmac.compare_digest(ours, theirs) else "another sign",
            "its sign is the one that {} computed for this text beforehand".format(whose))


# --- 3 ----------------------------------------------------------------------------------------------------------

def _notification(data) -> List[Step]:
    shop = Merchant(partner=data["partner"], sign_type="MD5", md5_key=data["md5_key"])
    body = data["body"].encode("ascii")
    number = "test_4.048027216282577"

    def check(received, price):
        note = verify_notify(shop, received, "application/x-www-form-urlencoded; charset=utf-8",
                             order=Order(number, total_fee=price, currency="USD"))
        return ("paid" if note.is_paid else "not paid", "sign, party, order and amount were all checked, so is_paid is "
                "True", {name: note[name] for name in note if name not in ("notify_type", "notify_id")})

    return [
        _step(NOTIFICATION, data["about"], "paid", lambda: check(body, "8.00")),
        _step(NOTIFICATION, "the same, for an order of 800.00 USD", "AmountMismatch", lambda: check(body, "800.00")),
        _step(NOTIFICATION, "its total_fee changed from 8.00 to 800.00", "SignatureInvalid",
              lambda: check(body.replace(b"total_fee=8.00", b"total_fee=800.00"), "800.00")),
    ]


# --- 4 ----------------------------------------------------------------------------------------------------------

def _attacks(data) -> List[Step]:
    test, answer = data["test_merchant"], data["answer"]
    web = Merchant(partner=test["partner"], sign_type="MD5", md5_key=test["md5_key"])
    rsa2 = Merchant(partner=answer["partner"], sign_type="RSA2", alipay_public_key=answer["alipay_public_key"])
    order = Order("TOUR-0003", total_fee="800.00", currency="USD")
    return [
        _step(ATTACKS, "our own signed URL of 0.01 USD, taken apart in other places and posted as a paid notification "
                       "of 800.00 USD (signed without the rule that refused the product above)", "AmbiguousContent",
              lambda: (str(verify_notify(web, recut(web), order=order).is_paid), "believed")),
        _step(ATTACKS, "a notification that says sign_type=MD5, signed with Alipay's public key as if it were an MD5 "
                       "key, posted to an RSA2 shop", "SignTypeMismatch",
              lambda: (str(verify_notify(rsa2, downgraded(answer["alipay_public_key"]), order=order).is_paid),
                       "believed")),
    ]


_FORGED = {
    "currency": "USD", "notify_id": "forged", "notify_time": "2018-04-11 18:12:28",
    "notify_type": "trade_status_sync", "out_trade_no": "TOUR-0003", "total_fee": "800.00", "trade_no": "2018041121001",
    "trade_status": "TRADE_FINISHED",
}


def recut(shop: Merchant) -> bytes:
    """The re-cut attack, for real: one signed text, read as a request of 0.01 and as a paid notification of 800.00.

    The buyer wrote the product's name. What stands before his part becomes the value of ``_input_charset``, what
    stands behind it the value of ``use_coupon``, and the sign still fits.
    """
    written_by_buyer = "Tea&{}&use_coupon=N".format(presign.presign_string(_FORGED))
    request = {"_input_charset": "utf-8", "currency": "USD", "out_trade_no": "TOUR-0003", "partner": shop.partner,
               "product_code": "NEW_OVERSEAS_SELLER", "service": "create_forex_trade", "subject": written_by_buyer,
               "total_fee": "0.01"}
    signed = presign.presign_string(request)
    before, behind = signed.split("&" + presign.presign_string(_FORGED))
    pieces = dict(_FORGED, _input_charset=before[len("_input_charset="):], use_coupon=behind[len("&use_coupon="):])
    pieces.update(sign=signing.sign("MD5", shop.signing_key, signed.encode("utf-8")), sign_type="MD5")
    return urlencode(pieces).encode("ascii")


def downgraded(public_key: str) -> bytes:
    """A forged notification that anybody can sign, if the receiver lets the message choose the algorithm."""
    text = presign.presign_string(_FORGED).encode("utf-8")
    sign = signing.sign("MD5", MD5Key(public_key.encode("ascii")), text)
    return urlencode(dict(_FORGED, sign=sign, sign_type="MD5")).encode("ascii")

