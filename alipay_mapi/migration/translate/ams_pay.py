"""Payments → AMS's ``payments/pay``: cashier (WEB, WAP, APP) and in-store (barcode, QR code)."""
from typing import Any, Dict

from ..ams.amounts import DECIMALS
from . import expiry, merchants, prices
from .result import Step

#: MAPI service → terminalType
_TERMINALS = {"create_forex_trade": "WEB", "create_forex_trade_wap": "WAP", "mobile.securitypay.pay": "APP"}
#: MAPI service → the scenario in the store
_SCENARIOS = {"alipay.acquire.overseas.spot.pay": "PaymentCode", "alipay.acquire.createandpay": "PaymentCode",
              "alipay.acquire.precreate": "OrderCode"}
#: product_code that a service has on MAPI; another one is a mistake that would choose another page.
_PRODUCTS = {"WEB": ("NEW_OVERSEAS_SELLER",), "WAP": ("NEW_WAP_OVERSEAS_SELLER",),
             "APP": ("NEW_WAP_OVERSEAS_SELLER", "NEW_OVERSEAS_SELLER"), None: ("OVERSEAS_MBARCODE_PAY",)}
_METHODS = {None: "ALIPAY_CN", "ALIPAYCN": "ALIPAY_CN", "ALIPAYHK": "ALIPAY_HK"}
SERVICES = tuple(_TERMINALS) + tuple(_SCENARIOS)


def pay(draft):
    """A Translation of one of :data:`SERVICES`."""
    draft.check_new()
    draft.split()
    terminal, scenario = _TERMINALS.get(draft.service), _SCENARIOS.get(draft.service)
    body: Dict[str, Any] = {"productCode": "CASHIER_PAYMENT" if terminal else "IN_STORE_PAYMENT"}
    number = draft.need("out_trade_no", "partner_trans_id", to=("paymentRequestId", "order.referenceOrderId"))
    _check_length(draft, "out_trade_no", number, 64)
    body["paymentRequestId"] = number
    order: Dict[str, Any] = {"referenceOrderId": number}
    order["orderDescription"] = draft.need("subject", "trans_name", to="order.orderDescription")
    _check_length(draft, "subject", order["orderDescription"], 256)
    method = _payment_method(draft, scenario)
    price = prices.taken(draft)
    if price is not None:
        order["orderAmount"] = draft.amount(price.parameter, price.text, price.currency, method["paymentMethodType"])
        body["paymentAmount"] = dict(order["orderAmount"])
        body["settlementStrategy"] = {"settlementCurrency": price.settlement}
        draft.goes(price.parameter, "order.orderAmount.value", "paymentAmount.value")
        draft.goes(price.currency_from, "order.orderAmount.currency", "paymentAmount.currency")
        draft.goes("currency", "settlementStrategy.settlementCurrency")
        _check_settlement(draft, price)
    _check_product(draft, terminal)
    merchants.check_seller(draft)
    seller = merchants.taken(draft, merchants.AMS_PLACES)
    merchant = merchants.ams_merchant(seller, draft.take("refer_url", to="order.merchant.merchantUrl"))
    if merchant:
        order["merchant"] = merchant
    if seller.terminal_id is not None:
        order["env"] = {"storeTerminalId": seller.terminal_id}
    _goods(draft, order)
    body["order"] = order
    body["paymentMethod"] = method
    unsaid = not any(name in draft for name in expiry.NAMES)
    end = expiry.payment_expiry_time(draft)
    if end is not None:
        body["paymentExpiryTime"] = end
    elif terminal and unsaid:
        draft.note("timeout_rule", "none given: MAPI waits 12 hours by default, and AMS about 14 minutes")
    draft.put(body, "paymentNotifyUrl", "notify_url", longest=2048)
    if "paymentNotifyUrl" in body:
        draft.note("notify_url", "what comes there has another body and another signature: an address of its own, or "
                   "one that tells the gateways apart (migration.arrival)")
    _redirect(draft, body)
    if scenario:
        body["paymentFactor"] = {"inStorePaymentScenario": scenario}
    if terminal:
        body["env"] = _env(draft, terminal)
    return draft.finish(lambda: [Step("payments/pay", body)])


