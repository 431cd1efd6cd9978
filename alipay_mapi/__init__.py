"""Alipay's legacy gateway (MAPI): sign, build, parse, verify.

The public names and nothing else. Each is loaded from its module when it is first used, and requests, lxml and the
crypto library only where they are first needed, so that ``import alipay_mapi`` costs next to nothing. (What PEP 562
does from Python 3.7 on; type checkers read ``__init__.pyi``.)
"""
from ._version import __version__
from .lazy import load_at_first_use

_NAMES = {
    "app_result": "AppResult verify_app_result",
    "client": "Client",
    "error_codes": "describe",
    "errors": "AlipayError AmbiguousContent AmountMismatch BodyTooLarge CharsetError ConfigurationError "
              "CurrencyMismatch DuplicateParameter GatewayError InvalidMessage InvalidRequest KeyEncrypted "
              "KeyFormatError KeyMismatch MalformedParameter MalformedSignature MissingKey MissingParameter "
              "NotConfirmed NotXML NotifyNotGenuine OrderMismatch OrderNotFound OutcomeUnknown PartyMismatch "
              "ResponseSignatureInvalid ResponseSignatureMissing SchemaError SignTypeMismatch SignatureInvalid "
              "SignatureMissing StoreError TooManyParameters TransportError UnexpectedParameter UnexpectedRoot "
              "UnknownStatus UnreadableMessage UnsafeValue UnsupportedContentType UnsupportedSignType "
              "UntrustedMessage WatchConflict WeakKey XMLForbidden XMLLimit XMLMalformed",
    "merchant": "GATEWAY_HK GATEWAY_INSTORE GATEWAY_INTL GATEWAY_MAINLAND GATEWAY_SANDBOX Merchant WeakKeyWarning",
    "notification": "Notification REPLY_SUCCESS verify_notify",
    "order": "Order",
    "request": "SignedRequest build_order_string build_request",
    "response": "Response parse_response",
    "synchronous_return": "SynchronousReturn verify_return",
    "text_answer": "TextAnswer",
    "trade_state": "Effect TradeState",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = ["__version__", "services"]
__all__.extend(sorted(_HOME))

load_at_first_use(__name__, dict(_HOME, services="services"))
