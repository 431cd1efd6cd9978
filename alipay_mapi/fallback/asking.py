"""The questions about one claimed order: at most one query, and at most one refund, each answered or not.

What is asked depends on the row alone, so a worker that is killed anywhere costs nothing: the next one starts from what
is stored, and a refund that may have been sent is sent again only with the same ``out_return_no``.
"""
from typing import Any, Callable

from ..client import Client, place_of
from ..errors import AlipayError
from . import refunding
from .changes import Findings
from .facts import from_text
from .rows import Row


def ask(client: Client, row: Row) -> Findings:
    """Ask the gateway about a row that this worker has claimed. Raises nothing: errors are findings."""
    if not row.refunds:
        return Findings(query=_answer(client.single_trade_query, out_trade_no=row.out_trade_no))
    try:
        refund = refunding.current(refunding.from_text(row.refunds))
    except AlipayError as err:
        return Findings(query=err)
    query = None
    if refund is None or refund.status in refunding.LOOKS:
        query = _answer(client.single_trade_query, out_trade_no=row.out_trade_no)
    if refund is None or refund.status not in refunding.SENDS:
        return Findings(query)
    if query is not None and not _still_unseen(row, refund, query):
        return Findings(query)
    return Findings(query, _answer(client.forex_refund, **refunding.request_of(row.order, refund)))


def sends(row: Row) -> bool:
    """Will ``ask`` send a refund, perhaps? Then it needs a turn of its own: 3 seconds lie between two."""
    if not row.refunds:
        return False
    try:
        refund = refunding.current(refunding.from_text(row.refunds))
    except AlipayError:
        return False
    return refund is not None and refund.status in refunding.SENDS


def _still_unseen(row, refund, query):
    """Only a believable answer that does not show the refund lets it be sent again."""
    if isinstance(query, AlipayError):
        return False
    try:
        state, _ = from_text(row.order, row.facts).apply(query)
    except AlipayError:
        return False
    after = refunding.looked(refund, state, query)
    return after.status in refunding.SENDS and not after.error


def _answer(call: Callable[..., Any], **arguments: Any) -> Any:
    try:
        return call(**arguments)
    except AlipayError as err:
        return err
    except Exception as err:    # a bug, in a transport perhaps; its text may hold anything
        problem = "asking failed inside ({} at {})".format(type(err).__name__, place_of(err))
    return AlipayError(problem)
