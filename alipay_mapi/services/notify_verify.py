"""``notify_verify``: did Alipay send the notification with this id? Answered by the bare word true, false or invalid.

It says nothing about the other fields of the notification, and the id is known for about a minute only.
"""
from typing import Dict

from .rules import build, builder
from .table import REQUIRED, Extra, Service

SERVICE = Service(name="notify_verify", answer="text", source="notify_verify", required=("notify_id",))


@builder(SERVICE)
def notify_verify(*, notify_id: str = REQUIRED, extra: Extra = None) -> Dict[str, str]:
    """The params of the question: ``notify_id`` exactly as it was received (decoded once; it may keep ``%2F``).

    Raises :class:`InvalidRequest`: an id with ``&`` or ``?`` could carry another partner. Source: notify_verify.

    >>> notify_verify(notify_id="RqPnCoPT3K9%2Fvwbh3I7")
    {'notify_id': 'RqPnCoPT3K9%2Fvwbh3I7'}
    """
    return build(SERVICE, locals())
