"""Calls to AMS: sign, send, check, classify. The same two rules as ``Client``: a read may be repeated, a write never by
itself; and an answer counts only when checked.
"""
import threading
import logging
import time
from datetime import datetime
from typing import Any, Callable, Mapping, NamedTuple, Optional

from ...client import exchange
from ...errors import AlipayError, GatewayError, InvalidMessage, InvalidRequest, OutcomeUnknown, TransportError, show
from ...times import GMT8
from ..ams import card, card_secret, results
from ..ams.account import Account
from ..ams.answers import AmsAnswer, verify_answer
from ..ams.requests import build_request, epoch_milliseconds
from ..errors import NotDecided
from ..outcome import NO, UNKNOWN, Outcome
from ..translate import Step, Translation

_LOG = logging.getLogger("alipay_mapi")

#: Calls that change nothing.
_READS = ("payments/inquiryPayment", "payments/inquiryRefund", "payments/inquireExchangeRate",
          "merchants/inquiryRegistrationStatus", "merchants/inquiryRegistrationInfo",
          "customs/inquiryDeclarationRequests")
#: Members by which a person or an inquiry finds the business again.
_IDS = ("paymentRequestId", "paymentId", "refundRequestId", "refundId", "captureRequestId", "registrationRequestId",
        "referenceMerchantId")
#: Not decided yet, and said so by AMS itself.
_RUNNING = ("pending", "refund_pending", "capture_pending", "registration_pending")
_PAUSE = 0.2


class Reply(NamedTuple):
    """``outcome``: what it means; ``answer``: the checked answer, signed."""

    outcome: Outcome
    answer: AmsAnswer


