"""``payments/pay``: a wallet's cashier, a card, or a store. Source: payment_cashier, paymentc_online, idempotency.

``CASHIER_PAYMENT`` of a wallet is always PAYMENT_IN_PROCESS with an address for the buyer; a card without a token and
without raw numbers too (the hosted page). ``IN_STORE_PAYMENT`` with a buyer's code is decided at once, unless the buyer
has to confirm. A payment that is refused after its members were understood is remembered with its code.
"""
import re
from datetime import timedelta
from typing import Any, Dict, Optional

from ....migration.ams.amounts import DECIMALS
from ...refused import Refused, refuse
from .. import cards, written
from ..gateway import CASHIER_EXPIRY, STORE_EXPIRY, Call, Said, without_cards
from ..members import illegal
from ..payments import Order

PRODUCTS = ("CASHIER_PAYMENT", "AGREEMENT_PAYMENT", "IN_STORE_PAYMENT")
SCENARIOS = ("PaymentCode", "OrderCode", "EntryCode")
#: A merchant's own expiry must be under this: at a wallet, and by bank transfer.
LONGEST, LONGEST_TRANSFER = timedelta(minutes=10), timedelta(hours=48)

_MONTH, _YEAR = re.compile("0?[1-9]|1[0-2]"), re.compile("(20)?[0-9]{2}", re.ASCII)
_CVV = re.compile("[0-9]{3,4}", re.ASCII)


def pay(call: Call) -> Said:
    """The state of the payment, new or known. Raises Refused, also with REPEAT_REQ_INCONSISTENT."""
    order = _order(call)
    gateway = call.gateway
    with gateway.payments.acting():
        row = gateway.payments.find(call.client.client_id, order.payment_request_id)
        if row is None:
            _check_contract(call, order)
            card, shown = _card(call, order), _shown(call, order)
            row = _first(call, gateway.payments.make(order), card, shown)
        elif row["key"] != order.key:
            raise refuse("REPEAT_REQ_INCONSISTENT", "this paymentRequestId was sent with other content",
                         "paymentRequestId")
        return _told(call, row)


def _told(call, row) -> Said:
    code = written.final_code(row)
    told = dict(written.order(row), **written.paid(row, call.gateway.token_of(row)))
    if code == "PAYMENT_IN_PROCESS":
        told.update(written.where_to_pay(row, call.gateway.base_url()))
    return code, told


def _order(call) -> Order:
    members = call.members
    product = members.need("productCode", one_of=PRODUCTS)
    number = members.need("paymentRequestId")
    method = members.need("paymentMethod.paymentMethodType")
    method_id = members.text("paymentMethod.paymentMethodId", 2048)
    members.object("paymentMethod.paymentMethodMetaData")
    amount = members.amount("paymentAmount", method)
    ordered = members.amount("order.orderAmount", method)
    if ordered != amount:
        raise illegal("order.orderAmount", "must be the paymentAmount")
    members.need("order.orderDescription", 256)
    reference = members.need("order.referenceOrderId")
    members.text("order.merchant.referenceMerchantId", 32)
    for name in ("paymentRedirectUrl", "paymentNotifyUrl"):
        members.address(name)
    members.text("env.terminalType", one_of=("WEB", "WAP", "APP", "MINI_APP"))
    settlement = members.text("settlementStrategy.settlementCurrency", 3)
    if settlement is not None and settlement not in DECIMALS:
        raise refuse("CURRENCY_NOT_SUPPORT", "not a currency of AMS", "settlementStrategy.settlementCurrency")
    scenario = members.text("paymentFactor.inStorePaymentScenario", one_of=SCENARIOS,
                            required=product == "IN_STORE_PAYMENT") or ""
    authorization = members.flag("paymentFactor.isAuthorization")
    mode = members.text("paymentFactor.captureMode", one_of=("AUTOMATIC", "MANUAL"))
    if authorization and method != "CARD":
        raise illegal("paymentFactor.isAuthorization", "is for cards")
    if scenario == "PaymentCode" and method_id is None:
        raise illegal("paymentMethod.paymentMethodId", "the buyer's code is required")
    key = {"productCode": product, "amount": list(amount), "paymentMethodType": method, "paymentMethodId": method_id,
           "referenceOrderId": reference, "scenario": scenario, "isAuthorization": authorization}
    return Order(call.client.client_id, call.client.partner, number, amount, method, product, scenario,
                 _page(product, method, scenario), _expiry(call, product, method), authorization, mode == "MANUAL", key,
                 without_cards(members.content))


def _page(product, method, scenario) -> str:
    if product == "IN_STORE_PAYMENT":
        return "" if scenario == "PaymentCode" else "wallet"
    return "card" if method == "CARD" else "wallet"


