"""The calls of the control API, as data: one row per call, most of them one method of the Emulator."""
import re
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

from .control_arguments import of_clients, of_merchants, of_payment, of_service


class Call(NamedTuple):
    """One call. ``method``: of the Emulator or, with ``_``, a function of ``control_views``. ``gives``: the name of the
    result in the answer, or "" for one that is no JSON. ``required`` and ``optional``: argument names, those in the
    path not repeated. ``more``: the function that says which further arguments there may be."""

    verb: str
    path: str
    method: str
    gives: str
    about: str
    required: Tuple[str, ...] = ()
    optional: Tuple[str, ...] = ()
    more: Optional[Callable[[Dict[str, Any]], Dict[str, str]]] = None

    @property
    def in_path(self) -> Tuple[str, ...]:
        return tuple(re.findall("{([a-z_]+)}", self.path))


_ORDER = "/trades/{out_trade_no}"
_PAYMENT = "/payments/{payment_request_id}"

#: What AMS has beside them. Where an order can be one of AMS, ``out_trade_no`` is its paymentRequestId, and ``partner``
#: its client id: pay, pay_later, close and refund.
AMS_CALLS = (
    Call("GET", "/payments", "list_payments", "payments", "the payments of AMS, newest first", (),
         ("limit", "offset")),
    Call("POST", "/payments", "place_payment", "payment", "a payment without a signed request: 10.00 USD at the wallet",
         ("payment_request_id",), ("merchant", "sandbox"), of_payment),
    Call("GET", _PAYMENT, "_payment", "payment", "a payment with its captures, refunds and notifications", (),
         ("client_id",)),
    Call("POST", _PAYMENT + "/authorize", "authorize", "payment", "the buyer enters a card (its last four digits)", (),
         ("card", "client_id")),
    Call("POST", _PAYMENT + "/challenge", "challenge", "payment", "the buyer answers his bank at 3-D Secure", (),
         ("passed", "client_id")),
    Call("POST", _PAYMENT + "/refuse", "refuse_payment", "payment", "the wallet or the bank refuses, with a code", (),
         ("code", "client_id")),
    Call("POST", _PAYMENT + "/pend", "pend_payment", "payment", "the buyer has paid, and the bank takes its time", (),
         ("client_id", "buyer")),
    Call("POST", _PAYMENT + "/resend", "_resend_payment", "notify_id", "its newest notification is due again", (),
         ("client_id",)),
    Call("POST", "/registrations/{registration_request_id}/review", "review_registration", "registration",
         "somebody at AMS decides about a secondary merchant", (), ("approved", "reason", "merchant", "sandbox")),
    Call("POST", "/ams/cards", "store_card", "token", "the token of a test card: a paymentMethodId", (),
         ("card", "merchant", "sandbox")),
    Call("GET", "/ams/payment_code", "payment_code", "payment_code", "the code of a buyer in a store; what: pays, asks "
         "or expired", (), ("buyer", "what")),
    Call("GET", "/ams/requests", "_ams_requests", "requests", "what reached AMS, newest first", (), ("limit",)),
    Call("GET", "/ams/clients", "_ams_clients", "clients", "the client ids of the test merchants"),
    Call("GET", "/ams/clients/{merchant}", "_ams_client", "client", "one of them, with its settings", (), ("sandbox",)),
    Call("GET", "/ams/clients/{merchant}/ini", "_ams_ini", "", "its section of shop.ini, with its test keys", (),
         ("sandbox",)),
    Call("PUT", "/ams/settings/{merchant}", "_ams_settings", "client", "change its settings", (), ("sandbox",),
         of_clients),
)

