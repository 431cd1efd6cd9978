"""What a caller of ``/gateway.do`` gets, pages included; any server, or none at all, can stand in front of it.

A browser that brings an order is sent on to the cashier; one whose order is refused gets a page with the code. Callers
that are servers get XML or text, for which neither Jinja2 nor anything else of the extra ``emulator`` is needed.
"""
from .emulator import Emulator
from .incoming import Incoming
from .reply import HTML, Outcome, Reply


def respond(emulator: Emulator, incoming: Incoming) -> Reply:
    """The whole answer to one request. A placed order: 302 to ``{base_url}/cashier/{id}``."""
    outcome = emulator.answer(incoming)
    if outcome.error is not None and outcome.is_page:
        return _refused(emulator, incoming, outcome)
    if outcome.trade is not None:
        return Reply(302, HTML, b"", (("Location", cashier_url(emulator, outcome.trade["id"])),))
    return outcome.reply if outcome.reply is not None else Reply(500, HTML, b"<p id=\"error\">SYSTEM_ERROR</p>")


def cashier_url(emulator: Emulator, trade: int) -> str:
    """Where the buyer pays the order with this number of the ledger."""
    return "{}/cashier/{}".format(emulator.base_url, trade)


def _refused(emulator, incoming: Incoming, outcome: Outcome) -> Reply:
    try:
        from . import pages
    except ImportError:     # a test without the extra: the code is all that matters
        return Reply(200, HTML, '<!DOCTYPE html><title>Refused</title><p id="error">{}</p>'.format(
            outcome.error).encode("ascii", "replace"))
    return pages.refused(emulator, incoming, outcome)