def _expiry(call, product, method) -> timedelta:
    """From now to ``paymentExpiryTime``. Raises Refused when it is past, or too far away."""
    moment, now = call.members.moment("paymentExpiryTime"), call.gateway.clock.now()
    if moment is None:
        return STORE_EXPIRY if product == "IN_STORE_PAYMENT" else CASHIER_EXPIRY
    if moment <= now:
        raise illegal("paymentExpiryTime", "is past")
    longest = LONGEST_TRANSFER if "BANK" in method else LONGEST
    if moment - now > longest:
        raise illegal("paymentExpiryTime", "at most {} minutes from now".format(int(longest.total_seconds() // 60)))
    return moment - now


def _check_contract(call, order) -> None:
    for word, name in ((order.product, "productCode"), (order.method, "paymentMethod.paymentMethodType")):
        if word in call.client.setting("not_contracted"):
            raise refuse("INVALID_CONTRACT", "the client's setting not_contracted names it", name)
    merchant = call.members.text("order.merchant.referenceMerchantId", 32)
    if call.client.setting("registered_only") and not call.gateway.registrations.is_registered(
            call.client.client_id, merchant):
        raise refuse("MERCHANT_NOT_REGISTERED", "no registration of this merchant is complete",
                     "order.merchant.referenceMerchantId")
    if order.product == "AGREEMENT_PAYMENT":
        raise refuse("AUTH_NOT_FOUND", "there are no agreements here", "paymentMethod.paymentMethodId")


def _card(call, order) -> Optional[cards.Card]:
    """The card that the request brings: by a token, or by its numbers. Raises Refused."""
    if order.method != "CARD":
        return None
    token = call.members.text("paymentMethod.paymentMethodId", 2048)
    raw = {name: call.members.text("paymentMethod.paymentMethodMetaData." + name, 32)
           for name in ("cardNo", "expiryYear", "expiryMonth", "expiry", "cvv")}
    if token is not None:
        card = call.gateway.card_of(call.client.client_id, token)
        if card is None:
            raise illegal("paymentMethod.paymentMethodId", "this client has no such card token")
        return card
    if not any(raw.values()):
        return None
    if not call.client.setting("pci"):
        raise refuse("ACCESS_DENIED", "raw card numbers are for merchants who may hold them (setting pci)",
                     "paymentMethod.paymentMethodMetaData")
    for card in cards.CARDS:
        if card.number == raw["cardNo"]:
            _check_dates(call, raw)
            return card
    raise illegal("paymentMethod.paymentMethodMetaData.cardNo", "only the test cards; see docs/emulator.md")


def _check_dates(call, raw: Dict[str, Any]) -> None:
    """``expiryYear`` (2 or 4 digits) and ``expiryMonth``, or ``expiry`` as MMYY; ``cvv``: 3 or 4 digits."""
    where = "paymentMethod.paymentMethodMetaData."
    month, year = raw["expiryMonth"], raw["expiryYear"]
    if raw["expiry"]:
        month, year = raw["expiry"].replace("/", "")[:2], raw["expiry"].replace("/", "")[2:]
    if not _MONTH.fullmatch(month or "") or not _YEAR.fullmatch(year or ""):
        raise illegal(where + "expiryMonth", "give expiryMonth and expiryYear in digits")
    if raw["cvv"] is not None and not _CVV.fullmatch(raw["cvv"]):
        raise illegal(where + "cvv", "3 or 4 digits")
    now = call.gateway.clock.now()
    if (int(year) % 100, int(month)) < (now.year % 100, now.month):
        raise illegal(where + "expiryYear", "the card is expired")


def _shown(call, order) -> Optional[cards.Shown]:
    """Who has shown a code in a store. Raises Refused."""
    if order.scenario != "PaymentCode":
        return None
    found = cards.read_payment_code(order.key["paymentMethodId"])
    if found is None:
        raise illegal("paymentMethod.paymentMethodId", "16 to 24 digits that begin with 25 to 30")
    return found


def _first(call, row, card, shown):
    """What happens at once: a card is asked, a code is debited."""
    payments, now = call.gateway.payments, call.gateway.payments.trades.now()
    if card is not None:
        return payments.authorize(row, card)
    if shown is None:
        return row
    if shown.what == "expired":
        return payments.fail(row, "EXPIRED_CODE", now)
    if shown.what == "asks":
        return payments.ledger.change("ams_payments", row, buyer_id=shown.buyer.buyer_id)
    problem = None
    try:
        payments.check_buyer(row, shown.buyer)
    except Refused as err:
        problem = err
    return payments.succeed(row, now, shown.buyer) if problem is None else payments.fail(row, problem.code, now)
