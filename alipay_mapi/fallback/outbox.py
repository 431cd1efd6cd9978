"""Effects on their way to the shop's handler: recorded with the state, handed over until the handler returns.

At least once, with a key that never changes, in order per order. Once exactly where the handler writes through the
store's own connection (``within``): then its work and the record of it are one transaction.
"""
import inspect
import logging
import os
import time
import traceback
from typing import Any, Callable, List, NamedTuple, Optional, Sequence, Tuple

from ..errors import AlipayError, ConfigurationError, StoreError
from .deciding import Decision, describe
from .rows import Pending
from .stores.contract import Change, Store, Taken

_LOG = logging.getLogger("alipay_mapi.fallback")
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep

#: Carries out an effect; whatever it raises makes the effect come again.
Handler = Callable[[Pending], Any]
#: The same with the store's connection, inside the transaction that records it. It neither commits nor rolls back.
Within = Callable[[Any, Pending], Any]

#: Seconds that an effect is one worker's; half of it is the time in which he begins one.
LEASE = 300.0
_BATCH = 50
#: What quick handlers have carried out in so many seconds is recorded together, since each record is a write that is
#: synchronised; after a slow one it is recorded at once.
_UNRECORDED = 0.02


class Carried(NamedTuple):
    """``done``: carried out and recorded. ``failed``: the handler raised; they come again."""

    done: int
    failed: int


class Outbox:
    """``handler`` or ``within``, not both. ``worker``: a name for this process. ``shops``: whose effects; None: all."""

    def __init__(self, store: Store, worker: str, handler: Optional[Handler] = None, within: Optional[Within] = None,
                 shops: Optional[Sequence[str]] = None):
        if handler is not None and within is not None:
            raise ConfigurationError("give a handler, or one that works within the store's transaction; not both")
        self._store, self._worker, self._handler, self._within, self._shops = store, worker, handler, within, shops

    def carry_out(self, seconds: Optional[float] = None, only: Optional[Tuple[str, str]] = None,
                  stopped: Callable[[], bool] = lambda: False) -> Carried:
        """Hand over what is pending, for so many seconds at most (one that was begun is finished).

        ``only``: those of (shop, out_trade_no). ``stopped``: looked at between two. Raises StoreError.
        """
        done = failed = 0
        if self._handler is None and self._within is None:
            return Carried(0, 0)
        until = None if seconds is None else time.monotonic() + seconds
        while not stopped() and (until is None or time.monotonic() < until):
            pending = self._store.effects(self._worker, _BATCH, LEASE, only, self._shops)
            if not pending:
                break
            begins = time.monotonic() + LEASE / 2
            last = begins if until is None else min(begins, until)
            worked = self._each(pending, last, stopped)
            done, failed = done + worked.done, failed + worked.failed
        return Carried(done, failed)

    def take_in(self, shop: str, out_trade_no: str, change: Change,
                beside: Optional[Callable[[Decision], Any]] = None) -> Tuple[Decision, Carried]:
        """The store's ``apply``, and what then waits for this order carried out: the first of it claimed, or with
        ``within`` carried out, in the transaction that writes the state. ``beside``: see ``Store.take_in``, it may be
        called again. Raises what ``apply`` raises; once that is done, only StoreError."""
        if self._handler is None and self._within is None:
            return self._store.take_in(shop, out_trade_no, change, beside=beside).decision, Carried(0, 0)
        taken: Optional[Taken] = None
        called: List[Pending] = []
        told = ""

        def within(connection, effect):
            called.append(effect)
            self._called_within(connection, effect)
        try:
            taken = self._store.take_in(shop, out_trade_no, change, self._worker, LEASE,
                                        None if self._within is None else within, beside)
        except (Exception, SystemExit) as err:
            if self._within is None or not (called or isinstance(err, StoreError)):
                raise
            told = _told(err)
        if taken is None:
            # All of it was undone. The state does not wait for the shop's code.
            taken = self._store.take_in(shop, out_trade_no, change, self._worker, LEASE, None, beside)
            if called:
                self._failed(taken.pending or called[-1], told)
                return taken.decision, Carried(0, 1)
        if taken.pending is None:
            return taken.decision, Carried(0, 0)
        done = Carried(1, 0) if taken.done else self._each([taken.pending], 0.0, lambda: False)
        if taken.more or not taken.done:    # meanwhile, others may have left to us what comes after it
            after = self.carry_out(only=(shop, out_trade_no))
            done = Carried(done.done + after.done, done.failed + after.failed)
        return taken.decision, done

    def _each(self, pending: List[Pending], last: float, stopped: Callable[[], bool]) -> Carried:
        """Carry out one batch; what is not begun in time is handed back."""
        done, failed, returned, since = 0, 0, [], 0.0  # type: int, int, List[Pending], float
        try:
            for at, effect in enumerate(pending):
                # The first is always begun: a run without time for one would hand out and take back for ever.
                if at and (stopped() or time.monotonic() >= last):
                    self._store.release_effects(pending[at:])
                    break
                if self._within is not None:
                    worked = self._one_within(effect)
                    done, failed = done + (worked is True), failed + (worked is False)
                else:
                    since = since if returned else time.monotonic()
                    if self._one(effect):
                        returned.append(effect)
                        done += 1
                    else:
                        failed += 1
                if returned and time.monotonic() - since > _UNRECORDED:
                    returned = self._record(returned)
        finally:
            self._record(returned)
        return Carried(done, failed)

    def _record(self, returned):
        if returned:
            self._store.effects_done(returned)
        return []

    def _one(self, effect):
        try:
            must_have_run(self._handler(effect))    # type: ignore[misc]
            return True
        except (Exception, SystemExit) as err:      # whatever the shop's own code raises
            self._failed(effect, _told(err))
            return False

    def _one_within(self, effect):
        try:
            # False: not ours any more; somebody else has taken it over, and does it.
            return True if self._store.effect_done(effect, self._called_within) else None
        except (Exception, SystemExit) as err:
            self._failed(effect, _told(err))
            return False

    def _called_within(self, connection, effect):
        must_have_run(self._within(connection, effect))     # type: ignore[misc]

    def _failed(self, effect, told):
        _LOG.warning("the handler failed at %s of order %s (%s), attempt %d: %s", effect.kind, effect.out_trade_no,
                     effect.shop, effect.attempts, told)
        self._store.effect_failed(effect, told, pause_of(effect.attempts))


