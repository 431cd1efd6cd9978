"""Messages as Alipay signs them, for a shop's test to post: genuine, or broken in one named way.

Nothing has to be ordered or paid for before. The gateway knows the ``notify_id`` of a message that it would have sent,
so that ``notify_verify`` confirms it; of a forged one it knows nothing.
"""
import hashlib
from datetime import timedelta
from decimal import Decimal
from typing import Any, Dict, Mapping, NamedTuple, Tuple

from ..errors import InvalidRequest, show

#: kind → what it is.
KINDS = {
    "paid": "a cross-border payment from the web: ten fields, no seller",
    "paid_mainland": "a mainland payment, TRADE_SUCCESS, in all its fields",
    "paid_app": "a cross-border payment from an app, in all its fields",
    "closed": "a trade that nobody paid in time (cross-border; only for merchants who have it switched on)",
    "refunded": "a cross-border refund is done",
    "refund_failed": "a cross-border refund has failed, with error_code",
    "batch_refund": "the results of a mainland refund batch",
    "batch_trans": "the results of a batch of transfers",
    "return": "the query with which the buyer's browser comes back, cross-border: five fields",
    "return_mainland": "the same of a mainland payment, with a notify_id",
    "app_result": "the app SDK's text after a payment",
}

_POSTED = ("paid", "paid_mainland", "paid_app", "closed", "refunded", "refund_failed", "batch_refund", "batch_trans")
_RETURNS = ("return", "return_mainland")
_TRADES = ("paid", "paid_mainland", "paid_app", "closed")

#: way → (what is wrong, the kinds that it exists for). The sign of the last five fits: what they say is wrong.
BROKEN: Mapping[str, Tuple[str, Tuple[str, ...]]] = {
    "forged": ("signed with a key that is not the gateway's", _POSTED + _RETURNS + ("app_result",)),
    "stale-key": ("signed with the key that the gateway had before", _POSTED + _RETURNS + ("app_result",)),
    "tampered": ("changed after it was signed", _POSTED + _RETURNS + ("app_result",)),
    "re-cut": ("the signed text was taken apart at another &: the sign fits, the fields do not", _POSTED + _RETURNS),
    "unsigned": ("the sign was taken away", _POSTED + _RETURNS + ("app_result",)),
    "wrong-charset": ("in another charset than it was signed in, and than the header says", _POSTED + _RETURNS),
    "other-sign-type": ("names another sign_type than the merchant's", _POSTED + _RETURNS + ("app_result",)),
    "other-amount": ("genuine, over another amount than the order's", _TRADES + _RETURNS),
    "other-currency": ("genuine, in another currency than the order's", ("paid", "paid_app", "closed", "return")),
    "other-order": ("genuine, about an order that is not the shop's",
                    _TRADES + ("refunded", "refund_failed") + _RETURNS),
    "other-seller": ("genuine, for another merchant", ("paid_mainland", "paid_app", "return_mainland")),
    "replayed": ("genuine, an hour old, and acknowledged then: notify_verify says false", _POSTED),
}

#: Ways in which an outsider makes a message without the gateway: its notify_id is known to nobody.
_OUTSIDE = ("forged", "stale-key", "unsigned", "other-sign-type")
_MADE_HERE = ("sign", "sign_type", "_input_charset")


class SignedMessage(NamedTuple):
    """``body``: the raw bytes to post, or the query, or the app's text. ``params``: names to text, sign included (of
    an app result: what was signed). ``content_type``: Alipay's header; "" where none is sent."""

    kind: str
    body: bytes
    content_type: str
    params: Dict[str, str]

    @property
    def headers(self) -> Dict[str, str]:
        """For a test client that takes headers."""
        return {"Content-Type": self.content_type} if self.content_type else {}

    @property
    def text(self) -> str:
        """The body as text: a return's query string, an app result."""
        return self.body.decode("utf-8")

    def __repr__(self) -> str:
        return "<SignedMessage {}, {} bytes>".format(self.kind, len(self.body))


