"""A shop for the Django tests: its settings, its functions, its middleware, and how Alipay and a browser call it."""
import logging
import sqlite3
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from django.test.utils import override_settings

import genuine
from alipay_mapi import Order
from alipay_mapi.contrib import django as mapi
from alipay_mapi.contrib.django.store.models import Trade
from alipay_mapi.testing import wsgi

NOTIFY, RETURN = "/alipay/notify/", "/alipay/return/"
#: What the shop's functions were called with.
HANDED, NOTIFIED = [], []
#: Numbers → prices, of the shop's own table.
OWN = {"A1": Order("A1", total_fee="8.00", currency="USD"), "M1": Order("M1", total_fee="8.00")}


def merchant(**changes):
    return dict({"partner": genuine.PARTNER, "sign_type": "MD5", "md5_key": genuine.MD5_KEY}, **changes)


def values(**changes):
    """``ALIPAY_MAPI`` of a shop with a store and a handler."""
    given = dict({"MERCHANTS": {"shop": merchant()}, "SITE_URL": "https://shop.example", "HANDLER": hand}, **changes)
    return {name: value for name, value in given.items() if value is not None}


def own_table(**changes):
    """The same of a shop that books orders itself."""
    return values(**dict({"HANDLER": None, "ORDER": order_of, "NOTIFIED": notified}, **changes))


@contextmanager
def shop(given=None, **project):
    """The project with these settings. ``given``: ``ALIPAY_MAPI``."""
    del HANDED[:], NOTIFIED[:]
    with override_settings(ALIPAY_MAPI=values() if given is None else given, **project):
        yield


@contextmanager
def without_store(given=None, **project):
    """A project without our tables, or without the app at all."""
    apps = [app for app in settings.INSTALLED_APPS if app != "alipay_mapi.contrib.django.store"]
    with override_settings(INSTALLED_APPS=apps):
        with shop(own_table() if given is None else given, **project):
            yield


# --- the shop's functions ---------------------------------------------------------------------------------------------

def hand(effect):
    HANDED.append(effect.key)


def fail(*_, **__):
    raise ZeroDivisionError("the shop's own")


def order_of(name, out_trade_no):
    return OWN.get(out_trade_no)


def notified(name, note):
    NOTIFIED.append((name, note["out_trade_no"], connections["default"].in_atomic_block))


# --- middleware -------------------------------------------------------------------------------------------------------

class FailsAfterwards:
    """Anything at all that goes wrong once a view has answered."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if request.path.startswith("/alipay/"):
            raise LookupError("a middleware of the shop, status {}".format(response.status_code))
        return response


class ReadsFormsBefore:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.POST.get("x")
        return self.get_response(request)


class ReadsFormsAfterwards:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response["X-Form"] = str(len(request.FILES) + len(request.POST))
        response["X-Body"] = str(len(request.body))
        return response


class ReadsTheQuery:
    """A middleware that has parsed the address before the view is called."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        dict(request.GET)
        return self.get_response(request)


class ReadsTheStream:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.read(10)
        return self.get_response(request)


def order_page(request, out_trade_no):
    return HttpResponse("order " + out_trade_no)


# --- who calls it -----------------------------------------------------------------------------------------------------

def post(body, path=NOTIFY, content_type=genuine.FORM + "utf-8", client=None, **extra):
    """Alipay's POST, by Django's test client with CSRF checks."""
    return (client or Client(enforce_csrf_checks=True)).generic("POST", path, body, content_type, **extra)


def call(method, url, body=b"", content_type=None, headers=None):
    """A request to Django as a server has it: nothing is raised, what fails is a page."""
    headers = dict(headers or {}, **({} if content_type is None else {"Content-Type": content_type}))
    return wsgi.call(WSGIHandler(), method, "https://shop.example" + url, body, headers)


def watch(out_trade_no="A1", currency="USD", name="shop"):
    mapi.fallback().watch(name, Order(out_trade_no, total_fee="8.00", currency=currency))


def outcome(out_trade_no="A1"):
    return Trade.objects.values_list("outcome", flat=True).get(out_trade_no=out_trade_no)


def outcome_on_disk(out_trade_no="A1"):
    """What another process sees: committed, that is."""
    database = sqlite3.connect(connections["default"].settings_dict["NAME"])
    try:
        (found,), = database.execute("SELECT outcome FROM alipay_mapi_orders WHERE out_trade_no = ?", (out_trade_no,))
        return found
    finally:
        database.close()


def path_of(url):
    parts = urlsplit(url)
    return parts.path + ("?" + parts.query if parts.query else "")


@contextmanager
def heard(*signals):
    """The arguments with which these signals were sent, in order: (signal, arguments)."""
    told = []

    def receiver(signal, sender, **arguments):
        told.append((signal, arguments))
    for signal in signals:
        signal.connect(receiver)
    try:
        yield told
    finally:
        for signal in signals:
            signal.disconnect(receiver)


@contextmanager
def logged(level=logging.DEBUG):
    """Every line that any logger writes meanwhile, as text with its traceback."""
    lines = []

    class Keeping(logging.Handler):
        def emit(self, record):
            lines.append(self.format(record))
    root, handler, before = logging.getLogger(), Keeping(level), logging.getLogger().level
    django_logger = logging.getLogger("django")
    propagates, was = django_logger.propagate, django_logger.level
    root.addHandler(handler)
    root.setLevel(level)
    django_logger.propagate = True
    django_logger.setLevel(level)
    # Statements with their values: docs/django.md says that this log is not one to switch on with real buyers.
    logging.getLogger("django.db.backends").setLevel(logging.INFO)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        django_logger.setLevel(was)
        logging.getLogger("django.db.backends").setLevel(logging.NOTSET)
        root.setLevel(before)
        django_logger.propagate = propagates


async def coroutine(*_):
    raise AssertionError("it is not run")


def generator(*_):
    yield