def must_have_run(result: Any) -> None:
    """Raises AlipayError for what a function of the shop's has returned without running: a coroutine or a generator."""
    if inspect.isawaitable(result) or inspect.isgenerator(result) or inspect.isasyncgen(result):
        close = getattr(result, "close", None)
        if close is not None:
            close()
        raise AlipayError("the shop's function is a coroutine or a generator, and nothing of it has run; give a plain "
                          "function")


def _told(err: BaseException) -> str:
    """An error of the shop's code for people. Its own text may quote anything."""
    return describe(err) if isinstance(err, AlipayError) else "{}: {}".format(type(err).__name__, _place(err))


def _place(err: BaseException) -> str:
    """File and line of the shop's own code where it is known, else of whoever raised."""
    frames = traceback.extract_tb(err.__traceback__)
    others = [frame for frame in frames if not frame[0].startswith(_OURS)]
    own = [frame for frame in others if "site-packages" not in frame[0] and os.sep + "lib" + os.sep + "python" not in
           frame[0]]
    for found in (own, others, list(frames)):
        if found:
            return "{}:{}".format(os.path.basename(found[-1][0]), found[-1][1])
    return "an unknown place"


def pause_of(attempts: int) -> float:
    """Seconds until a handler that failed is called again: 30, 60, … up to an hour.

    >>> pause_of(1), pause_of(2), pause_of(20)
    (30.0, 60.0, 3600.0)
    """
    return min(30.0 * 2 ** min(max(attempts - 1, 0), 10), 3600.0)