def notification(gateway: Any, kind: str = "paid", broken: str = "", *, merchant: Any = "md5",
                 input_charset: Any = "utf-8", **fields: Any) -> SignedMessage:
    """A message of ``kind`` (see :data:`KINDS`), signed by the gateway for a test merchant.

    ``gateway``: a TestGateway, or its emulator. ``broken``: a name out of :data:`BROKEN`. ``merchant``: a test
    merchant's name, its number, or the shop's Merchant. ``input_charset``: of the request that it answers (None: GBK).
    ``fields``: any field of the message, as text or Decimal; None leaves one out. By default order A1 over 10.00 USD
    (mainland: yuan), at the gateway's time. Raises InvalidRequest.

    >>> from alipay_mapi.testing import TestGateway
    >>> with TestGateway() as gateway:
    ...     message = notification(gateway, out_trade_no="A7", total_fee="8.00")
    >>> message.params["out_trade_no"], message.params["trade_status"]
    ('A7', 'TRADE_FINISHED')
    """
    _check(kind, broken)
    emulator = getattr(gateway, "emulator", gateway)
    one = emulator.merchant(getattr(merchant, "partner", merchant))
    given = {name: _as_text(name, value) for name, value in fields.items()}
    if kind == "app_result":
        return _app_result(emulator, one, broken, input_charset, given)
    return _signed(emulator, one, kind, broken, input_charset, given)


def _signed(emulator, one, kind, broken, charset, given):
    from ..emulator import broken as breaking
    from ..emulator import messages_out
    from ..emulator.trades import text
    now = emulator.clock.now() - (timedelta(hours=1) if broken == "replayed" else timedelta(0))
    base = {"notify_id": _notify_id(emulator, broken), "notify_time": text(now)} if kind != "return" else {}
    message = dict(_fields(kind, one, text(now), given), **base)
    message.update(given)
    message = {name: value for name, value in message.items() if value is not None}
    if broken in _WRONG:
        _WRONG[broken](message)
    if broken not in _OUTSIDE and "notify_id" in message:
        _known(emulator, one.partner, message, kind, acknowledged=broken == "replayed")
    body, content_type = breaking.notification(one, message, charset, broken if broken in breaking.WAYS else "")
    params = message if broken else messages_out.signed(one.signer, message, charset)
    return SignedMessage(kind, body, content_type if kind in _POSTED else "", params)


def _fields(kind, one, now, given) -> Dict[str, str]:
    """The business fields, without those of a notification."""
    from ..emulator import messages_out
    number = given.get("out_trade_no") or "A1"
    if kind in ("refunded", "refund_failed"):
        failed = kind == "refund_failed"
        return messages_out.refund_fields({
            "out_trade_no": number, "out_return_no": "R1", "currency": "USD", "amount": "10.00",
            "refund_status": "REFUND_FAIL" if failed else "REFUND_SUCCESS",
            "error_code": "MERCHANT_BALANCE_NOT_ENOUGH" if failed else ""})
    if kind in ("batch_refund", "batch_trans"):
        return _batch(kind, one, now)
    trade = _trade(kind, one, now, number, given)
    if kind in _RETURNS:
        found = messages_out.return_fields(trade, one.seller_email, "", "")
        return {name: value for name, value in found.items() if value}
    return messages_out.trade_fields(trade, one.seller_email)


def _trade(kind, one, now, number, given) -> Dict[str, Any]:
    from ..emulator.merchants import BUYERS
    from ..emulator.trades import FOREX, MAINLAND
    mainland = kind.endswith("mainland")
    trade = {
        "kind": MAINLAND if mainland else FOREX, "partner": one.partner, "out_trade_no": number,
        "trade_no": now[:10].replace("-", "") + "001004" + _digits(number, 14),
        "total_fee": given.get("total_fee") or "10.00",
        "currency": None if mainland else "USD", "trade_status": "TRADE_SUCCESS" if mainland else "TRADE_FINISHED",
        "service": "create_direct_pay_by_user" if mainland else
                   "mobile.securitypay.pay" if kind == "paid_app" else "create_forex_trade",
        "params": {"subject": "Tea"}, "buyer_id": BUYERS[0].buyer_id, "buyer_email": BUYERS[0].buyer_email,
        "gmt_create": now, "gmt_payment": now}
    if kind == "closed":
        trade.update(trade_status="TRADE_CLOSED", gmt_payment=None, gmt_close=now)
    return trade


def _batch(kind, one, now) -> Dict[str, str]:
    from ..emulator.merchants import BUYERS
    day = now[:10].replace("-", "")
    if kind == "batch_refund":
        return {"notify_type": "batch_refund_notify", "batch_no": day + "001", "success_num": "1",
                "result_details": "{}001004{}^10.00^SUCCESS".format(day, _digits("A1", 14))}
    moment = "".join(c for c in now if c.isdigit())
    return {"notify_type": "batch_trans_notify", "batch_no": day + "001", "pay_user_id": one.partner,
            "pay_user_name": "Test shop", "pay_account_no": one.partner + "0156",
            "success_details": "1^{}^Buyer^10.00^S^^{}^{}|".format(BUYERS[0].buyer_email, _digits("T1", 14), moment)}


