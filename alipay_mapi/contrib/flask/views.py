"""The notify and return views: they translate, ``contrib.web.callbacks`` decides. No exception leaves them."""
from typing import Any

from flask import Blueprint, Response, redirect, request

from ...client import place_of
from ...errors import AlipayError, InvalidMessage, show
from ..web.answers import UNSAID, Answer, Returned, refused
from ..web.seldom import Seldom
from . import incoming, pages, signals
from .state import NAME, State, of_this_app

#: So that the answer to a wrong one is ours: a 405 in plain text.
_METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
_SELDOM = Seldom()


def blueprint() -> Blueprint:
    """``/notify/``, ``/return/``, and each with a merchant's name behind it."""
    found = Blueprint(NAME, __name__)
    for path in ("", "<merchant>/"):
        # A slash more or less is no reason for a redirect, which Alipay does not follow.
        found.add_url_rule("/notify/" + path, "notify", notify, methods=_METHODS, strict_slashes=False)
        found.add_url_rule("/return/" + path, "returned", returned, strict_slashes=False)
    found.url_value_preprocessor(lambda *_: incoming.exempt(notify))
    return found


def notify(merchant: str = "") -> Response:
    """Alipay's notification: ``success`` once the state is durable, else ``fail``, and it comes again."""
    state = of_this_app()
    answer = _answer(state, merchant)
    if answer.notification is not None:
        signals.tell(signals.notify_verified, state.app, shop=answer.shop, notification=answer.notification,
                     decision=answer.decision)
    elif answer.told:
        signals.tell(signals.notify_rejected, state.app, shop=answer.shop, verdict=answer.verdict, status=answer.status,
                     error=answer.error)
    response = Response(answer.body, answer.status, mimetype=answer.content_type)
    response.headers["Cache-Control"] = "no-store"
    if answer.status == 405:
        response.headers["Allow"] = "POST"
    return response


def _answer(state: State, merchant: str) -> Answer:
    try:
        configured = state.configured()
        callbacks, shop = configured.callbacks(), merchant or configured.default
    except Exception as err:    # a configuration that cannot work; or the shop's module, while it is imported
        return _unusable("notification", err)
    this = request._get_current_object()
    return callbacks.notify(shop, this.method, this.environ.get("CONTENT_TYPE") or None,
                            this.environ.get("CONTENT_LENGTH") or None, incoming.body, this.remote_addr or "",
                            incoming.called)


def returned(merchant: str = "") -> Any:
    """The buyer is back: on to the shop's own page, or to ours. Nothing is proved by it."""
    state = of_this_app()
    found = _look(state, merchant)
    where = _where(state, found.out_trade_no) if found.out_trade_no else None
    if where is not None:
        response = redirect(where, 303)
    elif found.message is not None or found.verdict == UNSAID:
        response = pages.response(pages.CHECKING, 200, found.out_trade_no)
    elif isinstance(found.error, InvalidMessage):
        response = pages.response(pages.UNBELIEVABLE, 400)
    else:
        response = pages.response(pages.NOT_NOW, 503 if found.shop else 404)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _look(state: State, merchant: str) -> Returned:
    query = incoming.query()
    try:
        configured = state.configured()
        callbacks, shop = configured.callbacks(), merchant or configured.default
    except Exception as err:
        return Returned("?", "", _unusable("return", err).verdict)
    return callbacks.returned(shop, query)


def _where(state: State, number: str) -> Any:
    try:
        return state.return_to(number)
    except Exception as err:
        _unusable("return", err)
        return None


def _unusable(what: str, err: BaseException) -> Answer:
    """Logged as seldom as junk is; ours is quoted, the text of others may hold anything."""
    answer = refused("", err)
    left_out = _SELDOM.passes()
    if left_out is None:
        return answer._replace(told=False)
    why = show(str(err), 300) if isinstance(err, AlipayError) else "raised at " + place_of(err)
    signals.LOG.error("%s verdict=%s status=%s: %s", what, answer.verdict, answer.status, why)
    return answer
