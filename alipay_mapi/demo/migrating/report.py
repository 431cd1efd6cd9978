"""The report of a move to AMS: one HTML file, in the look of the other report; no script, nothing to load."""
from typing import Any, Dict, List

from ...emulator.ams.fault_names import AMS_ANSWER_FAULTS
from ...emulator.faults import ANSWER_FAULTS, NOTIFICATION_FAULTS
from .numbers import OUTCOMES

#: For people.
SIDES = {"mapi": "MAPI", "ams": "AMS", "": ""}
_TONES = {"mapi": "shut", "ams": "first"}
_ABOUT = dict(AMS_ANSWER_FAULTS, **ANSWER_FAULTS)
_ABOUT.update(NOTIFICATION_FAULTS)
_ATTACKS = {
    "MAPI: invented payment": "a form with a sign that somebody made up",
    "AMS: invented payment": "JSON with a signature that somebody made up",
    "AMS: without a signature": "JSON that says it is AMS's, without the header Signature",
    "AMS: replayed": "a genuine notification, once more", "MAPI: replayed": "a genuine notification, once more",
    "AMS: of another order": "a genuine one, with another order's number written into it",
    "AMS: of another client": "a genuine one, under another client id",
    "AMS: its public key as an MD5 key": "a form of MAPI, signed with AMS's public key as if it were an MD5 key",
    "MAPI: genuine, as JSON": "a genuine form of MAPI, sent with AMS's content type",
}


def render(numbers: Dict[str, Any], orders: List[Dict[str, str]], asked: int, seed: int, seconds: float,
           version: str) -> str:
    """The page. ``numbers``: of ``numbers.numbers``, with ``plan``; ``orders``: of ``numbers.order_list``; ``asked``:
    how many orders the command was told."""
    from ..report import page
    return page("migration.html", numbers=numbers, orders=orders, asked=asked, seed=seed,
                seconds="{:.1f}".format(seconds), version=version, sides=SIDES, acts=_bars(numbers["acts"]),
                about=_ABOUT, attacks=_ATTACKS, outcomes=OUTCOMES,
                on={side: sum(one[side] for one in numbers["acts"]) for side in ("mapi", "ams")},
                fault_count=sum(one["count"] for one in numbers["faults"]),
                attack_count=sum(one["count"] for one in numbers["attacks"]),
                told=sum(one["told"] for one in numbers["strays"]))


def _bars(acts):
    """Each act's orders as parts of one bar, 0 to 600 wide, by gateway."""
    most, rows = max([one["orders"] for one in acts] + [1]), []
    for at, one in enumerate(acts):
        left, parts = 0.0, []
        for gateway in ("mapi", "ams"):
            width = 600.0 * one[gateway] / most
            parts.append({"tone": _TONES[gateway], "x": "{:.2f}".format(left), "width": "{:.2f}".format(width),
                          "middle": "{:.2f}".format(left + width / 2), "count": one[gateway], "labelled": width >= 24})
            left += width
        rows.append(dict(one, parts=parts, y=at * 40, text_y=at * 40 + 21))
    return rows
