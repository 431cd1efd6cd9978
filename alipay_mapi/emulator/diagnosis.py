"""Why a sign does not fit: the usual mistakes are made on purpose, one or a few at a time, until the sign fits.

The gateway's side can do that without any secret of the shop: it checks with the key that it checks every request
with. Pure: bytes in, a :class:`Finding` out, which never holds a key. Alipay tells none of this; its answer is
ILLEGAL_SIGN. The mistakes are those that people report: "What users of peer libraries got wrong or asked for".
"""
import base64
import hashlib
import hmac
import itertools
import re
from typing import Any, Dict, Iterator, Mapping, NamedTuple, Optional, Sequence, Tuple
from urllib.parse import unquote_to_bytes

from .. import algorithms
from ..errors import MalformedSignature
from ..keys import MD5Key
from . import mistakes
from .mistakes import Pair, in_order, joined, usual

#: What stands for the MD5 key in a text that is shown.
KEY = "<the MD5 key>"


class Finding(NamedTuple):
    """``name``: of the mistake, or "unknown"; several are joined with " + ". ``sentence``: what was done and what to do
    instead. ``presign``: the text that the sign fits (as bytes, in the charset that was signed; the key is never in
    it); for "unknown" and for a mistake that lies in the sign alone, the text that it should fit."""

    name: str
    sentence: str
    presign: bytes


#: Keys to try: name of the merchant → (sign_type, keys to check with).
Others = Mapping[str, Tuple[str, Sequence[Any]]]


def diagnose(pairs: Sequence[Pair], sign_type: str, keys: Sequence[Any], expected: bytes,
             others: Optional[Others] = None) -> Finding:
    """What was done to get this sign.

    ``pairs``: (name, value) as received, percent-decoded once, in the order received, ``sign`` included. ``sign_type``
    and ``keys``: how the gateway checks this merchant. ``expected``: the pre-sign bytes of the gateway. ``others``: the
    other merchants' keys.
    """
    sign = dict(pairs).get(b"sign", b"").decode("latin-1")
    if not sign:
        return Finding("no-sign", "There is no sign at all. Sign the request and send sign and sign_type with it.",
                       expected)
    checks = _Checks(sign, sign_type, keys)
    raw = joined(in_order(usual(pairs)))
    if raw != expected and checks.fits(raw):
        return Finding("charset-in-body", "_input_charset stands in the body alone, so the gateway decoded the body as "
                       "GBK. Put _input_charset into the URL as well.", raw)
    for found in itertools.chain(_sign_alone(checks, raw), _keyed(checks, raw), _text(pairs, checks, raw),
                                 _other_keys(sign, raw, others or {}), _combined(pairs, checks)):
        return found
    return Finding("unknown", "None of the usual mistakes: a wrong key (is it this merchant's?), a value that changed "
                   "after signing, or a text that is put together in another way. This is the text to sign:", expected)


# --- does a text fit? ---------------------------------------------------------------------------------------------

class _Checks:
    """One sign, and the merchant's keys."""

    def __init__(self, sign, sign_type, keys):
        self.sign, self.sign_type, self.keys = sign, sign_type, keys
        self.raw = _read(sign_type, sign)

    def fits(self, data: bytes, sign_type: str = "") -> bool:
        return self.raw is not None and algorithms.verify(sign_type or self.sign_type, self.keys, data, self.raw)

    def read_as(self, sign: str) -> Optional["_Checks"]:
        """The same with the sign in another spelling; None when that is none."""
        other = _Checks(sign, self.sign_type, self.keys)
        return other if other.raw not in (None, self.raw) else None


def _read(sign_type, sign):
    try:
        return algorithms.read_sign(sign_type, sign)
    except MalformedSignature:
        return None


# --- the sign itself ----------------------------------------------------------------------------------------------

def _sign_alone(checks: _Checks, raw: bytes) -> Iterator[Finding]:
    for name, sentence, other in _spellings(checks):
        if other.fits(raw):
            yield Finding(name, sentence, raw)


