"""Two gateways side by side: one answers, the other is watched.

For the weeks before a shop moves. A read goes to both, and what they say is compared; of a write both requests are
built and compared, and the primary's alone is sent. Whatever goes wrong beside it never reaches the shop.
"""
import logging
import random
import threading
from typing import Any, Callable, List, Mapping, NamedTuple, Optional, Tuple

from ..amounts import parse_amount
from ..backend import Backend, Fact
from ..client import place_of
from ..errors import AlipayError, ConfigurationError, show
from ..order import Order
from ..status import CLOSED, PAID

_LOG = logging.getLogger("alipay_mapi.migration.shadow")
#: Questions to the second gateway under way at once; a slow one must not pile up threads.
_AT_ONCE = 4


class Compared(NamedTuple):
    """One comparison. ``differences``: (field, what the primary says, what the other says), [] when they agree. Ids of
    a gateway's own (``trade_no``) are never compared. ``problem``: why the other could not be compared, or ""."""

    call: str
    out_trade_no: str
    differences: List[Tuple[str, str, str]]
    problem: str = ""


class ShadowBackend(Backend):
    """``primary``: answers, and is the only one that is written to. ``other``: beside it. ``report``: called with each
    ``Compared``; default: a log line for those that differ. ``share``: of the calls, 0 to 1. ``beside``: how the second
    gateway is asked, given a function; default: a thread, so that the shop does not wait for it.

    It has the primary's name, so orders made through it live there.
    """

    def __init__(self, primary: Backend, other: Backend, report: Optional[Callable[[Compared], Any]] = None, *,
                 share: float = 1.0, beside: Optional[Callable[[Callable[[], None]], Any]] = None,
                 draw: Callable[[], float] = random.random):
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
            raise ConfigurationError("share: 0 to 1 of the calls")
        self.primary, self.other, self._report, self._share = primary, other, report or _log, share
        self.name, self.account, self.spaces_refunds = primary.name, primary.account, primary.spaces_refunds
        self._beside, self._draw, self._room = beside or _in_a_thread, draw, threading.BoundedSemaphore(_AT_ONCE)

    def close(self) -> None:
        """Close the idle connections of both."""
        self.primary.close()
        self.other.close()

    def refusals(self, service: str, params: Mapping[str, str]) -> List[str]:
        return self.primary.refusals(service, params)

    def payment_content(self, service: str, params: Mapping[str, str]) -> Mapping[str, str]:
        return self.primary.payment_content(service, params)

    def pay(self, service: str, params: Mapping[str, str]) -> Any:
        """The primary's; of the other the request is built and compared, and not sent."""
        page = self.primary.pay(service, params)
        number = str(params.get("out_trade_no") or params.get("partner_trans_id") or "")
        self._built("pay", number, lambda backend: backend.payment_content(service, params))
        return page

    def query(self, order: Order) -> Fact:
        """The primary's answer; the other is asked too."""
        return self._read("query", order, lambda backend: backend.query(order))

    def send_refund(self, order: Order, out_return_no: str, amount: str, gmt_return: str, reason: str = "") -> None:
        """By the primary alone; of the other the request is built and compared."""
        self._built("refund", order.out_trade_no,
                    lambda backend: backend.refund_content(order, out_return_no, amount, reason))
        self.primary.send_refund(order, out_return_no, amount, gmt_return, reason)

    def refund_content(self, order: Order, out_return_no: str, amount: str, reason: str = "") -> Mapping[str, str]:
        return self.primary.refund_content(order, out_return_no, amount, reason)

    def query_refund(self, order: Order, out_return_no: str) -> Fact:
        """The primary's answer; the other is asked too."""
        return self._read("query_refund", order, lambda backend: backend.query_refund(order, out_return_no))

    def notification(self, path: str, headers: Any, body: bytes) -> Any:
        """The primary's: see ``AmsBackend.notification``."""
        primary: Any = self.primary
        return primary.notification(path, headers, body)

    def _read(self, call, order, ask):
        error = fact = None
        try:
            fact = ask(self.primary)
        except AlipayError as err:
            error = err
        if self._is_drawn() and self._room.acquire(blocking=False):
            self._start(lambda: self._compare(call, order.out_trade_no, fact, error, ask))
        if error is not None:
            raise error
        return fact

    def _is_drawn(self):
        try:
            return self._draw() < self._share
        except Exception as err:
            _LOG.warning("nothing was asked beside: draw raised %s at %s", type(err).__name__, place_of(err))
            return False

    def _start(self, work):
        room = _Once(self._room.release)

        def to_the_end():
            try:
                work()
            finally:
                room.give_back()
        try:
            self._beside(to_the_end)
        except Exception as err:    # no thread to be had, or it has run here, and something raised afterwards
            room.give_back()
            _LOG.warning("nothing was asked beside: %s at %s", type(err).__name__, place_of(err))

    def _compare(self, call, number, fact, error, ask):
        try:
            first, second, problem = said(fact, error), None, None
            try:
                second = ask(self.other)
            except AlipayError as err:
                problem = err
            self._tell(call, number, first, said(second, problem))
        except Exception as err:
            self._failed(call, number, err)

    def _built(self, call, number, content):
        if not self._is_drawn():
            return
        try:
            first = content(self.primary)
            try:
                second = content(self.other)
            except AlipayError as err:
                self._report(Compared(call, number, [], "{}: {}".format(type(err).__name__, show(str(err), 300))))
                return
            self._tell(call, number, first, second)
        except Exception as err:
            self._failed(call, number, err)

    def _tell(self, call, number, first, second):
        self._report(Compared(call, number, [
            (name, first.get(name, ""), second.get(name, "")) for name in sorted(set(first) | set(second))
            if not _same(name, first.get(name, ""), second.get(name, ""))]))

    def _failed(self, call, number, err):
        # Its text may hold values; its class and place do not.
        _LOG.warning("%s %s: the comparison failed: %s at %s", call, show(number), type(err).__name__, place_of(err))


