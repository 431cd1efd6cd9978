"""What is known of one order, and what follows from it: facts in any order, effects once.

A state is a set of facts that only grows: which trades were seen waiting, paid, closed; which refunds ended how; what
needs a person. Growing sets do not depend on the order in which messages come, so a notification that is hours late, a
repeated one and a query answer in between all lead to the same state. An effect is what a bigger set implies that the
smaller one did not, so the same news twice has no second effect.
"""
import hashlib
from dataclasses import dataclass, field
from typing import FrozenSet, Optional, Tuple

from . import messages, status
from .checks import check_amount, find_order
from .errors import (AlipayError, AmountMismatch, CurrencyMismatch, InvalidRequest, MissingParameter, NotConfirmed,
                     show)
from .notification import REFUND, TRADE, Notification
from .order import Order
from .response import Response

WAITING, PAID, CLOSED, REFUNDED = "waiting", "paid", "closed", "refunded"
QUERY, NEEDS_A_PERSON = "query", "needs_a_person"
#: AMS's word for a payment that came to nothing: unlike TRADE_CLOSED it never means that money went back.
FAILED = "FAIL"

#: Not part of what a repeated notification must repeat.
_CHANGES = ("notify_time",)


@dataclass(frozen=True)
class Effect:
    """Something for the shop to do, once. ``key`` never changes for the same effect, whoever finds it.

    ``kind``: ``paid`` (fulfil it), ``closed`` (never paid: release it), ``refunded`` (money went back; ``detail`` is
    the ``out_return_no``, or empty when Alipay closed the whole trade), ``query`` (a notification says paid, and its
    amount cannot be compared: ask ``single_trade_query`` and apply the answer) or ``needs_a_person`` (``detail`` says
    why).
    """

    kind: str
    out_trade_no: str
    detail: str = ""

    @property
    def key(self) -> str:
        """Text that is unique per effect: store it with a unique index, and nothing is done twice."""
        return ":".join(part.replace("%", "%25").replace(":", "%3A")
                        for part in (self.kind, self.detail, self.out_trade_no))


