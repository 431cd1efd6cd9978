"""A small shop in memory, written with the public names of this library alone.

It believes what is proved, and books nothing else: a payment from a verified notification or a signed query answer, a
refund from its own notification or from a query whose ``to_buyer_fee`` has grown. Every message that it does not
believe is counted, by class and cause. In a real shop the dictionary is a database.
"""
from collections import OrderedDict
from datetime import datetime
from decimal import Decimal
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import alipay_mapi as mapi

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


class Refund:
    """One refund of an order: ``asked`` (or made at the console), then ``done`` once proved, or ``refused``."""

    def __init__(self, out_return_no: str, amount: Decimal):
        self.out_return_no, self.amount, self.status = out_return_no, amount, "asked"


class Record:
    """One order in the books.

    ``known_at`` and ``known_by``: when and how the shop learned that it is paid. ``fulfilled``: how often the goods
    were sent. ``given_back``: CNY, as the last query proved.
    """

    def __init__(self, account: str, service: str, order: mapi.Order, placed_at: datetime):
        self.account, self.service, self.order, self.placed_at = account, service, order, placed_at
        self.state = mapi.TradeState(order)
        self.known_at: Optional[datetime] = None
        self.known_by = ""
        self.fulfilled = 0
        self.refunds: Dict[str, Refund] = OrderedDict()
        self.given_back = Decimal(0)

    @property
    def is_open(self) -> bool:
        """Is there something that only a query can settle?"""
        return self.state.status not in ("paid", "closed", "refunded") or self.open_refund is not None

    @property
    def open_refund(self) -> Optional[Refund]:
        """There is one at most: the next waits for it, so that a query can tell whose money it was."""
        return next((refund for refund in self.refunds.values() if refund.status == "asked"), None)

    @property
    def is_paid(self) -> bool:
        return bool(self.state.paid)

    @property
    def refunded(self) -> Decimal:
        """In the currency that the order is priced in."""
        return sum((refund.amount for refund in self.refunds.values() if refund.status == "done"), Decimal(0))


