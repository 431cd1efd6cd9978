"""The members of a request, each checked when a handler asks for it: there or not, its length, its form.

Every refusal names the member. Source: the parameter tables of the calls' pages; "Currency codes" for amounts.
"""
import re
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from ...migration.ams.amounts import DECIMALS, STEPS, WALLET_STEPS
from ...times import GMT8
from ..refused import refuse

_VALUE = re.compile("[1-9][0-9]{0,15}", re.ASCII)
_MOMENT = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]{1,9})?"
                     r"(Z|[+-][0-9]{2}:?[0-9]{2})", re.ASCII)
_WEB = re.compile("https?://[!-~]+", re.ASCII)


class Amount(NamedTuple):
    """``value``: in the currency's smallest unit."""

    currency: str
    value: int

    def written(self) -> Dict[str, str]:
        """As AMS writes it."""
        return {"currency": self.currency, "value": str(self.value)}


class Members:
    """``content``: the body. Paths are names joined with dots. Every method raises Refused: PARAM_ILLEGAL, and
    :meth:`amount` also CURRENCY_NOT_SUPPORT."""

    def __init__(self, content: Dict[str, Any]):
        self.content = content

    def text(self, path: str, longest: int = 64, required: bool = False,
             one_of: Sequence[str] = ()) -> Optional[str]:
        """The text at ``path``; None when it is absent and may be."""
        value = self._at(path, required)
        if value is None:
            return None
        if not isinstance(value, str) or not value:
            raise illegal(path, "must be text, and not empty")
        if len(value) > longest:
            raise illegal(path, "at most {} characters".format(longest))
        if one_of and value not in one_of:
            raise illegal(path, "one of {}".format(", ".join(one_of)))
        return value

    def need(self, path: str, longest: int = 64, one_of: Sequence[str] = ()) -> str:
        """As :meth:`text`, of a member that must be there."""
        return self.text(path, longest, True, one_of) or ""

    def object(self, path: str, required: bool = False) -> Dict[str, Any]:
        """The object at ``path``; {} when it is absent and may be."""
        value = self._at(path, required)
        if value is not None and not isinstance(value, dict):
            raise illegal(path, "must be an object")
        return value or {}

    def texts(self, path: str, required: bool = False) -> List[str]:
        """A list of texts."""
        value = self._at(path, required)
        if value is None:
            return []
        if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
            raise illegal(path, "must be a list of texts")
        return value

    def address(self, path: str) -> Optional[str]:
        """A web address, at most 2048 characters."""
        value = self.text(path, 2048)
        if value is not None and _WEB.fullmatch(value) is None:
            raise illegal(path, "must be a web address")
        return value

    def flag(self, path: str) -> bool:
        """``"true"`` or ``"false"``; absent is false."""
        return self.text(path, 5, one_of=("true", "false")) == "true"

    def amount(self, path: str, wallet: str = "") -> Amount:
        """``{"currency": …, "value": …}``; ``wallet``: the paymentMethodType, for those that take steps."""
        self.object(path, True)
        currency, value = self.need(path + ".currency", 3), self.need(path + ".value", 16)
        if currency not in DECIMALS:
            raise refuse("CURRENCY_NOT_SUPPORT", "not a currency of AMS", path + ".currency")
        if _VALUE.fullmatch(value) is None:
            raise illegal(path + ".value", "a whole number above zero, in the smallest unit, without zeros before it")
        step = max(STEPS.get(currency, 1), WALLET_STEPS.get((currency, wallet.upper()), 1))
        if int(value) % step:
            raise illegal(path + ".value", "a multiple of {}".format(step))
        return Amount(currency, int(value))

    def moment(self, path: str) -> Optional[datetime]:
        """ISO 8601 with an offset → aware, in GMT+8."""
        value = self.text(path, 64)
        if value is None:
            return None
        found = read_moment(value)
        if found is None:
            raise illegal(path, "ISO 8601 with an offset, such as 2026-03-01T12:00:00+08:00")
        return found

    def _at(self, path, required):
        value: Any = self.content
        for name in path.split("."):
            if value is not None and not isinstance(value, dict):
                raise illegal(path, "stands in something that is no object")
            value = (value or {}).get(name)
        if value is None and required:
            raise illegal(path, "is required")
        return value


def illegal(path: str, why: str):
    """PARAM_ILLEGAL, to raise."""
    return refuse("PARAM_ILLEGAL", why, path)


def read_moment(text: str) -> Optional[datetime]:
    """ISO 8601 with an offset → aware, to the second; None for anything else."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = [int(part) for part in match.groups()[:6]]
    zone = match.group(7)
    offset = timedelta(0)
    if zone != "Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:])) * (-1 if zone[0] == "-" else 1)
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset)).astimezone(GMT8)
    except (ValueError, OverflowError):
        return None
