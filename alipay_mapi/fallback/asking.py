"""The question about one claimed order: a query, or the request of a refund; answered or not.

What is asked depends on the row alone, so a worker that is killed anywhere costs nothing: the next one starts from what
is stored, and a refund that may have been sent is sent again only with the same ``out_return_no``. Asked is the gateway
that made the order, and no other.
"""
from typing import Any, Callable, Mapping

from ..backend import Backend
from ..client import place_of
from ..errors import AlipayError, ConfigurationError
from . import refunding
from .changes import Findings
from .rows import Row


def ask(backends: Mapping[str, Backend], row: Row) -> Findings:
    """Ask about a row that this worker has claimed. ``backends``: of the row's shop, by name. Raises nothing: errors
    are findings."""
    backend = backends.get(row.gateway)
    if backend is None:
        return Findings(query=ConfigurationError("{}: the order lives there, and this shop has no client for it".format(
            row.gateway)))
    if not row.refunds:
        return Findings(query=_answer(_query, backend, row))
    try:
        refund = refunding.current(refunding.from_text(row.refunds))
    except AlipayError as err:
        return Findings(query=err)
    if refund is None:
        return Findings(query=_answer(_query, backend, row))
    about = refund.out_return_no
    if refund.status == refunding.ASKED:
        return Findings(query=_answer(_query, backend, row), about=about)
    if refund.status != refunding.READY:
        return Findings(query=_answer(_query_refund, backend, row, refund), about=about)
    return Findings(refund=_answer(_refund, backend, row, refund), about=about)


def sends(row: Row) -> bool:
    """Will ``ask`` send a refund? Then it needs a turn of its own: 3 seconds lie between two."""
    if not row.refunds:
        return False
    try:
        refund = refunding.current(refunding.from_text(row.refunds))
    except AlipayError:
        return False
    return refund is not None and refund.status == refunding.READY


def _query(backend, row):
    return backend.query(row.order)


def _query_refund(backend, row, refund):
    return backend.query_refund(row.order, refund.out_return_no)


def _refund(backend, row, refund):
    backend.send_refund(row.order, refund.out_return_no, refund.amount, refund.gmt_return, refund.reason)
    return refunding.ACCEPTED


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
