"""A shop on Django 1.11 to 6.1: settings, system checks, views for Alipay and for the buyer who is back, signals,
commands.

``payment`` makes a signed payment of an order, ``app_payment`` one for an app; ``fallback``, ``client`` and
``configured`` are what the shop's settings make. Each is loaded when it is first used, so this can be imported before
Django has its settings. How it is set up is in ``docs/django.md``.
"""
from typing import TYPE_CHECKING

import django

from ...lazy import load_at_first_use

if TYPE_CHECKING:
    from .payments import app_payment, payment
    from .process import client, configured, fallback

_HOME = {"app_payment": "payments", "payment": "payments", "client": "process", "configured": "process",
         "fallback": "process"}

__all__ = ["app_payment", "client", "configured", "fallback", "payment"]

load_at_first_use(__name__, _HOME)

if django.VERSION < (3, 2):
    default_app_config = "alipay_mapi.contrib.django.apps.AlipayMapiConfig"
