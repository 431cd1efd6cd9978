"""The demo's report: one HTML file with everything in it. No script, no picture from elsewhere, nothing to load.

Charts are inline SVG and bars of CSS; beside or inside each stand the same numbers as text.
"""
import pkgutil
from typing import Any, Dict, List

from jinja2 import Environment

from ..emulator.broken import WAYS
from ..emulator.faults import ANSWER_FAULTS, NOTIFICATION_FAULTS

#: Of the stacked bar of outcomes: the colours' names in the template, in the order of ``numbers.OUTCOMES``.
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
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        (pkgutil.get_data("alipay_mapi", "demo/templates/report.html") or b"").decode("utf-8"))
    refused = [one for one in numbers["refusals"] if one["not_believed"]]
    learned = [dict(one, total=one["by_notification"] + one["by_query"]) for one in numbers["learned"]]
    return template.render(
        numbers=numbers, orders=orders, seed=seed, seconds="{:.1f}".format(seconds), version=version,
        outcomes=_stacked(numbers["outcomes"], numbers["orders"]), learned=_columns(learned),
        paid=sum(one["total"] for one in learned), by_query=sum(one["by_query"] for one in learned),
        amounts=_shares(numbers["amounts"]), refused=refused, refused_count=sum(one["count"] for one in refused),
        refused_most=max([one["count"] for one in refused], default=1),
        noes=[one for one in numbers["refusals"] if not one["not_believed"]],
        fault_groups=[("notification", [one for one in numbers["faults"] if one["message"] == "notification"]),
                      ("answer", [one for one in numbers["faults"] if one["message"] == "answer"])],
        fault_count=sum(one["count"] for one in numbers["faults"]),
        attack_count=sum(one["count"] for one in numbers["attacks"]), about=_ABOUT, words=_WORDS,
        broken=sorted(WAYS))


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
