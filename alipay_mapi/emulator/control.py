"""The control API: JSON under ``/_emulator/``. Each call is one method of the Emulator, with the same arguments.

The whole of it is ``control_table.CALLS``; ``GET /_emulator/`` tells it, with every argument. Arguments stand in the
path, in the query of a GET, else in a JSON object. Unknown names and values of another type are refused; amounts are
text, since a JSON number is a float. Refusals: ``{"error": {"class", "code", "message", "parameter"}}`` with status
400, 404 (no such call, order, merchant or notification), 405, or 409 when the gateway's rules forbid it.
"""
import json
import re
from datetime import datetime
from typing import Any, List

from ..errors import AlipayError, show
from . import control_views
from .control_arguments import arguments
from .control_table import CALLS
from .emulator import Emulator
from .refused import Refused
from .reply import Reply
from .trades import text

JSON = "application/json"


def handle(emulator: Emulator, method: str, path: str, query: bytes = b"", body: bytes = b"") -> Reply:
    """Answer one call. ``path``: as WSGI has it, without ``/_emulator``; ``query`` and ``body`` undecoded."""
    try:
        path = path.encode("latin-1").decode("utf-8")
    except UnicodeError:
        pass
    verb = "GET" if method == "HEAD" else method
    allowed: List[str] = []
    for segment in ("[^/]+", ".+"):     # an order's number may have a / in it
        for call in CALLS if not allowed else ():
            found = _pattern(call.path, segment).fullmatch(path)
            if found is None:
                continue
            if call.verb == verb:
                return _answered(emulator, call, found.groupdict(), query, body)
            allowed.append(call.verb)
    if allowed:
        told = ", ".join(sorted(set(allowed)))
        return _error(405, "InvalidRequest", "{}: this address takes {}".format(show(method), told),
                      headers=(("Allow", told),))
    return _error(404, "InvalidRequest", "no call has this address; GET /_emulator/ lists them")


def _answered(emulator, call, in_path, query, body) -> Reply:
    try:
        given = dict(arguments(call, query, body), **in_path)
        if call.method.startswith("_"):
            result = getattr(control_views, call.method[1:])(emulator, **given)
        else:
            result = getattr(emulator, call.method)(**given)
        if isinstance(result, Reply):
            return result
        return Reply(200, JSON, _dump({call.gives: _plain(result)}))
    except control_views.NotFound as err:
        return _error(404, "InvalidRequest", str(err), err.parameter)
    except Refused as err:
        return _error(409, "Refused", str(err), err.parameter, err.code)
    except AlipayError as err:
        name = getattr(err, "parameter", None)
        missing = name in in_path and _is_missing(emulator, name, in_path[name])
        return _error(404 if missing else 400, type(err).__name__, str(err), name)


def _is_missing(emulator, name, value):
    if name == "out_trade_no":
        return not emulator.ledger.count("trades", out_trade_no=value)
    if name == "payment_request_id":
        return not emulator.ledger.count("ams_payments", payment_request_id=value)
    return name == "merchant"


def _pattern(path, segment):
    return re.compile(re.sub("{([a-z_]+)}", r"(?P<\1>{})".format(segment), path) + ("" if path == "/" else "/?"))


# --- answers ----------------------------------------------------------------------------------------------------------

def _error(status, name, message, parameter=None, code=None, headers=()) -> Reply:
    told = {"class": name, "code": code, "message": message, "parameter": parameter or None}
    return Reply(status, JSON, _dump({"error": told}), tuple(headers))


def _dump(value) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "backslashreplace")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return text(value)
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value
