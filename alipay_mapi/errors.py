"""Every error this library raises, and whose fault each one is.

::

    AlipayError
    ├── ConfigurationError (ValueError)     the merchant's settings or keys
    │   ├── KeyFormatError                  the key text cannot be read
    │   │   └── KeyEncrypted                it is protected by a passphrase
    │   ├── KeyMismatch                     a readable key in the wrong place
    │   ├── WeakKey                         readable, but forgeable
    │   └── MissingKey                      this operation needs a key that was left out
    ├── InvalidRequest (ValueError)         your call: a parameter breaks a rule
    │   ├── UnsafeValue                     it would sign, but could be read as something else
    │   └── WatchConflict                   the fallback watches this number: another price, another gateway
    ├── InvalidMessage (ValueError)         bytes that cannot be read, or cannot be trusted
    │   ├── UnreadableMessage
    │   │   ├── BodyTooLarge  TooManyParameters  UnsupportedContentType
    │   │   ├── CharsetError  MalformedParameter  DuplicateParameter  MissingParameter
    │   │   └── NotXML  XMLMalformed  XMLForbidden  XMLLimit  UnexpectedRoot
    │   └── UntrustedMessage
    │       ├── SignatureMissing            ── ResponseSignatureMissing
    │       ├── SignatureInvalid            ── ResponseSignatureInvalid
    │       ├── MalformedSignature  SignTypeMismatch  UnsupportedSignType
    │       ├── UnexpectedParameter  AmbiguousContent      signed, but may have been re-cut
    │       ├── PartyMismatch  OrderMismatch  OrderNotFound
    │       ├── AmountMismatch  CurrencyMismatch  UnknownStatus
    │       └── NotConfirmed                ── NotifyNotGenuine
    ├── GatewayError                        the gateway said no; ``code`` says why
    ├── TransportError (OSError)            no usable answer; nothing was changed
    ├── OutcomeUnknown (OSError)            a write may have been carried out: query before repeating
    └── StoreError                          the fallback's store could not do it; nothing was changed by half
        └── SchemaError                     it was made by another version

Messages name the parameter, what was expected and what to do. No message and no attribute holds a key,
a sign, a full URL or a buyer's address; text that came from outside is escaped and cut (CWE-117).
"""


class AlipayError(Exception):
    """Root of everything this library raises.

    ``message``: one sentence with the cause, then the cure.  ``facts``: names to short text, for example
    ``parameter``, ``code``, ``out_trade_no``; each is also an attribute.
    """

    def __init__(self, message="", **facts):
        super().__init__(message)
        self.facts = facts
        self.__dict__.update(facts)

    def __reduce__(self):
        return _rebuild, (type(self), self.args[0] if self.args else "", self.facts)


def _rebuild(cls, message, facts):
    return cls(message, **facts)


# --- your configuration -----------------------------------------------------------------------------------------

class ConfigurationError(AlipayError, ValueError):
    """The merchant's settings cannot work."""


class KeyFormatError(ConfigurationError):
    """The text given as a key is not one."""


class KeyEncrypted(KeyFormatError):
    """The key is protected by a passphrase."""


class KeyMismatch(ConfigurationError):
    """A sound key, but not the one that belongs here."""


class WeakKey(ConfigurationError):
    """A key that can be forged or guessed."""


class MissingKey(ConfigurationError):
    """This operation needs a key that the merchant was made without."""


# --- your call --------------------------------------------------------------------------------------------------

class InvalidRequest(AlipayError, ValueError):
    """A parameter of your call breaks a rule; ``parameter`` names it."""

    parameter = None


class UnsafeValue(InvalidRequest):
    """The value could be read as another parameter, or would damage the message."""


class WatchConflict(InvalidRequest):
    """An order with this number is watched already, with another price or on another gateway: use a new
    ``out_trade_no``."""


# --- a message that cannot be read or trusted -------------------------------------------------------------------

class InvalidMessage(AlipayError, ValueError):
    """Something received is unreadable or untrusted. Nothing in it may be acted on."""


class UnreadableMessage(InvalidMessage):
    """The bytes are not a message of this protocol."""


class BodyTooLarge(UnreadableMessage):
    """More bytes than any message of this protocol has."""


class TooManyParameters(UnreadableMessage):
    """More parameters than any message of this protocol has."""


