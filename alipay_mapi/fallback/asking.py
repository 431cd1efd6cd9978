"""The question about one claimed order: a query, or the request of a refund; answered or not.

What is asked depends on the row alone, so a worker that is killed anywhere costs nothing: the next one starts from what
is stored, and a refund that may have been sent is sent again only with the same ``out_return_no``.
"""
from typing import Any, Callable

from ..client import Client, place_of
from ..errors import AlipayError
from . import refunding
from .changes import Findings
from .rows import Row


def ask(client: Client, row: Row) -> Findings:
    """Ask the gateway about a row that this worker has claimed. Raises nothing: errors are findings."""
    if not row.refunds:
        return Findings(query=_answer(_query, client, row))
    try:
        refund = refunding.current(refunding.from_text(row.refunds))
    except AlipayError as err:
        return Findings(query=err)
    about = refund.out_return_no if refund is not None else ""
    if refund is None or refund.status != refunding.READY:
        return Findings(query=_answer(_query, client, row), about=about)
    return Findings(refund=_answer(_refund, client, row, refund), about=about)


def sends(row: Row) -> bool:
    """Will ``ask`` send a refund? Then it needs a turn of its own: 3 seconds lie between two."""
    if not row.refunds:
        return False
    try:
        refund = refunding.current(refunding.from_text(row.refunds))
    except AlipayError:
        return False
    return refund is not None and refund.status == refunding.READY


def _query(client, row):
    return client.single_trade_query(out_trade_no=row.out_trade_no)


def _refund(client, row, refund):
    return client.forex_refund(**refunding.request_of(row.order, refund))


def _answer(call: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except AlipayError as err:
        return err
    except KeyboardInterrupt:
        raise       # without threads: a person
    except BaseException as err:    # a bug, in a transport perhaps; its text may hold anything
        problem = "asking failed inside ({} at {})".format(type(err).__name__, place_of(err))
    return AlipayError(problem)
