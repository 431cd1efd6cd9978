"""What becomes of a notification and of a buyer's return: one core, whatever the framework. Nothing raises.

Size and method first, then the sign, then the shop's order, then (only where the sign cannot say for whom the message
is) one question to the gateway, then the state; so junk makes no outgoing call and is not stored. ``success`` is said
when the state is durable, and again to every repetition; anything else makes Alipay send again. Source: "Asynchronous
notification".
"""
import logging
import time
from typing import Any, Callable, Iterable, Mapping, Optional, Union

from ... import form_body
from ...backend import AMS, Backend
from ...client import Client, place_of
from ...errors import (BodyTooLarge, ConfigurationError, InvalidMessage, NotConfirmed, NotifyNotGenuine, OutcomeUnknown,
                       TransportError, UnreadableMessage, show)
from ...migration.receiving import fact_of
from ...notification import verify_notify
from ...synchronous_return import verify_return
from .answers import ACCEPTED, SIGNED, UNSAID, Answer, Returned, accepted, for_ams, refused
from .from_ams import Called, claimed, is_json, must_be_known, verified
from .seldom import Seldom

LOG = logging.getLogger("alipay_mapi.contrib")

#: (shop, body, answer, first): keeps what was said and what became of it. It is called for what was accepted, in the
#: transaction that stores it, and seldom enough for what was refused. ``first``: nothing of the kind was known before.
Evidence = Callable[[str, bytes, Answer, bool], Any]


class Callbacks:
    """``clients``: shop → Client. ``backends``: shop → its gateways by name, where it has others than MAPI.
    ``prefix``: of the public path, which a proxy takes off. ``taking``: an ``IntoStore`` or ``IntoShop``.
    ``evidence``: see ``Evidence``. ``seldom``: what a flood may write."""

    def __init__(self, clients: Mapping[str, Client], taking: Any, evidence: Optional[Evidence] = None,
                 seldom: Optional[Seldom] = None, clock: Callable[[], float] = time.monotonic,
                 backends: Optional[Mapping[str, Mapping[str, Backend]]] = None, prefix: str = ""):
        self._clients, self._taking, self._evidence, self._clock = clients, taking, evidence, clock
        self._backends, self._prefix = backends or {}, prefix
        self._seldom = Seldom() if seldom is None else seldom
        self._failures = Seldom()   # what the shop has to mend is not lost in a flood of junk
        self._signed = Seldom()     # nor what Alipay has signed
        self._asking = Seldom(1.0, 60)      # questions to the gateway about messages that anybody may repeat

    def notify(self, shop: str, method: str, content_type: Optional[str], length: Any,
               read: Callable[[int], bytes], remote: str = "", called: Optional[Called] = None) -> Answer:
        """What to answer. ``shop``: the merchant's name, of the URL. ``length``: the header ``Content-Length``, or
        None. ``read``: the raw body, so many bytes at most; whatever it raises is an unreadable message, unless it
        is an InvalidMessage itself (BodyTooLarge, for a framework's own limit). ``remote``: the address, for the log.
        ``called``: gives path, query and headers of the request, which AMS signs. Raises nothing."""
        began, body, kept, of_ams = self._clock(), b"", [], False  # type: float, bytes, list, bool
        if method != "POST":
            return refused("", UnreadableMessage("a notification is a POST"), 405)._replace(told=False)
        try:
            client = self._clients.get(shop)
            if client is None:
                answer = refused("", ConfigurationError("there is no such merchant"), 404)
            else:
                body = _body(length, read)
                of_ams = called is not None and is_json(content_type)
                answer = self._taken_from_ams(shop, body, called, kept) if of_ams else \
                    self._taken(shop, client, body, content_type, kept)
        except Exception as err:    # the shop's own functions, too
            answer = refused(shop, err)
        if of_ams:
            answer = for_ams(answer)
        try:
            return self._tell(answer, body, remote, self._clock() - began, bool(kept))
        except Exception:   # of a log handler: the state is stored, so the answer stands
            return answer

    def _taken(self, shop, client, body, content_type, kept):
        order = self._taking.order_source(shop)
        note, number = None, ""
        try:
            note = verify_notify(client.shop, body, content_type, order)
        except NotifyNotGenuine:
            raise
        except NotConfirmed as err:
            number = err.facts.get("out_trade_no", "")
        if note is None:
            note = self._confirmed(shop, client, body, content_type, order, number)

        def keep(first):
            kept.append(note)
            self._keep(shop, body, accepted(shop, note, None), first)
        return accepted(shop, note, self._taking.take(shop, note, keep))

    def _taken_from_ams(self, shop, body, called, kept):
        backend = self._backends.get(shop, {}).get(AMS)
        message = verified(backend, called, body, self._prefix)
        note = fact_of(message, lambda number: self._taking.order_of(shop, number),
                       lambda number: self._taking.order_of_refund(shop, number),
                       strict=self._taking.order_source(shop) is not None)
        if note is message:
            must_be_known(message, self._taking.takes_others())

        def keep(first):
            kept.append(note)
            self._keep(shop, body, accepted(shop, note, None), first)
        return accepted(shop, note, self._taking.take(shop, note, keep, AMS))

    def _confirmed(self, shop, client, body, content_type, order, number):
        """The sign fits, so it is Alipay's; it does not say for which merchant. Ask, but not for strangers."""
        if number:
            self._taking.expects(shop, number)
        elif not self._taking.takes_others():
            raise NotConfirmed("it names no order, and nobody takes such a message: see NOTIFIED")
        if self._asking.passes() is None:
            self._taking.came_back(shop, number)
            raise NotConfirmed("too many messages that do not say for whom they are; the query settles it",
                               out_trade_no=show(number))
        try:
            return verify_notify(client.shop, body, content_type, order, client.notify_verify)
        except (NotifyNotGenuine, TransportError, OutcomeUnknown) as err:
            problem = err
        self._taking.came_back(shop, number)    # it may be true all the same: the query tells, and soon
        raise problem

    def returned(self, shop: str, query: Union[str, bytes], own: Iterable[str] = ()) -> Returned:
        """Who is back. ``query``: raw. ``own``: names of the shop's own parameters. Raises nothing."""
        client = self._clients.get(shop)
        if client is None:
            error = ConfigurationError("there is no such merchant")
            return Returned("", "", type(error).__name__, None, error)
        if not query and AMS in self._backends.get(shop, {}):
            return Returned(shop, "", UNSAID)
        try:
            message = verify_return(client.shop, query, own=own)
        except InvalidMessage as err:
            return Returned(shop, "", type(err).__name__, None, err)
        except Exception as err:
            said = self._failed(shop, err)
            return Returned(shop, "", said.verdict, None, said.error)
        number = message.get("out_trade_no", "")
        try:
            self._taking.came_back(shop, number)
        except Exception as err:    # the buyer is back all the same, and cron asks later
            self._failed(shop, err)
        return Returned(shop, number, ACCEPTED, message)

    def _failed(self, shop, err):
        """What is wrong here, and not with the message, told."""
        said = refused(shop, err)
        left_out = self._failures.passes()
        if left_out is not None:
            self._log(logging.ERROR, said, "return", left_out, "", 0.0)
        return said

    # --- what is kept of it -------------------------------------------------------------------------------------------

    def _tell(self, answer: Answer, body: bytes, remote: str, seconds: float, kept: bool) -> Answer:
        left_out: Optional[int] = 0
        if answer.notification is None:
            left_out = self._room(answer).passes()
            if left_out is None:
                return answer._replace(told=False)
        level = logging.INFO if answer.notification else logging.ERROR if answer.status == 500 else logging.WARNING
        self._log(level, answer, "notification", left_out, remote, seconds, body)
        if answer.shop and not kept:
            self._keep(answer.shop, body, answer, False)
        return answer

    def _room(self, answer):
        """What a flood of junk may write, and what it shall not displace."""
        if answer.status >= 500:
            return self._failures
        return self._signed if isinstance(answer.error, SIGNED) else self._seldom

    def _keep(self, shop, body, answer, first):
        if self._evidence is None:
            return
        try:
            self._evidence(shop, body, answer, first)
        except Exception as err:    # what is proved shall not be undone by a note about it
            LOG.error("evidence was not kept: %s at %s", type(err).__name__, place_of(err))

    def _log(self, level, answer, what, left_out, remote, seconds, body=b""):
        """Ids and verdicts alone: no key, no sign, no URL, nothing of the buyer."""
        if not LOG.isEnabledFor(level):
            return
        facts = _facts(answer, body, remote, seconds)
        told = " ".join("{}={}".format(name, _in_quotes(value)) for name, value in facts.items() if value != "")
        why = ""
        if answer.error is not None:
            why = ": " + show(str(answer.error), 300)
        elif answer.failure is not None:
            why = ": raised at " + place_of(answer.failure)
        more = " ({} more were refused, and not told)".format(left_out) if left_out else ""
        LOG.log(level, "%s %s%s%s", what, told, why, more, extra={"alipay_mapi": facts})


