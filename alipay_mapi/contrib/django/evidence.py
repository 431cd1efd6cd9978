"""What Alipay sent, kept as it came: all that was accepted, and of what was refused a fixed number."""
import hashlib
import time

from django.db import connection, transaction

from ... import form_body
from ...errors import InvalidMessage, show
from ..web.answers import Answer

#: So many refused messages are kept, the latest; each so long at most. A flood of junk fills no table.
SLOTS, LONGEST = 200, 16 * 1024
_NUMBERS = (b"out_trade_no", b"notify_id", b"trade_no")


def keep(shop: str, body: bytes, answer: Answer) -> None:
    """One row, unless these very bytes were accepted before. Raises what the database does."""
    from .store.models import Evidence
    note, digest = answer.notification, hashlib.sha256(body).hexdigest()
    claims = _claims(body) if note is None else note
    said = {name: show(claims.get(name) or "", 64)[:64] for name in ("out_trade_no", "notify_id", "trade_no")}
    values = dict(said, received_at=time.time(), shop=shop, verdict=answer.verdict[:60], digest=digest,
                  body=body[:LONGEST] if note is None else body)
    with transaction.atomic():
        if connection.vendor == "sqlite":
            # A transaction that reads first and finds others writing fails at once; one that begins with a write waits.
            Evidence.objects.filter(id=0).update(verdict="")
        if note is None:
            Evidence.objects.update_or_create(slot=_next_slot(Evidence), defaults=values)
        elif not Evidence.objects.filter(shop=shop, out_trade_no=said["out_trade_no"], digest=digest,
                                         slot=None).exists():
            Evidence.objects.create(**values)


def _claims(body):
    """The numbers that a refused message names: for a person who looks for them."""
    try:
        return {name.decode("ascii"): value.decode("ascii", "backslashreplace")
                for name, value in form_body.parse(body).items() if name in _NUMBERS}
    except InvalidMessage:
        return {}


def _next_slot(model):
    """The one after the latest. Two at once may take the same: then one of them is not kept."""
    latest = model.objects.exclude(slot=None).order_by("-received_at", "-id").values_list("slot", flat=True).first()
    return 0 if latest is None else (latest + 1) % SLOTS
