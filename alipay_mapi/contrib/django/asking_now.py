"""Ask an order's gateway about it at once, because a person wants to know."""
from ...errors import AlipayError, ConfigurationError, OrderNotFound, show
from ...fallback import Decision
from ...fallback.asking import ask
from ...fallback.changes import by_findings
from ...notification import Notification
from ...response import Response
from .process import configured


def ask_now(shop: str, out_trade_no: str) -> Decision:
    """What is stored once the answer is taken in; its effects are carried out.

    Only a signed answer changes anything: an error settles nothing here, as two of them in a row would expire an order
    that runs ask about at proper intervals. No refund is sent. Raises the error in the answer's place, OrderNotFound,
    StoreError, ConfigurationError.
    """
    fallback = configured().fallback()
    row = fallback.store.get(shop, out_trade_no)
    if row is None:
        raise OrderNotFound("this order is not watched")
    if shop not in fallback.backends:
        raise ConfigurationError("MERCHANTS: there is no {}".format(show(shop)))
    found = ask(fallback.backends[shop], row._replace(refunds=""))
    if not isinstance(found.query, (Response, Notification)):
        raise found.query if isinstance(found.query, AlipayError) else AlipayError("there was no answer")
    now = fallback.store.now()
    decision = fallback.store.apply(shop, out_trade_no, lambda stored: by_findings(
        stored, max(stored.attempts, 1), found, now, fallback.schedule))
    fallback.carry_out(only=(shop, out_trade_no))
    return decision
