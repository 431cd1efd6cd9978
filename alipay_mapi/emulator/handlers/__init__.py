"""One handler per service page: a signed request's parameters → an answer, an order, or Refused."""
from typing import Dict, Tuple

from ..gateway import Handler
from . import batch_trans_notify, escrow, refund_fastpay
from .close_trade import close_trade
from .create_direct_pay_by_user import create_direct_pay_by_user, wap_create_direct_pay_by_user
from .create_forex_trade import create_forex_trade
from .forex_files import forex_compare_file, forex_liquidation_file, forex_rate_file
from .forex_refund import forex_refund
from .mobile_securitypay_pay import mobile_securitypay_pay
from .notify_verify import notify_verify
from .query_timestamp import query_timestamp
from .secmerchant import offline_maintain, online_maintain, query_status
from .single_trade_query import single_trade_query

#: Service name → (handler, what answers: "page", "xml", "text" or "sdk").
HANDLERS: Dict[str, Tuple[Handler, str]] = {
    "create_forex_trade": (create_forex_trade, "page"),
    "create_forex_trade_wap": (create_forex_trade, "page"),
    "mobile.securitypay.pay": (mobile_securitypay_pay, "sdk"),
    "forex_refund": (forex_refund, "xml"),
    "single_trade_query": (single_trade_query, "xml"),
    "notify_verify": (notify_verify, "text"),
    "alipay.overseas.secmerchant.online.maintain": (online_maintain, "xml"),
    "alipay.overseas.secmerchant.offline.maintain": (offline_maintain, "xml"),
    "alipay.overseas.secmerchant.maintain.queryStatus": (query_status, "xml"),
    "forex_rate_file": (forex_rate_file, "text"),
    "forex_compare_file": (forex_compare_file, "text"),
    "forex_liquidation_file": (forex_liquidation_file, "text"),
    "create_direct_pay_by_user": (create_direct_pay_by_user, "page"),
    "alipay.wap.create.direct.pay.by.user": (wap_create_direct_pay_by_user, "page"),
    "close_trade": (close_trade, "xml"),
    "query_timestamp": (query_timestamp, "xml"),
}
HANDLERS.update(refund_fastpay.ROWS)
HANDLERS.update(batch_trans_notify.ROWS)
HANDLERS.update(escrow.ROWS)
