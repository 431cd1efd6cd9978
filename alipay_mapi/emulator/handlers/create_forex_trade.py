"""``create_forex_trade`` and ``create_forex_trade_wap``: the buyer's browser brings a cross-border order."""
from typing import Any, Dict, Sequence

from ...services import SERVICES
from ...times import parse_time
from ..gateway import Call
from ..money import RATES
from ..refused import refuse

#: "others need to be configured at Alipay".
TIMEOUT_RULES = ("5m", "10m", "15m", "30m", "1h", "2h", "3h", "5h", "10h", "12h", "1d", "3d", "7d", "15d")
_CODES = {"currency": "ILLEGAL_CURRENCY", "timeout_rule": "ILLEGAL_TIMEOUT_RULE"}
_REGISTERED = ("secondary_merchant_name", "secondary_merchant_industry")
#: What makes an order's amount and its end; of another page than the service's own it makes nothing.
_READ = ("total_fee", "rmb_fee", "price", "quantity", "currency", "timeout_rule", "it_b_pay", "order_gmt_create",
         "order_valid_time")


def create_forex_trade(call: Call) -> Dict[str, Any]:
    """The placed order. Raises Refused with a code of the page.

    ``secondary_merchant_*`` "must match secmerchant registration": of an id that is registered they must; an id that
    nobody has registered is taken, since shops are tested without an acquirer (ours).
    Source: create_forex_trade, create_forex_trade_wap.
    """
    if call.service == "create_forex_trade_wap":
        check_utf8(call)
    params = call.checked(_CODES, otherwise="INVALID_PARAMETER")
    if params["currency"] not in RATES:
        raise refuse("ILLEGAL_CURRENCY", "not a settlement currency; there are {}".format(", ".join(sorted(RATES))),
                     "currency")
    order = order_of(call, params)
    rule = order.get("timeout_rule")
    if rule is not None and rule not in TIMEOUT_RULES and rule not in call.merchant.setting("timeout_rules"):
        raise refuse("ILLEGAL_TIMEOUT_RULE", "one of {}; others need the merchant's setting timeout_rules".format(
            " ".join(TIMEOUT_RULES)), "timeout_rule")
    if "order_gmt_create" in order:
        left = int(order["order_valid_time"]) - (
            call.gateway.clock.now() - parse_time(order["order_gmt_create"])).total_seconds()
        if left < 60:
            raise refuse("INVALID_PARAMETER", "less than a minute is left of the order's time", "order_valid_time")
    _check_registered(call, params)
    check_words(call, params)
    return call.gateway.trades.place(call.partner, call.service, order)


def _check_registered(call, params):
    registered = call.gateway.ledger.one("secmerchants", partner=call.partner,
                                         secondary_merchant_id=params.get("secondary_merchant_id", ""))
    for name in _REGISTERED if registered is not None else ():
        if params[name] != registered[name]:
            raise refuse("INVALID_PARAMETER", "this secondary merchant is registered with another one", name)


def order_of(call: Call, params: Dict[str, str], names: Sequence[str] = ()) -> Dict[str, str]:
    """What to keep of an order, without amounts and times that its page does not know: they mean nothing here.

    ``names``: those that the page knows, for a service that the library has no row of.
    """
    names = names or SERVICES[call.service].names
    return {name: value for name, value in call.order(params).items() if name in names or name not in _READ}


def check_utf8(call: Call) -> None:
    """The pages for phones take UTF-8 alone, and the default is GBK. Raises Refused: INVALID_CHARACTER_SET (ours)."""
    if (call.charset or "GBK").lower() not in ("utf-8", "utf8"):
        raise refuse("INVALID_CHARACTER_SET", "this service takes UTF-8 only", "_input_charset")


def check_words(call: Call, params: Dict[str, str]) -> None:
    """Refuse a forbidden word (the merchant's setting ``forbidden_words``) and a blocked seller."""
    for word in call.merchant.setting("forbidden_words"):
        for name, code in (("subject", "SUBJECT_HAS_FORBIDDENWORD"), ("body", "BODY_HAS_FORBIDDENWORD")):
            if word in params.get(name, ""):
                raise refuse(code, "holds a forbidden word", name)
    if call.merchant.setting("seller_forbidden"):
        raise refuse("SELLER_ENABLE_STATUS_FORBID", "the seller's account is blocked (setting seller_forbidden)")
