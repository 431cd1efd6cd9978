"""What a translation gives: steps to send, notes to read, refusals that keep it from being sent."""
import copy
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Dict, NamedTuple, Optional, Tuple

from ...errors import InvalidRequest, show
from ..errors import NotTranslatable


class Refusal(NamedTuple):
    """One reason why the call cannot go there."""

    service: str
    back_end: str
    parameter: str
    reason: str
    remedy: str

    def __str__(self):
        return "{} to {}: {}: {}; {}".format(show(self.service), self.back_end, show(self.parameter), self.reason,
                                             self.remedy)


class Note(NamedTuple):
    """Something that will be different there, and does not keep the call from going."""

    parameter: str
    text: str


class Check(NamedTuple):
    """What the answer to a step must say before the next may be sent: the text at ``path`` is one of ``allowed``."""

    path: Tuple[str, ...]
    allowed: Tuple[str, ...]
    reason: str


class Step(NamedTuple):
    """One request. ``name``: AMS's call ("payments/pay") or OpenAPI's method; ``content``: the body, or
    ``biz_content``; ``common``: OpenAPI's parameters beside it. ``take``: member of a later step's content → where in
    this one's answer its value stands. ``checks``: what this one's answer must say before the next step. ``needs``:
    members of ``content`` still to be filled from the answer before: as long as there are any, the step is not sent."""

    name: str
    content: Dict[str, Any]
    common: Mapping = MappingProxyType({})
    take: Tuple[Tuple[str, Tuple[str, ...]], ...] = ()
    checks: Tuple[Check, ...] = ()
    needs: Tuple[str, ...] = ()

    def at(self, path: str) -> Any:
        """What stands at ``order.goods.0.goodsName`` of the content, or of ``common``; None when nothing does.

        >>> Step("payments/pay", {"order": {"goods": [{"goodsName": "tea"}]}}).at("order.goods.0.goodsName")
        'tea'
        """
        for found in (self.content, self.common):
            value: Any = found
            for name in path.split("."):
                if isinstance(value, Mapping):
                    value = value.get(name)
                elif isinstance(value, (list, tuple)) and name.isdigit():
                    value = value[int(name)] if int(name) < len(value) else None
                else:
                    value = None
            if value is not None:
                return value
        return None


class Moved(NamedTuple):
    """Where a parameter of MAPI went. ``parameter``: its name; ``extend_info.store_id`` for what stood inside of it.
    ``path``: see ``Step.at``. ``step``: the number of the step; None when the call is refused, and nothing was built.
    The text there may be another one: an amount in the smallest unit, a moment in the place of a period."""

    parameter: str
    path: str
    step: Optional[int]


class Translation(NamedTuple):
    """``steps``: in the order of sending, none when there are ``refusals``. ``moved``: for people; what it does not
    name was checked and is not carried over, or is a part of every request there (``partner``, ``sign``)."""

    service: str
    back_end: str
    steps: Tuple[Step, ...]
    notes: Tuple[Note, ...] = ()
    refusals: Tuple[Refusal, ...] = ()
    moved: Tuple[Moved, ...] = ()

    def require(self) -> "Translation":
        """Itself, or NotTranslatable with every reason."""
        if not self.refusals:
            return self
        first = self.refusals[0]
        more = " (and {} more)".format(len(self.refusals) - 1) if len(self.refusals) > 1 else ""
        raise NotTranslatable(str(first) + more, refusals=self.refusals, **first._asdict())

    def follow(self, number: int, answer: Mapping) -> Step:
        """The step after step ``number``, filled from that one's checked ``answer``.

        Raises NotTranslatable when the answer does not say what it must, InvalidRequest when it lacks what is needed.
        """
        before, after = self.require().steps[number], self.steps[number + 1]
        for check in before.checks:
            if _at(answer, check.path) not in check.allowed:
                refusal = Refusal(self.service, self.back_end, ".".join(check.path), check.reason,
                                  "look at the order there, and decide by hand")
                raise NotTranslatable(str(refusal), refusals=(refusal,), **refusal._asdict())
        content = copy.deepcopy(after.content)
        for name, path in before.take:
            value = _at(answer, path)
            if not isinstance(value, str) or not value:
                raise InvalidRequest("{}: the answer to {} lacks it, and the next step needs it".format(
                    ".".join(path), before.name), parameter=name)
            content[name] = value
        return after._replace(content=content, needs=())


def _at(answer, path):
    value: Any = answer
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
