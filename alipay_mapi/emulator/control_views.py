"""Calls of the control API that are no method of the Emulator: views of its state, and recordings."""
from typing import Any, Dict, List

from ..errors import InvalidRequest
from . import ams_shown, recorder, shop_ini
from .ams.cards import CARDS
from .ams.clients import SETTINGS as AMS_SETTINGS
from .ams.fault_names import AMS_ANSWER_FAULTS
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
                      "more": None if call.more is None else "the parameters of the service"
                      if call.more is of_service else sorted(call.more({}))})
    return {"calls": calls, "faults": dict(ANSWER_FAULTS, **NOTIFICATION_FAULTS), "ams_faults": dict(AMS_ANSWER_FAULTS),
            "buyers": [buyer._asdict() for buyer in BUYERS], "cards": [card._asdict() for card in CARDS]}


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


def payment(emulator: Emulator, payment_request_id, client_id=None) -> Dict[str, Any]:
    """The payment, and what belongs to it."""
    found = dict(emulator.payment(payment_request_id, client_id=client_id))
    found.update(emulator.payment_moves(found))
    for row in found["notifications"]:
        row["deliveries"] = emulator.ledger.rows("deliveries", notification=row["id"])
    return found


def resend_payment(emulator: Emulator, payment_request_id, client_id=None) -> str:
    """The payment's newest notification."""
    payment = emulator.payment(payment_request_id, client_id=client_id)
    for row in emulator.payment_moves(payment)["notifications"][::-1]:
        if row["url"]:
            emulator.resend(row["notify_id"])
            return row["notify_id"]
    raise NotFound("payment_request_id: there is no notification of this payment yet", parameter="payment_request_id")


def ams_clients(emulator: Emulator) -> List[Dict[str, Any]]:
    return [one._asdict() for one in emulator.ams.clients.list()]


def ams_client(emulator: Emulator, merchant, sandbox=False) -> Dict[str, Any]:
    one = emulator.ams_client(merchant, sandbox)
    return {"client_id": one.client_id, "partner": one.partner, "name": one.name, "sandbox": one.sandbox,
            "settings": {name: one.setting(name) for name in AMS_SETTINGS}}


def ams_settings(emulator: Emulator, merchant, sandbox=False, **settings) -> Dict[str, Any]:
    emulator.ams_settings(merchant, sandbox, **settings)
    return ams_client(emulator, merchant, sandbox)


def ams_ini(emulator: Emulator, merchant, sandbox=False) -> Reply:
    return Reply(200, PLAIN, shop_ini.ams_section(emulator, merchant, sandbox).encode("ascii"))


def ams_requests(emulator: Emulator, limit=100) -> List[Dict[str, Any]]:
    """The newest first; no card numbers, and tokens cut short."""
    return [{"number": one.number, "at": one.at, "fault": one.fault, "call": one.outcome.call,
             "client_id": one.outcome.client_id, "code": one.outcome.code, "status": one.outcome.status,
             "why": one.outcome.why, "parameter": one.outcome.parameter,
             "signature_fits": one.outcome.signature_fits,
             "content": ams_shown.without_tokens(one.outcome.content),
             "answer": ams_shown.without_tokens(one.outcome.answer)}
            for one in emulator.ams_requests()[::-1][:limit]]


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
