"""A request as a person is shown it: its parameters, the text that was to be signed, the verdict, and what differs.

What is wrong with a sign is found in ``diagnosis``; how it is drawn, in ``pages``. A sign is shortened, no key shown.
"""
import re
from difflib import SequenceMatcher
from typing import List, NamedTuple, Optional, Tuple

from .. import form_body
from ..errors import InvalidMessage
from . import diagnosis, messages_out
from .emulator import Emulator
from .incoming import Incoming
from .reply import Outcome


class Checked(NamedTuple):
    """A request as a person is shown it. ``verdict``: VALID, INVALID, UNSIGNED or NOT CHECKED. ``differs``: what the
    shop signed beside what the gateway expected, in pieces of (kind, text); kind "same", "shop" or "gateway"."""

    service: str
    verdict: str
    params: List[Tuple[str, str, str]]
    presign: str
    finding: Optional[diagnosis.Finding] = None
    differs: Tuple[Tuple[str, str], ...] = ()


def check(emulator: Emulator, outcome: Outcome, incoming: Optional[Incoming] = None) -> Checked:
    """What a person wants to know of a request: the parameters, the text that was to be signed, and the verdict."""
    verdict = {True: "VALID", False: "INVALID", None: "NOT CHECKED"}[outcome.sign_fits]
    if outcome.sign_fits is None and outcome.error is None:
        verdict = "UNSIGNED"
    codec = codec_of(outcome.params)
    finding: Optional[diagnosis.Finding] = None
    differs: Tuple[Tuple[str, str], ...] = ()
    merchant = emulator.merchants.get(outcome.partner) if verdict == "INVALID" else None
    if merchant is not None:
        finding = diagnosis.diagnose(_pairs(outcome, incoming), merchant.sign_type, merchant.signer.checking_keys,
                                     outcome.presign, _others(emulator, merchant))
        differs = _differences(finding.presign.decode(codec, "backslashreplace"),
                               outcome.presign.decode(codec, "backslashreplace"))
    return Checked(outcome.service, verdict, shown(outcome.params),
                   outcome.presign.decode(codec, "backslashreplace"), finding, differs)


def shown(params) -> List[Tuple[str, str, str]]:
    """(name, value, remark) of each parameter, in the order received."""
    rows = []
    for name, value in params.items():
        remark = "not signed" if name in ("sign", "sign_type") else "empty: not signed" if not value else \
            "begins or ends with a blank" if value != value.strip() else ""
        rows.append((name, short(value) if name == "sign" else value, remark))
    return rows


def short(sign: str) -> str:
    """A sign by its first characters."""
    return "{}… ({} characters)".format(sign[:8], len(sign)) if len(sign) > 8 else sign


def codec_of(params) -> str:
    """The codec that a request's text was sent in."""
    return messages_out.codec_of(params.get("_input_charset"))


def _pairs(outcome, incoming) -> List[diagnosis.Pair]:
    """As received when that is still known, else from the text that it was decoded to."""
    if incoming is not None:
        try:
            found = form_body.parse(incoming.query) if incoming.query else {}
            found.update(form_body.parse(incoming.body) if incoming.body else {})
            return list(found.items())
        except InvalidMessage:
            pass
    codec = codec_of(outcome.params)
    return [(name.encode(codec, "replace"), value.encode(codec, "replace")) for name, value in outcome.params.items()]


def _others(emulator, merchant):
    """The other merchants that have keys already: none are made for this."""
    found = {}
    for partner, name, sign_type in emulator.merchants.partners():
        if partner != merchant.partner and emulator.ledger.one("merchants", partner=partner):
            found[name] = (sign_type, emulator.merchants.get(partner).signer.checking_keys)
    return found


def _differences(shop: str, gateway: str) -> Tuple[Tuple[str, str], ...]:
    """The two texts, parameter by parameter."""
    left, right = _parts(shop), _parts(gateway)
    pieces: List[Tuple[str, str]] = []
    if left == right:
        return ()
    for kind, i, j, k, m in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(("same", "".join(left[i:j])))
            continue
        if j > i:
            pieces.append(("shop", "".join(left[i:j])))
        if m > k:
            pieces.append(("gateway", "".join(right[k:m])))
    return tuple(pieces)


def _parts(text):
    return re.findall("&?[^&]*", text)[:-1]
