"""Values as old callers give them → what ``build_request`` takes. Old libraries wrote ``"%s" % value``, of anything."""
import re
from decimal import Decimal
from typing import Any, Dict, Mapping, Union

from ..amounts import format_amount
from ..errors import InvalidRequest, show
from ..fields import FIELDS
from .warned import warn

#: Written as Python shows them, none of these is a value of the protocol: "True", "b'tea'", "['tea']".
_NO_TEXT = (bool, bytes, bytearray, list, tuple, dict, set, frozenset)
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,2})?", re.ASCII)
_ADDRESS = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:[0-9]+)?(/.*)?", re.ASCII)
_URLS = ("notify_url", "return_url")


def sendable(params: Mapping[str, Any], call: str, instead: str) -> Dict[str, Union[str, int, Decimal]]:
    """The params that are sent: names to values that ``build_request`` takes. Raises InvalidRequest.

    ``call`` and ``instead``: for the warnings.
    """
    sent, empty = {}, False
    for name, value in params.items():
        if value is None or value == "" and isinstance(value, str):
            empty = True
        else:
            sent[name] = _value(name, value, call, instead)
    if empty:
        warn(call, "empty values were signed and sent, which Alipay refuses as ILLEGAL_SIGN; they are left out",
             instead)
    for name in _URLS:
        address = sent.get(name)
        if isinstance(address, str) and not FIELDS[name].match(address) and _ADDRESS.fullmatch(address):
            warn(call, "{} had no http:// or https:// before it, so nothing could reach it; http:// is put before "
                       "it".format(name), instead)
            sent[name] = "http://" + address
    return sent


def amount(value: Any, name: str, call: str, instead: str) -> str:
    """One amount as text. Raises InvalidRequest."""
    return format_amount(exact(value, name, call, instead), name)


def exact(value: Any, name: str, call: str, instead: str) -> Any:
    """A float as its shortest text, if that is an amount; anything else as it is. Raises InvalidRequest."""
    if not isinstance(value, float):
        return value
    text = repr(value)
    if _AMOUNT.fullmatch(text) is None:
        raise InvalidRequest("{}: this float is no amount (0.1 + 0.2 is 0.30000000000000004); give Decimal or text "
                             "such as 0.30".format(show(name)), parameter=show(name))
    warn(call, "{} is a float, which is not exact; this one is sent, since it is plain digits".format(show(name)),
         "Decimal or text for amounts, in " + instead)
    return text


def _value(name, value, call, instead):
    if isinstance(value, _NO_TEXT):
        raise InvalidRequest("{}: give text, not {}".format(show(name), type(value).__name__), parameter=show(name))
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (int, Decimal)):
        return value
    if isinstance(value, float):
        return exact(value, name, call, instead)
    return str(value)       # a lazy translation, a UUID
