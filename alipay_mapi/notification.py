"""The asynchronous notification: a POST to ``notify_url``, from raw bytes to something that may be acted on.

Order of the checks: size, content type, parameters, sign_type, sign, kind, party, order, amount, and only then an
outgoing call to confirm: a flood of junk must not make us call anybody. Source: "Asynchronous notification"
(ac/web/async), "Notifications" (ac/web/notifications).
"""
import functools
from typing import Callable, Optional

from . import charsets, form_body, messages, presign, signing, status
from .checks import NO_ORDER, NO_PARTY, OrderSource, check_amount, check_party, find_order
from .errors import (AmbiguousContent, InvalidRequest, MalformedParameter, MissingParameter, NotConfirmed,
                     NotifyNotGenuine, UnexpectedParameter, UnknownStatus, UnsupportedContentType, show)
from .fields import FIELDS
from .merchant import Merchant

#: The whole body of the answer once the state is durable; anything else makes Alipay send again.
REPLY_SUCCESS = "success"

TRADE, REFUND, BATCH_REFUND, BATCH_TRANS, OTHER = "trade", "refund", "batch_refund", "batch_trans", "other"

#: notify_type → kind and the fields that this kind must have.
_KINDS = {
    "trade_status_sync": (TRADE, ("notify_id", "out_trade_no", "trade_no", "trade_status")),
    "batch_refund_notify": (BATCH_REFUND, ("notify_id", "batch_no", "result_details")),
    "batch_trans_notify": (BATCH_TRANS, ("notify_id", "batch_no")),
}
#: Names that are in requests and in returns, and never in a notification.
_FOREIGN = ("service", "is_success", "exterface")


class Notification(messages.Message):
    """A notification whose sign, kind and party held, and whatever else was asked for; see ``passed``."""

    _what = "Notification"

    def __init__(self, params, kind, passed, unchecked):
        super().__init__(params, passed, unchecked)
        self._kind = kind

    @property
    def kind(self) -> str:
        """"trade", "refund", "batch_refund", "batch_trans", or "other" for a notify_type not known here."""
        return self._kind

    @property
    def is_paid(self) -> bool:
        """Paid, for this merchant, this order and this amount: all of it was checked. Without ``order=``: False."""
        return (self.kind == TRADE and self.get("trade_status") in status.PAID
                and {messages.SIGN, messages.PARTY, messages.ORDER, messages.AMOUNT} <= self.passed)

    @property
    def is_refund(self) -> bool:
        """About a refund request of ours (``out_return_no``); whether it succeeded is in ``refund_status``."""
        return self.kind == REFUND

    @property
    def is_closed(self) -> bool:
        """The trade is over: never paid, or fully refunded."""
        return self.kind == TRADE and self.get("trade_status") in status.CLOSED

    def require_known(self) -> "Notification":
        """Itself, or UnknownStatus: a ``trade_status`` that no rule here covers is for a person."""
        if self.kind == TRADE and self.get("trade_status") not in status.KNOWN:
            raise UnknownStatus("trade_status: {!r} is not one this library decides; nothing was fulfilled, show it "
                                "to a person".format(show(self.get("trade_status"))))
        return self


def verify_notify(shop: Merchant, body: bytes, content_type: Optional[str] = None,
                  order: Optional[OrderSource] = None,
                  confirm: Optional[Callable[[str], bool]] = None) -> Notification:
    """Check a notification and hand it out, or raise.

    ``body``: the raw bytes of the POST (Django ``request.body``, Flask ``request.get_data()``), never a parsed form.
    ``content_type``: the header, if you have it. ``order``: the shop's :class:`Order`, or a function from
    ``out_trade_no`` to one (None: unknown). ``confirm``: a function from ``notify_id`` to True or False, such as
    ``Client.notify_verify``; needed for RSA when the message names no seller.

    Raises InvalidMessage and its kinds (answer ``fail``), and whatever ``order`` and ``confirm`` raise (answer 5xx).
    """
    if not isinstance(body, (bytes, bytearray)):
        raise InvalidRequest("body: give the raw bytes (Django request.body, Flask request.get_data()), not {}: what "
                             "a framework has decoded can no longer be verified".format(type(body).__name__),
                             parameter="body")
    form_body.check_size(body)
    if confirm is not None and not callable(confirm):
        raise InvalidRequest("confirm: give a function from notify_id to True or False, such as "
                             "Client(shop).notify_verify, not {}".format(type(confirm).__name__), parameter="confirm")
    declared = _check_content_type(content_type)
    params = verified_params(shop, bytes(body), declared)
    kind = _kind(params)
    passed, unchecked = [messages.SIGN], {}
    if check_party(shop, params, posted=True):
        passed.append(messages.PARTY)
    elif confirm is None:
        raise NotConfirmed("{}. Pass confirm=Client(shop).notify_verify, or ask single_trade_query".format(NO_PARTY),
                           out_trade_no=show(params.get("out_trade_no", "")))
    if order is None:
        unchecked[messages.ORDER] = unchecked[messages.AMOUNT] = NO_ORDER
    elif kind not in (TRADE, REFUND):
        unchecked[messages.ORDER] = unchecked[messages.AMOUNT] = "a notification of this kind is not about one order"
    else:
        found = find_order(params, order)
        passed.append(messages.ORDER)
        if kind == TRADE:
            missing = check_amount(params, found)
            unchecked.update(missing)
            if not missing:
                passed.append(messages.AMOUNT)
        else:
            unchecked[messages.AMOUNT] = "a refund notification is about a part of the amount"
    if confirm is None:
        unchecked[messages.CONFIRMED] = "no confirm= was given; the sign alone is sufficient here"
    else:
        _confirm(params, confirm)
        passed += [messages.CONFIRMED, messages.PARTY]
    return Notification(params, kind, passed, unchecked)


