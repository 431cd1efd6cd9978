"""``/ams/api/v1/…`` and ``/ams/sandbox/api/v1/…``: from a request's bytes to a signed answer.

Known path → POST → JSON → client id, and on the side where it belongs → signature → time → body → the call. What comes
before the signature has fitted is answered without one: AMS signs nothing for somebody it does not know. The order of
the checks is ours. Source: digital_signature, api_fund.
"""
import re
from datetime import timedelta
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

from ... import algorithms
from ..clock import Clock
from ..ledger import Ledger
from ..refused import Refused, refuse
from ..reply import Reply
from . import cards, codes
from .captures import Captures
from .clients import KEY_VERSION, Client, Clients
from .incoming import AmsIncoming, read_body, read_signature
from .members import Members, read_moment
from .messages import JSON, answer_headers, dump, iso, signed_text
from .payments import Payments
from .refunds import Refunds
from .registrations import Registrations

PRODUCTION, SANDBOX = "/ams/api/v1/", "/ams/sandbox/api/v1/"

_CLIENT_ID = re.compile("[A-Za-z0-9_-]{1,64}", re.ASCII)
_EPOCH = re.compile("[0-9]{13}", re.ASCII)

#: (result code, further members of the answer)
Said = Tuple[str, Dict[str, Any]]


class Call(NamedTuple):
    """A request whose signature fits, for the handler of its call. ``members``: its body, to be checked."""

    name: str
    client: Client
    members: Members
    gateway: "AmsGateway"

    def __repr__(self):
        return "<Call of {} by {}>".format(self.name, self.client.client_id)


class AmsOutcome(NamedTuple):
    """What became of one request. ``call``: such as payments/pay, or "". ``code``: the result code. ``why``: for
    people. ``signature_fits``: None when it was not looked at. ``content``: the body as it was read, without card
    numbers. ``answer``: what is answered, before it is written down. ``reply``: the HTTP answer."""

    call: str = ""
    client_id: str = ""
    target: str = ""
    code: str = ""
    why: str = ""
    parameter: str = ""
    signature_fits: Optional[bool] = None
    content: Dict[str, Any] = {}
    answer: Dict[str, Any] = {}
    reply: Reply = Reply()

    @property
    def status(self) -> str:
        """``resultStatus``: S, F or U."""
        return self.answer.get("result", {}).get("resultStatus", "")

    def __repr__(self):
        return "<AmsOutcome of {}: {}>".format(self.call or "no call", self.code)


Handler = Callable[[Call], Said]


