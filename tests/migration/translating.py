"""One order in MAPI's words, and a shorthand to translate it with some words changed."""
from alipay_mapi.migration.translate import Context, translate
from alipay_mapi.times import parse_time

NOW = parse_time("2026-05-12 12:00:00")
WEB = {"out_trade_no": "A1", "subject": "tea", "currency": "USD", "total_fee": "11.00"}
CNY = {"out_trade_no": "A1", "subject": "tea", "total_fee": "8"}
BARCODE = {"partner_trans_id": "A1", "trans_name": "tea", "currency": "USD", "trans_amount": "11.00",
           "buyer_identity_code": "288888888888888888", "biz_product": "OVERSEAS_MBARCODE_PAY"}


def changed(params, changes):
    """``None`` takes a parameter out."""
    return {name: value for name, value in dict(params, **changes).items() if value is not None}


def ams(call, params, context=None, **changes):
    return translate(call, changed(params, changes), "ams", Context(**dict({"now": NOW}, **(context or {}))))


def openapi(call, params, context=None, **changes):
    return translate(call, changed(params, changes), "openapi", Context(**dict({"now": NOW}, **(context or {}))))


def one(translation):
    """The content of its only step."""
    step, = translation.require().steps
    return step.content


def refused(translation):
    return [refusal.parameter for refusal in translation.refusals]


def noted(translation):
    return [note.parameter for note in translation.notes]
