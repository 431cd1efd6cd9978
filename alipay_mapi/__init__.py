"""Alipay's legacy gateway (MAPI): sign, build, parse, verify.

The public names and nothing else. Importing this loads neither requests nor lxml nor a crypto library; each is
imported where it is first used.
"""
import logging as _logging

from . import services
from ._version import __version__
from .app_result import AppResult, verify_app_result
from .client import Client
from .error_codes import describe
from .errors import (AlipayError, AmbiguousContent, AmountMismatch, BodyTooLarge, CharsetError, ConfigurationError,
                     CurrencyMismatch, DuplicateParameter, GatewayError, InvalidMessage, InvalidRequest, KeyEncrypted,
                     KeyFormatError, KeyMismatch, MalformedParameter, MalformedSignature, MissingKey,
                     MissingParameter, NotConfirmed, NotifyNotGenuine, NotXML, OrderMismatch, OrderNotFound,
                     OutcomeUnknown, PartyMismatch, ResponseSignatureInvalid, ResponseSignatureMissing,
                     SignatureInvalid, SignatureMissing, SignTypeMismatch, TooManyParameters, TransportError,
                     UnexpectedParameter, UnexpectedRoot, UnknownStatus, UnreadableMessage, UnsafeValue,
                     UnsupportedContentType, UnsupportedSignType, UntrustedMessage, WeakKey, XMLForbidden, XMLLimit,
                     XMLMalformed)
from .merchant import (GATEWAY_HK, GATEWAY_INSTORE, GATEWAY_INTL, GATEWAY_MAINLAND, GATEWAY_SANDBOX, Merchant,
                       WeakKeyWarning)
from .notification import REPLY_SUCCESS, Notification, verify_notify
from .order import Order
from .request import SignedRequest, build_order_string, build_request
from .response import Response, parse_response
from .synchronous_return import SynchronousReturn, verify_return
from .trade_state import Effect, TradeState

_logging.getLogger(__name__).addHandler(_logging.NullHandler())

__all__ = [name for name in dir() if not name.startswith("_") or name == "__version__"]
