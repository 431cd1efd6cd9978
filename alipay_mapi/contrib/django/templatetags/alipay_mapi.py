"""``{% alipay_payment_form payment %}``: the form that takes the buyer to Alipay."""
from typing import Any

from django import template
from django.utils.html import escape
from django.utils.safestring import mark_safe

from ....backend import PaymentPage
from ....errors import InvalidRequest
from ....request import SignedRequest

register = template.Library()


@register.simple_tag
def alipay_payment_form(payment: Any, submit: str = "Pay with Alipay", nonce: Any = "") -> str:
    """A form of a payment, which submits itself, and has a button where there is no script. Every value is
    escaped. ``submit``: the button's text. ``nonce``: of the page's Content-Security-Policy, such as
    ``request.csp_nonce``. Raises InvalidRequest."""
    if not isinstance(payment, (SignedRequest, PaymentPage)):
        raise InvalidRequest("alipay_payment_form: give what payment() returns, not {}".format(type(payment).__name__),
                             parameter="payment")
    text = payment.form(submit=str(submit))
    if nonce:
        before, _, script = text.rpartition("<script>")     # in a value it would be escaped
        text = '{}<script nonce="{}">{}'.format(before, escape(nonce), script)
    return mark_safe(text)
