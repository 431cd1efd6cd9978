"""The fallback's report: one HTML file with everything in it. No script, nothing to load, no buyer's data.

Plain Python and not a template engine: a cron machine needs no more than the core for it.
"""
import pkgutil
from datetime import datetime, timezone
from html import escape
from typing import Any, Iterable, List, Sequence, Tuple

from .._version import __version__
from ..trade_state import CLOSED, NEEDS_A_PERSON, PAID, REFUNDED
from .deciding import EXPIRED, GAVE_UP, OPEN
from .standing import Standing, for_people, several

#: Outcome → (the colour's name in the style sheet, what it means).
_OUTCOMES = {
    PAID: ("good", "paid, proved by a notification or a signed answer"),
    REFUNDED: ("part", "paid, and given back in full"),
    OPEN: ("first", "not settled yet: asked about at growing intervals"),
    CLOSED: ("shut", "closed by Alipay, never paid"),
    EXPIRED: ("none", "the buyer never came, and can pay no more"),
    NEEDS_A_PERSON: ("bad", "amount, currency or account differ: a person must look"),
    GAVE_UP: ("late", "no usable answer until the end: a person must look"),
}


def render(found: Standing) -> str:
    """The page, as HTML."""
    counts, outcomes = found.counts, found.counts["outcomes"]
    style = (pkgutil.get_data("alipay_mapi", "data/report.css") or b"").decode("ascii")
    parts = [
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n<title>Query fallback: {} open, {} for a person</title>\n"
        "<style>\n{}</style>\n</head>\n<body>\n<main>\n".format(outcomes.get(OPEN, 0), found.for_a_person, style),
        "<header><h1>Query fallback</h1><p class=\"soft\">{} watched; as of {} UTC.</p></header>\n".format(
            several(counts["watched"], "order"),
            datetime.fromtimestamp(found.at, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")),
        _verdict(found),
        _tiles((("open", outcomes.get(OPEN, 0)), ("due now", counts["due"]),
                ("late, the oldest", for_people(counts["oldest_due"]) if counts["due"] else "–"),
                ("effects to hand over", counts["effects"]), ("effects that failed", counts["failures"]),
                ("for a person", found.for_a_person))),
        _outcomes(outcomes, counts["watched"]),
        _section("For a person", _table(
            ("order", "why"), [(_name(one.shop, one.out_trade_no), one.why) for one in found.persons]),
            "What was said about these orders does not agree with what the shop knows, or nothing was said. Look at "
            "the order in Alipay's console, then settle it by hand. <code>alipay-mapi fallback retry</code> asks again "
            "about what was given up." + ("" if len(found.persons) == found.for_a_person else
                                          " These are the last {}.".format(len(found.persons)))),
        _section("Refunds that are not done", _table(
            ("order", "refund", "amount", "status", "error"),
            [(_name(one.shop, one.out_trade_no), one.out_return_no, one.amount, one.status, one.error)
             for one in found.refunds], (2,)),
            "Under way, refused or given up. One that is under way is seen through by the next runs."),
        _section("Effects that the shop's handler refused", _table(
            ("order", "effect", "attempts", "error"),
            [(_name(one.shop, one.out_trade_no), one.kind, one.attempts, one.error) for one in counts["failing"]],
            (2,)), "Each is handed over again, later and later, until the handler returns; the other orders go on."),
        _section("Last errors", _table(
            ("order", "error"), [(_name(shop, number), error) for shop, number, error in counts["errors"]]),
            "Of orders whose last question had no usable answer; they are asked about again."),
        _section("How long open orders have been open", _bars(
            [("up to " + label if label != "longer" else label, count, "first") for label, count in found.ages],
            ("watched for", "orders"))),
        _section("Open longest", _table(
            ("order", "watched for", "questions", "asked last", "last error"),
            [(_name(row.shop, row.out_trade_no), for_people(found.at - row.watched_at), row.attempts,
              for_people(found.at - row.asked_at) + " ago" if row.attempts else "not yet", row.last_error)
             for row in found.oldest], (1, 2, 3))),
        "<footer>alipay-mapi {}; made by <code>alipay-mapi fallback report</code></footer>\n"
        "</main>\n</body>\n</html>\n".format(escape(__version__)),
    ]
    return "".join(parts)


def _verdict(found):
    failures, told = found.counts["failures"], []
    if found.for_a_person:
        told.append("{} need{} a person".format(several(found.for_a_person, "order"), "s" * (found.for_a_person == 1)))
    if failures:
        told.append("{} failed in the shop's handler".format(several(failures, "effect")))
    if found.late:
        due = found.counts["due"]
        told.append("{} {} due, the oldest since {}: is cron running?".format(
            several(due, "order"), "is" if due == 1 else "are", for_people(found.counts["oldest_due"])))
    if found.for_a_person or failures:
        kind, head = " bad", "A person should look"
    elif found.late:
        kind, head = " warn", "Nobody asks"
    else:
        kind, head = "", "Nothing needs a person"
        count = found.counts["outcomes"].get(OPEN, 0)
        told.append("{} {} open, and every other one is settled".format(
            several(count, "order"), "is" if count == 1 else "are"))
    text = ". ".join(told)
    return "<section class=\"verdict{}\"><h2>{}</h2><p>{}</p></section>\n".format(
        kind, head, text + "." * (not text.endswith("?")))


def _tiles(pairs: Iterable[Tuple[str, Any]]) -> str:
    return "<ul class=\"tiles\">{}</ul>\n".format("".join(
        "<li><b>{}</b><span>{}</span></li>".format(escape(str(value)), escape(name)) for name, value in pairs))


def _outcomes(outcomes, watched):
    known = [name for name in _OUTCOMES if outcomes.get(name)]
    rows = [(name, outcomes[name]) + _OUTCOMES[name] for name in known]
    rows += [(name, count, "none", "") for name, count in sorted(outcomes.items()) if name not in _OUTCOMES]
    stacked = "".join("<i class=\"{}\" style=\"width:{:.2f}%\"></i>".format(tone, 100.0 * count / max(watched, 1))
                      for _, count, tone, _ in rows)
    table = "".join("<tr><th scope=\"row\"><span class=\"swatch {}\"></span>{}</th><td class=\"n\">{}</td><td>{}</td>"
                    "</tr>".format(tone, escape(name.replace("_", " ")), count, escape(about))
                    for name, count, tone, about in rows)
    return _section("What became of them", "" if not rows else
                    "<div class=\"bar\" aria-hidden=\"true\">{}</div><div class=\"scroll\" tabindex=\"0\"><table>"
                    "<thead><tr><th scope=\"col\">outcome</th><th scope=\"col\" "
                    "class=\"n\">orders</th><th scope=\"col\">"
                    "that is</th></tr></thead><tbody>{}</tbody></table></div>".format(stacked, table))


def _bars(rows: List[Tuple[str, int, str]], head: Sequence[str]) -> str:
    most = max([count for _, count, _ in rows] + [1])
    if not any(count for _, count, _ in rows):
        return ""
    return "<table><thead><tr><th scope=\"col\">{}</th><th scope=\"col\" class=\"n\">{}</th><th class=\"bars\"></th>" \
           "</tr></thead><tbody>{}</tbody></table>".format(escape(head[0]), escape(head[1]), "".join(
               "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td><div class=\"bar\" aria-hidden=\"true\">"
               "<i class=\"{}\" style=\"width:{:.2f}%\"></i></div></td></tr>".format(
                   escape(label), count, tone, 100.0 * count / most) for label, count, tone in rows))


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]], numbers: Sequence[int] = ()) -> str:
    """``numbers``: places of the columns that are aligned to the right. "" for no rows."""
    cells = ["".join("<td{}>{}</td>".format(" class=\"n\"" if place in numbers else "", escape(str(value)))
                     for place, value in enumerate(row)) for row in rows]
    if not cells:
        return ""
    return "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>" \
           "</div>".format(
        "".join("<th scope=\"col\"{}>{}</th>".format(" class=\"n\"" if place in numbers else "", escape(name))
                for place, name in enumerate(head)), "".join("<tr>{}</tr>".format(row) for row in cells))


def _section(title: str, body: str, about: str = "") -> str:
    """``about``: HTML of ours. Without a body there is nothing to tell, and that is told."""
    text = "<p class=\"soft\">{}</p>".format(about) if about and body else ""
    return "<section><h2>{}</h2>{}{}</section>\n".format(escape(title), text, body or "<p class=\"soft\">None.</p>")


def _name(shop, out_trade_no):
    return "{} · {}".format(out_trade_no, shop)
