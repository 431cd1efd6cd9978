"""What an answer says: yes, no or unknown, and what to do next. One type for all gateways.

Three verdicts, not two. *Unknown* is settled by a query, or by repeating the call with the same ids: never with new
ones, and never at another gateway.
"""
from typing import NamedTuple, Optional

YES, NO, UNKNOWN = "yes", "no", "unknown"

#: What to do next: ``done``; ``wait`` (the buyer or the bank acts, query meanwhile); ``query`` (nobody knows, query, or
#: repeat with the same id); ``back-off`` (the same, later); ``new`` (final, another try needs a new id); ``refund``
#: (this way is closed: query, and refund if it is paid); ``fix`` (set-up or a programming error, for a person);
#: ``stop`` (final, and repeating cannot help).
NEXT = ("done", "wait", "query", "back-off", "new", "refund", "fix", "stop")

_VERDICTS = {
    "paid": YES, "authorized": YES, "refunded": YES, "captured": YES, "registered": YES, "declared": YES,
    "pending": UNKNOWN, "refund_pending": UNKNOWN, "refund_unconfirmed": UNKNOWN, "capture_pending": UNKNOWN,
    "registration_pending": UNKNOWN, "unknown": UNKNOWN,
    "failed": NO, "refund_failed": NO, "capture_failed": NO, "cancel_refused": NO, "conflict": NO, "refused": NO,
}


class Outcome(NamedTuple):
    """``verdict``: "yes", "no" or "unknown", about what was asked for: a payment, a refund, a cancellation.

    ``state``: the finer word ("paid", "pending", "not_found" …). ``next``: one of :data:`NEXT`. ``code``: the gateway's
    own word, or None.
    """

    verdict: str
    state: str
    next: str
    code: Optional[str] = None


def outcome(state: str, next_step: str, code: Optional[str] = None, verdict: Optional[str] = None) -> Outcome:
    """``verdict`` must be given for the states whose verdict depends on the question: "closed" and "not_found"."""
    return Outcome(verdict if verdict is not None else _VERDICTS[state], state, next_step, code)
