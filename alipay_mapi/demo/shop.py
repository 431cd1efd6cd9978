"""A small shop, written with the public names of this library alone.

It believes what is proved, and books nothing else. Notifications and the answers to queries go through the query
fallback, which keeps what is known of each order and hands over what follows from it; the shop carries that out in its
books, each effect once, by its key. Every message that it does not believe is counted, by class and cause. In a real
shop the books are a database, and the fallback's store is an SQLite file or in that database.
"""
from collections import OrderedDict
from datetime import datetime
from decimal import Decimal
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import alipay_mapi as mapi
from alipay_mapi.fallback import OPEN, Decision, Fallback, Pending, Row, Store, Tally

from .books import Record, Refund

#: Where Alipay and the buyer's browser find the shop; a name that belongs to nobody.
ADDRESS = "https://shop.example"
APP = "mobile.securitypay.pay"

_BUILD: Dict[str, Callable[..., Dict[str, str]]] = {
    "create_forex_trade": mapi.services.create_forex_trade,
    "create_forex_trade_wap": mapi.services.create_forex_trade_wap,
    "create_direct_pay_by_user": mapi.services.create_direct_pay_by_user,
    APP: mapi.services.mobile_securitypay_pay,
}

#: What the shop said to one message. ``channel``: notification, return, app, query or refund. ``verdict``: "believed",
#: "nothing new", "accepted", or the class of the error. ``cause``: the error's code, kind or parameter.
Verdict = NamedTuple("Verdict", [("channel", str), ("verdict", str), ("cause", str)])
ACCEPTED = ("believed", "nothing new", "accepted")


