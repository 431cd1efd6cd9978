"""Server-to-server calls: sign, send, parse, check; one method per service that a server asks.

Two rules decide everything here. **A read may be repeated, a write never**: a write whose answer is missing or cannot
be used is :class:`OutcomeUnknown`, and the shop queries before it repeats. **An answer counts only when checked**:
``parse_response`` with what was asked; errors, which Alipay does not sign, are a no and never more than that.
"""
import logging
import os.path
import re
import threading
import time
from typing import Any, Callable, Mapping, Optional, Tuple, Union

from . import error_codes, services
from .errors import (AlipayError, ConfigurationError, GatewayError, InvalidMessage, InvalidRequest, NotXML,
                     OutcomeUnknown, TransportError, UnexpectedRoot, XMLMalformed, show)
from .merchant import GATEWAY_INSTORE, GATEWAY_INTL, Merchant
from .request import SignedRequest, build_request
from .response import Response, parse_response
from .text_answer import TextAnswer, no_answer, parse_text

_LOG = logging.getLogger("alipay_mapi")
_LOG.addHandler(logging.NullHandler())

#: What a transport hands out.
_ANSWER = (("status", int), ("content_type", str), ("body", bytes))
#: result_code that says for certain that a write was not carried out.
_DEFINITE_NO = ("FAIL", "FAILED", "fail", "failed")
#: An answer that is no answer of the gateway: something in between spoke. Worth asking again.
_NOT_AN_ANSWER = (NotXML, XMLMalformed, UnexpectedRoot)
#: Names by which a person or a query finds the business again.
_IDS = ("out_trade_no", "out_return_no", "trade_no", "partner_trans_id", "partner_refund_id", "secondary_merchant_id")
_CODE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Client:
    """The gateway, as one merchant sees it. Safe to share between threads.

    ``transport``: anything with ``send(call) -> answer`` (see ``transport``); by default ``RequestsTransport``, made at
    the first call. ``retries``: how often a read is repeated after a transport fault. ``budget``: seconds that one call
    may take in all, its repetitions included. ``sleep`` and ``clock``: for tests.

    Every method raises InvalidRequest or ConfigurationError before anything is sent; GatewayError for a no (``code``);
    TransportError when no usable answer came and nothing was changed; InvalidMessage and its kinds for an answer to a
    read that cannot be trusted; and for a write that may have been carried out, OutcomeUnknown.
    """

    def __init__(self, shop: Merchant, transport: Any = None, *, retries: int = 2, budget: float = 15.0,
                 sleep: Callable[[float], Any] = time.sleep, clock: Callable[[], float] = time.monotonic):
        self.shop = shop
        self._transport, self._retries, self._budget = transport, retries, budget
        self._sleep, self._clock, self._lock = sleep, clock, threading.Lock()

    def single_trade_query(self, *, out_trade_no: Optional[str] = None, trade_no: Optional[str] = None) -> Response:
        """What became of a trade: a signed answer, about the order that was asked for, to this merchant.

        GatewayError with code ``TRADE_NOT_EXIST``: the buyer has not come to the cashier, so it is not paid *yet*.
        ``total_fee`` of the answer is in CNY, whatever the order's currency. Source: single_trade_query.
        """
        return self._call_xml("single_trade_query", services.single_trade_query(
            out_trade_no=out_trade_no, trade_no=trade_no))

    def forex_refund(self, **arguments: Any) -> Response:
        """Ask for a refund; arguments as ``services.forex_refund``. The answer is unsigned: *accepted*, not refunded.

        After OutcomeUnknown query, and repeat only with the same ``out_return_no``: it is what keeps Alipay from
        refunding twice. Leave 3 seconds between refunds. Source: forex_refund.
        """
        return self._call_xml("forex_refund", services.forex_refund(**arguments))

    def secmerchant_online_maintain(self, **arguments: Any) -> Response:
        """Register or update a secondary merchant with web sites or apps; arguments as the builder in ``services``."""
        return self._call_xml("alipay.overseas.secmerchant.online.maintain",
                              services.secmerchant_online_maintain(**arguments))

    def secmerchant_offline_maintain(self, **arguments: Any) -> Response:
        """Register or update a secondary merchant's store; arguments as the builder in ``services``."""
        return self._call_xml("alipay.overseas.secmerchant.offline.maintain",
                              services.secmerchant_offline_maintain(**arguments))

    def secmerchant_query_status(self, **arguments: Any) -> Response:
        """How a registration stands; arguments as the builder in ``services``."""
        return self._call_xml("alipay.overseas.secmerchant.maintain.queryStatus",
                              services.secmerchant_query_status(**arguments))

    def notify_verify(self, notify_id: str) -> bool:
        """Did Alipay send a notification with this id to this merchant? Known for about a minute.

        A second opinion: True says nothing about the fields, False on a late question nothing at all. Unsigned, as
        every client that was captured sends it (the page lists ``sign`` as required). ``notify_id``: as received,
        decoded once; anything outside its alphabet is InvalidRequest. An id that still holds a ``%`` is asked about as
        it is and, if the answer is false, encoded once more: the mainland demos and the global page disagree.
        Source: notify_verify; "verify the notification" of the mainland pages.
        """
        checked = services.notify_verify(notify_id=notify_id)["notify_id"]
        started, error, verdict = self._clock(), None, False
        try:
            for spelled in _spellings(checked):
                verdict = self._ask_whether_genuine(spelled, started)
                if verdict:
                    break
            return verdict
        except AlipayError as err:
            error = err
            raise
        finally:
            self._log("notify_verify", {"notify_id": checked}, started, error, str(verdict).lower())

    def call(self, service: str, params: Mapping[str, Any]) -> Union[Response, TextAnswer]:
        """Any service that answers a server, listed or not: a checked Response, or a TextAnswer for file services.

        An unlisted service counts as a write: it is never repeated. Services that the buyer's browser or the app SDK
        opens are refused. "No balance … data" is an empty TextAnswer; any other failure text is a GatewayError.
        """
        if not isinstance(service, str):
            raise InvalidRequest("service: the operation's name as text, such as single_trade_query",
                                 parameter="service")
        service = services.canonical_name(service)
        row = services.lookup(service)
        if row is not None and row.answer == "page":
            raise InvalidRequest("{}: the buyer's browser opens it; send the browser to build_request(shop, service, "
                                 "params).url".format(service), parameter="service")
        if row is not None and row.answer == "sdk":
            raise InvalidRequest("{}: the app SDK opens it; give the app build_order_string(shop, params) (there is no "
                                 "build_request(…).url for it)".format(service), parameter="service")
        if service == "notify_verify":
            raise InvalidRequest("notify_verify: call Client.notify_verify(notify_id), which gives True or False",
                                 parameter="service")
        if row is not None and row.answer == "text":
            return self._signed_call(service, params, self._read_text)
        return self._call_xml(service, params)

    def close(self) -> None:
        """Close idle connections, if the transport has any."""
        close = getattr(self._transport, "close", None)
        if close is not None:
            close()

    # --- one call -------------------------------------------------------------------------------------------------

    def _call_xml(self, service, params):
        _ = self.shop.checking_keys     # MissingKey now, and not when the answer to a write cannot be checked
        return self._signed_call(service, params, self._read_xml)

    def _signed_call(self, service, params, read):
        row = services.lookup(service)
        request, writes = build_request(self.shop, service, params), row is None or row.writes
        started, error = self._clock(), None
        try:
            return self._repeat(self._signed_posts(request, writes), lambda answer: read(request, answer, writes),
                                started, writes, request)
        except AlipayError as err:
            error = err
            raise
        finally:
            self._log(service, request.params, started, error, "answered")

    def _signed_posts(self, request, writes):
        # POST keeps what is signed out of the access logs of proxies and servers.
        from .transport import Call
        charset = self.shop.input_charset
        headers = {"Content-Type": "application/x-www-form-urlencoded" + (
            "; charset=" + charset if charset is not None else "")}
        return [Call("POST", url, request.body, headers) for url in self._hosts(request.action, writes)]

    def _hosts(self, url, writes=False):
        if self.shop.gateway != GATEWAY_INSTORE or writes:
            return [url]    # the backup host is for questions; a write is the shop's to repeat
        return [url, GATEWAY_INTL + url[len(GATEWAY_INSTORE):]]

    def _repeat(self, calls, read, started, writes, request=None):
        """Send until an answer can be read. ``calls``: the same question for each host, in order of preference."""
        attempts = len(calls) if writes else max(len(calls), 1 + self._retries)
        for attempt in range(attempts):
            result, fault = self._attempt(calls[attempt % len(calls)], read, started)
            if fault is None:
                return result
            if writes and getattr(fault, "sent", True):
                raise _outcome_unknown(request, "no usable answer came ({})".format(getattr(fault, "kind", "fault")))
            pause = _pause(attempt + 1, len(calls))
            if attempt + 1 == attempts or self._left(started) <= pause:
                raise fault
            if pause:
                self._sleep(pause)

    def _attempt(self, call, read, started):
        """(result, None) or (None, TransportError); whatever else is wrong with the answer raises."""
        from .transport import Call
        answer, fault = exchange(self._transport_here(), Call(call.method, call.url, call.body, call.headers,
                                                              max(self._left(started), 0.001)))
        if fault is not None:
            return None, fault
        if not all(isinstance(getattr(answer, name, None), kind) for name, kind in _ANSWER):
            return None, TransportError("the transport handed out no Answer: status an int, content_type text, body "
                                        "bytes", kind="other", sent=True)
        if answer.status != 200:
            return None, TransportError("not an answer but status {}".format(int(answer.status)), kind="status",
                                        sent=True)
        try:
            return read(answer), None
        except TransportError as err:
            return None, err

    def _left(self, started):
        return self._budget - (self._clock() - started)

    def _transport_here(self):
        if self._transport is None:
            from .transport import RequestsTransport
            with self._lock:
                if self._transport is None:
                    self._transport = RequestsTransport(allow_http=self.shop.allow_http)
        return self._transport

    # --- reading an answer ----------------------------------------------------------------------------------------

    def _read_xml(self, request, answer, writes):
        problem = None
        try:
            response = parse_response(self.shop, answer.body, asked=request.params)
        except InvalidMessage as err:
            problem = err
        if problem is not None:
            if writes:
                raise _outcome_unknown(request, "its answer cannot be used ({})".format(type(problem).__name__))
            raise no_answer(problem) if isinstance(problem, _NOT_AN_ANSWER) else problem
        try:
            return response.raise_for_error()
        except GatewayError as err:
            refusal = err
        if writes and _leaves_open(response, refusal.code):
            raise _outcome_unknown(request, "the gateway answered {}".format(refusal.code or "no code"), refusal.code)
        raise refusal

    def _read_text(self, request, answer, writes):
        if answer.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            self._read_xml(request, answer, writes)
            raise no_answer("XML that says yes")
        return parse_text(self.shop, answer.body, answer.content_type, request.service)

    def _ask_whether_genuine(self, spelled, started):
        from .transport import Call
        query = "?service=notify_verify&partner={}&notify_id={}".format(self.shop.partner, spelled)
        calls = [Call("GET", url) for url in self._hosts(self.shop.gateway + query)]
        return self._repeat(calls, self._read_verdict, started, writes=False)

    def _read_verdict(self, answer):
        word = answer.body.strip()
        if word in (b"true", b"false"):
            return word == b"true"
        text = word[:64].decode("ascii", "replace")
        code = text if text == "invalid" or len(word) <= 64 and _CODE.fullmatch(text) else None
        if code is None and word.startswith(b"<"):
            code = self._xml_refusal(answer.body)
        if code is None:
            raise no_answer("neither true nor false")
        raise GatewayError("notify_verify: the gateway answered {} ({})".format(
            show(code), "is the partner right?" if code == "invalid" else error_codes.describe(code).meaning),
            code=show(code), service="notify_verify")

    def _xml_refusal(self, body):
        try:
            return parse_response(self.shop, body).error
        except AlipayError:
            return None

    def _log(self, service, params, started, error, verdict):
        """One line a call: no params, no URL, no sign."""
        level = logging.DEBUG if error is None else \
            logging.INFO if isinstance(error, GatewayError) else logging.WARNING
        if not _LOG.isEnabledFor(level):
            return
        ids = "".join(" {}={}".format(name, show(params[name])) for name in _IDS + ("notify_id",) if name in params)
        if error is not None:
            code = getattr(error, "code", None) or getattr(error, "kind", None)
            verdict = type(error).__name__ + (":" + show(code) if code else "")
        _LOG.log(level, "%s%s verdict=%s seconds=%.3f", show(service), ids, verdict, self._clock() - started)