class Shop:
    """``accounts``: name → Merchant. ``gateway``: a transport. ``now``: the time; ``wait``: let seconds pass."""

    def __init__(self, accounts: Dict[str, mapi.Merchant], gateway: Any, now: Callable[[], datetime],
                 wait: Callable[[float], Any]):
        self.accounts, self.now, self.wait = accounts, now, wait
        self._clients = {name: mapi.Client(accounts[name], transport=gateway, sleep=lambda seconds: None,
                                           clock=lambda: 0.0) for name in accounts}
        self.books: Dict[str, Record] = OrderedDict()
        self.log: List[Verdict] = []
        self.for_a_person: List[str] = []
        self._last_refund: Dict[str, datetime] = {}

    # --- selling --------------------------------------------------------------------------------------------------

    def sell(self, account: str, service: str, order: mapi.Order, subject: str, timeout: str) -> str:
        """Write the order down; the URL for the buyer's browser, or the order string for the app."""
        shop, number = self.accounts[account], order.out_trade_no
        given = {"out_trade_no": number, "subject": subject, "notify_url": self.address("notify", account),
                 "total_fee": order.total_fee, "rmb_fee": order.rmb_fee, "currency": order.currency,
                 "seller_id": shop.partner, "timeout_rule": timeout, "it_b_pay": timeout,
                 "return_url": self.address("return", account)}
        if service == APP or order.currency is None:
            del given["timeout_rule"]
        else:
            del given["it_b_pay"], given["seller_id"]
        if service == APP:
            del given["return_url"]
        params = _BUILD[service](**{name: value for name, value in given.items() if value is not None})
        self.books[number] = Record(account, service, order, self.now())
        if service == APP:
            return mapi.build_order_string(shop, params)
        return mapi.build_request(shop, service, params).url

    def address(self, what: str, account: str) -> str:
        return "{}/{}/{}".format(ADDRESS, what, account)

    # --- what comes in --------------------------------------------------------------------------------------------

    def notify(self, account: str, body: bytes, content_type: str) -> Tuple[int, str]:
        """A POST to ``notify_url`` → (status, text). ``success`` only once it is in the books."""
        shop = self.accounts[account]
        # Alipay signs for every RSA merchant with one key, so a message without a seller has to be confirmed.
        confirm = self._clients[account].notify_verify if shop.key_is_shared else None
        try:
            note = mapi.verify_notify(shop, body, content_type, order=self._order_at(account), confirm=confirm)
        except mapi.InvalidMessage as error:
            self._refuse("notification", error)
            return 400, "fail"
        except mapi.AlipayError as error:       # nobody confirmed it now: let Alipay send it again
            self._refuse("notification", error)
            return 503, "fail"
        record = self.books[note["out_trade_no"]]
        news = self._book(record, note, "notification")
        if note.is_refund or "refund_status" in note:
            self._refund_told(record, note)
        elif news == ["query"]:
            self.ask(record)
        self.log.append(Verdict("notification", "believed" if news else "nothing new", ""))
        return 200, mapi.REPLY_SUCCESS

    def come_back(self, account: str, query: str) -> str:
        """The buyer's browser on ``return_url``: a page for him, and nothing for the books."""
        try:
            back = mapi.verify_return(self.accounts[account], query, order=self._order_at(account))
        except mapi.AlipayError as error:
            self._refuse("return", error)
            return "We are checking your order."
        self.log.append(Verdict("return", "believed", ""))
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

    # --- asking ---------------------------------------------------------------------------------------------------

    def ask(self, record: Record) -> bool:
        """What became of it? True when a believable answer came."""
        try:
            answer = self._clients[record.account].single_trade_query(out_trade_no=record.order.out_trade_no)
        except mapi.AlipayError as error:
            self._refuse("query", error)
            return False
        news = self._book(record, answer, "query")
        given_back = answer.to_buyer_fee or Decimal(0)
        if given_back > record.given_back:
            record.given_back = given_back
            if record.open_refund is not None:
                record.open_refund.status = "done"
                news.append("refunded")
        self.log.append(Verdict("query", "believed" if news else "nothing new", ""))
        return True

    def open_orders(self) -> List[Record]:
        """What a query may settle, oldest first."""
        return [record for record in self.books.values() if record.is_open]

    # --- giving back ----------------------------------------------------------------------------------------------

    def refund(self, number: str, out_return_no: str, amount: Decimal, at_once: bool) -> bool:
        """Give back ``amount`` of a paid cross-border order. False: not now. The same number again is the same
        request again, and Alipay does it once.

        Before it, a query: the order must be paid, and what was given back so far must be known.
        """
        record = self.books[number]
        if out_return_no not in record.refunds:
            if record.open_refund is not None or not self.ask(record) or not record.is_paid:
                return False
            record.refunds[out_return_no] = Refund(out_return_no, amount)
        order, priced_in = record.order, "return_amount" if record.order.rmb_fee is None else "return_rmb_amount"
        request = {"out_return_no": out_return_no, "out_trade_no": number, "currency": order.currency,
                   "gmt_return": self.now(), priced_in: amount, "is_sync": "Y" if at_once else "N",
                   "notify_url": None if at_once else self.address("notify", record.account)}
        self._send_refund(record, record.refunds[out_return_no], request)
        return True

    def _send_refund(self, record: Record, refund: Refund, request: Dict[str, Any]) -> None:
        """Until it is known whether it has arrived; every repetition with the same ``out_return_no``."""
        for _ in range(5):
            self._keep_distance(record.account)
            try:
                self._clients[record.account].forex_refund(**request)
            except mapi.GatewayError as error:
                self._refuse("refund", error)
                if error.code != "REPEATED_REFUNDMENT_REQUEST":
                    refund.status = "refused"
            except mapi.AlipayError as error:       # OutcomeUnknown: query before repeating
                self._refuse("refund", error)
                if not self.ask(record) or refund.status != "done":
                    continue
            else:
                self.log.append(Verdict("refund", "accepted", ""))
            break
        if request["is_sync"] == "Y" and refund.status == "asked":
            self.ask(record)        # accepted is not refunded: the answer was not even signed

    def refunded_at_console(self, number: str, out_return_no: str, amount: Decimal) -> None:
        """Somebody of the shop has given money back in Alipay's console; proved it is when Alipay says so."""
        self.books[number].refunds[out_return_no] = Refund(out_return_no, amount)

    def _refund_told(self, record: Record, note: mapi.Notification) -> None:
        refund = record.refunds.get(note.get("out_return_no", ""))
        if refund is not None and refund.status == "asked":
            refund.status = "done" if note["refund_status"] == "REFUND_SUCCESS" else "refused"
        self.ask(record)        # how much was given back in all, in CNY

    def _keep_distance(self, account: str) -> None:
        """Three seconds between two refunds of one partner."""
        partner = self.accounts[account].partner
        last = self._last_refund.get(partner)
        if last is not None and (self.now() - last).total_seconds() < 4:
            self.wait(4)
        self._last_refund[partner] = self.now()

    # --- the books ------------------------------------------------------------------------------------------------

    def _book(self, record: Record, message: Any, way: str) -> List[str]:
        """Take in a verified message; the kinds of what is new."""
        record.state, effects = record.state.apply(message)
        for effect in effects:
            if effect.kind == "paid":
                record.fulfilled += 1
            elif effect.kind == "needs_a_person":
                self.for_a_person.append("{}: {}".format(effect.out_trade_no, effect.detail))
        if record.is_paid and record.known_at is None:
            record.known_at, record.known_by = self.now(), way
        return [effect.kind for effect in effects]

    def _refuse(self, channel: str, error: mapi.AlipayError) -> None:
        facts = error.facts
        self.log.append(Verdict(channel, type(error).__name__, str(
            facts.get("code") or facts.get("kind") or facts.get("parameter") or "")))