def verified_params(shop: Merchant, raw: bytes, declared: Optional[str] = None, own=()):
    """Form-shaped bytes → decoded text of all that was signed, or raise. Shared with the synchronous return.

    ``own``: names of the shop's own parameters, taken out first (bytes).
    """
    pairs = form_body.parse(raw)
    sign_text = pairs.pop(b"sign", b"").decode("latin-1")
    sign_type = pairs.pop(b"sign_type", b"").decode("latin-1")
    # Empty values first: they are not signed, and would hide an & from the count below.
    if own or not all(pairs.values()):
        pairs = {name: value for name, value in pairs.items() if value and name not in own}
    text = presign.presign_bytes(pairs)
    signing.check(shop.sign_type, shop.checking_keys, text, sign_type or None, sign_text)
    if text.count(b"&") >= len(pairs):
        cut = signing.find_cut_bytes(pairs.items())
        if cut:
            raise AmbiguousContent(
                "{}: holds an & and a name of the protocol, so the signed text can be read in two ways; nothing in it "
                "is believed. Ask single_trade_query".format(show(cut)), parameter=show(cut))
    if b"service" in pairs:
        raise UnexpectedParameter("service: stands in requests and never in what Alipay sends back; this is a signed "
                                  "request, re-used. Ask single_trade_query", parameter="service")
    if declared is None and b"_input_charset" in pairs:
        declared = pairs[b"_input_charset"].decode("latin-1")
    codec = charsets.codec_of(text, declared, shop.input_charset)
    return {name.decode(codec): value.decode(codec) for name, value in pairs.items()}


def _kind(params):
    for name in _FOREIGN:
        if name in params:
            raise UnexpectedParameter("{}: never stands in a notification; this is another signed message, re-used. "
                                      "Ask single_trade_query".format(name), parameter=name)
    if "notify_type" not in params or "notify_id" not in params:
        raise AmbiguousContent("it has no {}: signed, but a notification always says that it is one. It may be the "
                               "browser's return, posted again".format(
                                   "notify_type" if "notify_type" not in params else "notify_id"))
    kind, required = _KINDS.get(params["notify_type"], (OTHER, ()))
    if "out_return_no" in params and kind in (TRADE, OTHER):
        kind, required = REFUND, ("notify_id", "out_trade_no", "out_return_no", "refund_status")
    for name in required:
        if name not in params:
            raise MissingParameter("{}: absent, and notify_type {} must have it".format(
                name, show(params["notify_type"])), parameter=name)
    if kind == BATCH_TRANS and "success_details" not in params and "fail_details" not in params:
        raise MissingParameter("success_details: absent, and fail_details as well", parameter="success_details")
    return kind


def _confirm(params, confirm):
    notify_id = params["notify_id"]
    if FIELDS["notify_id"].match(notify_id) is None:
        raise MalformedParameter("notify_id: holds characters that no notify_id has; not asked about",
                                 parameter="notify_id")
    if confirm(notify_id) is not True:
        raise NotifyNotGenuine("the gateway does not confirm this notify_id: not sent by Alipay, or asked after its "
                               "minute was over. Ask single_trade_query", notify_id=show(notify_id))


def _check_content_type(header):
    """The declared charset, or None. Alipay sends ``application/x-www-form-urlencoded; text/html; charset=utf-8``."""
    if not header:  # frameworks say "" for none
        return None
    return _declared(header.decode("latin-1") if isinstance(header, bytes) else str(header))


@functools.lru_cache(maxsize=16)    # Alipay sends one; what is refused is not kept
def _declared(header):
    media_type = header.partition(";")[0].strip()
    if media_type.lower() != "application/x-www-form-urlencoded":
        raise UnsupportedContentType("the content type is {!r}; Alipay posts application/x-www-form-urlencoded".format(
            show(media_type)))
    # Not from the closed list: ignored, and never used as a codec.
    return charsets.of_content_type(header)
