"""A whole log: its messages by shape, how often each occurs, and how many of them can move.

Messages are alike when they are of one service, have the same names, and become the same with the same notes and
refusals. So the report of a log of a year is as long as that of a day.
"""
from typing import Any, Callable, Dict, Optional, Sequence, Tuple

from ...errors import AlipayError, show
from .explaining import CANNOT, MOVES, NOTED, Explained, Wanted, explain
from .finding import CALL, NOTIFICATION, Message, messages_in

#: So many shapes, services and reasons are told one by one; those beyond are counted together.
MOST = 500
_OTHERS = "(others)"
_WORST_LAST = (MOVES, NOTED, CANNOT)


class Group:
    """Messages that are alike. ``line``: where the first of them is. ``explained``: the first of them, one per
    target. ``count``: how many. ``verified``: what verifying them said ("verified", or the error's class) → how many.
    """

    def __init__(self, line: int, message: Message, explained: Tuple[Explained, ...]):
        self.line, self.message, self.explained, self.count = line, message, explained, 1
        self.verified: Dict[str, int] = {}

    @property
    def verdict(self) -> str:
        """The best of all targets; "" for what is no call."""
        return min((one.verdict for one in self.explained), key=(_WORST_LAST + ("",)).index)


class Tally:
    """``targets``: "ams", "openapi". ``each``: every message is a group of its own. ``verify``: called with the raw
    body of each notification; raises AlipayError for one that does not verify."""

    def __init__(self, targets: Sequence[str], wanted: Wanted, each: bool = False,
                 verify: Optional[Callable[[bytes], Any]] = None):
        self.targets, self.wanted, self.each, self._verify = tuple(targets), wanted, each, verify
        self.groups: Dict[Any, Group] = {}
        self.lines = self.messages = self.without = self.untold = 0
        self.kinds: Dict[str, int] = {}
        #: Why → how many messages cannot be read, and the line of the first of them.
        self.damaged: Dict[str, Tuple[int, int]] = {}
        #: (service, target) → verdict → messages. (target, parameter, reason, remedy) → messages.
        self.services: Dict[Tuple[str, str], Dict[str, int]] = {}
        self.reasons: Dict[Tuple[str, str, str, str], int] = {}
        #: Calls that can move to none of the targets.
        self.stuck = 0

    def take(self, line: bytes) -> None:
        """The next line."""
        self.lines += 1
        found, damaged = messages_in(line)
        for why in damaged:
            why = why if why in self.damaged or len(self.damaged) < MOST else _OTHERS
            count, first = self.damaged.get(why, (0, self.lines))
            self.damaged[why] = (count + 1, first)
        if not found and not damaged:
            self.without += 1
        for message in found:
            self._take(message)

    def _take(self, message):
        self.messages += 1
        self.kinds[message.kind] = self.kinds.get(message.kind, 0) + 1
        explained = tuple(explain(message, target, self.wanted) for target in self.targets)
        key = self.messages if self.each else (
            message.kind, message.service, frozenset(message.params), "refund_status" in message.params,
            tuple(frozenset((field.name, field.notes, field.refusals, tuple(to[:2] for to in field.to))
                            for field in one.fields) for one in explained))
        if key in self.groups:
            self.groups[key].count += 1
        elif len(self.groups) < MOST:
            self.groups[key] = Group(self.lines, message, explained)
        else:
            self.untold += 1
        if message.kind == CALL:
            self._count(message, explained)
        elif self._verify is not None and message.raw and key in self.groups and message.kind == NOTIFICATION:
            said = _verified(self._verify, message.raw)
            told = self.groups[key].verified
            told[said] = told.get(said, 0) + 1

    def _count(self, message, explained):
        for one in explained:
            service = (show(message.service), one.target)
            if service not in self.services and len(self.services) >= MOST:
                service = (_OTHERS, one.target)
            of_it = self.services.setdefault(service, {})
            of_it[one.verdict] = of_it.get(one.verdict, 0) + 1
            for reason in {(one.target, field.name, why, cure) for field in one.fields for why, cure in field.refusals}:
                if reason not in self.reasons and len(self.reasons) >= MOST:
                    reason = (one.target, _OTHERS, "", "")
                self.reasons[reason] = self.reasons.get(reason, 0) + 1
        if all(one.verdict == CANNOT for one in explained):
            self.stuck += 1


def _verified(verify, raw):
    try:
        verify(raw)
        return "verified"
    except AlipayError as err:
        return type(err).__name__
