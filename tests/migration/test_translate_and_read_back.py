"""What is translated can be read back: nothing is lost, or the call was refused. The reader here is written by hand."""
import re
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from alipay_mapi.migration.ams import verify_notification
from alipay_mapi.migration.reading import refund_facts, trade_facts
from alipay_mapi.order import Order
from alipay_mapi.trade_state import TradeState
from migration_samples import account, dumped, notification_headers, result
from translating import ams, openapi

TWO = "AUD CAD CNY EUR GBP HKD MYR NZD PHP SGD THB TWD USD".split()
NONE = "JPY KRW".split()
OTHER = "CHF MOP DKK NOK SEK XXX".split()
AMOUNTS = st.from_regex(r"(0|[1-9][0-9]{0,6})(\.[0-9]{1,3})?", fullmatch=True)
TEXTS = st.text(st.characters(blacklist_categories=("Cs",)), min_size=1,
                max_size=30).filter(lambda text: not re.search(r"[0-9]{2}", text))
NUMBERS = st.from_regex(r"[A-Za-z0-9_]{1,64}", fullmatch=True)
OPTIONAL = {"notify_url": st.just("https://m.example/n"), "return_url": st.just("https://m.example/r"), "body": TEXTS,
            "refer_url": st.just("https://m.example"), "secondary_merchant_id": NUMBERS,
            "secondary_merchant_name": TEXTS,
            "secondary_merchant_industry": st.just("5411"), "store_id": NUMBERS, "store_name": TEXTS,
            "terminal_id": NUMBERS, "payment_inst": st.sampled_from(["ALIPAYCN", "ALIPAYHK"]), "supplier": TEXTS,
            "split_fund_info": st.just("[]")}


@st.composite
def orders(draw):
    params = {"out_trade_no": draw(NUMBERS), "subject": draw(TEXTS),
              "currency": draw(st.sampled_from(TWO + NONE + OTHER))}
    params[draw(st.sampled_from(["total_fee", "rmb_fee"]))] = draw(AMOUNTS)
    for name in draw(st.sets(st.sampled_from(sorted(OPTIONAL)), max_size=4)):
        params[name] = draw(OPTIONAL[name])
    return params


def decimal(amount):
    return Decimal(amount["value"]).scaleb(-2 if amount["currency"] in TWO else 0)


def read_back(body):
    """AMS's body → MAPI's words, by the table and not by the code under test."""
    order, found = body["order"], {}
    merchant, store = order.get("merchant", {}), order.get("merchant", {}).get("store", {})
    for name, value in (
            ("out_trade_no", body["paymentRequestId"]), ("subject", order["orderDescription"]),
            ("currency", body["settlementStrategy"]["settlementCurrency"]),
            ("notify_url", body.get("paymentNotifyUrl")),
            ("return_url", body.get("paymentRedirectUrl")), ("body", order.get("goods", [{}])[0].get("goodsName")),
            ("refer_url", merchant.get("merchantUrl")), ("secondary_merchant_id", merchant.get("referenceMerchantId")),
            ("secondary_merchant_name", merchant.get("merchantName")),
            ("secondary_merchant_industry", merchant.get("merchantMCC")),
            ("store_id", store.get("referenceStoreId")), ("store_name", store.get("storeName")),
            ("terminal_id", order.get("env", {}).get("storeTerminalId")),
            ("payment_inst", body["paymentMethod"]["paymentMethodType"].replace("ALIPAY_", "ALIPAY"))):
        if value is not None:
            found[name] = value
    return found, body["paymentAmount"]


@settings(max_examples=settings.default.max_examples // 2)
@given(orders())
def test_an_order_loses_nothing_on_its_way_to_ams_or_is_refused(params):
    found = ams("create_forex_trade", params)
    amount = Decimal(params.get("total_fee", params.get("rmb_fee")))
    priced_in = params["currency"] if "total_fee" in params else "CNY"
    movable = (not {"supplier", "split_fund_info"} & set(params) and params["currency"] not in OTHER and amount > 0
               and amount == round(amount, 0 if priced_in in NONE else 2))
    assert bool(found.steps) == movable, found.refusals
    if not movable:
        return
    back, price = read_back(found.steps[0].content)
    given_ = {name: value for name, value in params.items() if name not in ("total_fee", "rmb_fee")}
    assert back == dict({"payment_inst": "ALIPAYCN"}, **given_)
    assert (price["currency"], decimal(price)) == (priced_in, amount)
    assert found.steps[0].content["order"]["orderAmount"] == price


@settings(max_examples=settings.default.max_examples // 10)
@given(orders().map(lambda params: {name: params[name] for name in params if name not in OPTIONAL}))
def test_what_ams_says_about_a_translated_order_pays_that_order_and_no_other(params):
    found = ams("create_forex_trade", params)
    if found.refusals:
        return
    body = found.steps[0].content
    raw = dumped({"notifyType": "PAYMENT_RESULT", "result": result(), "paymentRequestId": body["paymentRequestId"],
                  "paymentId": "P1", "paymentAmount": body["paymentAmount"],
                  "paymentTime": "2026-05-12T12:13:01+08:00"})
    message = verify_notification(account(), "/n", notification_headers("/n", raw), raw)
    price = {name: Decimal(params[name]) for name in ("total_fee", "rmb_fee") if name in params}
    order = Order(params["out_trade_no"], currency=params["currency"], **price)
    state, effects = TradeState(order).apply(trade_facts(message, order, "create_forex_trade"))
    assert state.status == "paid" and [effect.kind for effect in effects] == ["paid"]


@settings(max_examples=settings.default.max_examples // 10)
@given(NUMBERS, AMOUNTS, st.sampled_from(TWO + NONE + OTHER))
def test_a_translated_refund_is_read_back_under_its_own_number_and_amount(number, amount, currency):
    found = ams("forex_refund", {"out_return_no": number, "out_trade_no": "A1", "return_amount": amount,
                                 "currency": currency},
                {"home": "ams", "payment_id": "P1", "order_currency": currency})
    exact = Decimal(amount) == round(Decimal(amount), 0 if currency in NONE else 2)
    assert bool(found.steps) == (exact and Decimal(amount) > 0 and currency not in OTHER)
    if not found.steps:
        return
    body = found.steps[0].content
    raw = dumped({"notifyType": "REFUND_RESULT", "result": result(), "refundStatus": "SUCCESS", "refundId": "RF1",
                  "refundRequestId": body["refundRequestId"], "refundAmount": body["refundAmount"]})
    message = verify_notification(account(), "/n", notification_headers("/n", raw), raw)
    fact = refund_facts(message, Order("A1", total_fee="1000000", currency=currency))
    assert (fact["out_return_no"], Decimal(fact["return_amount"]), fact["currency"]) == (number, Decimal(amount),
                                                                                         currency)


@settings(max_examples=settings.default.max_examples // 3)
@given(NUMBERS, TEXTS, AMOUNTS)
def test_an_order_in_yuan_loses_nothing_on_its_way_to_openapi_or_is_refused(number, subject, amount):
    found = openapi("create_direct_pay_by_user", {"out_trade_no": number, "subject": subject, "total_fee": amount})
    exact = Decimal(amount) > 0 and Decimal(amount) == round(Decimal(amount), 2) and len(amount.partition(".")[2]) < 3
    assert bool(found.steps) == exact
    if exact:
        content = found.steps[0].content
        assert (content["out_trade_no"], content["subject"], Decimal(content["total_amount"])) == (
            number, subject, Decimal(amount))
        assert re.fullmatch(r"[0-9]+\.[0-9]{2}", content["total_amount"])
