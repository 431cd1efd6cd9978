"""What a run of the fallback meets, order by order; at a terminal with rich, a bar on stderr."""
from typing import Any, Dict, List, Mapping, Optional

from ..errors import AlipayError
from ..fallback import Row, Store
from ..fallback.deciding import NOT_THERE
from ..trade_state import NEEDS_A_PERSON
from .output import Output
from .progress import progress_bar


class Seen:
    """A context manager, and what ``Fallback.run`` calls with each row and its Decision.

    ``persons``: shop, out_trade_no and detail of each order that needs a person from now on. ``unsettled``: the same
    with the error of what could not be written. ``errors``: class → questions without a usable answer;
    ``unanswered``: how many in all; ``last_error``.
    """

    def __init__(self, store: Store, limit: Optional[int], out: Output):
        self.persons: List[Dict[str, str]] = []
        self.unsettled: List[Dict[str, str]] = []
        self.errors: Dict[str, int] = {}
        self.unanswered, self.last_error = 0, ""
        self._outcomes: Dict[str, int] = {}
        self._bar = None if out.as_json else progress_bar("{task.completed:.0f}/{task.total:.0f}")
        if self._bar is not None:
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
            if decision.error and decision.error != NOT_THERE:
                name = decision.error.partition(":")[0]
                self.errors[name] = self.errors.get(name, 0) + 1
                self.unanswered, self.last_error = self.unanswered + 1, decision.error
        if self._bar is not None:
            self._bar.update(self._task, advance=1, description=listed(self._outcomes))


def listed(counts: Mapping[str, int]) -> str:
    """``3 open, 2 paid``."""
    return ", ".join("{} {}".format(number, name.replace("_", " ")) for name, number in sorted(counts.items()))
