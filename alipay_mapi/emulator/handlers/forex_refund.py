"""``forex_refund``: accepted (``is_sync=N``) or done within the call (``Y``); the answer is never signed."""
from ..gateway import Call
from ..reply import Reply


def forex_refund(call: Call) -> Reply:
    """A bare T. Raises Refused with the code of the page. Source: forex_refund."""
    params = call.checked({"currency": "ILLEGAL_CURRENCY"})
    call.gateway.refunds.check_spacing(call.partner)
    call.gateway.refunds.ask(call.partner, call.order(params))
    return call.success()