def _leaves_open(response, code) -> bool:
    """Does this no leave open whether the write was carried out? A bare FAIL does not; SYSTEM_ERROR does, and so does
    any result_code that is no plain FAIL, whatever else the answer says (UNKNOW: always query)."""
    if response.result_code is not None and response.result_code not in _DEFINITE_NO:
        return True
    if response.result_code is None or code != show(response.result_code):
        return error_codes.describe(code).retry == "query"
    return False


def _outcome_unknown(request: SignedRequest, why: str, code: Optional[str] = None) -> OutcomeUnknown:
    facts = {name: show(request.params[name]) for name in _IDS if name in request.params}
    facts.setdefault("out_trade_no", None)
    facts.setdefault("out_return_no", None)
    same = " (the same out_return_no)" if facts["out_return_no"] else ""
    return OutcomeUnknown("{}: {}, and it may have been carried out. Query before repeating it, and repeat it only "
                          "with the same ids{}".format(request.service, why, same),
                          service=request.service, code=code, **facts)


def _pause(attempt, hosts) -> float:
    """Seconds before the attempt with this number (the first is 0): none for a host that was not asked yet."""
    if attempt < hosts:
        return 0.0
    import random
    return 0.2 * 2 ** (attempt - hosts) * random.uniform(0.8, 1.2)


