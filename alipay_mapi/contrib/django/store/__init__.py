"""The Django app that keeps watched orders in the shop's own database; a shop with an order table of its own does
without it.

``DjangoStore`` is in ``django_store``, as models cannot be imported before Django has read its list of apps.
"""
import django

if django.VERSION < (3, 2):
    default_app_config = "alipay_mapi.contrib.django.store.apps.StoreConfig"