class AmsClient:
    """AMS as one account sees it. Safe to share between threads.

    ``transport``: anything with ``send(call) -> answer``, as in ``alipay_mapi.transport``, whose answers also carry
    ``headers`` (a mapping or pairs): the signature stands there; by default ``RequestsTransport``, made at the first
    call. ``retries``: how often a read is repeated after a
    transport fault; ``budget``: seconds that one call may take in all. ``now``, ``sleep``, ``clock``: for tests.

    Every method raises InvalidRequest or ConfigurationError before anything is sent; GatewayError for a no (``code`` is
    AMS's word); TransportError when nothing was changed; for a write that may have been carried out OutcomeUnknown,
    after which it is inquired or repeated with the same ids; for a read NotDecided (ask again) or InvalidMessage and
    its kinds. A payment or refund that is still in process is a Reply with ``outcome.verdict == "unknown"`` and what to
    do.
    """

    def __init__(self, account: Account, transport: Any = None, *, retries: int = 2, budget: float = 15.0,
                 now: Optional[Callable[[], datetime]] = None, sleep: Callable[[float], Any] = time.sleep,
                 clock: Callable[[], float] = time.monotonic):
        self.account = account
        self._transport, self._retries, self._budget = transport, retries, budget
        self._lock = threading.Lock()
        self._now = now or (lambda: datetime.now(GMT8))
        self._sleep, self._clock = sleep, clock

    def pay(self, content: Mapping[str, Any]) -> Reply:
        """``payments/pay``. ``content``: the body, such as ``translate(…).steps[0].content``; the cashier's address
        stands in ``answer["normalUrl"]`` and its kin while the outcome is pending. Source: payment_cashier.

        A payment by card has its members from ``ams.card`` and is an authorization; its number is a ``CardNumber``,
        never text, and appears in no error and no log. With AMS's own page S is no yes: OutcomeUnknown. What the bank
        said of the card: ``ams.card_results.card_result(reply.answer)``."""
        _require(content, "pay", "productCode", "paymentRequestId", "order", "paymentAmount", "paymentMethod")
        return self.call("payments/pay", content)

    def inquiry_payment(self, *, payment_request_id: Optional[str] = None, payment_id: Optional[str] = None,
                        authorization: bool = False) -> Reply:
        """``payments/inquiryPayment``. With both ids AMS goes by ``payment_id``. GatewayError ``ORDER_NOT_EXIST``: not
        there (yet). ``authorization``: the money is captured later; then a success is "authorized" and not "paid", and
        the captures stand in ``answer["transactions"]``. Source: paymentri_online."""
        return self._send("payments/inquiryPayment", _ids(
            paymentRequestId=payment_request_id, paymentId=payment_id), authorization)

    def cancel(self, *, payment_request_id: Optional[str] = None, payment_id: Optional[str] = None) -> Reply:
        """``payments/cancel``: the whole payment; one that is paid goes back with its fee. Source: cancel."""
        return self.call("payments/cancel", _ids(paymentRequestId=payment_request_id, paymentId=payment_id))

    def refund(self, *, refund_request_id: str, payment_id: str, refund_amount: Mapping[str, str],
               refund_reason: Optional[str] = None, refund_notify_url: Optional[str] = None) -> Reply:
        """``payments/refund``. ``refund_amount``: see ``ams.amounts.to_ams``, in the payment's currency. Source:
        refund_online."""
        return self.call("payments/refund", _given(
            refundRequestId=refund_request_id, paymentId=payment_id, refundAmount=dict(refund_amount),
            refundReason=refund_reason, refundNotifyUrl=refund_notify_url))

    def inquiry_refund(self, *, refund_request_id: Optional[str] = None, refund_id: Optional[str] = None) -> Reply:
        """``payments/inquiryRefund``. Source: ir_online."""
        return self.call("payments/inquiryRefund", _ids(refundRequestId=refund_request_id, refundId=refund_id))

    def capture(self, *, capture_request_id: str, payment_id: str, capture_amount: Mapping[str, str],
                is_last_capture: Optional[bool] = None) -> Reply:
        """``payments/capture`` of an authorized payment, within seven days of it. ``capture_amount``: see
        ``ams.amounts.to_ams``, in the payment's currency and not more than is authorized; AMS itself counts, and
        whether a payment can be captured in parts depends on the card. Repeat only with the same id: it is what keeps
        AMS from capturing twice. Source: capture."""
        if is_last_capture is not None and not isinstance(is_last_capture, bool):
            raise InvalidRequest("is_last_capture: True, False or None", parameter="is_last_capture")
        content = _given(captureRequestId=capture_request_id, paymentId=payment_id, captureAmount=dict(capture_amount),
                         isLastCapture=is_last_capture if is_last_capture is None else str(is_last_capture).lower())
        _require(content, "capture", "captureRequestId", "paymentId", "captureAmount")
        return self.call("payments/capture", content)

    def registration(self, content: Mapping[str, Any]) -> Reply:
        """``merchants/registration`` of a secondary merchant. ``content``: the body, such as
        ``translate(…).steps[0].content``. Yes: AMS took it; the wallets decide later, and what counts is
        :meth:`inquiry_registration_status` or the notification. GatewayError ``REPEAT_REGISTRATION`` when another
        request was first. Source: registration, registration_online."""
        _require(content, "registration", "registrationRequestId", "productCodes", "merchantInfo")
        if "IN_STORE_PAYMENT" in content["productCodes"]:
            _require(content, "registration of a store", "storeInfo")
        return self.call("merchants/registration", content)

    def inquiry_registration_status(self, *, reference_merchant_id: Optional[str] = None,
                                    registration_request_id: Optional[str] = None,
                                    reference_store_id: Optional[str] = None) -> Reply:
        """``merchants/inquiryRegistrationStatus``: of one request, or of the merchant with all wallets, see
        ``ams.results.wallet_statuses(reply.answer)``. GatewayError ``RECORD_NOT_FOUND``: no such. Source: irs."""
        return self.call("merchants/inquiryRegistrationStatus", _ids(
            referenceMerchantId=reference_merchant_id, registrationRequestId=registration_request_id,
            referenceStoreId=reference_store_id))

    def inquiry_registration_info(self, *, reference_merchant_id: str,
                                  reference_store_id: Optional[str] = None) -> Reply:
        """``merchants/inquiryRegistrationInfo``: what AMS has of a merchant, in ``answer["merchantInfo"]``; without
        that it is not registered (yet), and the outcome unknown. Source: iri, iri_online."""
        content = _given(referenceMerchantId=reference_merchant_id, referenceStoreId=reference_store_id)
        _require(content, "inquiryRegistrationInfo", "referenceMerchantId")
        return self.call("merchants/inquiryRegistrationInfo", content)

    def carry_out(self, translation: Translation) -> Reply:
        """Send the steps of a translation, each filled from the checked answer before → the last one's Reply.

        Raises NotTranslatable for its refusals, or when an answer does not say what the next step needs.
        """
        if translation.back_end != "ams":
            raise InvalidRequest("translation: made for {}".format(translation.back_end), parameter="translation")
        steps = translation.require().steps
        reply = self._step(steps[0])
        for number in range(len(steps) - 1):
            reply = self._step(translation.follow(number, reply.answer))
        return reply

    def call(self, call: str, content: Mapping[str, Any]) -> Reply:
        """Any call of AMS: its name, such as ``"customs/declare"``, and its body."""
        return self._send(call, content)

    # --- one call -------------------------------------------------------------------------------------------------

    def _send(self, call, content, authorization=False):
        if call == "payments/pay":
            card.check(content)
        secrets = card_secret.secrets_in(content)
        # MissingKey now, and not when the answer to a write cannot be checked; and what is no call of AMS.
        _ = self.account.checking_keys, self.account.signing_key, self.account.path(call)
        started, reply, error = self._clock(), None, None
        try:
            reply = self._ask(call, content, authorization, started)
        except AlipayError as err:
            error = card_secret.without_secrets(err, secrets, _IDS)
        self._log(call, content, started, reply, error)
        if error is not None:
            raise error
        return reply

    def _ask(self, call, content, authorization, started):
        writes = call not in _READS
        for attempt in range(1 + self._retries):
            request = build_request(self.account, call, card_secret.body_of(content), epoch_milliseconds(self._now()))
            answer, fault = self._attempt(request, started)
            if fault is None:
                return self._read(call, content, request, answer, authorization)
            if writes and getattr(fault, "sent", True):
                raise _outcome_unknown(call, content, "no usable answer came ({})".format(
                    getattr(fault, "kind", "fault")))
            pause = _PAUSE * 2 ** attempt
            if writes or attempt == self._retries or self._left(started) <= pause:
                break
            self._sleep(pause)
        raise fault

    def _step(self, step: Step) -> Reply:
        if step.needs:
            raise InvalidRequest("{}: still lacks {}".format(step.name, ", ".join(step.needs)), parameter=step.needs[0])
        return self.call(step.name, step.content)

    def _attempt(self, request, started):
        """(answer, None), or (None, TransportError)."""
        from ...transport import Call
        answer, fault = exchange(self._transport_here(), Call("POST", request.url, request.body, request.headers,
                                                       max(self._left(started), 0.001)))
        if fault is not None:
            return None, fault
        if not isinstance(getattr(answer, "body", None), bytes) or getattr(answer, "headers", None) is None:
            return None, TransportError("the transport handed out no answer with body and headers, which AMS signs",
                                        kind="other", sent=True)
        if answer.status != 200:
            return None, TransportError("not an answer but status {}".format(answer.status), kind="status", sent=True)
        return answer, None

    def close(self) -> None:
        """Close idle connections, if the transport has any."""
        close = getattr(self._transport, "close", None)
        if close is not None:
            close()

    def _transport_here(self):
        if self._transport is None:
            from ...transport import RequestsTransport
            with self._lock:
                if self._transport is None:
                    self._transport = RequestsTransport(allow_http=self.account.allow_http)
        return self._transport

    def _left(self, started):
        return self._budget - (self._clock() - started)

    def _read(self, call, content, request, answer, authorization):
        problem, writes = None, call not in _READS
        try:
            checked = verify_answer(self.account, request.path, answer.headers, answer.body, asked=content)
        except (InvalidMessage, InvalidRequest) as err:
            problem = err
        if problem is not None:
            if writes:
                raise _outcome_unknown(call, content, "its answer cannot be used ({})".format(type(problem).__name__))
            raise problem
        found = results.classify(call.rpartition("/")[2], checked, hosted=card.is_hosted(content),
                                 authorization=authorization or card.authorizes(content))
        if not checked.signed:
            return self._unsigned(call, content, checked, writes)
        if writes and found.verdict == UNKNOWN and found.state not in _RUNNING:
            raise _outcome_unknown(call, content, "AMS answered {}".format(show(found.code or "no code")), found.code)
        if writes and found.verdict == NO or found.state == "not_found" or checked.result_status == "F":
            raise GatewayError("{}: AMS said no: {}".format(call, show(found.code or "no code")), code=show(found.code),
                               service=call, next=found.next)
        if checked.result_status != "S" and not writes:
            raise NotDecided("{}: AMS cannot say ({}); ask again".format(call, show(found.code or "no code")),
                             code=show(found.code), service=call)
        return Reply(found, checked)

    def _unsigned(self, call, content, checked, writes):
        code = show(checked.result_code or "no code")
        if writes:
            raise _outcome_unknown(call, content, "AMS answered {} without a signature".format(code), code)
        raise GatewayError("{}: AMS refused the question: {} (unsigned; it says nothing about the order)".format(
            call, code), code=code, service=call, signed=False)


    def _log(self, call, content, started, reply, error):
        """One line a call, as ``Client`` has it: ids and verdict, no body, no URL, no signature."""
        level = logging.DEBUG if error is None else \
            logging.INFO if isinstance(error, GatewayError) else logging.WARNING
        if not _LOG.isEnabledFor(level):
            return
        ids = "".join(" {}={}".format(name, show(content[name])) for name in _IDS if content.get(name) is not None)
        if error is None:
            verdict = "{}:{}".format(reply.outcome.verdict, reply.outcome.state)
        else:
            code = getattr(error, "code", None) or getattr(error, "kind", None)
            verdict = type(error).__name__ + (":" + show(code) if code else "")
        _LOG.log(level, "%s%s verdict=%s seconds=%.3f", show(call), ids, verdict, self._clock() - started)


def _require(content, what, *names):
    for name in names:
        if not content.get(name):
            raise InvalidRequest("{}: absent, and {} needs it".format(name, what), parameter=name)


def _given(**members):
    return {name: value for name, value in members.items() if value is not None}


def _ids(**members):
    found = _given(**members)
    if not found:
        raise InvalidRequest("{}: give one of them".format(", ".join(sorted(members))), parameter=sorted(members)[0])
    return found


def _outcome_unknown(call, content, why, code=None):
    facts = {name: show(content[name]) for name in _IDS if isinstance(content.get(name), str)}
    return OutcomeUnknown("{}: {}, and it may have been carried out. Inquire before repeating it, and repeat it only "
                          "with the same ids".format(call, why), service=call, code=code, **facts)
