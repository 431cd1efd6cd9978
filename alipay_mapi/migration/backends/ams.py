"""AMS behind the contract of all gateways: MAPI's calls are translated, and its answers read back as MAPI's facts.

AMS knows an order by ``paymentRequestId``, which is MAPI's ``out_trade_no``, and a refund by ``refundRequestId``, which
is ``out_return_no``; both are its idempotency keys, so whatever is repeated is the same business.
"""
from datetime import datetime
from typing import Any, Callable, Dict, List, Mapping, Optional

from ...backend import (AMS, PAYMENT_CONTENT, REFUND_CONTENT, Backend, Fact, PaymentPage, check_is_page,
                        refund_request)
from ...errors import (AlipayError, GatewayError, InvalidMessage, PartyMismatch, TransportError, UntrustedMessage,
                       show)
from ...order import Order
from ...times import GMT8
from ..ams.amounts import from_ams
from ..ams.notifications import AmsNotification, verify_notification
from ..errors import NotDecided
from ..reading.codes import to_mapi
from ..reading.facts import refund_facts, trade_facts
from ..translate import Context, translate
from .ams_client import AmsClient, Reply

#: Where the buyer goes, the first that is there.
_ADDRESSES = ("normalUrl", "schemeUrl", "applinkUrl")
#: AMS's words for a refund that never arrived.
_NO_REFUND = ("ORDER_NOT_EXIST", "REFUND_NOT_EXIST")
#: The MAPI service in whose words answers are told; ``TradeState`` reads the words of all of them.
SERVICE = "create_forex_trade"


