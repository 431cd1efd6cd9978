"""What the buyer's browser brings back from AMS."""
from typing import Any

from ...errors import UntrustedMessage


def refuse_redirect(query: Any = None) -> None:
    """Always raises UntrustedMessage: AMS signs nothing on ``paymentRedirectUrl``, so whoever knows the address can
    call it. Show the buyer a page, and ask ``inquiryPayment`` or wait for the notification."""
    raise UntrustedMessage("a redirect from AMS is no proof of payment: nothing in it is signed. Ask inquiryPayment, "
                           "or wait for the notification")
