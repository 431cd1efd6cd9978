"""What Alipay sent, kept as it came: all that was accepted, and of what was refused a fixed number."""
import hashlib
import time

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from ... import form_body
from ...errors import InvalidMessage, show
from ..web.answers import SIGNED, Answer
from ..web.from_ams import claimed
from .store.statements import execute

#: So many refused messages are kept, the latest, and as many whose sign held; each message so long at most. A flood of
#: junk fills no table.
SLOTS, LONGEST = 200, 16 * 1024
_COLUMNS = ("received_at", "shop", "verdict", "out_trade_no", "notify_id", "trade_no", "digest", "body")
_INSERT = "INSERT INTO alipay_mapi_evidence ({}) VALUES ({})".format(", ".join(_COLUMNS), ", ".join(["%s"] * 8))
_NUMBERS = (b"out_trade_no", b"notify_id", b"trade_no")


def keep(shop: str, body: bytes, answer: Answer, first: bool = False) -> None:
    """One row, unless the same was accepted before. ``first``: it cannot have been. Raises what the database does."""
    from .store.models import Evidence
    note = answer.notification
    digest = hashlib.sha256(body if note is None else _signed(note)).hexdigest()
    claims = _claims(body) if note is None else note
    said = {name: show(claims.get(name) or "", 64)[:64] for name in ("out_trade_no", "notify_id", "trade_no")}
    values = dict(said, received_at=time.time(), shop=shop, verdict=answer.verdict[:60], digest=digest,
                  body=body[:LONGEST])
    db = connections[DEFAULT_DB_ALIAS]
    if first and db.vendor == "sqlite" and db.in_atomic_block:
        _insert(db, values)     # a statement that fails changes nothing there, and leaves the transaction as it is
        return
    with transaction.atomic():
        if first:
            _insert(db, values)
            return
        if db.vendor == "sqlite":
            # A transaction that reads first and finds others writing fails at once; one that begins with a write waits.
            Evidence.objects.filter(id=0).update(verdict="")
        if note is None:
            signed = isinstance(answer.error, SIGNED)
            Evidence.objects.update_or_create(slot=_next_slot(Evidence, signed), defaults=values)
        elif not Evidence.objects.filter(shop=shop, out_trade_no=said["out_trade_no"], digest=digest,
                                         slot=None).exists():
            Evidence.objects.create(**values)


def _insert(db, values):
    """By hand, as this is in every payment's way: by the model it takes three times as long."""
    execute(db, _INSERT, [db.Database.Binary(values[name]) if name == "body" else values[name] for name in _COLUMNS])


def _claims(body):
    """The numbers that a refused message names: for a person who looks for them."""
    if body[:1] == b"{":
        return claimed(body)
    try:
        return {name.decode("ascii"): value.decode("ascii", "backslashreplace")
                for name, value in form_body.parse(body).items() if name in _NUMBERS}
    except InvalidMessage:
        return {}


def _signed(note):
    """What was signed, however it was spelled: one message in other spellings is no other message."""
    return "\0".join("{}\0{}".format(name, note[name]) for name in sorted(note)).encode("utf-8", "surrogatepass")


def _next_slot(model, signed):
    """The one after the latest of its kind: junk does not displace what Alipay has signed. Two at once may take the
    same: then one of them is not kept."""
    begin = SLOTS if signed else 0
    latest = model.objects.filter(slot__gte=begin, slot__lt=begin + SLOTS).order_by("-received_at", "-id").values_list(
        "slot", flat=True).first()
    return begin if latest is None else begin + (latest + 1 - begin) % SLOTS