class AmsBackend(Backend):
    """``client``: of one account. ``now``: for tests. ``settings``: decisions that a MAPI call does not say, as in
    ``Context``: ``clamp_expiry``, ``longest_expiry``, ``ignore``, ``os_type``, ``map_trade_information``.

    By default a longer expiry than AMS takes is cut to it, as MAPI's own default is 12 hours."""

    name = AMS

    def __init__(self, client: AmsClient, now: Optional[Callable[[], datetime]] = None, **settings: Any):
        self.client, self.account = client, client.account.client_id
        self._now = now or (lambda: datetime.now(GMT8))
        self._settings: Dict[str, Any] = dict({"clamp_expiry": True}, **settings)
        self._context()     # what is wrong in the settings is refused now

    def close(self) -> None:
        """Close the client's idle connections."""
        self.client.close()

    def refusals(self, service: str, params: Mapping[str, str]) -> List[str]:
        return [str(refusal) for refusal in translate(service, params, AMS, self._context()).refusals]

    def payment_content(self, service: str, params: Mapping[str, str]) -> Mapping[str, str]:
        """Read back from the request that AMS would get."""
        body = self._payment(service, params).steps[0].content
        paid = from_ams(body["paymentAmount"])
        settled = body["settlementStrategy"]["settlementCurrency"]
        price = "total_fee" if settled == paid["currency"] else "rmb_fee"
        said = {"out_trade_no": body["paymentRequestId"], "subject": body["order"]["orderDescription"],
                price: paid["amount"], "currency": settled, "notify_url": body.get("paymentNotifyUrl"),
                "return_url": body.get("paymentRedirectUrl")}
        return {name: said[name] for name in PAYMENT_CONTENT if said.get(name)}

    def pay(self, service: str, params: Mapping[str, str]) -> PaymentPage:
        """By ``payments/pay``. Raises NotTranslatable before anything is sent; OutcomeUnknown, after which the same
        call may be repeated; NotDecided for a payment in process without an address: inquire, then cancel; GatewayError
        with code ``AMS.SUCCESS`` for one that is paid already, so that nobody pays it again."""
        translation = self._payment(service, params)
        reply = self._mapped(lambda: self.client.carry_out(translation), service)
        number = translation.steps[0].content["paymentRequestId"]
        url = next((address for address in map(reply.answer.text, _ADDRESSES) if address), "")
        if reply.outcome.state == "paid":
            raise GatewayError("this payment is made already, and has no page any more; ask query", code="AMS.SUCCESS",
                               out_trade_no=show(number), service=service)
        if not url:
            raise NotDecided("the payment is in process, and AMS names no page for the buyer: inquire, then cancel it",
                             out_trade_no=show(number), service=service)
        return PaymentPage(AMS, number, url)

    def query(self, order: Order) -> Fact:
        """By ``inquiryPayment``: signed. Its amount is among ``passed`` where it fits the order's price."""
        reply = self._mapped(lambda: self.client.inquiry_payment(payment_request_id=order.out_trade_no), SERVICE)
        return trade_facts(reply.answer, order, SERVICE, strict=False)

    def send_refund(self, order: Order, out_return_no: str, amount: str, gmt_return: str, reason: str = "") -> None:
        """By ``payments/refund``, behind an inquiry: AMS wants its own ``paymentId``. What fails before the refund is
        sent is a TransportError with ``sent`` False."""
        translation = self._refund(order, out_return_no, amount, gmt_return, reason, self._payment_id(order))
        self._mapped(lambda: self.client.carry_out(translation), "forex_refund")

    def refund_content(self, order: Order, out_return_no: str, amount: str, reason: str = "") -> Mapping[str, str]:
        """Read back from the request that AMS would get."""
        body = self._refund(order, out_return_no, amount, "", reason, "?").steps[0].content
        paid = from_ams(body["refundAmount"], "refundAmount")
        name = "return_amount" if order.rmb_fee is None else "return_rmb_amount"
        said = {"out_return_no": body["refundRequestId"], "out_trade_no": order.out_trade_no, name: paid["amount"],
                "currency": order.currency, "reason": body.get("refundReason")}
        return {name: said[name] for name in REFUND_CONTENT if said.get(name)}

    def query_refund(self, order: Order, out_return_no: str) -> Fact:
        """By ``inquiryRefund``."""
        try:
            reply = _proved(lambda: self.client.inquiry_refund(refund_request_id=out_return_no))
            return refund_facts(reply.answer, order)
        except NotDecided:
            raise
        except GatewayError as err:
            problem = err
        code = _signed_code(problem)
        if code not in _NO_REFUND:
            raise _in_mapis_words(problem, "forex_refund")
        raise GatewayError("AMS never got this refund", code="REFUND_NOT_EXIST", native_code=code,
                           service="forex_refund")

    def notification(self, path: str, headers: Any, body: bytes) -> AmsNotification:
        """A notification, verified with this account's keys alone. Raises as ``verify_notification``."""
        return verify_notification(self.client.account, path, headers, body)

    # --- parts ----------------------------------------------------------------------------------------------------

    def _context(self, **known):
        return Context(now=self._now(), **dict(self._settings, **known))

    def _payment(self, service, params):
        check_is_page(service)
        return translate(service, params, AMS, self._context(home=AMS)).require()

    def _refund(self, order, out_return_no, amount, gmt_return, reason, payment_id):
        params = {name: value for name, value in refund_request(
            order, out_return_no, amount, gmt_return, reason).items() if value}
        context = self._context(home=AMS, payment_id=payment_id, order_currency=_currency(order))
        return translate("forex_refund", params, AMS, context).require()

    def _payment_id(self, order):
        problem: Optional[AlipayError] = None
        try:
            answer = self.client.inquiry_payment(payment_request_id=order.out_trade_no).answer
            trade_facts(answer, order, SERVICE)    # another order, amount or currency is nothing to refund
            return answer.text("paymentId")
        except (NotDecided, InvalidMessage, TransportError) as err:
            problem = err
        except GatewayError as err:
            problem = err
        if isinstance(problem, GatewayError) and not isinstance(problem, NotDecided) and _signed_code(problem):
            raise _in_mapis_words(problem, "forex_refund")
        raise TransportError("the inquiry before the refund was not answered ({}); no refund was sent".format(
            type(problem).__name__), kind="other", sent=False)

    def _mapped(self, call: Callable[[], Reply], service: str) -> Reply:
        """The reply; a no of AMS as GatewayError with MAPI's code."""
        try:
            return _proved(call)
        except NotDecided:
            raise
        except GatewayError as err:
            problem = err
        raise _in_mapis_words(problem, service)


def _proved(call: Callable[[], Reply]) -> Reply:
    """The reply. An answer for another client id is no proof of anything: that is seen before its signature is."""
    try:
        return call()
    except PartyMismatch as err:
        problem = str(err)
    raise UntrustedMessage(problem)


def _signed_code(error: GatewayError) -> str:
    """AMS's own word; "" for a refusal that it has not signed, which anybody could have sent."""
    return str(getattr(error, "code", None) or "") if getattr(error, "signed", True) else ""


def _in_mapis_words(error: GatewayError, service: str) -> GatewayError:
    """The same no, with MAPI's code where AMS has signed it; a code that nobody has signed is never one of MAPI's,
    which somebody acts on."""
    native = str(getattr(error, "native_code", None) or getattr(error, "code", None) or "")
    signed = getattr(error, "signed", True)
    code = to_mapi(AMS, native, "F", service) if signed else "AMS." + native
    return GatewayError(str(error), code=code, native_code=native, service=service, signed=signed)


def _currency(order):
    return "CNY" if order.rmb_fee is not None or order.currency is None else order.currency
