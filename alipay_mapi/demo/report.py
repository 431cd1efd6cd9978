"""The demo's report: one HTML file with everything in it. No script, no picture from elsewhere, nothing to load.

Charts are inline SVG and bars of CSS; beside or inside each stand the same numbers as text.
"""
import pkgutil
from typing import Any, Dict, List

from jinja2 import Environment, FunctionLoader

from ..emulator.broken import WAYS
from ..emulator.faults import ANSWER_FAULTS, NOTIFICATION_FAULTS
from .play import BAD_FROM, BAD_TO, START
from .settling import ENDS

#: Of the columns of open orders: what stands on what, and its colour's name in the template.
_OPEN_TONES = (("paid_by_notification", "first"), ("paid_by_fallback", "second"), ("over", "none"))
#: How a run ended, for people.
_ENDED = {"done": "nothing was due any more", "gateway down": "no gateway to be reached", "killed": "killed"}
#: Of the stacked bar of outcomes: the same, in the order of ``numbers.OUTCOMES``.
_TONES = ("good", "part", "full", "shut", "late", "none")

#: What a fault or an attack is, for people.
_ABOUT = dict(ANSWER_FAULTS, **NOTIFICATION_FAULTS)
_ABOUT.update({
    "invented payment": "a notification of a payment, with a sign that somebody made up",
    "payment without a sign": "a notification of a payment, without a sign",
    "signed order posted back": "the shop's own signed order URL, posted as a notification",
    "return posted as a notification": "the signed return of a browser, posted as a notification",
    "public key as an MD5 key": "sign_type=MD5, signed with Alipay's public key as if it were an MD5 key",
    "parameter added": "a genuine notification with one parameter more",
    "replayed": "a genuine notification, once more",
    "return for another amount": "the browser's return with the amount changed",
    "not a form": "JSON",
    "two megabytes": "a body of two million bytes",
})
#: Error class → what it says, in a line.
_WORDS = {
    "SignatureInvalid": "the sign does not fit", "SignatureMissing": "there is no sign",
    "SignTypeMismatch": "it names another sign_type than the account has",
    "AmbiguousContent": "the signed text can be read in two ways",
    "UnexpectedParameter": "it holds a name that only another kind of message has",
    "DuplicateParameter": "a name stands twice", "BodyTooLarge": "more bytes than any message has",
    "UnsupportedContentType": "not a form", "NotifyNotGenuine": "the gateway does not confirm its notify_id",
    "ResponseSignatureInvalid": "the answer's sign does not fit",
    "ResponseSignatureMissing": "an answer that Alipay signs came unsigned",
    "CharsetError": "the bytes are no text", "OutcomeUnknown": "may have been carried out: query, then repeat",
    "TransportError": "no usable answer: ask again", "GatewayError": "the gateway said no",
    "MalformedSignature": "the sign is damaged",
}


def render(numbers: Dict[str, Any], orders: List[Dict[str, str]], seed: int, seconds: float, version: str) -> str:
    """The page. ``numbers``: of ``numbers.numbers``; ``orders``: of ``numbers.order_list``."""
    refused = [one for one in numbers["refusals"] if one["not_believed"]]
    fallback = numbers["fallback"]
    learned = [dict(one, total=one["by_notification"] + one["by_query"]) for one in numbers["learned"]]
    return page(
        "report.html", numbers=numbers, orders=orders, seed=seed, seconds="{:.1f}".format(seconds), version=version,
        outcomes=_stacked(numbers["outcomes"], numbers["orders"]), learned=_columns(learned),
        paid=sum(one["total"] for one in learned), by_query=sum(one["by_query"] for one in learned),
        amounts=_shares(numbers["amounts"]), refused=refused, refused_count=sum(one["count"] for one in refused),
        refused_most=max([one["count"] for one in refused], default=1),
        noes=[one for one in numbers["refusals"] if not one["not_believed"]],
        fault_groups=[("notification", [one for one in numbers["faults"] if one["message"] == "notification"]),
                      ("answer", [one for one in numbers["faults"] if one["message"] == "answer"])],
        fault_count=sum(one["count"] for one in numbers["faults"]),
        attack_count=sum(one["count"] for one in numbers["attacks"]), about=_ABOUT, words=_WORDS,
        broken=sorted(WAYS), ends=ENDS, ended=_ENDED, open_for=_open_columns(fallback["open_for"]),
        hours=_hours(fallback), lasted=lasted)