def _spellings(checks) -> Iterator[Tuple[str, str, _Checks]]:
    sign = checks.sign
    for name, sentence, text in (
            ("upper-case-hex", "The sign is right but for its capitals: send the hex digits in lower case.",
             sign.lower() if checks.sign_type == "MD5" else sign),
            ("blanks-around-sign", "There is a blank or a line break in the sign: strip it, and encode base64 without "
             "line breaks.", re.sub("[\r\n\t]", "", sign).strip()),
            ("sign-encoded-twice", "The sign was percent-encoded twice. Let one place alone encode the query.",
             unquote_to_bytes(sign).decode("latin-1")),
            ("no-padding", "The = at the end of the sign is missing; percent-encode it as %3D.", _padded(sign)),
            ("url-safe-base64", "The sign is in the URL-safe alphabet of base64 (- and _): use the usual one, and "
             "percent-encode it.", _padded(sign.replace("-", "+").replace("_", "/"))),
            ("md5-in-base64", "The MD5 sum is in base64; send its 32 lower-case hex digits.", _hex_of(sign))):
        other = checks.read_as(text)
        if other is not None:
            yield name, sentence, other


def _padded(sign):
    return sign.rstrip("=") + "=" * (-len(sign.rstrip("=")) % 4)


def _hex_of(sign):
    try:
        return base64.b64decode(sign.encode("latin-1")).hex()
    except ValueError:
        return ""


# --- the text that was signed: one mistake ------------------------------------------------------------------------

def _text(pairs: Sequence[Pair], checks: _Checks, raw: bytes) -> Iterator[Finding]:
    for name, sentence, data in _texts(pairs):
        if data != raw and checks.fits(data):
            yield Finding(name, sentence, data)


def _texts(pairs: Sequence[Pair]) -> Iterator[Tuple[str, str, bytes]]:
    signed = usual(pairs)
    for selects, orders, values in _ways(1):
        name, sentence = (selects + orders + values)[0][:2]
        changed = [one for one, value in signed if values and values[0][2](value) != value]
        if len(changed) == 1:
            name += ":" + changed[0].decode("ascii", "replace")
        yield name, sentence, _made(pairs, selects, orders, values)
    base = dict(signed)
    for quoted in (in_order(signed), signed):
        yield ("quoted", 'The values were signed between quotation marks: that is the order string of the app, not of '
               'the gateway.', b"&".join(name + b'="' + value + b'"' for name, value in quoted))
    sent = dict(pairs).get(b"sign_type")
    if sent:
        yield mistakes.SELECT[0][:2] + (joined(in_order(signed)) + b"&sign_type=" + sent,)
    yield ("line-break-at-end", "The text was signed with a line break at its end: strip it.",
           joined(in_order(signed)) + b"\n")
    for name, value in signed:
        shown = name.decode("ascii", "replace")
        yield ("left-out:" + shown, "{} was not signed: it was added after signing, or by somebody on the way. Sign "
               "everything that is sent, and send nothing else.".format(shown),
               joined(in_order([pair for pair in signed if pair[0] != name])))
        for way, sentence, change in mistakes.OF_ONE_VALUE:
            for other in change(value):
                if other != value:
                    yield (way + ":" + shown, sentence.format(shown), joined(in_order(base, name, other)))
    for name, values in mistakes.ADDED:
        shown = name.decode("ascii")
        for value in values:
            if base.get(name) != value:
                yield (("changed:" if name in base else "added:") + shown,
                       "{}={} was signed, but {}. Sign exactly what is sent.".format(
                           shown, value.decode("ascii"), "another value was sent" if name in base else "not sent"),
                       joined(in_order(base, name, value)))


# --- the key ------------------------------------------------------------------------------------------------------

