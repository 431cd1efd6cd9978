"""``query_timestamp``: a short-lived key that a mainland order brings back as ``anti_phishing_key``."""
import hashlib
import re
from datetime import timedelta

from ...times import parse_time
from ..gateway import Call
from ..reply import Reply
from ..trades import text

#: How long a key may be used ("short-lived"; the length is ours).
LIFE = timedelta(minutes=5)

_MOMENT = re.compile("[0-9]{4}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-5][0-9]", re.ASCII)


def query_timestamp(call: Call) -> Reply:
    """The signed answer with ``encrypt_key``. Source: query_timestamp."""
    call.checked()
    return call.xml("timestamp", {"encrypt_key": key_at(call.partner, text(call.gateway.clock.now()))})


def key_at(partner: str, moment: str) -> str:
    """The key that was handed out at ``moment``: the time, and a check that it was."""
    return moment.replace(" ", "T").replace(":", ".") + "-" + hashlib.sha256(
        "{}:{}".format(partner, moment).encode("ascii")).hexdigest()[:16]


def age_of(partner: str, key: str, now):
    """How old a key is, or None when it was never handed out to this partner."""
    moment = key[:19].replace("T", " ").replace(".", ":")
    if not _MOMENT.fullmatch(moment) or key != key_at(partner, moment):
        return None
    return now - parse_time(moment)
