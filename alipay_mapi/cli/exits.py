"""Exit codes: one table from every error class of the library to what the shell is told."""
from .. import errors

DONE, INTERNAL, USAGE, WORK_REMAINS, UNVERIFIED, UNREACHABLE = 0, 1, 2, 3, 4, 5
DIFFERENCE, REFUSED, UNKNOWN, BUSY, CONFIGURATION, INTERRUPTED = 6, 7, 8, 75, 78, 130

#: Exit code → what it says. One of them is kept for a job that comes later, and no command gives it.
MEANINGS = {
    DONE: "done",
    INTERNAL: "internal error: a fault of this program",
    USAGE: "usage: the command or a parameter is wrong; nothing was sent",
    WORK_REMAINS: "done, but work remains",
    UNVERIFIED: "an answer, a notification or a return failed verification; do not act on it",
    UNREACHABLE: "the gateway gave no usable answer; nothing was changed",
    DIFFERENCE: "kept for later: the reconciliation found a difference",
    REFUSED: "the gateway said no",
    UNKNOWN: "the outcome is unknown; query before repeating",
    BUSY: "the store could not be used; nothing was changed by half, run again",
    CONFIGURATION: "the configuration or a key cannot work",
    INTERRUPTED: "interrupted",
}

_CLASSES = {
    INTERNAL: "AlipayError",
    USAGE: "InvalidRequest UnsafeValue WatchConflict",
    UNVERIFIED: "InvalidMessage UnreadableMessage BodyTooLarge TooManyParameters UnsupportedContentType CharsetError "
                "MalformedParameter DuplicateParameter MissingParameter NotXML XMLMalformed XMLForbidden XMLLimit "
                "UnexpectedRoot UntrustedMessage SignatureMissing SignatureInvalid MalformedSignature "
                "SignTypeMismatch UnsupportedSignType ResponseSignatureMissing ResponseSignatureInvalid "
                "UnexpectedParameter AmbiguousContent PartyMismatch OrderNotFound OrderMismatch AmountMismatch "
                "CurrencyMismatch UnknownStatus NotConfirmed NotifyNotGenuine",
    UNREACHABLE: "TransportError",
    REFUSED: "GatewayError",
    UNKNOWN: "OutcomeUnknown",
    BUSY: "StoreError",
    CONFIGURATION: "ConfigurationError KeyFormatError KeyEncrypted KeyMismatch WeakKey MissingKey SchemaError",
}

#: Error class → exit code; every class of ``errors`` has its own row.
BY_CLASS = {getattr(errors, name): code for code, names in _CLASSES.items() for name in names.split()}


def code_of(error: BaseException) -> int:
    """The exit code of an error; INTERNAL for what is not ours.

    >>> code_of(errors.AmountMismatch()), code_of(errors.OutcomeUnknown()), code_of(ZeroDivisionError())
    (4, 8, 1)
    """
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    for cls in type(error).__mro__:
        if cls in BY_CLASS:
            return BY_CLASS[cls]
    return INTERNAL
