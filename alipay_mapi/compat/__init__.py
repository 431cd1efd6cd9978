"""The call shapes of older libraries, over this one: same calls, safe insides.

``lxneng`` is PyPI's ``alipay`` 0.7.4, ``fengli`` the functions of fengli/alipay_python, ``odoo`` the helper methods of
Odoo's ``payment_alipay``; ``shadow`` runs the old library and one of these side by side. Where the old result was wrong
or unsafe the right thing happens, and a :class:`CompatWarning` names the call to move to. Every difference is in
``docs/compat.md``.
"""
from .warned import CompatWarning

__all__ = ["CompatWarning"]
