"""One row per service: which names it takes, how they go together, and how Alipay answers it.

A row is data; the one function that reads it is ``rules.build``. Adding a service costs a row, a builder beside it
and a fixture. Names are the wire's; a name that only one page has gets its rule beside that page's row.
"""
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

#: What an amount may be given as. Never float: it is not exact.
Amount = Union[str, int, Decimal]
#: What a time may be given as: an aware datetime, or text in GMT+8 in the field's form.
Moment = Union[str, datetime]
#: What a JSON field may be given as: lists and dicts, or ready text.
Json = Union[str, List[Any], Tuple[Any, ...], Mapping[str, Any]]
#: Unlisted parameters that are passed through deliberately.
Extra = Optional[Mapping[str, Any]]



class _Required:
    def __repr__(self):
        return "REQUIRED"


#: The default of an argument that has none: leaving it out is InvalidRequest, which says more than TypeError.
REQUIRED: Any = _Required()

_NONE: Mapping[str, Any] = MappingProxyType({})


class Service(NamedTuple):
    """What is known of one service.

    ``answer``: ``"page"`` (the browser goes there), ``"sdk"`` (an order string for the app), ``"xml"`` or ``"text"``.
    ``writes``: not safe to repeat after a time-out. ``signed_answer``: False where Alipay signs nothing.
    ``source``: the page the rules are from.

    ``required`` and ``optional`` together are every argument. ``exactly_one``, ``at_least_one`` and ``together``
    (all or none) are groups of names; ``needs`` are pairs, the first of which is useless without the second.
    ``longest``: characters, where the page is tighter than the field; a name that is also in ``wide`` counts a
    non-ASCII character as two. ``highest``: upper bound of the amounts. ``fixed``: names that have one value only.
    ``json_fields``: name → function of (value, params) that checks it and gives its text. ``checks``: functions of
    the finished params for whatever else the page asks.
    """

    name: str
    answer: str
    source: str
    required: Tuple[str, ...] = ()
    optional: Tuple[str, ...] = ()
    writes: bool = False
    signed_answer: bool = True
    exactly_one: Tuple[Tuple[str, ...], ...] = ()
    at_least_one: Tuple[Tuple[str, ...], ...] = ()
    together: Tuple[Tuple[str, ...], ...] = ()
    needs: Tuple[Tuple[str, str], ...] = ()
    longest: Mapping[str, int] = _NONE
    wide: Tuple[str, ...] = ()
    highest: Decimal = Decimal("1000000.00")
    fixed: Mapping[str, str] = _NONE
    json_fields: Mapping[str, Callable[[Any, Dict[str, str]], str]] = _NONE
    checks: Tuple[Callable[[Dict[str, str]], None], ...] = ()

    @property
    def names(self) -> Tuple[str, ...]:
        """Every parameter the page lists, without the common ones (``service``, ``partner``, ``sign`` …)."""
        return self.required + self.optional + tuple(self.fixed)