class _Once:
    """Something that is given back one time, whoever does it."""

    def __init__(self, give: Callable[[], Any]):
        self._give, self._lock, self._is_back = give, threading.Lock(), False

    def give_back(self) -> None:
        with self._lock:
            if self._is_back:
                return
            self._is_back = True
        self._give()


def said(fact: Optional[Fact], error: Optional[AlipayError]) -> Mapping[str, str]:
    """What an answer says that is the same on every gateway: ``state`` (paid, refunded, partly refunded, closed, or the
    word itself), amounts with their currency, or the error's code."""
    if error is not None:
        return {"error": show(getattr(error, "code", None) or type(error).__name__)}
    if fact is None:
        return {"error": "no answer"}
    found = {"out_trade_no": fact.get("out_trade_no", "")}
    word = fact.get("refund_status") or fact.get("trade_status") or ""
    found["state"] = _given_back(fact) or ("paid" if word in PAID else "closed" if word in CLOSED else word)
    currency = fact.get("currency", "CNY")
    for name in ("total_fee", "return_amount"):
        if fact.get(name):
            found[name + " " + currency] = fact[name]
    return found


def _given_back(fact):
    """MAPI leaves a trade that went back whole at its paid word, AMS's is told as closed."""
    try:
        back, whole = fact.to_buyer_fee, fact.total_fee
    except AlipayError:
        return ""
    if not back or not whole:
        return ""
    return "refunded" if back >= whole else "partly refunded"


def _same(name, one, two):
    if one == two:
        return True
    if not name.startswith(("total_fee", "rmb_fee", "return_amount", "return_rmb_amount")):
        return False
    if " " in name and not (one and two):
        return True     # MAPI's answers are in CNY whatever the order's currency: that compares with nothing
    try:
        return parse_amount(one) == parse_amount(two)
    except AlipayError:
        return False


def _in_a_thread(work):
    threading.Thread(target=work, daemon=True).start()


def _log(compared: Compared) -> None:
    """Names of fields, and values of those that hold nobody's data."""
    if compared.problem or compared.differences:
        told = compared.problem or ", ".join(
            "{} {} / {}".format(name, show(one, 40), show(two, 40)) if not name.endswith("_url") and name not in (
                "subject", "reason") else name for name, one, two in compared.differences)
        _LOG.warning("%s %s: %s", compared.call, show(compared.out_trade_no), told)
