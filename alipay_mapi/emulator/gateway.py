"""``/gateway.do``: from a request's bytes to an answer, in the gateway's order of checks.

Known service → known partner, entitled → charset → ``sign_type`` → required common parameters → sign → business. The
first two are seen on the wire (an unknown partner is reported before a bad sign, an argument error after it); the
rest of the order is ours. Source: "Validation order of the gateway", gateway error codes.
"""
import re
from datetime import timedelta
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

from .. import algorithms, charsets
from ..errors import InvalidRequest, MalformedParameter, MalformedSignature
from ..services import BUILDERS, SERVICES
from ..times import parse_time
from . import xml_writer
from .clock import Clock
from .incoming import Incoming, Parameters, read
from .ledger import Ledger
from .merchants import TestMerchant, TestMerchants
from .refunds import Refunds
from .refused import Refused, refuse
from .reply import XML, Outcome, Reply
from .trades import Trades

_PARTNER = re.compile("[0-9]{16}", re.ASCII)
#: Sent unsigned by every client that was captured.
MAY_BE_UNSIGNED = ("notify_verify", "query_timestamp")
#: A request with a ``timestamp`` is good for 30 minutes.
TIMESTAMP_LIFE = timedelta(minutes=30)
_COMMON = ("service", "partner", "_input_charset", "sign", "sign_type", "timestamp", "sendFormat")


class Call(NamedTuple):
    """A request whose sign fits, for a service's handler.

    ``params``: everything sent, names to text. ``charset``: its ``_input_charset``, or None.
    """

    service: str
    merchant: TestMerchant
    params: Dict[str, str]
    charset: Optional[str]
    remote: str
    gateway: "Gateway"

    def __repr__(self):     # without the sign
        return "<Call of {} by {}>".format(self.service, self.partner)

    @property
    def partner(self) -> str:
        """The merchant's number."""
        return self.merchant.partner

    def checked(self, codes: Optional[Dict[str, str]] = None, otherwise: str = "ILLEGAL_ARGUMENT") -> Dict[str, str]:
        """The business parameters, checked by the rules of the service's page.

        ``codes``: parameter → the code that a wrong value of it deserves. ``otherwise``: for every other one.
        Raises Refused.
        """
        row = SERVICES[self.service]
        known, extra = {}, {}
        for name, value in self.params.items():
            if name in row.fixed:
                if value != row.fixed[name]:
                    raise refuse((codes or {}).get(name, otherwise), "is always {}".format(row.fixed[name]), name)
            elif name in row.names:
                known[name] = value
            elif name not in _COMMON:
                extra[name] = value
        try:
            return BUILDERS[self.service](extra=extra, **known)
        except InvalidRequest as err:
            why, name = str(err), getattr(err, "parameter", None) or ""
        raise refuse((codes or {}).get(name, otherwise), why, name)

    def order(self, params: Dict[str, str]) -> Dict[str, str]:
        """What to keep of an order: everything that was signed, and ``params`` in their checked form."""
        kept = {name: value for name, value in self.params.items() if name not in ("sign", "sign_type")}
        kept.update(params)
        return kept

    def xml(self, container: str, elements: Dict[str, str]) -> Reply:
        """A signed answer."""
        return Reply(200, XML, xml_writer.answer(self.merchant.signer, self.params, container, elements, self.charset))

    def success(self) -> Reply:
        """A bare, unsigned ``is_success`` T."""
        return Reply(200, XML, xml_writer.success(self.charset))


#: What a handler is: it answers, or places an order, or raises Refused.
Handler = Callable[[Call], Any]


