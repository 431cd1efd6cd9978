"""System checks, tag ``alipay_mapi``: what is wrong with the settings, and with the project around them.

======  ================================================================================================================
E001    a partner that is no PID
E002    a key is missing for the sign type
E003    a key, or another setting of a merchant, that cannot be read
E004    ``SITE_URL`` is no address
E005    anything else in ``ALIPAY_MAPI`` that cannot work
E006    the notify view has lost an exemption on its way into the project's URLs
W001    a merchant signs with MD5
W002    the sandbox, or a gateway over plain http, outside of ``DEBUG``
W003    pycrypto is installed
W004    middleware that reads ``request.POST`` before the view
W005    the store's database cannot skip locked rows (``check --deploy``)
W006    ``ATOMIC_REQUESTS`` wraps the notify view
W007    effects are recorded and nobody carries them out
W008    this very site would turn notifications to ``SITE_URL`` away
W009    payments at AMS, and no ``RETURN_TO`` for buyers who come back
======  ================================================================================================================
"""
from typing import Any, Iterable, List
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import DatabaseError, InterfaceError, connections
from django.http.request import validate_host
from django.urls import NoReverseMatch, Resolver404, resolve, reverse

from ...errors import ConfigurationError, show
from ..web import faults
from .middleware import post_readers
from .process import TITLE, DjangoConfigured, open_own, settings_hidden

_TAG = "alipay_mapi"


def register_all() -> None:
    register(_TAG)(check_settings)
    register(_TAG)(check_middleware)
    register(_TAG)(check_urls)
    register(_TAG)(check_address)
    register(_TAG, deploy=True)(check_database)


def check_settings(app_configs: Any = None, **_: Any) -> List[CheckMessage]:
    """E001 to E005, W001 to W003, W007, W009."""
    values = settings_hidden()
    try:
        found = faults.problems(DjangoConfigured(values), settings.DEBUG)
    except ConfigurationError:
        found = faults.problems_of(values, TITLE, settings.DEBUG, open_own())
    kinds = {faults.ERROR: Error, faults.WARNING: Warning}
    return [kinds[one.level](one.text, one.hint, id="alipay_mapi." + one.id) for one in found]


def check_middleware(app_configs: Any = None, **_: Any) -> List[CheckMessage]:
    """W004."""
    listed: Iterable[str] = getattr(settings, "MIDDLEWARE", None) or getattr(settings, "MIDDLEWARE_CLASSES", ()) or ()
    return [Warning("{}: {}; a notification in GBK is then refused by Django 5.0 and later, before the notify view "
                    "sees it".format(path, why),
                    "Let it leave requests for the notify URL alone, or take it out; or silence this check if it does.",
                    id="alipay_mapi.W004") for path, why in post_readers(listed)]


def check_urls(app_configs: Any = None, **_: Any) -> List[CheckMessage]:
    """E006, W006: a decorator that does not keep a view's attributes, say."""
    try:
        view = resolve(reverse("alipay_mapi:notify")).func
    except (NoReverseMatch, Resolver404):
        return []       # the shop has views of its own
    except Exception:
        return []       # URLs that cannot be loaded are told by Django's own check
    found: List[CheckMessage] = []
    lost = [name for name, there in (("CSRF", getattr(view, "csrf_exempt", False)),
                                     ("login", not getattr(view, "login_required", True))) if not there]
    if lost:
        found.append(Error("the view alipay_mapi:notify is not exempt from {} checks any more; Alipay has neither a "
                           "token nor a login".format(" and ".join(lost)),
                           "Decorators around it must keep its attributes (functools.wraps).", id="alipay_mapi.E006"))
    exempt = getattr(view, "_non_atomic_requests", ())
    wrapped = [alias for alias in connections if connections.databases[alias].get("ATOMIC_REQUESTS")
               and alias not in exempt]
    if wrapped:
        found.append(Warning("ATOMIC_REQUESTS of DATABASES[{}] wraps the view alipay_mapi:notify, so Alipay is told "
                             "success before it is committed".format(show(", ".join(wrapped), 80)),
                             "Decorators around it must keep its attributes (functools.wraps).", id="alipay_mapi.W006"))
    return found


def check_address(app_configs: Any = None, **_: Any) -> List[CheckMessage]:
    """W008: Alipay follows no redirect, and takes a 400 for a failure."""
    try:
        site = urlsplit(DjangoConfigured(settings_hidden()).site_url)
    except ConfigurationError:
        return []       # E004
    if not settings.DEBUG and not validate_host((site.hostname or "").lower(), settings.ALLOWED_HOSTS):
        return [Warning("ALLOWED_HOSTS has not the host of SITE_URL, so notifications are answered 400",
                        "Add {!r} to ALLOWED_HOSTS.".format(show(site.hostname or "", 200)), id="alipay_mapi.W008")]
    if getattr(settings, "SECURE_SSL_REDIRECT", False) and site.scheme == "http":
        return [Warning("SECURE_SSL_REDIRECT is on and SITE_URL is http, so notifications are redirected, which Alipay "
                        "does not follow", "Write https:// in SITE_URL.", id="alipay_mapi.W008")]
    return []


def check_database(app_configs: Any = None, **_: Any) -> List[CheckMessage]:
    """W005. Some databases are asked for their version."""
    if open_own() is None or not isinstance(getattr(settings, "ALIPAY_MAPI", {}), dict) \
            or settings.ALIPAY_MAPI.get("STORE") not in (None, "django"):
        return []
    db = connections["default"]
    try:
        skips = db.features.has_select_for_update_skip_locked
    except (DatabaseError, InterfaceError):
        return []       # it is not there now
    if skips:
        return []
    return [Warning("the database ({}) cannot skip rows that are locked, so runs and notifications at the same moment "
                    "wait for one another".format(db.vendor),
                    "Nothing is lost or done twice. For many orders take PostgreSQL, MySQL 8 or MariaDB 10.6.",
                    id="alipay_mapi.W005")]
