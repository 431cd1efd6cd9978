"""Which call becomes which: one row per MAPI service, with its translator for each target, or why there is none."""
from collections.abc import Mapping
from typing import Any, Callable, Dict, NamedTuple, Union

from ...errors import InvalidRequest, show
from . import ams_order, ams_pay, ams_registration, openapi_order, openapi_pay
from .context import AMS, TARGETS, Context
from .draft import Draft
from .result import Refusal, Translation

Translator = Callable[[Draft], Translation]


class No(NamedTuple):
    """There is no such call there."""

    reason: str
    remedy: str


class Row(NamedTuple):
    """One service of MAPI. Each target: a translator, or why not."""

    ams: Union[Translator, No]
    openapi: Union[Translator, No]


_DOMESTIC = No("a domestic product", "take OpenAPI")
_OTHER_PRODUCT = No("reports are another product there", "read the reports of that gateway")
_SIGNED = No("not needed: there the signature is the proof", "verify the notification's signature")
_SECONDARY = No("secondary merchants are registered in another way there", "register them there anew")
_STEPS = No("escrow has no equal", "keep such orders on MAPI until they are over")

#: MAPI service → :class:`Row` (section 3.1).
CALLS: Dict[str, Row] = {
    "create_forex_trade": Row(ams_pay.pay, openapi_pay.pay),
    "create_forex_trade_wap": Row(ams_pay.pay, openapi_pay.pay),
    "mobile.securitypay.pay": Row(ams_pay.pay, openapi_pay.pay),
    "create_direct_pay_by_user": Row(_DOMESTIC, openapi_pay.pay),
    "alipay.wap.create.direct.pay.by.user": Row(_DOMESTIC, openapi_pay.pay),
    "alipay.acquire.overseas.spot.pay": Row(ams_pay.pay, openapi_pay.pay),
    "alipay.acquire.createandpay": Row(ams_pay.pay, openapi_pay.pay),
    "alipay.acquire.precreate": Row(ams_pay.pay, openapi_pay.pay),
    "single_trade_query": Row(ams_order.query, openapi_order.query),
    "alipay.acquire.overseas.query": Row(ams_order.query, openapi_order.query),
    "alipay.acquire.query": Row(ams_order.query, openapi_order.query),
    "forex_refund": Row(ams_order.refund, openapi_order.refund),
    "alipay.acquire.overseas.spot.refund": Row(ams_order.refund, openapi_order.refund),
    "alipay.acquire.refund": Row(ams_order.refund, openapi_order.refund),
    "alipay.acquire.refund.query": Row(ams_order.refund_query, openapi_order.refund_query),
    "alipay.acquire.cancel": Row(ams_order.cancel, openapi_order.cancel),
    "alipay.acquire.overseas.spot.cancel": Row(ams_order.cancel, openapi_order.cancel),
    "alipay.acquire.overseas.spot.reverse": Row(ams_order.cancel, openapi_order.cancel),
    "close_trade": Row(ams_order.close, openapi_order.close),
    "alipay.overseas.secmerchant.online.maintain": Row(ams_registration.register, _SECONDARY),
    "alipay.overseas.secmerchant.offline.maintain": Row(
        No("stores are registered in another way there", "register them there anew"), _SECONDARY),
    "alipay.overseas.secmerchant.maintain.queryStatus": Row(ams_registration.status, _SECONDARY),
    "alipay.acquire.customs": Row(
        No("no published table of its fields", "call customs/declare yourself"),
        No("no published table of its fields", "call alipay.trade.customs.declare yourself")),
    "forex_rate_file": Row(
        No("rates come in another shape there", "call payments/inquireExchangeRate yourself"),
        No("a domestic contract has no rates", "take them from elsewhere")),
    "forex_compare_file": Row(_OTHER_PRODUCT, _OTHER_PRODUCT),
    "forex_liquidation_file": Row(_OTHER_PRODUCT, _OTHER_PRODUCT),
    "notify_verify": Row(_SIGNED, _SIGNED),
    "refund_fastpay_by_platform_pwd": Row(
        No("a batch refund with a password has no equal", "refund each order by itself"),
        No("a batch refund with a password has no equal", "refund each order by itself")),
    "create_partner_trade_by_buyer": Row(_STEPS, _STEPS),
    "trade_create_by_buyer": Row(_STEPS, _STEPS),
    "send_goods_confirm_by_platform": Row(_STEPS, _STEPS),
}
_UNKNOWN = No("no service that this library can translate", "ask the other gateway itself")


def translate(service: str, params: Mapping, target: str, context: Context) -> Translation:
    """``service``: MAPI's name. ``params``: names to text, decoded; who signs and how (``partner``, ``sign`` …) may
    stand in it and is not carried over. ``target``: "ams" or "openapi".

    Gives a Translation, with steps or with refusals; ``require()`` raises NotTranslatable for the latter. Raises
    InvalidRequest for arguments of the wrong kind.
    """
    if target not in TARGETS:
        raise InvalidRequest("target: ams or openapi", parameter="target")
    if not isinstance(service, str) or not isinstance(params, Mapping) or not isinstance(context, Context):
        raise InvalidRequest("service: text; params: a mapping; context: a Context", parameter="params")
    row: Any = CALLS.get(service, Row(_UNKNOWN, _UNKNOWN))
    found = row.ams if target == AMS else row.openapi
    if isinstance(found, No):
        return Translation(show(service), target, (), (), (
            Refusal(show(service), target, "service", found.reason, found.remedy),))
    return found(Draft(service, params, target, context))