def _app_result(emulator, one, broken, charset, given) -> SignedMessage:
    from ..emulator import app_sdk
    from ..request import build_order_string
    from ..services import BUILDERS
    order = {"out_trade_no": "A1", "subject": "Tea", "body": "Tea", "currency": "USD", "total_fee": "10.00",
             "notify_url": "https://shop.example.com/notify", "forex_biz": "FP", "seller_id": one.partner}
    order.update(given)
    order = {name: value for name, value in order.items() if value is not None}
    shop = one.shop(emulator.gateway_url, charset, allow_http=True)
    params, signed, _, _ = app_sdk.split(str(build_order_string(shop, BUILDERS[app_sdk.SERVICE](**order))))
    result = signed + '&success="true"'
    sign, sign_type = _app_sign(one, broken, result, charset)
    if broken == "tampered":
        result = result.replace('total_fee="', 'total_fee="9')
    tail = "" if broken == "unsigned" else '&sign_type="{}"&sign="{}"'.format(sign_type, sign)
    text = "resultStatus={9000};memo={};result={" + result + tail + "}"
    return SignedMessage("app_result", text.encode("utf-8"), "", dict(params, success="true"))


def _app_sign(one, broken, text, charset):
    from .. import charsets, signing
    signer = one.forger if broken in ("forged", "stale-key") else one.signer
    sign = signing.sign(signer.sign_type, signer.signing_key, text.encode(charsets.reading_codec(charset)))
    other = "RSA2" if one.sign_type == "RSA" else "RSA"
    return sign, other if broken == "other-sign-type" else one.sign_type


# --- the ways in which a well signed message is wrong ---------------------------------------------------------------

def _other_amount(message):
    message["total_fee"] = "0.01" if message.get("total_fee") != "0.01" else "0.02"


def _other_currency(message):
    message["currency"] = "JPY" if message.get("currency") != "JPY" else "KRW"
    if "." in message.get("total_fee", ""):
        message["total_fee"] = message["total_fee"].partition(".")[0]


def _other_order(message):
    message["out_trade_no"] = message.get("out_trade_no", "A1") + "-other"


def _other_seller(message):
    message.update(seller_id="2088000000000999", seller_email="other@shop.example.com")


_WRONG = {"other-amount": _other_amount, "other-currency": _other_currency, "other-order": _other_order,
          "other-seller": _other_seller}


def _check(kind, broken) -> None:
    if kind not in KINDS:
        raise InvalidRequest("kind: {} is none; there are {}".format(show(kind), ", ".join(KINDS)), parameter="kind")
    if broken and broken not in BROKEN:
        raise InvalidRequest("broken: {} is no way; there are {}".format(show(broken), ", ".join(BROKEN)),
                             parameter="broken")
    if broken and kind not in BROKEN[broken][1]:
        raise InvalidRequest("broken: {} does not exist for {}; it does for {}".format(
            broken, kind, ", ".join(BROKEN[broken][1])), parameter="broken")


def _as_text(name, value):
    if name in _MADE_HERE:
        raise InvalidRequest("{}: made here; choose merchant=, input_charset= and broken=".format(name), parameter=name)
    if value is not None and not isinstance(value, (str, Decimal)):
        raise InvalidRequest("{}: give text (or Decimal), as it stands in the message".format(show(name)),
                             parameter=show(name))
    return value if value is None else str(value)


def _notify_id(emulator, broken) -> str:
    """34 characters, other ones each time, the same in each run."""
    count = str(int(emulator.ledger.meta("made_for_tests") or 0) + 1)
    emulator.ledger.set_meta("made_for_tests", count)
    return hashlib.sha256((broken + count).encode("ascii")).hexdigest()[:32] + "zz"


def _known(emulator, partner, message, kind, acknowledged) -> None:
    """Let ``notify_verify`` confirm the id, as of a message that was sent now."""
    from ..emulator.notifier import ACKNOWLEDGED, ID_LIFE, LOST
    from ..emulator.trades import text
    if emulator.ledger.one("notifications", notify_id=message["notify_id"]) is None:
        emulator.ledger.add(
            "notifications", {"event": kind, "fields": {}, "url": "", "charset": None, "attempts": 1, "fault": "",
                              "broken_sends": 0, "made_at": message.get("notify_time", ""),
                              "verified_until": text(emulator.clock.now() + ID_LIFE)},
            notify_id=message["notify_id"], partner=partner, out_trade_no=message.get("out_trade_no", ""),
            state=ACKNOWLEDGED if acknowledged else LOST, next_at=None)


def _digits(text, count) -> str:
    return str(int(hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(), 16))[-count:]