#: Every call there is.
CALLS = (
    Call("GET", "/", "_index", "emulator", "this list; the names of the faults; the buyers"),
    Call("GET", "/now", "_now", "clock", "the clock, and when something happens next by itself"),
    Call("POST", "/advance", "advance", "deliveries", "let time pass: what becomes due happens, in order",
         ("seconds",)),
    Call("POST", "/freeze", "freeze", "now", "the clock stands still"),
    Call("POST", "/resume", "resume", "now", "the clock runs again, so many times as fast", (), ("speed",)),
    Call("POST", "/set_time", "set_time", "now", "the clock goes to a moment: yyyy-MM-dd HH:mm:ss in GMT+8",
         ("moment",)),
    Call("GET", "/merchants", "_merchants", "merchants", "the test merchants"),
    Call("GET", "/merchants/{merchant}", "_merchant", "merchant", "one of them, with its settings"),
    Call("GET", "/merchants/{merchant}/ini", "_ini", "", "its section of shop.ini, with its test keys"),
    Call("PUT", "/settings/{merchant}", "_settings", "merchant", "change its settings", more=of_merchants),
    Call("GET", "/trades", "list_trades", "trades", "the orders, newest first", (), ("limit", "offset")),
    Call("POST", "/trades", "place", "trade", "an order without a signed URL; the merchant's settings are not asked",
         ("out_trade_no",), ("merchant", "service"), of_service),
    Call("GET", _ORDER, "_trade", "trade", "an order with its refunds and notifications", (), ("partner",)),
    Call("GET", _ORDER + "/return_url", "return_url", "return_url", "the signed address that the buyer comes back to",
         (), ("partner",)),
    Call("POST", _ORDER + "/log_in", "log_in", "trade", "the buyer logs in: the trade exists from now on",
         (), ("partner", "buyer")),
    Call("POST", _ORDER + "/pay", "pay", "trade", "the buyer pays; lose: the notification never comes",
         (), ("partner", "buyer", "lose")),
    Call("POST", _ORDER + "/pay_later", "pay_later", "trade", "the buyer logs in, and pays after so many seconds",
         ("seconds",), ("partner", "buyer")),
    Call("POST", _ORDER + "/close", "close_trade", "trade", "an unpaid trade is closed", (), ("partner",)),
    Call("POST", _ORDER + "/confirm", "confirm_goods", "trade", "escrow: the buyer has the goods", (), ("partner",)),
    Call("POST", _ORDER + "/refund", "refund", "refund", "the merchant gives money back from the console",
         (), ("amount", "out_return_no", "partner", "notify_url")),
    Call("POST", _ORDER + "/resend", "_resend_newest", "notify_id", "its newest notification is due again",
         (), ("partner",)),
    Call("GET", "/refunds", "list_refunds", "refunds", "the refunds, oldest first", (), ("out_trade_no",)),
    Call("GET", "/notifications", "list_notifications", "notifications", "the notifications, newest first",
         (), ("out_trade_no", "limit")),
    Call("POST", "/notifications/{notify_id}/resend", "_resend", "resent", "one notification is due again"),
    Call("POST", "/deliver", "deliver", "deliveries", "send what is due now, and wait for the shop's answers"),
    Call("GET", "/faults", "_faults", "faults", "what still goes wrong, and for which shares"),
    Call("POST", "/faults", "fail", "fault", "the next messages meet this fault", ("name",),
         ("times", "service", "seconds", "done")),
    Call("PUT", "/faults", "set_rates", "rates", "shares of all messages that go wrong: fault to 0 … 1", ("rates",)),
    Call("DELETE", "/faults", "clear_faults", "faults", "nothing goes wrong any more"),
    Call("POST", "/app", "pay_in_app", "result", "the app hands over an order string, and the buyer pays",
         ("order_string",), ("buyer",)),
    Call("POST", "/visit", "_visit", "trade", "the buyer's browser goes to a payment URL", ("url",)),
    Call("GET", "/requests", "_requests", "requests", "what reached the gateway, newest first", (), ("limit",)),
    Call("POST", "/reset", "reset", "reset", "forget everything but the merchants, their keys and the clock"),
    Call("POST", "/record/start", "_record_start", "recording", "write down every request and call from now on"),
    Call("POST", "/record/stop", "_record_stop", "recording", "stop writing"),
    Call("GET", "/record", "_record", "", "what was written down: JSON lines"),
    Call("POST", "/replay", "_replay", "replay", "do it again; the body is such a file", ("lines",)),
) + AMS_CALLS
