"""``create_forex_trade`` and ``create_forex_trade_wap``: the buyer's browser brings a cross-border order."""
from typing import Any, Dict

from ...times import parse_time
from ..gateway import Call
from ..money import RATES
from ..refused import refuse

#: "others need to be configured at Alipay".
TIMEOUT_RULES = ("5m", "10m", "15m", "30m", "1h", "2h", "3h", "5h", "10h", "12h", "1d", "3d", "7d", "15d")
_CODES = {"currency": "ILLEGAL_CURRENCY", "timeout_rule": "ILLEGAL_TIMEOUT_RULE"}


def create_forex_trade(call: Call) -> Dict[str, Any]:
    """The placed order. Raises Refused with a code of the page. Source: create_forex_trade, create_forex_trade_wap."""
    params = call.checked(_CODES, otherwise="INVALID_PARAMETER")
    if params["currency"] not in RATES:
        raise refuse("ILLEGAL_CURRENCY", "not a settlement currency; there are {}".format(", ".join(sorted(RATES))),
                     "currency")
    rule = params.get("timeout_rule")
    if rule is not None and rule not in TIMEOUT_RULES and rule not in call.merchant.setting("timeout_rules"):
        raise refuse("ILLEGAL_TIMEOUT_RULE", "one of {}; others need the merchant's setting timeout_rules".format(
            " ".join(TIMEOUT_RULES)), "timeout_rule")
    if "order_gmt_create" in params:
        left = int(params["order_valid_time"]) - (
            call.gateway.clock.now() - parse_time(params["order_gmt_create"])).total_seconds()
        if left < 60:
            raise refuse("INVALID_PARAMETER", "less than a minute is left of the order's time", "order_valid_time")
    check_words(call, params)
    return call.gateway.trades.place(call.partner, call.service, call.order(params))


def check_words(call: Call, params: Dict[str, str]) -> None:
    """Refuse a forbidden word (the merchant's setting ``forbidden_words``) and a blocked seller."""
    for word in call.merchant.setting("forbidden_words"):
        for name, code in (("subject", "SUBJECT_HAS_FORBIDDENWORD"), ("body", "BODY_HAS_FORBIDDENWORD")):
            if word in params.get(name, ""):
                raise refuse(code, "holds a forbidden word", name)
    if call.merchant.setting("seller_forbidden"):
        raise refuse("SELLER_ENABLE_STATUS_FORBID", "the seller's account is blocked (setting seller_forbidden)")
