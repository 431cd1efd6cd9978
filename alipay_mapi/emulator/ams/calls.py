"""AMS's part of ``Emulator``: accounts, requests, and what buyers, banks and reviewers do there."""
from typing import Any, Dict, List, Optional

from ...errors import InvalidRequest
from ...migration.ams import Account
from ...migration.ams.amounts import to_ams
from ..ledger import Ledger
from ..merchants import find_buyer
from ..notifier import Notifier
from ..observed import reported, tell
from ..refused import Refused
from . import cards, codes
from .clients import IDENTITIES, Client
from .gateway import AmsOutcome, Call
from .incoming import AmsIncoming
from .members import Amount, Members
from .payments import PROCESSING
from .side import AmsSide, LoggedCall


class AmsCalls:
    """Methods of ``Emulator``, which has what is declared here. ``client_id``: needed only when two clients have an
    order of the same number. ``merchant``: md5, rsa, rsa2, dsa, a partner's number, or a client id."""

    ams: AmsSide
    ledger: Ledger
    notifier: Notifier
    base_url: str
    observers: List[Any]

    # --- the shop's side ------------------------------------------------------------------------------------------

    def ams_account(self, merchant: str = "md5", sandbox: bool = False) -> Account:
        """An Account of AMS for a test merchant: production, or the sandbox. Its ``domain`` is ``base_url``."""
        return self.ams.clients.named(merchant, sandbox).account(self.base_url)

    def ams_client(self, merchant: str = "md5", sandbox: bool = False) -> Client:
        """The same identity as AMS knows it."""
        return self.ams.clients.named(merchant, sandbox)

    @reported
    def ams_settings(self, merchant: str, sandbox: bool = False, **settings: Any) -> None:
        """Change a client's settings, as in the dashboard: see ``ams.clients.SETTINGS``. Raises InvalidRequest."""
        for call in settings["no_access"] if isinstance(settings.get("no_access"), list) else ():
            if call not in self.ams.gateway.handlers:
                raise InvalidRequest("no_access: calls of AMS: {}".format(", ".join(sorted(self.ams.gateway.handlers))),
                                     parameter="no_access")
        self.ams.clients.change(self.ams.clients.named(merchant, sandbox).client_id, **settings)

    def ams_answer(self, incoming: AmsIncoming) -> AmsOutcome:
        """What becomes of one request to AMS, faults included; ``reply`` is the HTTP answer. It is logged, and told to
        the observers as "ams": ``incoming`` and ``outcome``."""
        outcome = self.ams.answer(incoming)
        tell(self.observers, "ams", {"incoming": incoming, "outcome": outcome})
        return outcome

    def ams_requests(self) -> List[LoggedCall]:
        """The last thousand requests, oldest first."""
        return self.ams.requests()

    # --- payments -------------------------------------------------------------------------------------------------

    @reported
    def place_payment(self, payment_request_id: str, *, merchant: str = "md5", sandbox: bool = False,
                      **params: Any) -> Dict[str, Any]:
        """A payment without a signed request: for tests that begin later. 10.00 USD at the wallet's cashier unless
        ``params``, members of the pay call, say otherwise. Raises Refused."""
        client, amount = self.ams.clients.named(merchant, sandbox), params.get("paymentAmount") or {
            "currency": "USD", "value": "1000"}
        content = {"productCode": "CASHIER_PAYMENT", "paymentRequestId": payment_request_id, "paymentAmount": amount,
                   "order": {"orderAmount": amount, "orderDescription": "Tea", "referenceOrderId": payment_request_id},
                   "paymentMethod": {"paymentMethodType": "ALIPAY_CN"}}
        content.update(params)
        self.ams.gateway.handlers["payments/pay"](Call("payments/pay", client, Members(content), self.ams.gateway))
        return self.payment(payment_request_id, client_id=client.client_id)

    def payment(self, payment_request_id: str, *, client_id: Optional[str] = None) -> Dict[str, Any]:
        """A payment of AMS as it stands. Raises InvalidRequest when there is none."""
        return self.ams.payments.only(payment_request_id, client_id)

    def list_payments(self, limit: int = 100, offset: int = 0) -> List[Dict[str, Any]]:
        """The newest payments first."""
        self.ams.payments.trades.settle()
        return self.ledger.rows("ams_payments", limit=limit, offset=offset, newest=True)

    def payment_moves(self, payment: Dict[str, Any]) -> Dict[str, List[Dict[str, Any]]]:
        """``captures``, ``refunds`` and ``notifications`` of a payment."""
        where = {"client_id": payment["client_id"], "payment_id": payment["payment_id"]}
        return {"captures": self.ledger.rows("ams_captures", **where), "refunds": self.ledger.rows(
            "ams_refunds", **where), "notifications": self.ledger.rows(
            "notifications", partner=payment["client_id"], out_trade_no=payment["payment_request_id"])}

    def back_to_shop(self, payment: Dict[str, Any]) -> Optional[str]:
        """``paymentRedirectUrl``, where the buyer's browser goes in the end: AMS signs nothing there. None without."""
        return payment["content"].get("paymentRedirectUrl")

    @reported
    def authorize(self, payment_request_id: str, card: Optional[str] = None, *,
                  client_id: Optional[str] = None) -> Dict[str, Any]:
        """The buyer enters a card at the hosted page: paid or authorized, refused, or now at 3-D Secure (``page`` is
        "3ds": see :meth:`challenge`). ``card``: a number of ``ams.cards.CARDS``, or its last four digits; default the
        first. Raises Refused, InvalidRequest."""
        return self.ams.payments.authorize(self.payment(payment_request_id, client_id=client_id), cards.find_card(card))

    @reported
    def challenge(self, payment_request_id: str, passed: bool = True, *,
                  client_id: Optional[str] = None) -> Dict[str, Any]:
        """The buyer answers his bank at 3-D Secure: passed, or not. Raises Refused."""
        return self.ams.payments.challenge(self.payment(payment_request_id, client_id=client_id), passed)

    @reported
    def refuse_payment(self, payment_request_id: str, code: str = "PROCESS_FAIL", *,
                       client_id: Optional[str] = None) -> Dict[str, Any]:
        """The wallet refuses: FAIL with ``code``. Raises Refused, InvalidRequest."""
        if codes.CODES.get(code, ("",))[0] != codes.F:
            raise InvalidRequest("code: a final code of AMS, such as RISK_REJECT", parameter="code")
        return self.ams.payments.refuse(self.payment(payment_request_id, client_id=client_id), code)

    @reported
    def pend_payment(self, payment_request_id: str, *, client_id: Optional[str] = None,
                     buyer: Optional[str] = None) -> Dict[str, Any]:
        """The buyer has done his part and the bank takes its time: PENDING, and PAYMENT_PENDING is notified. Then
        ``pay`` or ``refuse_payment``. Raises Refused."""
        return self.ams.payments.pend(self.payment(payment_request_id, client_id=client_id), find_buyer(buyer))

    # --- the rest -------------------------------------------------------------------------------------------------

    @reported
    def review_registration(self, registration_request_id: str, approved: bool = True, reason: str = "", *,
                            merchant: str = "md5", sandbox: bool = False) -> Dict[str, Any]:
        """Somebody at AMS decides about a secondary merchant. Raises Refused."""
        client = self.ams.clients.named(merchant, sandbox)
        return self.ams.registrations.review(client.client_id, registration_request_id, approved, reason)

    @reported
    def store_card(self, card: Optional[str] = None, *, merchant: str = "md5", sandbox: bool = False) -> str:
        """The token of a test card, as if the buyer had paid with it before: a ``paymentMethodId``."""
        return self.ams.gateway.token(self.ams.clients.named(merchant, sandbox).client_id, cards.find_card(card))

    def payment_code(self, buyer: Optional[str] = None, what: str = "pays") -> str:
        """The code that a buyer shows in a store. ``what``: "pays", "asks" (he confirms on the phone: ``pay``), or
        "expired"."""
        return cards.payment_code(find_buyer(buyer), what)

    # --- for the calls of both gateways ---------------------------------------------------------------------------

    def _ams_payment(self, number: Any, partner: Optional[str]) -> Optional[Dict[str, Any]]:
        """The payment that a call about "an order" means; None when it means one of MAPI, or none. Raises
        InvalidRequest when both gateways have one."""
        if isinstance(partner, str) and partner in IDENTITIES:
            return self.payment(number, client_id=partner)
        if partner is not None or not isinstance(number, str) or any("\ud800" <= one <= "\udfff" for one in number) \
                or not self.ledger.count("ams_payments", payment_request_id=number):
            return None
        if self.ledger.count("trades", out_trade_no=number):
            raise InvalidRequest("out_trade_no: both gateways have such an order; name the partner too, or the client "
                                 "id of AMS", parameter="out_trade_no")
        return self.payment(number)

    def _pay_ams(self, row: Dict[str, Any], buyer: Optional[str]) -> Dict[str, Any]:
        """Whatever the buyer has to do to pay: at the wallet, with the first card, or for his bank."""
        payments = self.ams.payments
        if row["page"] == "3ds":
            return payments.challenge(row, True)
        if row["page"] == "card" and row["payment_status"] == PROCESSING:
            return payments.authorize(row, cards.CARDS[0])
        return payments.pay(row, find_buyer(buyer or row.get("buyer_id")))

    def _refund_ams(self, row: Dict[str, Any], amount: Optional[str], number: Optional[str],
                    notify_url: str) -> Dict[str, Any]:
        """From the dashboard: ``amount`` as a decimal, or all that is left. Raises Refused."""
        if amount is None:
            taken = row["captured"] if row["authorization"] else row["amount"]
            value = {"currency": row["currency"], "value": str(max(taken - row["refunded"], 1))}
        else:
            value = to_ams(amount, row["currency"])
        client = self.ams.clients.of(row["client_id"])
        number = number or "{}-R{}".format(row["payment_request_id"][:58], self.ledger.count(
            "ams_refunds", client_id=row["client_id"], payment_id=row["payment_id"]) + 1)
        refund = self.ams.refunds.ask(client, number, row["payment_id"],
                                      Amount(value["currency"], int(value["value"])), notify_url=notify_url)
        if refund["refund_status"] == "FAIL":
            raise Refused(refund["why"], code=refund["result_code"])
        return refund