def _payment_method(draft, scenario):
    inst = draft.take("payment_inst", to="paymentMethod.paymentMethodType")
    if inst not in _METHODS:
        draft.refuse("payment_inst", "neither ALIPAYCN nor ALIPAYHK", "give one of them, or leave it out")
    method = {"paymentMethodType": _METHODS.get(inst, "ALIPAY_CN")}
    if scenario == "PaymentCode":
        method["paymentMethodId"] = draft.need("buyer_identity_code", "dynamic_id", "identity_code",
                                               to="paymentMethod.paymentMethodId")
        kind = draft.take("identity_code_type", "dynamic_id_type")
        if kind not in (None, "barcode", "qrcode", "bar_code", "qr_code"):
            draft.refuse("identity_code_type", "neither barcode nor qrcode", "scan the buyer's code")
    return method


def _check_settlement(draft, price):
    if price.settlement not in DECIMALS:
        draft.refuse("currency", "{} is not among the currencies of AMS".format(price.settlement),
                     "settle in another currency there")


def _check_product(draft, terminal):
    code = draft.take("product_code", "biz_product", to="env.terminalType" if terminal else "productCode")
    if code is not None and code not in _PRODUCTS[terminal] and draft.service != "alipay.acquire.createandpay":
        draft.refuse("product_code", "is not that of {}".format(draft.service), "name the product that you mean")
    elif code is not None and draft.service == "alipay.acquire.createandpay" and code not in _PRODUCTS[None]:
        # FOREX_GENERAL_WITHHOLDING debits by an agreement, which was made with MAPI alone.
        draft.refuse("product_code", "debits by an agreement that only MAPI knows", "let the buyer agree there anew")


def _goods(draft, order):
    body, information = draft.take("body"), draft.json("trade_information")
    if information is not None:
        mapper = draft.context.map_trade_information
        if mapper is None:
            draft.refuse("trade_information", "no lossless rule", "give Context(map_trade_information=…)")
            return
        for name, value in mapper(information).items():
            if name in order:
                draft.refuse("trade_information", "the mapper gives {}, which stands there already".format(name),
                             "let it give goods, shipping and the like")
            order[name] = value
            draft.goes("trade_information", "order." + name)
    if body is None:
        return
    if "goods" in order:
        draft.note("body", "left out: the goods come from trade_information")
    elif len(body) > 256:
        draft.note("body", "left out: longer than the 256 characters of goodsName")
    else:
        order["goods"] = [{"goodsName": body}]
        draft.goes("body", "order.goods.0.goodsName")


def _redirect(draft, body):
    address = draft.take("return_url")
    if address == "m.alipay.com":
        draft.note("return_url", "m.alipay.com is MAPI's word for none")
    elif address is not None:
        body["paymentRedirectUrl"] = address
        draft.goes("return_url", "paymentRedirectUrl")
        _check_length(draft, "return_url", address, 2048)
        draft.note("return_url", "AMS signs nothing on the way back: ask inquiryPayment, believe nothing there")


def _env(draft, terminal):
    env = {"terminalType": terminal}
    if terminal == "APP":
        env["osType"] = _os_type(draft)
        for name, value in (("payment_type", "1"), ("forex_biz", "FP")):
            if draft.take(name) not in (None, value):
                draft.refuse(name, "another one than {}".format(value), "a purchase has no other there")
    return env


def _os_type(draft):
    system = (draft.take("appenv", to="env.osType" if draft.context.os_type is None else ()) or "").lower()
    found = {name for name, word in (("ANDROID", "android"), ("IOS", "iphone"), ("IOS", "ios")) if word in system}
    if draft.context.os_type is not None:
        found = {draft.context.os_type.upper()}
    if len(found) != 1 or not found <= {"ANDROID", "IOS"}:
        draft.refuse("osType", "neither appenv nor the context says which system the app runs on",
                     "give Context(os_type=…): ANDROID or IOS")
        return ""
    return found.pop()


def _check_length(draft, parameter, value, longest):
    if len(value) > longest:
        draft.refuse(parameter, "longer than the {} characters it may have there".format(longest), "shorten it")
