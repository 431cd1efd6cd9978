"""The gateways that orders can live on, behind one contract (``alipay_mapi.backend``): MAPI and AMS. OpenAPI's comes
later; its place is ``openapi.py`` here.
"""
from ...backend import Backend, MapiBackend, PaymentPage
from .ams import AmsBackend
from .ams_client import AmsClient, Reply

__all__ = ["AmsBackend", "AmsClient", "Backend", "MapiBackend", "PaymentPage", "Reply"]
