"""PyPI's ``alipay`` 0.7.4: ``from alipay_mapi.compat.lxneng import Alipay`` in place of ``from alipay import Alipay``.

Same names, arguments and results; what differs is in ``docs/compat.md``. Both packages can be installed side by side:
``compat.shadow`` compares them before the shop moves.

>>> alipay = Alipay("2088101122136241", "0123456789abcdefghij0123456789ab", seller_email="shop@example.com")
>>> alipay.create_direct_pay_by_user_url(out_trade_no="A1", subject="Tea", total_fee="9.90").split("?")[0]
'https://mapi.alipay.com/gateway.do'
"""
from .exceptions import AlipayException, MissingParameter, ParameterValueError, TokenAuthorizationError
from .gateway import Alipay
from .wap import WapAlipay

__all__ = ["Alipay", "AlipayException", "MissingParameter", "ParameterValueError", "TokenAuthorizationError",
           "WapAlipay", "includeme"]


def includeme(config) -> None:
    """Pyramid's ``config.include("alipay_mapi.compat.lxneng")``: ``config.registry["alipay"]`` from the settings
    ``alipay.pid``, ``alipay.key`` and ``alipay.seller_email``. Raises ConfigurationError, ParameterValueError."""
    settings = config.registry.settings
    config.registry["alipay"] = Alipay(pid=settings.get("alipay.pid"), key=settings.get("alipay.key"),
                                       seller_email=settings.get("alipay.seller_email"))