def _facts(answer: Answer, body: bytes, remote: str, seconds: float) -> Mapping[str, Any]:
    said: Mapping[str, str] = _claimed(body) if answer.notification is None else answer.notification
    ids = {name: show(said.get(name) or "") for name in ("out_trade_no", "notify_id", "trade_status")}
    return dict(ids, verdict=answer.verdict, status=answer.status, shop=answer.shop, remote=show(remote, 64),
                seconds=round(seconds, 3))


def _in_quotes(value: Any) -> Any:
    """Text with a blank in it could pass for another fact."""
    return repr(value) if isinstance(value, str) and (" " in value or "=" in value) else value


def _claimed(body: bytes) -> Mapping[str, str]:
    """The ids that a message claims to be about; nothing of it is believed."""
    if body[:1] == b"{":
        return claimed(body)
    try:
        pairs = form_body.parse(body)
    except InvalidMessage:
        return {}
    return {name: pairs.get(name.encode("ascii"), b"").decode("ascii", "backslashreplace")
            for name in ("out_trade_no", "notify_id", "trade_status")}


def _body(length: Any, read: Callable[[int], bytes]) -> bytes:
    """Raises BodyTooLarge before anything is read, where the header says so."""
    declared = str(length or "")
    if declared.isdecimal() and int(declared[:12]) > form_body.MAX_BYTES:
        raise BodyTooLarge("{} bytes; no message of this protocol is larger than {}".format(
            declared[:12], form_body.MAX_BYTES))
    problem = ""
    try:
        body: Any = read(form_body.MAX_BYTES + 1)
        if isinstance(body, (bytes, bytearray)):
            return bytes(body)
        problem = type(body).__name__
    except InvalidMessage:      # an adapter's own verdict
        raise
    except Exception as err:    # a broken connection, or the framework's own limit
        problem = type(err).__name__
    raise UnreadableMessage("the body could not be read ({})".format(problem))
