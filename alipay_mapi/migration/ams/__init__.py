"""AMS ("Alipay APIs", now Antom): its accounts, signatures, answers, notifications and amounts. Pure: no I/O here.

Source: "Sign a request and verify the signature" (docs/ac/ams/digital_signature), "API fundamentals" (api_fund),
and the pages of the single calls. Nothing in it was tried against a live gateway.
"""
from .account import Account
from .answers import AmsAnswer, verify_answer
from .notifications import Ack, AmsNotification, verify_notification

__all__ = ["Account", "Ack", "AmsAnswer", "AmsNotification", "verify_answer", "verify_notification"]