class AmsGateway:
    """The calls over one ledger. ``handlers``: call → handler. ``base_url``: a function that tells where the emulator
    is, for the addresses that buyers are sent to."""

    def __init__(self, ledger: Ledger, clock: Clock, clients: Clients, payments: Payments, captures: Captures,
                 refunds: Refunds, registrations: Registrations, handlers: Dict[str, Handler],
                 base_url: Callable[[], str]):
        self.ledger, self.clock, self.clients = ledger, clock, clients
        self.payments, self.captures, self.refunds, self.registrations = payments, captures, refunds, registrations
        self.handlers, self.base_url = handlers, base_url

    def called(self, target: str) -> Tuple[str, bool]:
        """(the call, was it the sandbox's path?) of a path and query; the call is "" for any other path."""
        path = target.partition("?")[0]
        for start in (SANDBOX, PRODUCTION):
            if path.startswith(start) and path[len(start):] in self.handlers:
                return path[len(start):], start == SANDBOX
        return "", False

    def answer(self, incoming: AmsIncoming) -> AmsOutcome:
        """The outcome of one request; never raises for anything that a client can send."""
        call, sandbox = self.called(incoming.target)
        named = incoming.named
        outcome = AmsOutcome(call=call, target=incoming.target, client_id=named.get("client-id", ""))
        client = None
        try:
            known = self._addressed(incoming, named, call, sandbox)
            outcome = outcome._replace(signature_fits=False)
            self._check_signature(incoming, named, known)
            client, outcome = known, outcome._replace(signature_fits=True)
            self._check_time(named["request-time"])
            if call in client.setting("no_access"):
                raise refuse("ACCESS_DENIED", "the client's setting no_access names this call")
            content = read_body(incoming.body, client.setting("strict_scalars"))
            outcome = outcome._replace(content=without_cards(content))
            code, answer = self.handlers[call](Call(call, client, Members(content), self))
            why = ""
        except Refused as err:
            code, answer, why = err.code, {}, str(err)
            outcome = outcome._replace(parameter=err.parameter)
        return self.said(outcome._replace(code=code, why=why), client, answer)

    def said(self, outcome: AmsOutcome, client: Optional[Client], answer: Dict[str, Any],
             status: str = "") -> AmsOutcome:
        """The outcome with its answer written down: signed for ``client``, or for nobody."""
        told = dict({"result": codes.result(outcome.code, status)}, **answer)
        body = dump(told)
        headers: Tuple[Tuple[str, str], ...] = ()
        if client is not None:
            headers = answer_headers(client.signing_key, outcome.target, client.client_id, iso(self.clock.now()), body)
        return outcome._replace(answer=told, reply=Reply(200, JSON, body, headers))

    def _addressed(self, incoming, named, call, sandbox) -> Client:
        if not call:
            raise refuse("NO_INTERFACE_DEF", "no call has this path")
        if incoming.method != "POST":
            raise refuse("METHOD_NOT_SUPPORTED", "every call is a POST")
        kind, _, parameters = named.get("content-type", "").lower().partition(";")
        charset = parameters.partition("charset=")[2].strip(' "')
        if kind.strip() != "application/json" or charset not in ("", "utf-8"):
            raise refuse("MEDIA_TYPE_NOT_ACCEPTABLE", "application/json; charset=UTF-8", "Content-Type")
        client_id = named.get("client-id", "")
        client = self.clients.get(client_id) if _CLIENT_ID.fullmatch(client_id) else None
        if client is None:
            raise refuse("INVALID_CLIENT", "no test merchant has this client id", "client-id")
        if client.sandbox != sandbox and not (client.sandbox and client.setting("in_store")):
            raise refuse("INVALID_CLIENT", "a client id of the {}, on the path of the {}".format(
                *(("sandbox", "production") if client.sandbox else ("production", "sandbox"))), "client-id")
        return client

    @staticmethod
    def _check_signature(incoming, named, client) -> None:
        for name in ("signature", "request-time"):
            if not named.get(name):
                raise refuse("INVALID_SIGNATURE", "this header is absent", name)
        signature = read_signature(named["signature"])
        if signature.version not in (None, KEY_VERSION):
            raise refuse("KEY_NOT_FOUND", "this client has no key of version {}".format(signature.version), "Signature")
        expected = signed_text(incoming.target, client.client_id, named["request-time"], incoming.body)
        if not algorithms.verify("RSA2", [client.checking_key], expected, signature.raw):
            raise refuse("INVALID_SIGNATURE", "the signature does not fit POST, path, client-id, request-time and "
                         "body", "Signature")

    @staticmethod
    def _check_time(text) -> None:
        """Milliseconds since 1970, or ISO 8601 with an offset; how old it may be, no page says."""
        if _EPOCH.fullmatch(text) is None and read_moment(text) is None:
            raise refuse("PARAM_ILLEGAL", "milliseconds since 1970, or ISO 8601 with an offset", "request-time")

    # --- for handlers ---------------------------------------------------------------------------------------------

    def token_of(self, payment: Dict[str, Any]) -> Optional[str]:
        """The token that stands for the card of this payment, made when it was first paid; None without a card."""
        if not payment.get("card") or not payment.get("paid_at"):
            return None
        return self.token(payment["client_id"], cards.find_card(payment["card"]))

    def token(self, client_id: str, card: cards.Card) -> str:
        """The token of this client for a card."""
        made = cards.new_token(self.payments.seed, client_id, card)
        with self.ledger.transaction():
            for row in self.ledger.rows("ams_cards", client_id=client_id):
                if row["number"] == card.number:
                    return row["card_token"]
            self.ledger.add("ams_cards", {"number": card.number}, client_id=client_id, card_token=made)
        return made

    def card_of(self, client_id: str, token: str) -> Optional[cards.Card]:
        """The card that a token stands for, or None."""
        row = self.ledger.one("ams_cards", client_id=client_id, card_token=token)
        return cards.find_card(row["number"]) if row is not None else None


def without_cards(content: Dict[str, Any]) -> Dict[str, Any]:
    """The body without ``paymentMethodMetaData`` of a card: what is written down and shown."""
    method = content.get("paymentMethod")
    if not isinstance(method, dict) or not isinstance(method.get("paymentMethodMetaData"), dict):
        return content
    data = {name: value for name, value in method["paymentMethodMetaData"].items()
            if name not in ("cardNo", "cvv", "expiryYear", "expiryMonth", "expiry", "cardholderName")}
    return dict(content, paymentMethod=dict(method, paymentMethodMetaData=data))


#: How long a payment stays open without a word of the shop: at the cashier, and in a store.
CASHIER_EXPIRY, STORE_EXPIRY = timedelta(minutes=14), timedelta(minutes=5)