class UnsupportedContentType(UnreadableMessage):
    """Not ``application/x-www-form-urlencoded``."""


class CharsetError(UnreadableMessage):
    """The bytes are not text in a charset that Alipay uses."""


class MalformedParameter(UnreadableMessage):
    """A name or a value that this protocol cannot have."""


class DuplicateParameter(UnreadableMessage):
    """The same name twice: two readers could see two different messages."""


class MissingParameter(UnreadableMessage):
    """A field that this kind of message must have is absent."""


class NotXML(UnreadableMessage):
    """The answer is not XML: an error page, JSON, plain text, nothing."""


class XMLMalformed(UnreadableMessage):
    """XML, but damaged, cut short or not of the answer's shape."""


class XMLForbidden(UnreadableMessage):
    """A DOCTYPE, entity, comment, CDATA section or processing instruction: Alipay sends none."""


class XMLLimit(UnreadableMessage):
    """Deeper, or with more elements, than any answer."""


class UnexpectedRoot(UnreadableMessage):
    """XML, but the root element is not ``alipay``."""


class UntrustedMessage(InvalidMessage):
    """Readable, but not proved to come from Alipay, to be for us, or to fit the order."""


class SignatureMissing(UntrustedMessage):
    """No ``sign``."""


class SignatureInvalid(UntrustedMessage):
    """The ``sign`` does not fit."""


class MalformedSignature(UntrustedMessage):
    """The ``sign`` is not in the one spelling that its algorithm has."""


class SignTypeMismatch(UntrustedMessage):
    """The message names another algorithm than the merchant is configured for."""


class UnsupportedSignType(UntrustedMessage):
    """The message names no algorithm, or none of MD5, RSA, RSA2, DSA."""


class ResponseSignatureMissing(SignatureMissing):
    """An answer that Alipay signs came unsigned."""


class ResponseSignatureInvalid(SignatureInvalid):
    """The answer's ``sign`` does not fit."""


class UnexpectedParameter(UntrustedMessage):
    """A name that this kind of message never has: it may be another signed message, re-used."""


class AmbiguousContent(UntrustedMessage):
    """The signed text can be cut into parameters in more than one way."""


class PartyMismatch(UntrustedMessage):
    """Meant for another merchant."""


class OrderNotFound(UntrustedMessage):
    """The shop knows no such order (yet)."""


class OrderMismatch(UntrustedMessage):
    """About another order than the one asked for."""


class AmountMismatch(UntrustedMessage):
    """The amount is not the order's, or not an amount."""


class CurrencyMismatch(UntrustedMessage):
    """The currency is not the order's."""


class UnknownStatus(UntrustedMessage):
    """A ``trade_status`` that this library does not know: for a person to read."""


class NotConfirmed(UntrustedMessage):
    """The signature does not say for which merchant the message is; ask the gateway."""


class NotifyNotGenuine(NotConfirmed):
    """``notify_verify`` answered ``false``: not sent by Alipay, or asked too late. The query settles it."""


# --- the gateway ------------------------------------------------------------------------------------------------

class GatewayError(AlipayError):
    """The gateway, or the business behind it, said no. ``code`` is its word, ``service`` the call."""

    code = None
    service = None


class TransportError(AlipayError, OSError):
    """No usable answer came. Nothing was changed by this call; it may be repeated."""


class OutcomeUnknown(AlipayError, OSError):
    """The request may have arrived and been carried out. Query before repeating, with the same ids."""


def show(text, limit=64):
    """Text from outside, made safe for a message or a log line: control characters escaped, cut at ``limit``.

    >>> show("A1\\r\\nforged line")
    'A1\\\\r\\\\nforged line'
    """
    text = str(text)
    cut = text[:limit] + "…" if len(text) > limit else text
    if cut.isprintable():
        return cut
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)


# --- the fallback's store ---------------------------------------------------------------------------------------------

class StoreError(AlipayError):
    """The store could not do it; nothing was changed by half. Run again.

    ``reason``: ``locked``, ``full``, ``readonly``, ``disk``, ``corrupt``, ``gone`` (not there, or the connection broke:
    the last write may or may not have been kept, and repeating it is harmless), ``closed``, ``handler``, ``schema``, or
    the class of the database's error.
    """

    reason = None


class SchemaError(StoreError):
    """The store was made by another version: run ``alipay-mapi fallback migrate``, or update the library."""
