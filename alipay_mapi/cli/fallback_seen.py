"""What a run of the fallback meets, order by order; at a terminal with rich, a bar on stderr."""
import re
from typing import Any, Dict, List, Mapping, Optional, Tuple

from .. import errors
from ..errors import AlipayError, ConfigurationError, show
from ..fallback import Row, Store, refunding
from ..fallback.asking import sends
from ..fallback.deciding import NOT_THERE
from ..trade_state import NEEDS_A_PERSON
from .output import Output
from .progress import progress_bar

#: An error begins with its class; what does not, says of an answer that could be used why the order is still open.
_CLASS = re.compile("[A-Z][A-Za-z]+")


class Seen:
    """A context manager, and what ``Fallback.run`` calls with each row and its Decision.

    ``persons``: shop, out_trade_no and detail of each order that needs a person from now on. ``unsettled``: the same
    with the error of what could not be written. ``errors``: class → questions without a usable answer; ``last_error``.
    ``denied``: refunds to which the gateway said no, which is an answer. ``wrong``: (class, text) of the first question
    that failed by the shop's own configuration, or None.
    """

    def __init__(self, store: Optional[Store], limit: Optional[int], out: Output):
        self.persons: List[Dict[str, str]] = []
        self.unsettled: List[Dict[str, str]] = []
        self.errors: Dict[str, int] = {}
        self.denied, self.last_error = 0, ""
        self.wrong: Optional[Tuple[type, str]] = None
        self._outcomes: Dict[str, int] = {}
        self._bar = None if out.as_json or store is None else progress_bar("{task.completed:.0f}/{task.total:.0f}")
        if self._bar is not None and store is not None:
            due = store.counts()["due"]
            self._task = self._bar.add_task("", total=due if limit is None else min(due, limit))

    def __enter__(self) -> "Seen":
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: Any) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, row: Row, decision: Any) -> None:
        place = {"shop": row.shop, "out_trade_no": row.out_trade_no}
        if isinstance(decision, AlipayError):
            self.unsettled.append(dict(place, error="{}: {}".format(type(decision).__name__, decision)))
        else:
            self._outcomes[decision.outcome] = self._outcomes.get(decision.outcome, 0) + 1
            self.persons += [dict(place, detail=effect.detail) for effect in decision.effects
                             if effect.kind == NEEDS_A_PERSON]
            self._error(row, _refund_error(row, decision) if sends(row) else decision.error)
        if self._bar is not None:
            self._bar.update(self._task, advance=1, description=listed(self._outcomes))

    def _error(self, row, error):
        if error is None:
            self.denied += 1
            return
        named = _CLASS.match(error)
        if named is not None and not error.startswith(NOT_THERE):
            name = named.group()
            self.errors[name] = self.errors.get(name, 0) + 1
            self.last_error = error
            cls = getattr(errors, name, None)
            if self.wrong is None and isinstance(cls, type) and issubclass(cls, ConfigurationError):
                self.wrong = cls, "shop {}: {}".format(show(row.shop), error.partition(": ")[2] or error)


def _refund_error(row, decision) -> Optional[str]:
    """What came in place of an answer to the refund that was sent; None for a no, which is an answer."""
    try:
        sent = refunding.current(refunding.from_text(row.refunds))
        now = {one.out_return_no: one for one in refunding.from_text(decision.refunds or "")}
    except AlipayError:
        return ""
    after = now.get("" if sent is None else sent.out_return_no)
    if after is None or not after.error:
        return ""
    return None if after.error.startswith("GatewayError") and after.status != refunding.READY else after.error


def listed(counts: Mapping[str, int]) -> str:
    """``3 open, 2 paid``."""
    return ", ".join("{} {}".format(number, name.replace("_", " ")) for name, number in sorted(counts.items()))
