"""``notify_verify``: did Alipay send this notification? ``true``, ``false`` or ``invalid``, as plain text."""
from ..gateway import Call
from ..refused import Refused
from ..reply import PLAIN, Reply


def notify_verify(call: Call) -> Reply:
    """Never refused for what is asked: a malformed question is ``invalid``. Source: notify_verify."""
    try:
        notify_id = call.checked()["notify_id"]
    except Refused:
        return Reply(200, PLAIN, b"invalid")
    return Reply(200, PLAIN, b"true" if call.gateway.notifier.confirms(call.partner, notify_id) else b"false")