def exchange(transport: Any, call: Any) -> Tuple[Any, Optional[TransportError]]:
    """Send a ``Call`` → (the transport's answer, None), or (None, TransportError). Raises ConfigurationError and
    InvalidRequest, which come before anything is sent."""
    try:
        return transport.send(call), None
    except TransportError as err:
        fault = err
    except (ConfigurationError, InvalidRequest):
        raise
    except Exception as err:
        # Another transport than ours: whatever it raises after a refund was sent means "outcome unknown". Its text may
        # hold a URL, so only its class and its place are told.
        fault = TransportError("the transport raised {} (at {}), which is no TransportError".format(
            type(err).__name__, place_of(err)), kind="other", sent=True)
    return None, fault


def place_of(err: BaseException) -> str:
    """File and line that raised, without its folder: all that may be told of a foreign error, whose text may hold
    anything."""
    trace = err.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    return "{}:{}".format(os.path.basename(trace.tb_frame.f_code.co_filename), trace.tb_lineno)


def _spellings(notify_id):
    """How to write a notify_id into the query, in the order of asking."""
    encoded = "".join(c if c.isalnum() or c in "_.-" else "%{:02X}".format(ord(c)) for c in notify_id)
    if "%" not in notify_id or _BROKEN_ESCAPE.search(notify_id):
        return (encoded,)
    return notify_id.replace("+", "%2B"), encoded
