"""The params of a payment: what the order says, what the configuration says, and what the shop adds."""
from typing import Any, Dict, Mapping, Optional

from ... import services
from ...errors import InvalidRequest, show
from ...order import Order

MOBILE = "mobile.securitypay.pay"
_DOMESTIC = "create_direct_pay_by_user"
#: Services that must be told whom the payment goes to, and how they call him.
_SELLERS = ("seller_id", "seller_account_name", "seller_email")
#: Service → the field that says how long the order can be paid.
_TIMEOUT = {"create_forex_trade": "timeout_rule", "create_forex_trade_wap": "timeout_rule",
            _DOMESTIC: "it_b_pay", MOBILE: "it_b_pay"}


def payment_params(order: Order, service: str, notify_url: str, return_url: Optional[str], timeout: Optional[str],
                   fields: Mapping[str, Any], seller_id: Optional[str] = None) -> Dict[str, str]:
    """The params of a payment, checked by the service's builder. ``seller_id``: the merchant's, where the service asks
    for one and ``fields`` names none. Raises InvalidRequest.

    >>> payment_params(Order("A1", total_fee="8.00", currency="USD"), "create_forex_trade", "https://shop.example/n",
    ...                None, "30m", {"subject": "Tea"})["timeout_rule"]
    '30m'
    """
    if not isinstance(order, Order):
        raise InvalidRequest("order: give a mapi.Order, with the number and the price", parameter="order")
    if not isinstance(service, str) or service not in _TIMEOUT:
        raise InvalidRequest("service: {} is none that a buyer pays with; there are {}".format(
            show(service), ", ".join(_TIMEOUT)), parameter="service")
    given: Dict[str, Any] = {"out_trade_no": order.out_trade_no, "notify_url": notify_url, _TIMEOUT[service]: timeout}
    if service != MOBILE:
        given["return_url"] = return_url
    for name in ("currency", "total_fee", "rmb_fee"):
        if getattr(order, name) is not None:
            given[name] = getattr(order, name)
    if service in (_DOMESTIC, MOBILE):
        if order.currency == "CNY":
            del given["currency"]       # yuan is what these mean without it
        if not any(name in fields for name in _SELLERS):
            given["seller_id"] = seller_id
    for name, value in fields.items():
        if name in given:
            raise InvalidRequest("{}: comes from the order and the configuration; leave it out".format(name),
                                 parameter=name)
        given[name] = value
    return services.BUILDERS[service](**{name: value for name, value in given.items() if value is not None})
