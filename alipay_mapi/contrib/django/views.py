"""The view that Alipay calls, and the one that the buyer comes back to. They translate; ``contrib.web`` decides.

Neither needs a CSRF token or a login, and neither is wrapped in a transaction by ``ATOMIC_REQUESTS``: what is answered
to Alipay must be committed before it is said. Both take what is private off the request when they have read it, so
that it is on no debug page, in no error mail and in no log of what runs after them.
"""
from typing import Any, Iterable, Mapping, Optional, Tuple

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.generic import View

from ...client import place_of
from ...errors import AlipayError, ConfigurationError, InvalidMessage, StoreError
from ..web.answers import UNSAID, Answer, Returned, refused
from . import pages, scrubbing
from .handing_over import take_raised
from .process import UNUSABLE, configured
from .signals import LOG, after_commit, notify_rejected, notify_verified, send
from .trackers import tell_trackers


class _Callback(View):
    """What both are exempt from, also as a subclass with other decorators."""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view = super().as_view(**initkwargs)
        view.csrf_exempt = True
        view.login_required = False     # LoginRequiredMiddleware, from Django 5.1 on
        for alias in connections:
            view = transaction.non_atomic_requests(using=alias)(view)
        return view


class NotifyView(_Callback):
    """``notify_url``: answers exactly ``success`` once the state is committed, and else ``fail``, which makes Alipay
    send again. No exception leaves it. Its argument ``merchant`` is the merchant's name; default
    ``DEFAULT_MERCHANT``."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        take_raised()
        answer = _answer(request, kwargs.get("merchant")) if _commits() else _unusable("notification", StoreError(
            "the notify view is called in somebody's transaction, or AUTOCOMMIT of DATABASES is off: success would be "
            "said before it is committed", reason="handler"))
        scrubbing.body(request)
        failure = answer.failure or take_raised()
        if failure is not None and answer.told and answer.notification is None:
            tell_trackers(type(self), request, failure)
        self._tell(answer)
        response = HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)
        response["Cache-Control"] = "no-store"
        if answer.status == 405:
            response["Allow"] = "POST"
        if not answer.told:
            response._has_been_logged = True    # a flood shall not fill django.request's log either
        return response

    def _tell(self, answer: Answer) -> None:
        if answer.notification is not None:
            if not notify_verified.receivers:
                return
            after_commit(lambda: send(notify_verified, type(self), shop=answer.shop, notification=answer.notification,
                                      decision=answer.decision))
        elif answer.told:
            send(notify_rejected, type(self), shop=answer.shop, verdict=answer.verdict, status=answer.status,
                 error=answer.error)


def _commits() -> bool:
    """Is what is stored now committed now? Not in a transaction that a middleware or decorator has begun; the one of a
    test case is meant to be undone."""
    db = connections[DEFAULT_DB_ALIAS]
    if db.settings_dict["ENGINE"] == "django.db.backends.dummy" or db.connection is None:
        return db.settings_dict.get("AUTOCOMMIT", True) is not False
    if db.in_atomic_block:      # Django knows whose it is from 4.1 on
        blocks = getattr(db, "atomic_blocks", None)
        return blocks is None or all(getattr(block, "_from_testcase", False) for block in blocks)
    return db.get_autocommit()


def _answer(request: HttpRequest, merchant: Optional[str]) -> Answer:
    try:
        made = configured()
        callbacks, shop = made.callbacks(), made.default if merchant is None else merchant
    except Exception as err:    # settings that cannot work; or the shop's module, while it is imported
        return _unusable("notification", err)

    def read(size):
        # Kept by Django for whoever reads it later; without a length (ASGI) it could be of any size.
        return request.body[:size] if request.META.get("CONTENT_LENGTH") else request.read(size)
    return callbacks.notify(shop, request.method or "", request.META.get("CONTENT_TYPE"),
                            request.META.get("CONTENT_LENGTH"), read, request.META.get("REMOTE_ADDR") or "",
                            lambda: _called(request))


def _called(request: HttpRequest) -> Tuple[str, Mapping[str, str]]:
    """What AMS signs beside the body."""
    headers = {name[5:].replace("_", "-"): value for name, value in request.META.items() if name.startswith("HTTP_")}
    headers["Content-Type"] = request.META.get("CONTENT_TYPE") or ""
    return request.get_full_path(), headers


def _unusable(what: str, err: Exception) -> Answer:
    answer = refused("", err)
    if UNUSABLE.passes() is None:
        return answer._replace(told=False)
    LOG.error("%s verdict=%s status=%d: %s", what, answer.verdict, answer.status,
              err if isinstance(err, AlipayError) else "raised at " + place_of(err))
    return answer


class ReturnView(_Callback):
    """``return_url``: the buyer is back, and nothing is proved. The order is asked about soon, and the buyer is sent on
    to ``RETURN_TO``, so that neither a sign nor his data stays in the address bar; without it, a page says that the
    payment is being checked.

    ``own``: names of parameters that your own return_url has. ``returned``: the method to override.
    """

    http_method_names = ["get", "head"]
    own: Iterable[str] = ()
    template_name = "alipay_mapi/returned.html"
    refused_template_name = "alipay_mapi/not_believed.html"

    _query = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self._query = scrubbing.query(request)
        scrubbing.body(request)
        response = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        if response.status_code == 400:
            response._has_been_logged = True    # anybody can open such an address, as often as he likes
        return response

    def get(self, request: HttpRequest, merchant: Optional[str] = None) -> HttpResponse:
        return self.returned(request, self._look(merchant))

    def returned(self, request: HttpRequest, returned: Returned) -> HttpResponse:
        """The response. ``returned.out_trade_no`` is the order's number; "" when nothing can be believed, and then
        ``returned.error`` says why. It never proves a payment: show the order, and say that it is being checked."""
        if returned.message is None and returned.verdict != UNSAID:
            return self.not_believed(request, returned)
        where = self._where(returned.out_trade_no)
        if where is not None:
            return HttpResponseRedirect(where)
        return pages.page(request, self.template_name, {"out_trade_no": returned.out_trade_no})

    def not_believed(self, request: HttpRequest, returned: Returned) -> HttpResponse:
        """The page for an address that Alipay did not make, or that could not be checked."""
        status = 400 if isinstance(returned.error, InvalidMessage) else 503
        return pages.page(request, self.refused_template_name, {"out_trade_no": ""}, status)

    def _look(self, merchant):
        query, self._query = self._query, ""
        try:
            made = configured()
            callbacks, shop = made.callbacks(), made.default if merchant is None else merchant
        except Exception as err:
            answer = _unusable("return", err)
            return Returned("", "", answer.verdict, None, answer.error)
        if shop not in made.names:
            raise Http404("there is no such merchant")
        return callbacks.returned(shop, query, self.own)

    def _where(self, out_trade_no):
        if not out_trade_no:
            return None
        try:
            return configured().return_to(out_trade_no)
        except ConfigurationError as err:
            LOG.error("return: %s", err)
            return None
