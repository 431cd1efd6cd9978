"""Clients of the gateways that orders can live on. So far AMS; MAPI's is ``alipay_mapi.Client``; OpenAPI's comes later.
"""
from .ams import AmsClient, Reply

__all__ = ["AmsClient", "Reply"]
