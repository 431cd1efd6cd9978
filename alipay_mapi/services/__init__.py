"""Services: what the gateway can be asked, one row and one typed builder each.

A builder checks its page's rules and returns params (wire name → text), ready for ``build_request(shop, name, …)``.
``build_request`` also signs services that are not listed here; then only the rules of single fields are checked.

>>> single_trade_query(out_trade_no="A1")
{'out_trade_no': 'A1'}
"""
import warnings
from types import MappingProxyType
from typing import Callable, Dict, Mapping, Optional

from .close_trade import SERVICE as _CLOSE_TRADE
from .close_trade import close_trade
from .create_direct_pay_by_user import SERVICE as _CREATE_DIRECT_PAY_BY_USER
from .create_direct_pay_by_user import create_direct_pay_by_user
from .create_forex_trade import SERVICE as _CREATE_FOREX_TRADE
from .create_forex_trade import create_forex_trade
from .create_forex_trade_wap import SERVICE as _CREATE_FOREX_TRADE_WAP
from .create_forex_trade_wap import create_forex_trade_wap
from .forex_files import COMPARE_FILE as _COMPARE_FILE
from .forex_files import LIQUIDATION_FILE as _LIQUIDATION_FILE
from .forex_files import RATE_FILE as _RATE_FILE
from .forex_files import forex_compare_file, forex_liquidation_file, forex_rate_file
from .forex_refund import SERVICE as _FOREX_REFUND
from .forex_refund import forex_refund
from .mobile_securitypay_pay import SERVICE as _MOBILE_SECURITYPAY_PAY
from .mobile_securitypay_pay import mobile_securitypay_pay
from .notify_verify import SERVICE as _NOTIFY_VERIFY
from .notify_verify import notify_verify
from .query_timestamp import SERVICE as _QUERY_TIMESTAMP
from .query_timestamp import query_timestamp
from .secmerchant import OFFLINE_MAINTAIN as _OFFLINE_MAINTAIN
from .secmerchant import ONLINE_MAINTAIN as _ONLINE_MAINTAIN
from .secmerchant import QUERY_STATUS as _QUERY_STATUS
from .secmerchant import secmerchant_offline_maintain, secmerchant_online_maintain, secmerchant_query_status
from .single_trade_query import SERVICE as _SINGLE_TRADE_QUERY
from .single_trade_query import single_trade_query
from .table import Service

__all__ = [
    "SERVICES", "BUILDERS", "ServiceAlias", "Service", "lookup", "canonical_name",
    "create_forex_trade", "create_forex_trade_wap", "mobile_securitypay_pay", "forex_refund", "single_trade_query",
    "notify_verify", "secmerchant_online_maintain", "secmerchant_offline_maintain", "secmerchant_query_status",
    "forex_rate_file", "forex_compare_file", "forex_liquidation_file", "create_direct_pay_by_user", "close_trade",
    "query_timestamp",
]

_TABLE = (
    (_CREATE_FOREX_TRADE, create_forex_trade),
    (_CREATE_FOREX_TRADE_WAP, create_forex_trade_wap),
    (_MOBILE_SECURITYPAY_PAY, mobile_securitypay_pay),
    (_FOREX_REFUND, forex_refund),
    (_SINGLE_TRADE_QUERY, single_trade_query),
    (_NOTIFY_VERIFY, notify_verify),
    (_ONLINE_MAINTAIN, secmerchant_online_maintain),
    (_OFFLINE_MAINTAIN, secmerchant_offline_maintain),
    (_QUERY_STATUS, secmerchant_query_status),
    (_RATE_FILE, forex_rate_file),
    (_COMPARE_FILE, forex_compare_file),
    (_LIQUIDATION_FILE, forex_liquidation_file),
    (_CREATE_DIRECT_PAY_BY_USER, create_direct_pay_by_user),
    (_CLOSE_TRADE, close_trade),
    (_QUERY_TIMESTAMP, query_timestamp),
)

#: Wire name → :class:`Service`, read-only.
SERVICES: Mapping[str, Service] = MappingProxyType({row.name: row for row, _ in _TABLE})
#: Wire name → its builder, read-only.
BUILDERS: Mapping[str, Callable[..., Dict[str, str]]] = MappingProxyType(
    {row.name: builder for row, builder in _TABLE})

#: One Alipay page ("Calling APIs") spells it so; every API page, sample and signed result has the other name.
_ALIASES = {"mobile.security.pay": "mobile.securitypay.pay"}


class ServiceAlias(UserWarning):
    """The service was named as a page misspells it; the wire name is used instead."""


def canonical_name(name: str) -> str:
    """The name that goes on the wire: ``mobile.security.pay`` becomes ``mobile.securitypay.pay``, with a warning.

    >>> canonical_name("forex_refund")
    'forex_refund'
    """
    if name in _ALIASES:
        warnings.warn("the service is called {} on the wire, not {}".format(_ALIASES[name], name), ServiceAlias,
                      stacklevel=2)
        return _ALIASES[name]
    return name


def lookup(name: str) -> Optional[Service]:
    """The row of a wire name, or None for a service that is not listed. Aliases: see :func:`canonical_name`.

    >>> lookup("forex_refund").writes, lookup("alipay.acquire.customs")
    (True, None)
    """
    return SERVICES.get(name)
