"""Payments → OpenAPI's ``alipay.trade.*``: page, wap, app, barcode, QR code. A domestic contract takes and settles CNY.
"""
from typing import Any, Dict

from ...amounts import parse_amount
from ...errors import MalformedParameter
from . import expiry, merchants, prices
from .result import Step

_PAGE, _WAP, _APP, _BAR, _QR = ("alipay.trade.page.pay", "alipay.trade.wap.pay", "alipay.trade.app.pay",
                                "alipay.trade.pay", "alipay.trade.precreate")
#: MAPI service → method
METHODS = {
    "create_forex_trade": _PAGE, "create_forex_trade_wap": _WAP, "mobile.securitypay.pay": _APP,
    "create_direct_pay_by_user": _PAGE, "alipay.wap.create.direct.pay.by.user": _WAP,
    "alipay.acquire.overseas.spot.pay": _BAR, "alipay.acquire.createandpay": _BAR, "alipay.acquire.precreate": _QR,
}
_PRODUCTS = {_PAGE: "FAST_INSTANT_TRADE_PAY", _WAP: "QUICK_WAP_PAY", _APP: "QUICK_MSECURITY_PAY",
             _BAR: "FACE_TO_FACE_PAYMENT", _QR: "FACE_TO_FACE_PAYMENT"}
#: A body is shorter there than on MAPI.
_LONGEST_BODY = 128
_OLD_PRODUCTS = ("NEW_OVERSEAS_SELLER", "NEW_WAP_OVERSEAS_SELLER", "OVERSEAS_MBARCODE_PAY")


def pay(draft):
    """A Translation of one of :data:`METHODS`."""
    method = METHODS[draft.service]
    draft.check_new()
    draft.split()
    content: Dict[str, Any] = {"out_trade_no": draft.need("out_trade_no", "partner_trans_id", to="out_trade_no"),
                               "subject": draft.need("subject", "trans_name", to="subject")}
    if len(content["out_trade_no"]) > 64:
        draft.refuse("out_trade_no", "longer than the 64 characters it may have there", "shorten it")
    if len(content["subject"]) > 256:
        draft.refuse("subject", "longer than the 256 characters it may have there", "shorten it")
    _price(draft, content)
    content["product_code"] = _PRODUCTS[method]
    _fixed(draft)
    merchants.check_seller(draft)
    _store(draft, content)
    if method == _BAR:
        content["scene"] = "bar_code"
        content["auth_code"] = draft.need("buyer_identity_code", "dynamic_id", "identity_code", to="auth_code")
        draft.take("identity_code_type", "dynamic_id_type")
    body = draft.take("body", to="body")
    if body is not None and len(body) > _LONGEST_BODY:
        draft.note("body", "left out: longer than the {} characters it may have there".format(_LONGEST_BODY))
    elif body is not None:
        content["body"] = body
    expiry.put_openapi(draft, content)
    if method in (_PAGE, _WAP):
        draft.put(content, "request_from_url", "refer_url")
    if method == _PAGE:
        draft.put(content, "qr_pay_mode", "qr_pay_mode")
    if method == _WAP:
        content["quit_url"] = draft.take("merchant_url", "show_url", to="quit_url") or draft.context.quit_url
        if not content["quit_url"]:
            draft.refuse("quit_url", "the page wants the address for a buyer who gives up", "give Context(quit_url=…)")
    _information(draft, content)
    common: Dict[str, str] = {}
    draft.put(common, "notify_url", "notify_url", longest=256)
    address = draft.take("return_url", to="return_url")
    if address is not None and address != "m.alipay.com":
        common["return_url"] = address
    return draft.finish(lambda: [Step(method, content, common)])


def yuan(draft, parameter, text):
    """An amount of CNY as it goes there: above zero, at most two decimals, both written out. Refused otherwise."""
    try:
        amount = parse_amount(text)
    except MalformedParameter:
        amount = None
    if amount is None or amount <= 0:
        draft.refuse(parameter, "not an amount of yuan above zero with at most two decimals",
                     "change the order's amount; nothing is rounded")
        return ""
    return "{:.2f}".format(amount)


def _price(draft, content):
    price = prices.taken(draft, domestic=True)
    if price is None:
        return
    if price.currency != "CNY":
        draft.refuse("currency", "a domestic page takes CNY only, and the order is priced in {}".format(price.currency),
                     "keep it on MAPI, or take AMS")
    elif price.settlement != "CNY" and not draft.context.settles_in_cny:
        draft.refuse("currency", "settlement in {}: a domestic contract settles CNY".format(price.settlement),
                     "if being paid in CNY is right, give Context(settles_in_cny=True)")
    else:
        draft.goes(price.parameter, "total_amount")
        content["total_amount"] = yuan(draft, price.parameter, price.text)


def _fixed(draft):
    code = draft.take("product_code", "biz_product", to="product_code")
    if code is not None and code not in _OLD_PRODUCTS:
        draft.refuse("product_code", "a contract that only MAPI knows", "sign one for the new product")
    for name, value in (("payment_type", "1"), ("forex_biz", "FP")):
        if draft.take(name) not in (None, value):
            draft.refuse(name, "another one than {}".format(value), "a purchase has no other there")
    inst = draft.take("payment_inst")
    if inst not in (None, "ALIPAYCN"):
        draft.refuse("payment_inst", "a domestic contract takes mainland wallets only", "take AMS for AlipayHK")
    draft.take("appenv")


def _store(draft, content):
    for name in ("secondary_merchant_id", "secondary_merchant_name", "secondary_merchant_industry"):
        if draft.take(name) is not None:
            draft.refuse(name, "ids of sub-merchants come from another registration there", "register them there anew")
    seller = merchants.taken(draft, {"store_id": "store_id", "terminal_id": "terminal_id"})
    for name in ("secondary_merchant_id", "secondary_merchant_name", "secondary_merchant_industry"):
        if getattr(seller, name) is not None:
            draft.refuse(name, "ids of sub-merchants come from another registration there", "register them there anew")
    if seller.store_name is not None:
        if "store_name" in draft.context.ignore:
            draft.note("store_name", "dropped, as Context.ignore says")
        else:
            draft.refuse("store_name", "has no place there", "leave it out, or allow it with "
                         "Context(ignore={'store_name'})")
    for name in ("store_id", "terminal_id"):
        value = getattr(seller, name)
        if value is not None:
            content[name] = value


def _information(draft, content):
    information = draft.json("trade_information")
    if information is None:
        return
    mapper = draft.context.map_trade_information
    if mapper is None:
        draft.refuse("trade_information", "no lossless rule", "give Context(map_trade_information=…)")
        return
    draft.goes("trade_information", "business_params")
    content["business_params"] = dict(mapper(information))
