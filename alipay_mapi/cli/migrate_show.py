"""What ``migrate explain`` prints for people: a shape, field by field, and the whole in numbers."""
import json
from typing import Any, List

from ..errors import show
from ..migration.logged import CANNOT, MOVES, NOTED, NOTIFICATION, Explained, Field, Group, Tally
from ..migration.logged.explaining import name_of
from .output import Output

_WHAT = {"notification": "a notification of a {}", "return": "what came back from the cashier or the app"}
_INDENT = "   "


def group(number: int, found: Group, out: Output) -> None:
    """One shape, or one message, on every target."""
    message, count = found.message, found.count
    out.heading("{}  {}: {} in line {}".format(
        number, show(message.service) or _WHAT[message.kind].format(
            "refund" if "refund_status" in message.params else "payment"),
        "1 message," if count == 1 else "{} messages, the first".format(count), found.line))
    for said, times in sorted(found.verified.items()):
        (out.good if said == "verified" else out.bad)("verified" if said == "verified" else "refused", "{}{}".format(
            times, "" if said == "verified" else ": " + said), _INDENT)
    for one in found.explained:
        _target(message, one, out)
    out.line()


def _target(message, one: Explained, out: Output):
    name, calls = name_of(one.target), ", then ".join(one.calls)
    reasons = sum(len(field.refusals) for field in one.fields)
    if one.verdict == CANNOT:
        out.bad("cannot", "move to {} as it is: {}".format(name, _several(reasons, "reason")), _INDENT)
    elif one.verdict == NOTED:
        out.note("moves", "to {}: {}".format(name, calls + "; not all is the same there, see below" if calls else
                                             "nothing has to be asked there"), _INDENT)
    elif one.verdict == MOVES:
        out.good("moves", "to {}: {}".format(name, calls), _INDENT)
    else:
        out.note("on " + name, "in place of each field" if message.kind == NOTIFICATION else "nothing to read", _INDENT)
    out.table(None, [(field.name, _text(field, len(one.calls) > 1)) for field in one.fields], _INDENT * 2)
    for note in one.notes:
        out.note("note", _in_our_words(note), _INDENT)
    for at, request in enumerate(one.requests, 1):
        for part in ("content", "common"):
            if part in request:
                out.line("{}{}{}{}".format(_INDENT, "{}. ".format(at) if len(one.requests) > 1 else "", request["call"],
                                           ", beside it" if part == "common" else ""))
                for line in json.dumps(request[part], ensure_ascii=False, indent=2).split("\n"):
                    out.line(_INDENT * 2 + show(line, 4000))


def _text(field: Field, numbered: bool) -> str:
    value = "(absent)" if field.value is None else field.value or "(empty)"
    if field.refusals:      # where it would have gone helps nobody
        return _in_our_words("; ".join([value] + ["cannot: {}; {}".format(*why) for why in field.refusals]))
    places: List[Any] = []      # [places, value there]
    for step, path, there in field.to:
        place = "{}. {}".format(step + 1, path) if numbered and step is not None else path
        if places and places[-1][1] == there:
            places[-1][0].append(place)
        else:
            places.append([[place], there])
    parts = [", ".join(paths) + ("" if there is None else " = " + there) for paths, there in places]
    said = [", ".join(parts)] * bool(parts) + list(field.notes)
    return _in_our_words(" -> ".join([value] + ["; ".join(said)] * bool(said)))


def _in_our_words(text):
    from .migrate_explain import for_options
    return for_options(text)


def summary(found: Tally, out: Output) -> None:
    """The whole log in numbers."""
    if found.untold:
        out.paragraph("{} of other shapes are counted and not told.".format(_several(found.untold, "message")))
        out.line()
    out.heading("in all")
    damaged = sum(count for count, _ in found.damaged.values())
    out.facts([("lines", "{}, of which {} without a message of MAPI".format(found.lines, found.without))] + [
        (kind + "s", count) for kind, count in sorted(found.kinds.items())] + (
            [("damaged", damaged)] if damaged else []), _INDENT)
    if found.damaged:
        out.line()
        out.table(("damaged", "in line", "why"), [(count, "{}{}".format(line, " first" if count > 1 else ""), why)
                                                  for why, (count, line) in found.damaged.items()], _INDENT)
    if found.services:
        out.line()
        out.table(("service", "to", "moves", "with notes", "cannot"), [
            (service, name_of(target), verdicts.get(MOVES, 0), verdicts.get(NOTED, 0), verdicts.get(CANNOT, 0))
            for (service, target), verdicts in sorted(found.services.items())], _INDENT)
    if found.reasons:
        out.line()
        out.heading("why some cannot")
        rows = sorted(found.reasons.items(), key=lambda item: (-item[1], item[0]))
        both = len(found.targets) > 1
        out.table(("messages",) + (("to",) if both else ()) + ("parameter", "reason; what to do"), [
            (count,) + ((name_of(target),) if both else ()) + (parameter, _in_our_words("; ".join(filter(None, (
                reason, remedy))))) for (target, parameter, reason, remedy), count in rows], _INDENT)
    if found.stuck:
        out.line()
        out.bad("cannot", "{} of {} cannot move as {}".format(
            found.stuck, _several(found.kinds["call"], "call"), "it is" if found.stuck == 1 else "they are"))


def _several(count, what):
    return "{} {}{}".format(count, what, "" if count == 1 else "s")