class Shop:
    """``accounts``: name → Merchant. ``gateway``: a transport. ``store``: the fallback's. ``now``: the time.
    ``accident``: called with "before" or "after" and an effect that is being carried out; what it raises is a
    breakdown of the shop's own. ``asked``: called after every question of the fallback."""

    def __init__(self, accounts: Dict[str, mapi.Merchant], gateway: Any, store: Store, now: Callable[[], datetime],
                 accident: Callable[[str, Pending], Any], asked: Callable[[], Any]):
        self.accounts, self.store, self.now = accounts, store, now
        self._accident, self._when_asked = accident, asked
        self.log: List[Verdict] = []
        self.books: Dict[str, Record] = OrderedDict()
        self.handed_over = 0
        self.settled = 0
        self._clients = {name: Listened(accounts[name], gateway, self.log) for name in accounts}
        self.start()

    def start(self) -> None:
        """A new process: it has the books, and what is in the fallback's store."""
        self.fallback = Fallback(self.store, self._clients, self.carry_out, per_second=None, refunds_apart=None)

    # --- selling --------------------------------------------------------------------------------------------------

    def sell(self, account: str, service: str, order: mapi.Order, subject: str, timeout: str,
             on_page: Optional[Decimal] = None) -> str:
        """Write the order down, have it watched, and only then hand out the URL for the buyer's browser, or the order
        string for the app. ``on_page``: the price that the page shows by mistake."""
        shop, number = self.accounts[account], order.out_trade_no
        given = {"out_trade_no": number, "subject": subject, "notify_url": self.address("notify", account),
                 "total_fee": order.total_fee if on_page is None else on_page, "rmb_fee": order.rmb_fee,
                 "currency": order.currency, "seller_id": shop.partner, "timeout_rule": timeout, "it_b_pay": timeout,
                 "return_url": self.address("return", account)}
        if service == APP or order.currency is None:
            del given["timeout_rule"]
        else:
            del given["it_b_pay"], given["seller_id"]
        if service == APP:
            del given["return_url"]
        params = _BUILD[service](**{name: value for name, value in given.items() if value is not None})
        self.books[number] = Record(account, service, order, self.now())
        self.fallback.watch(account, order, timeout=timeout)
        if service == APP:
            return mapi.build_order_string(shop, params)
        return mapi.build_request(shop, service, params).url

    def address(self, what: str, account: str) -> str:
        return "{}/{}/{}".format(ADDRESS, what, account)

    # --- what comes in --------------------------------------------------------------------------------------------

    def notify(self, account: str, body: bytes, content_type: str) -> Tuple[int, str]:
        """A POST to ``notify_url`` → (status, text). ``success`` only once it is in the fallback's store.

        The order is not compared here: the fallback does it, and remembers what does not fit."""
        shop = self.accounts[account]
        # Alipay signs for every RSA merchant with one key, so a message without a seller has to be confirmed.
        confirm = self._clients[account].notify_verify if shop.key_is_shared else None
        try:
            note = mapi.verify_notify(shop, body, content_type, confirm=confirm)
            decision = self.fallback.notified(account, note)
        except mapi.InvalidMessage as error:
            self._refuse("notification", error)
            return 400, "fail"
        except mapi.AlipayError as error:       # nobody confirmed it now: let Alipay send it again
            self._refuse("notification", error)
            return 503, "fail"
        record = self.books[note["out_trade_no"]]
        self._settled(record, decision, "notification")
        # Priced in CNY and paid in another currency, it cannot be compared; a query is to settle it.
        state = decision.state
        news = decision.effects or state is not None and state.claims and not state.paid
        self.log.append(Verdict("notification", "believed" if news else "nothing new", ""))
        if "refund_status" in note and record.at_console:
            self.look_at(record)
        return 200, mapi.REPLY_SUCCESS

    def come_back(self, account: str, query: str) -> str:
        """The buyer's browser on ``return_url``: a page for him, a reason to ask soon, and nothing for the books."""
        try:
            back = mapi.verify_return(self.accounts[account], query, order=self._order_at(account))
        except mapi.AlipayError as error:
            self._refuse("return", error)
            return "We are checking your order."
        self.log.append(Verdict("return", "believed", ""))
        self.fallback.ask_soon(account, back["out_trade_no"])
        return "Thank you. We are checking order {}.".format(back["out_trade_no"])

    def app_says(self, account: str, text: str) -> None:
        """What the app brought from Alipay's SDK: for the buyer's screen, and nothing for the books."""
        try:
            result = mapi.verify_app_result(self.accounts[account], text)
        except mapi.AlipayError as error:
            self._refuse("app", error)
            return
        self.log.append(Verdict("app", "believed" if result.success else "nothing new", ""))

    def _order_at(self, account: str) -> Callable[[str], Optional[mapi.Order]]:
        def find(number: str) -> Optional[mapi.Order]:
            record = self.books.get(number)
            return record.order if record is not None and record.account == account else None
        return find

    def _refuse(self, channel: str, error: mapi.AlipayError) -> None:
        self.log.append(refusal(channel, error))

    # --- the fallback ---------------------------------------------------------------------------------------------

    def cron(self) -> Tally:
        """What cron does every ten minutes. One question after the other, so that the numbers are the seed's."""
        return self.fallback.run(workers=0, progress=self._asked)

    def _asked(self, row: Row, decision: Any) -> None:
        record = self.books[row.out_trade_no]
        if isinstance(decision, Decision):
            self._clients[row.shop].answered(bool(decision.effects) or decision.outcome != row.outcome)
            self._settled(record, decision, "query")
        self._when_asked()

    def _settled(self, record: Record, decision: Decision, by: str) -> None:
        if record.outcome == OPEN and decision.outcome != OPEN:
            record.settled_at, record.settled_by = self.now(), by
            self.settled += by == "query"
        record.outcome = decision.outcome

    def carry_out(self, effect: Pending) -> None:
        """The fallback's handler: at least once for each key, so the books look at the key first."""
        self.handed_over += 1
        self._accident("before", effect)
        record = self.books[effect.out_trade_no]
        if not self.is_booked(record, effect.key):
            record.book(effect, self.now())
        self._accident("after", effect)

    def is_booked(self, record: Record, key: str) -> bool:
        return key in record.booked

    # --- giving back ----------------------------------------------------------------------------------------------

    def refund(self, number: str, out_return_no: str, amount: Decimal) -> bool:
        """Give back ``amount`` of a cross-border order. False: it is not paid, as far as the books know. The same
        number again is the same request again, and Alipay does it once."""
        record = self.books[number]
        if not record.is_paid:
            return False
        record.refunds.setdefault(out_return_no, Refund(out_return_no, amount))
        self.fallback.refund(record.account, number, out_return_no, amount)
        return True

    def refunded_at_console(self, number: str, out_return_no: str, amount: Decimal) -> None:
        """Somebody of the shop has given money back in Alipay's console; proved it is when Alipay says so."""
        self.books[number].refunds[out_return_no] = Refund(out_return_no, amount, console=True)

    def look_at(self, record: Record) -> bool:
        """Was it given back at the console? The fallback sends refunds and proves those; of these it knows only what a
        notification says, and a mainland one does not name the refund. True: nothing is left to prove."""
        client = self._clients[record.account]
        try:
            answer = client.single_trade_query(out_trade_no=record.order.out_trade_no)
        except mapi.AlipayError:
            return False
        client.answered(bool(answer.to_buyer_fee))
        if answer.to_buyer_fee:
            for refund in record.at_console:
                refund.status = "done"
        return not record.at_console


class Listened(mapi.Client):
    """A client that writes down what came back."""

    def __init__(self, shop: mapi.Merchant, gateway: Any, log: List[Verdict]):
        super().__init__(shop, transport=gateway, sleep=lambda seconds: None, clock=lambda: 0.0)
        self._verdicts = log
        self._last: Optional[int] = None

    def single_trade_query(self, **names: Any) -> mapi.Response:
        answer = self._told("query", super().single_trade_query, names)
        self._last = len(self._verdicts)
        self._verdicts.append(Verdict("query", "nothing new", ""))
        return answer

    def forex_refund(self, **arguments: Any) -> mapi.Response:
        answer = self._told("refund", super().forex_refund, arguments)
        self._verdicts.append(Verdict("refund", "accepted", ""))
        return answer

    def answered(self, news: bool) -> None:
        """What the last query's answer, if one came, was worth."""
        if news and self._last is not None:
            self._verdicts[self._last] = Verdict("query", "believed", "")
        self._last = None

    def _told(self, channel: str, call: Callable[..., Any], arguments: Dict[str, Any]) -> Any:
        try:
            return call(**arguments)
        except mapi.AlipayError as error:
            self._verdicts.append(refusal(channel, error))
            raise


def refusal(channel: str, error: mapi.AlipayError) -> Verdict:
    facts = error.facts
    return Verdict(channel, type(error).__name__, str(
        facts.get("code") or facts.get("kind") or facts.get("parameter") or ""))
