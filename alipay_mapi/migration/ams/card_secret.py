"""Card numbers and security codes on their way through a PCI-qualified shop: sent, and shown nowhere.

A shop without that qualification needs none of this: AMS's own page asks for the card (``card.hosted_page``). In a body
a number stands only as a :class:`CardNumber`; one that stands there as text is refused before anything is signed.
"""
import re
from collections.abc import Mapping
from typing import Any, Iterator, Optional, Sequence, Tuple

from ... import keys
from ...errors import AlipayError, ConfigurationError, InvalidRequest, TransportError
from .. import json_text

_SEPARATED = re.compile(r"[ -]")
#: Digits in a row that give a part of a number away.
_PART = 8
_DIGITS = re.compile("[0-9]{%d,}" % _PART, re.ASCII)


class CardSecret(keys.SecretValue):
    """What :class:`CardNumber` and :class:`SecurityCode` have in common: no repr, no str, no pickle, no JSON."""

    __slots__ = ("_digits",)
    _what, _shortest, _longest = "", 0, 0

    def __init__(self, text: str):
        digits = _SEPARATED.sub("", text) if isinstance(text, str) else ""
        if re.fullmatch("[0-9]{%d,%d}" % (self._shortest, self._longest), digits, re.ASCII) is None:
            raise InvalidRequest("{}: {} to {} digits as text".format(self._what, self._shortest, self._longest),
                                 parameter=self._what)
        self._digits = digits

    def __repr__(self):
        return "<{}>".format(type(self).__name__)

    def __reduce_ex__(self, protocol):
        raise InvalidRequest("{} is not pickled: it would be stored".format(type(self).__name__))

    def reveal(self) -> str:
        """The digits, for the body that is sent. Whatever takes them has to hide them itself."""
        return self._digits


class CardNumber(CardSecret):
    """The number on a card, as text of 12 to 19 digits; blanks and hyphens between them are left out.

    Raises InvalidRequest, which does not repeat it. No check digit is demanded: some schemes have none.

    >>> CardNumber("4111 1111 1111 1111"), CardNumber("4111111111111111").last_four
    (<CardNumber>, '1111')
    """

    __slots__ = ()
    _what, _shortest, _longest = "cardNo", 12, 19

    @property
    def last_four(self) -> str:
        """What may be shown to the buyer."""
        return self._digits[-4:]


class SecurityCode(CardSecret):
    """The three or four digits beside it (CVV, CVC, CSC). Nobody may keep them once the payment is authorized."""

    __slots__ = ()
    _what, _shortest, _longest = "cvv", 3, 4


#: Member → what must stand there, wherever in a body it is.
_MEMBERS = {"cardNo": CardNumber, "cvv": SecurityCode}


def secrets_in(content: Any) -> Tuple[CardSecret, ...]:
    """The card numbers and codes in a body. Raises InvalidRequest for one that stands there as plain text, and for a
    number that stands in another member too, where it would not be hidden."""
    found, texts = [], []
    for name, value in _leaves(content):
        wanted = _MEMBERS.get(name or "")
        if wanted is not None and value is not None and not isinstance(value, wanted):
            raise InvalidRequest("{0}: in plain text it would show in logs and tracebacks; give {1}(…) of "
                                 "ams.card_secret, and only in a shop that is PCI-qualified: any other takes "
                                 "ams.card.hosted_page()".format(name, wanted.__name__), parameter=name)
        if isinstance(value, CardSecret):
            if wanted is None:
                raise InvalidRequest("{}: a {} has no place in this member".format(name, type(value).__name__),
                                     parameter=name)
            found.append(value)
        elif isinstance(value, str):
            if '"cardNo"' in value:
                raise InvalidRequest("{}: JSON as text with a card in it; give a mapping".format(name), parameter=name)
            texts.append((name, value))
    for name, text in texts:
        if found and shows(found, text):
            raise InvalidRequest("{}: holds the card number, or a part of it, in plain text".format(name),
                                 parameter=name)
    return tuple(found)


def shows(secrets: Sequence[CardSecret], text: str) -> bool:
    """Does ``text`` hold eight digits in a row of a card number? Also of one that was cut, or grouped as on a card."""
    windows = {number[start:start + _PART] for number in (
        one.reveal() for one in secrets if isinstance(one, CardNumber)) for start in range(len(number) - _PART + 1)}
    for spelled in (text, _SEPARATED.sub("", text)):
        for run in _DIGITS.findall(spelled):
            if any(run[start:start + _PART] in windows for start in range(len(run) - _PART + 1)):
                return True
    return False


def without_secrets(error: AlipayError, secrets: Sequence[CardSecret], ids: Sequence[str]) -> AlipayError:
    """The error to raise in place of one that came while these were sent: a transport may have quoted the body, and
    AMS a value. Of the same class, without what came before it. ``ids``: names of facts that are the shop's own."""
    if not secrets:
        return error
    words, facts = str(error), dict(getattr(error, "facts", {}))
    if isinstance(error, (TransportError, ConfigurationError, InvalidRequest)):
        # Another's words, cut who knows where: none of them.
        words, facts = "", {}
    if isinstance(error, TransportError):
        kind, sent = getattr(error, "kind", None), getattr(error, "sent", True)
        known = isinstance(kind, str) and re.fullmatch("[a-z-]{1,16}", kind)
        facts = {"kind": kind if known else "other", "sent": bool(sent)}
    facts = {name: value for name, value in facts.items()
             if name in ids or isinstance(value, bool) or not _tells(secrets, str(value))}
    if not words or _tells(secrets, words):
        words = "the payment failed; what was said of it may hold parts of the card, and is not repeated"
    ours = next(one for one in type(error).__mro__ if one.__module__.startswith(__name__.split(".")[0] + "."))
    return ours(words, **facts)


def body_of(content: Any) -> bytes:
    """As ``json_text.dump``, with the card's digits in their places: sign these, send these, show them nowhere."""
    return json_text.dump(_revealed(content) if isinstance(content, Mapping) else content)


def _tells(secrets, text):
    return shows(secrets, text) or any(re.search("(?<![0-9]){}(?![0-9])".format(one.reveal()), text)
                                       for one in secrets if isinstance(one, SecurityCode))


def looks_like_a_number(text: Any) -> bool:
    """Is this text nothing but the digits of a card number?"""
    return isinstance(text, str) and re.fullmatch("[0-9]{12,19}", _SEPARATED.sub("", text), re.ASCII) is not None


def _leaves(value: Any, name: Optional[str] = None) -> Iterator[Tuple[Optional[str], Any]]:
    if isinstance(value, Mapping):
        for inner, one in value.items():
            yield from _leaves(one, inner if isinstance(inner, str) else None)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _leaves(one, name)
    else:
        yield name, value


def _revealed(value):
    if isinstance(value, CardSecret):
        return value.reveal()
    if isinstance(value, Mapping):
        return {name: _revealed(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_revealed(one) for one in value]
    return value