def _keyed(checks: _Checks, raw: bytes) -> Iterator[Finding]:
    if checks.sign_type != "MD5":
        for other, name in (("RSA", "SHA-1"), ("RSA2", "SHA-256")):
            if checks.sign_type in ("RSA", "RSA2") and other != checks.sign_type and checks.fits(raw, other):
                yield Finding("wrong-hash", "This is a sign with {}, as of sign_type {}; {} signs with {}.".format(
                    name, other, checks.sign_type, "SHA-1" if checks.sign_type == "RSA" else "SHA-256"), raw)
        return
    for key in checks.keys:
        for name, sentence, digest, shown in _md5_ways(raw, key.secret):
            if hmac.compare_digest(digest, checks.sign.lower().encode("latin-1")):
                yield Finding(name, sentence, shown)


def _md5_ways(raw, key):
    mark = KEY.encode("ascii")
    for name, sentence, way in mistakes.WITH_KEY:
        yield name, sentence, _hash("md5", _filled(way, raw, key)), _filled(way, raw, mark)
    for hash_name in ("sha1", "sha256"):
        yield ("wrong-hash", "The sign is a {} sum; sign_type MD5 wants MD5, 32 hex digits.".format(hash_name.upper()),
               _hash(hash_name, raw + key), raw)
    for hash_name in ("md5", "sha1", "sha256"):
        yield ("hmac", "The sign is an HMAC. MD5 here is the plain sum of the text with the key behind it.",
               _hmac(hash_name, key, raw), raw)


def _filled(way, text, key):
    # a NUL is in no message; so the words KEY and TEXT may be
    return way.replace(b"KEY", b"\0").replace(b"TEXT", text).replace(b"\0", key)


def _hash(name, data):
    if name == "md5":       # a host in FIPS mode has it for the protocol alone
        return algorithms.sign("MD5", MD5Key(b""), data).encode("ascii")
    return hashlib.new(name, data).hexdigest().encode("ascii")


def _hmac(name, key, data):
    try:
        return hmac.new(key, data, name).hexdigest().encode("ascii")
    except ValueError:      # a host in FIPS mode has no MD5
        return b""


def _other_keys(sign, raw, others: Others) -> Iterator[Finding]:
    for name, (sign_type, keys) in others.items():
        if _Checks(sign, sign_type, keys).fits(raw):
            yield Finding("other-merchant", "The sign was made with the key of the merchant {} ({}). Each partner "
                          "signs with its own.".format(name, sign_type), raw)


# --- several mistakes at once -------------------------------------------------------------------------------------

def _ways(count: int) -> Iterator[Any]:
    """Combinations of ``count`` mistakes: at most one of each kind."""
    tables: Tuple[Sequence[Any], ...] = (mistakes.SELECT, mistakes.ORDER, mistakes.VALUES)
    for used in itertools.product((False, True), repeat=3):
        if sum(used) == count:
            rows: Any = [[[row] for row in table] if wanted else [[]] for wanted, table in zip(used, tables)]
            for chosen in itertools.product(*rows):
                yield chosen


def _made(pairs, selects, orders, values) -> bytes:
    chosen = selects[0][2](pairs) if selects else usual(pairs)
    if values:
        chosen = [(name, values[0][2](value)) for name, value in chosen]
    return joined(orders[0][2](chosen) if orders else sorted(chosen))


def _combined(pairs: Sequence[Pair], checks: _Checks) -> Iterator[Finding]:
    seen: Dict[bytes, bool] = {}
    for count in (1, 2, 3):
        for chosen in _ways(count):
            data = _made(pairs, *chosen)
            if data in seen:
                continue
            seen[data] = True
            rows = [row for kind in chosen for row in kind]
            if count > 1 and checks.fits(data):
                yield _several([row[:2] for row in rows], data)
            for name, sentence, other in _spellings(checks):
                if other.fits(data):
                    yield _several([row[:2] for row in rows] + [(name, sentence)], data)
            for found in _keyed(checks, data):
                yield _several([row[:2] for row in rows] + [(found.name, found.sentence)], found.presign)


def _several(rows, data) -> Finding:
    return Finding(" + ".join(name for name, _ in rows), " ".join(sentence for _, sentence in rows), data)
