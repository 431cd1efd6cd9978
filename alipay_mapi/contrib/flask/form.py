"""The payment form in a template: ``{{ alipay_payment_form(payment) }}``."""
from typing import Optional

from markupsafe import Markup, escape

from ...request import SignedRequest


def payment_form(payment: SignedRequest, submit: str = "Pay with Alipay", nonce: Optional[str] = None) -> Markup:
    """A form that submits itself, and has a button where there is no script.

    ``submit``: the button's text. ``nonce``: of the page's Content-Security-Policy. Raises InvalidRequest for a value
    that a browser would change, see ``SignedRequest.form``.
    """
    text = payment.form(submit=submit)
    if nonce is not None:
        # Values are escaped, so the only <script> is the form's own.
        text = text.replace("<script>", '<script nonce="{}">'.format(escape(nonce)))
    return Markup(text)
