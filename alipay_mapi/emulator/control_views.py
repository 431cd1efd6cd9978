"""Calls of the control API that are no method of the Emulator: views of its state, and recordings."""
from typing import Any, Dict, List

from ..errors import InvalidRequest
from . import recorder, shop_ini
from .control_arguments import TYPES, of_service
from .control_table import CALLS
from .emulator import Emulator
from .faults import ANSWER_FAULTS, NOTIFICATION_FAULTS
from .merchants import BUYERS, SETTINGS
from .reply import PLAIN, Reply

LINES = "application/x-ndjson"


class NotFound(InvalidRequest):
    """What the path names is not there."""


def index(emulator: Emulator) -> Dict[str, Any]:
    calls = []
    for call in CALLS:
        arguments = [_described(name, "path", True) for name in call.in_path]
        where = "query" if call.verb == "GET" else "body"
        arguments += [_described(name, where, name in call.required) for name in call.required + call.optional]
        calls.append({"method": call.verb, "path": "/_emulator" + call.path, "about": call.about, "gives": call.gives,
                      "call": call.method.lstrip("_"), "arguments": arguments,
                      "more": None if call.more is None else
                      "the parameters of the service" if call.more is of_service else sorted(SETTINGS)})
    return {"calls": calls, "faults": dict(ANSWER_FAULTS, **NOTIFICATION_FAULTS),
            "buyers": [buyer._asdict() for buyer in BUYERS]}


def _described(name, where, required):
    return {"name": name, "in": where, "type": TYPES.get(name, "text"), "required": required}


def now(emulator: Emulator) -> Dict[str, Any]:
    clock = emulator.clock
    return {"now": clock.now(), "speed": clock.speed, "frozen": not clock.speed, "next_due": emulator.next_due(),
            "gateway_url": emulator.gateway_url}


def merchants(emulator: Emulator) -> List[Dict[str, str]]:
    return [{"partner": partner, "name": name, "sign_type": sign_type}
            for partner, name, sign_type in emulator.merchants.partners()]


def merchant(emulator: Emulator, merchant) -> Dict[str, Any]:
    return _about_merchant(emulator, merchant)


def _about_merchant(emulator, merchant):
    one = emulator.merchant(merchant)
    return {"partner": one.partner, "name": one.name, "sign_type": one.sign_type, "seller_email": one.seller_email,
            "settings": {name: one.setting(name) for name in SETTINGS}}


def settings(emulator: Emulator, merchant, **settings) -> Dict[str, Any]:
    emulator.settings(merchant, **settings)
    return _about_merchant(emulator, merchant)


def ini(emulator: Emulator, merchant) -> Reply:
    return Reply(200, PLAIN, shop_ini.section(emulator, merchant).encode("ascii"))


def trade(emulator: Emulator, out_trade_no, partner=None) -> Dict[str, Any]:
    """The order, and what belongs to it."""
    found = dict(emulator.trade(out_trade_no, partner=partner))
    ledger, whose = emulator.ledger, {"partner": found["partner"], "out_trade_no": out_trade_no}
    found["refunds"] = ledger.rows("refunds", **whose)
    found["notifications"] = ledger.rows("notifications", **whose)
    for row in found["notifications"]:
        row["deliveries"] = ledger.rows("deliveries", notification=row["id"])
    return found


def resend(emulator: Emulator, notify_id) -> bool:
    if not emulator.resend(notify_id):
        raise NotFound("notify_id: no notification has this id", parameter="notify_id")
    return True


def resend_newest(emulator: Emulator, out_trade_no, partner=None) -> str:
    """The order's newest notification that was for the shop's server."""
    trade = emulator.trade(out_trade_no, partner=partner)
    for row in emulator.ledger.rows("notifications", newest=True, partner=trade["partner"], out_trade_no=out_trade_no):
        if row["url"]:
            emulator.resend(row["notify_id"])
            return row["notify_id"]
    raise NotFound("out_trade_no: there is no notification of this order yet", parameter="out_trade_no")


def visit(emulator: Emulator, url) -> Dict[str, Any]:
    return emulator.visit(url)


def faults(emulator: Emulator) -> Dict[str, Any]:
    return {"armed": emulator.faults.armed(), "rates": emulator.faults.rates}


def requests(emulator: Emulator, limit=100) -> List[Dict[str, Any]]:
    """The newest first."""
    return [{"number": one.number, "at": one.at, "fault": one.fault, "service": one.outcome.service,
             "partner": one.outcome.partner, "error": one.outcome.error, "why": one.outcome.why,
             "parameter": one.outcome.parameter, "sign_fits": one.outcome.sign_fits,
             "presign": one.outcome.presign.decode("utf-8", "backslashreplace"),
             "params": {name: value for name, value in one.outcome.params.items() if name != "sign"}}
            for one in emulator.requests()[::-1][:limit]]


def record_start(emulator: Emulator) -> Dict[str, Any]:
    return recorder.recorder_of(emulator).start()


def record_stop(emulator: Emulator) -> Dict[str, Any]:
    return recorder.recorder_of(emulator).stop()


def record(emulator: Emulator) -> Reply:
    return Reply(200, LINES, recorder.recorder_of(emulator).lines(),
                 (("Content-Disposition", 'attachment; filename="emulator-recording.jsonl"'),))


def replay(emulator: Emulator, lines) -> Dict[str, Any]:
    return recorder.replay(emulator, lines)._asdict()
