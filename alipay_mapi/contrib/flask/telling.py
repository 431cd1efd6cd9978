"""The fallback's store, and a signal for each effect that it has recorded as done."""
from typing import Any, Callable, Optional, Sequence

from ...fallback import Pending
from ...trade_state import REFUNDED
from . import signals


class TellingStore:
    """``store``: which does everything."""

    def __init__(self, store: Any, app: Any):
        self._store, self._app = store, app

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def effect_done(self, pending: Pending, within: Optional[Callable[[Any, Pending], None]] = None) -> bool:
        done = self._store.effect_done(pending, within)
        if done:
            self._tell(pending)
        return done

    def effects_done(self, pending: Sequence[Pending]) -> None:
        self._store.effects_done(pending)
        for effect in pending:
            self._tell(effect)

    def take_in(self, *args: Any, **named: Any) -> Any:
        taken = self._store.take_in(*args, **named)
        if taken.done:
            self._tell(taken.pending)
        return taken

    def _tell(self, effect):
        signal = signals.refund_settled if effect.kind == REFUNDED else signals.trade_settled
        signals.tell(signal, self._app, shop=effect.shop, out_trade_no=effect.out_trade_no, kind=effect.kind,
                     detail=effect.detail, effect=effect)