class Gateway:
    """The services over one ledger. ``handlers``: service name → (handler, ``page``, ``xml``, ``text`` or ``sdk``)."""

    def __init__(self, ledger: Ledger, clock: Clock, merchants: TestMerchants, trades: Trades, refunds: Refunds,
                 notifier: Any, handlers: Dict[str, Tuple[Handler, str]]):
        self.ledger, self.clock, self.merchants = ledger, clock, merchants
        self.trades, self.refunds, self.notifier = trades, refunds, notifier
        self.handlers = handlers

    def answer(self, incoming: Incoming) -> Outcome:
        """The outcome of one request; never raises for anything that a client can send."""
        outcome = Outcome()
        charset = None
        try:
            found = read(incoming)
            outcome = outcome._replace(params=found.params, presign=found.presign)
            charset = found.charset if charsets.known(found.charset) else None
            service, merchant = self._addressed(found, incoming)
            outcome = outcome._replace(service=service, partner=merchant.partner,
                                       is_page=self.handlers[service][1] == "page")
            self._check_charset(found)
            fits = self._sign_fits(found, merchant, service)
            outcome = outcome._replace(sign_fits=fits)
            if fits is False:
                raise refuse("ILLEGAL_SIGN", "the sign does not fit the pre-sign string", "sign")
            if not found.readable:
                raise refuse("ILLEGAL_ENCODING", "the values are no {} text".format(charset or "GBK"))
            self._check_time(found.params)
            result = self.handlers[service][0](Call(service, merchant, found.params, charset, incoming.remote, self))
            if isinstance(result, Reply):
                return outcome._replace(reply=result)
            return outcome._replace(trade=result)
        except Refused as refusal:
            service = outcome.params.get("service", "")
            return outcome._replace(
                service=service, partner=outcome.params.get("partner", ""), error=refusal.code,
                why=str(refusal), parameter=refusal.parameter,
                is_page=service in self.handlers and self.handlers[service][1] == "page",
                reply=Reply(200, XML, xml_writer.failure(refusal.code, charset)))

    def _addressed(self, found, incoming) -> Tuple[str, TestMerchant]:
        params = found.params
        service, partner = params.get("service", ""), params.get("partner", "")
        if service not in self.handlers:
            raise refuse("ILLEGAL_SERVICE", "no service has this name" + (
                "; on the wire it is mobile.securitypay.pay" if service == "mobile.security.pay" else ""), "service")
        merchant = self.merchants.get(partner) if _PARTNER.fullmatch(partner) else None
        if merchant is None:
            raise refuse("ILLEGAL_PARTNER", "no test merchant has this number" if partner else "partner is absent",
                         "partner")
        for setting, code in (("closed", "EXTERFACE_IS_CLOSED"), ("not_contracted", "ILLEGAL_PARTNER_EXTERFACE"),
                              ("misconfigured", "ILLEGAL_EXTERFACE"), ("no_privilege", "HAS_NO_PRIVILEGE")):
            if service in merchant.setting(setting):
                raise refuse(code, "the merchant's setting {} names this service".format(setting), "service")
        allowed = merchant.setting("allowed_ips")
        if allowed and incoming.remote not in allowed:
            raise refuse("ILLEGAL_CLIENT_IP", "the caller's address is not among the merchant's allowed_ips")
        referers = merchant.setting("referers")
        if referers and self.handlers[service][1] == "page" and not incoming.referer.startswith(tuple(referers)):
            raise refuse("ILLEGAL_REQUEST_REFERER", "the page the buyer comes from is none of the merchant's referers")
        return service, merchant

    @staticmethod
    def _check_charset(found: Parameters) -> None:
        if found.charset is not None and not charsets.known(found.charset):
            raise refuse("ILLEGAL_CHARSET", "one of utf-8, gbk, gb2312, gb18030", "_input_charset")

    @staticmethod
    def _sign_fits(found: Parameters, merchant: TestMerchant, service: str) -> Optional[bool]:
        """None for a service that may be sent unsigned, and is. Raises Refused for another sign_type."""
        sign_type, sign = found.params.get("sign_type", ""), found.params.get("sign", "")
        if service in MAY_BE_UNSIGNED and not sign:
            return None
        if not sign_type:
            raise refuse("ILLEGAL_ARGUMENT", "sign_type is absent", "sign_type")
        if sign_type not in algorithms.ALGORITHMS:
            raise refuse("ILLEGAL_SIGN_TYPE", "one of MD5, RSA, RSA2, DSA, in upper case", "sign_type")
        if sign_type != merchant.sign_type:
            raise refuse("ILLEGAL_SECURITY_PROFILE", "this merchant has no key for {}, only for {}".format(
                sign_type, merchant.sign_type), "sign_type")
        if not sign:
            raise refuse("ILLEGAL_ARGUMENT", "sign is absent", "sign")
        try:
            raw = algorithms.read_sign(sign_type, sign)
        except MalformedSignature:
            return False
        return algorithms.verify(sign_type, merchant.signer.checking_keys, found.presign, raw)

    def _check_time(self, params):
        stamp = params.get("timestamp")
        if stamp is None:
            return
        now = self.clock.now()
        try:
            sent = parse_time(stamp) if len(stamp) != 13 else now.fromtimestamp(int(stamp) / 1000.0, now.tzinfo)
        except (MalformedParameter, ValueError, OverflowError, OSError):
            sent = None
        if sent is None:
            raise refuse("ILLEGAL_ARGUMENT", "yyyy-MM-dd HH:mm:ss in GMT+8, or milliseconds since 1970", "timestamp")
        if abs(now - sent) > TIMESTAMP_LIFE:
            raise refuse("ILLEGAL_ARGUMENT", "more than 30 minutes away from the gateway's clock; make a new request",
                         "timestamp")