@dataclass(frozen=True)
class TradeState:
    """The state of one order. Start with ``TradeState(order)``; ``apply`` gives the next one and the new effects.

    Every field but ``order`` is a set; compare states with ``==``, store them as you like. ``done``, the effects handed
    out so far, is not compared: it depends on the order in which the news came, the facts do not.
    """

    order: Order
    waiting: FrozenSet[str] = frozenset()
    paid_trades: FrozenSet[str] = frozenset()
    finished_trades: FrozenSet[str] = frozenset()
    closed_trades: FrozenSet[str] = frozenset()
    failed_trades: FrozenSet[str] = frozenset()
    claims: FrozenSet[str] = frozenset()
    answered: FrozenSet[str] = frozenset()
    mismatched: FrozenSet[str] = frozenset()
    refunds: FrozenSet[Tuple[str, str]] = frozenset()
    concerns: FrozenSet[str] = frozenset()
    seen: FrozenSet[Tuple[str, str]] = frozenset()
    done: FrozenSet[Effect] = field(default=frozenset(), compare=False)

    @property
    def paid(self) -> FrozenSet[str]:
        """The trades that count as paid.

        Paid with the amount compared; or said to be paid and then closed, which is a refund whatever the amount; or
        paid by an answer whose amount cannot be compared, unless another message named a wrong amount for that trade.
        """
        return self.paid_trades | (self.claims & self.closed_trades) | (self.answered - self.mismatched)

    @property
    def status(self) -> Optional[str]:
        """"waiting", "paid", "closed" (never paid), "refunded" (paid, then closed by Alipay), or None: no news.

        "needs_a_person": a message named a wrong amount, and nothing that could be compared has paid the order.
        """
        paid = self.paid
        if paid:
            return PAID if paid - self.closed_trades else REFUNDED
        if self.mismatched:
            return NEEDS_A_PERSON
        if (self.waiting | self.claims) - self.closed_trades - self.failed_trades:
            return WAITING
        return CLOSED if self.closed_trades or self.failed_trades else None

    @property
    def rank(self) -> int:
        """How far the furthest trade is: 0 no news, 1 waiting, 2 paid, 3 paid and finished, 4 closed. Never falls."""
        seen = ((status.TRADE_CLOSED, self.closed_trades | self.failed_trades),
                (status.TRADE_FINISHED, self.finished_trades),
                (status.TRADE_SUCCESS, self.paid_trades | self.answered),
                (status.WAIT_BUYER_PAY, self.waiting | self.claims))
        return max([status.RANK[word] for word, trades in seen if trades], default=0)

    def apply(self, message) -> Tuple["TradeState", Tuple[Effect, ...]]:
        """Take in a verified Notification or Response → (next state, the effects that are new).

        Amount, currency and order are compared here with this state's order, whatever was compared before. A mismatch
        settles nothing and needs a person; a notification whose amount cannot be compared (an order priced in CNY with
        ``rmb_fee``) settles nothing either, and asks for a query. A signed query answer settles: where it cannot be
        compared (it is always in CNY), it is still the answer about our own order. An unsigned answer changes nothing.
        Raises NotConfirmed for a message that does not prove to be for this merchant, OrderMismatch for one about
        another order, InvalidRequest for anything that is not a verified message.
        """
        if not isinstance(message, (Notification, Response)):
            raise InvalidRequest("apply takes a verified notification or a query answer; a return and an app result "
                                 "prove nothing", parameter="message")
        if messages.SIGN not in message.passed or "out_trade_no" not in message:
            return self, ()
        if messages.PARTY not in message.passed:
            raise NotConfirmed("the message does not say for which merchant it is; confirm it first",
                               out_trade_no=show(message["out_trade_no"]))
        find_order(message, self.order)
        return self._with_facts(message)._news()

    def refund_proved(self, out_return_no: str) -> Tuple["TradeState", Tuple[Effect, ...]]:
        """The state and the new effects once this refund is known to have succeeded by a signed query: the same as
        after its own notification, which may come before, after or never."""
        return self._add("refunds", (out_return_no, status.REFUND_SUCCESS))._news()

    def _news(self):
        effects = tuple(e for e in self._implied() if e not in self.done)
        return self._with("done", self.done | frozenset(effects)), effects

    def _with_facts(self, message):
        state = self._seen(message)
        if isinstance(message, Notification) and message.kind == REFUND:
            return state._add("refunds", (message["out_return_no"], message["refund_status"]))
        if isinstance(message, Notification) and message.kind != TRADE or "trade_status" not in message:
            return state
        trade, word = message.get("trade_no", ""), message["trade_status"]
        try:
            compared = not check_amount(message, self.order, in_cny=isinstance(message, Response))
        except (AmountMismatch, CurrencyMismatch, MissingParameter) as error:
            # Of this trade nothing that comes later, and cannot be compared, is taken for a payment either.
            return state._add("concerns", type(error).__name__)._add("mismatched", trade)
        proved = "paid_trades" if compared else "claims" if isinstance(message, Notification) else "answered"
        if word in status.PAID and proved == "claims":
            return state._add("claims", trade)
        if word in status.PAID:
            state = state._add(proved, trade)
            if _is_refunded_whole(message):     # a cross-border trade stays TRADE_FINISHED then
                return state._add("closed_trades", trade)
            return state._add("finished_trades", trade) if word == status.TRADE_FINISHED else state
        if word in status.CLOSED and message.get("native_status") == FAILED:
            return state._add("failed_trades", trade)
        if word in status.CLOSED:
            if _was_paid(message):
                state = state._add(proved, trade)
            return state._add("closed_trades", trade)
        if word in status.WAITING:
            return state._add("waiting", trade)
        return state._add("concerns", "trade_status " + show(word, 32))

    def _seen(self, message):
        """Remember a notification by its id, and notice the same id with other content."""
        if not isinstance(message, Notification):
            return self
        fields = message.copy()
        content = "\0".join([name + "\0" + fields[name] for name in sorted(fields) if name not in _CHANGES])
        digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        state = self._add("seen", (message["notify_id"], digest))
        if len({d for i, d in state.seen if i == message["notify_id"]}) > 1:
            state = state._add("concerns", "notify_id repeated with other content")
        return state

    def _add(self, name, fact):
        facts = getattr(self, name)
        return self if fact in facts else self._with(name, facts | {fact})

    def _with(self, name, value):
        # dataclasses.replace takes four times as long, and the fallback does this for every order.
        state = object.__new__(TradeState)
        state.__dict__.update(self.__dict__)
        state.__dict__[name] = value
        return state

    def _implied(self):
        """Every effect that the facts imply, in the order in which they are to be carried out."""
        number, paid, status_now = self.order.out_trade_no, self.paid, self.status
        effects = []
        if status_now in (PAID, REFUNDED, CLOSED):
            effects.append(Effect(status_now, number))
        if self.claims - paid - self.closed_trades:
            effects.append(Effect(QUERY, number))
        for out_return_no, result in sorted(self.refunds):
            if result == status.REFUND_SUCCESS:
                effects.append(Effect(REFUNDED, number, out_return_no))
            else:
                effects.append(Effect(NEEDS_A_PERSON, number, "refund {} ended as {}".format(
                    show(out_return_no), show(result, 32))))
        concerns = set(self.concerns)
        if len((paid | self.answered) - {""}) > 1:
            concerns.add("paid twice, in two trades")
        if paid & self.failed_trades:
            concerns.add("told to be paid and to have failed, in one trade")
        return effects + [Effect(NEEDS_A_PERSON, number, concern) for concern in sorted(concerns)]


_NO_NEWS = TradeState(None)     # type: ignore[arg-type]


def begun(order: Order) -> TradeState:
    """``TradeState(order)``, of which nothing is known, in half the time."""
    return _NO_NEWS._with("order", order)


def _is_refunded_whole(message):
    try:
        return bool(message.to_buyer_fee) and bool(message.total_fee) and message.to_buyer_fee >= message.total_fee
    except AlipayError:
        return False


def _was_paid(message):
    """A closed trade that money had moved in: full refunds close a mainland trade."""
    try:
        refunded = message.to_buyer_fee
    except AlipayError:
        refunded = None
    return ("gmt_payment" in message or "gmt_refund" in message
            or message.get("refund_status") == status.REFUND_SUCCESS or bool(refunded))

