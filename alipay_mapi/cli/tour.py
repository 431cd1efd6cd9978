"""``tour``: the library at work on real input. The steps are in ``alipay_mapi.tour``; this prints them."""
from typing import Any

from .. import tour as guide
from . import exits, masking
from .output import Output

_NEXT = (
    ("alipay-mapi doctor --config shop.ini", "is my own set-up sound?"),
    ("alipay-mapi verify notify FILE --config shop.ini", "check a notification that you received"),
    ("alipay-mapi --help", "every command"),
)


def add(commands: Any, parents: list) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("tour", parents=parents[:1], help="see it work: no account, no network, no money",
                                 examples=("alipay-mapi tour", "alipay-mapi tour --json"))
    parser.set_defaults(run=run, parser=parser)


def run(args: Any, out: Output) -> int:
    steps = guide.tour()
    out.heading("alipay-mapi tour: real messages of Alipay, checked on this machine. No account, no network, no money.")
    part, number = None, 0
    for step in steps:
        if step.part != part:
            part, number = step.part, number + 1
            out.line()
            out.heading("{}  {}".format(number, part))
        _print(step, out)
    right = sum(1 for step in steps if guide.succeeded(step))
    accepted = sum(1 for step in steps if step.expected in guide.ACCEPTED)
    out.line()
    if right == len(steps):
        out.good("done", "{} steps: {} accepted and {} refused, each as it must be.".format(
            len(steps), accepted, len(steps) - accepted))
    else:
        out.bad("FAILED", "{} of {} steps did not end as they must; do not use this installation.".format(
            len(steps) - right, len(steps)))
    out.line()
    out.line("next")
    out.table(None, _NEXT, "   ")
    out.data(ok=right == len(steps), steps=[_as_data(step) for step in steps])
    return exits.DONE if right == len(steps) else exits.INTERNAL


def _print(step, out):
    out.line()
    out.paragraph(step.what, "   ")
    if not guide.succeeded(step):
        out.bad("WRONG", "{} came out, and {} must: {}".format(step.outcome, step.expected, step.message), "   ")
    elif step.expected in guide.ACCEPTED:
        out.good(step.outcome, step.message, "   ")
    else:
        out.note("refused", "{}: {}".format(step.outcome, step.message), "   ")
    if step.text:
        out.line("   " + step.text)
    if step.facts:
        out.line()
        out.facts(((name, masking.shown(name, value)) for name, value in step.facts.items()), "   ")


def _as_data(step):
    return {"part": step.part, "what": step.what, "expected": step.expected, "outcome": step.outcome,
            "ok": guide.succeeded(step), "message": step.message,
            "fields": {name: masking.shown(name, value) for name, value in step.facts.items()},
            "text": step.text or None}
