"""Configuration that does not print: on debug pages, in toolbars and in logs stands the repr of whatever is at hand."""
from collections.abc import Mapping, MutableMapping
from typing import Any


def hidden(value: Any) -> Any:
    """The same value, with a repr that shows no secret.

    >>> merchants = hidden({"shop": {"partner": "2088123412341234", "md5_key": "canary"}})
    >>> merchants, merchants["shop"], merchants["shop"]["md5_key"], str(merchants["shop"]["md5_key"])
    (<hidden: shop>, <hidden: md5_key, partner>, <hidden>, 'canary')
    >>> hidden("postgresql://shop:canary@db.internal/shop")
    <hidden>
    """
    if isinstance(value, (HiddenMapping, HiddenList, HiddenText)):
        return value
    if isinstance(value, Mapping):
        return HiddenMapping(value)
    if isinstance(value, (list, tuple)):
        return HiddenList(map(hidden, value))
    return HiddenText(value) if isinstance(value, str) else value


class HiddenMapping(MutableMapping):
    """``values``: the mapping itself; what is written here is written there."""

    def __init__(self, values: Any):
        self._values = values

    def __getitem__(self, name: Any) -> Any:
        return hidden(self._values[name])

    def __setitem__(self, name: Any, value: Any) -> None:
        self._values[name] = value

    def __delitem__(self, name: Any) -> None:
        del self._values[name]

    def __iter__(self):
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return "<hidden: {}>".format(", ".join(sorted(str(name) for name in self._values)))


class HiddenList(list):
    """Several keys."""

    def __repr__(self) -> str:
        return "<hidden>"


class HiddenText(str):
    """A key, or a URL that may hold a password."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<hidden>"