def page(template: str, **values: Any) -> str:
    """One of the templates, filled. Their look is in ``style.html``."""
    def text(name):
        return (pkgutil.get_data("alipay_mapi", "demo/templates/" + name) or b"").decode("utf-8")
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, loader=FunctionLoader(text)).get_template(
        template).render(**values)


def lasted(seconds: float) -> str:
    """For people.

    >>> lasted(44), lasted(439), lasted(5480)
    ('44 s', '7 min', '1 h 31 min')
    """
    minutes = int(seconds) // 60
    if not minutes:
        return "{} s".format(int(seconds))
    return "{} min".format(minutes) if minutes < 60 else "{} h {:02d} min".format(minutes // 60, minutes % 60)


def _open_columns(rows):
    """Columns of at most 150 high, standing on 180, 100 apart."""
    most = max([sum(one[name] for name, _ in _OPEN_TONES) for one in rows] + [1])
    found = []
    for at, one in enumerate(rows):
        parts, top = [], 180.0
        for name, tone in _OPEN_TONES:
            height = 150.0 * one[name] / most
            top -= height
            parts.append({"tone": tone, "y": _number(top), "height": _number(height)})
        found.append(dict(one, total=sum(one[name] for name, _ in _OPEN_TONES), parts=parts, x=25 + at * 100,
                          middle=60 + at * 100, label_y=_number(top - 8)))
    return found


def _hours(fallback):
    """Of each hour until nothing more is asked: the questions, those that settled an order, and where they stand."""
    sequence = fallback["sequence"]
    count = max([run["seconds"] // 3600 for run in sequence] + [0]) + 1
    rows: List[Dict[str, Any]] = [{"asked": 0, "settled": 0} for _ in range(count)]
    for run in sequence:
        rows[run["seconds"] // 3600]["asked"] += run["asked"]
        rows[run["seconds"] // 3600]["settled"] += run["settled"]
    most, wide = max(row["asked"] for row in rows) or 1, 600.0 / count
    for at, row in enumerate(rows):
        row.update(x=_number(20 + at * wide), width=_number(wide * 0.82), full=_number(wide),
                   height=_number(140.0 * row["asked"] / most), y=_number(170 - 140.0 * row["asked"] / most),
                   found=_number(140.0 * row["settled"] / most), found_y=_number(170 - 140.0 * row["settled"] / most),
                   bad=BAD_FROM <= at * 3600 < BAD_TO, label=_hour(at) if at % 12 == 4 else "")
    return rows


def _hour(at):
    return "{:02d}:00".format((START.hour + at) % 24)


def _stacked(outcomes, total):
    """Parts of one bar, 0 to 1000."""
    found, at = [], 0.0
    for one, tone in zip(outcomes, _TONES):
        width = 1000.0 * one["orders"] / total
        found.append(dict(one, tone=tone, x=_number(at), width=_number(width), middle=_number(at + width / 2),
                          share="{:.1f} %".format(100.0 * one["orders"] / total), labelled=width >= 45))
        at += width
    return found


def _columns(learned):
    """Columns of at most 150 high, standing on 180, 150 apart."""
    most = max([one["total"] for one in learned] + [1])
    found = []
    for at, one in enumerate(learned):
        first, second = [150.0 * one[name] / most for name in ("by_notification", "by_query")]
        found.append(dict(one, x=40 + at * 150, middle=85 + at * 150, first=_number(first), second=_number(second),
                          first_y=_number(180 - first), second_y=_number(180 - first - second),
                          label_y=_number(172 - first - second)))
    return found


def _shares(amounts):
    """Bars as shares of the largest, by their worth in CNY."""
    most = max([float(one["cny"]) for one in amounts] + [1.0])
    return [dict(one, kept=_number(100 * (float(one["cny"]) - float(one["refunded_cny"])) / most),
                 back=_number(100 * float(one["refunded_cny"]) / most),
                 paid=_grouped(one["paid"]), refunded=_grouped(one["refunded"]), cny=_grouped(one["cny"]))
            for one in amounts]


def _grouped(text):
    whole, point, rest = text.partition(".")
    return "{:,}".format(int(whole)) + point + rest


def _number(value):
    return "{:.2f}".format(value)
