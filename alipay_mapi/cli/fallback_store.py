"""``fallback status``, ``retry``, ``migrate`` and ``prune``: what needs the store alone, and no key."""
import re
from typing import Any

from ..errors import InvalidRequest, SchemaError, show
from ..fallback import refunding
from ..fallback.standing import several, standing
from . import exits, fallback_shops, options
from .fallback_settings import Told, seconds
from .output import Output

_DAY = 86400.0
_SHARE = 1000
#: So many orders are listed under each heading.
_LISTED = 20


def run_status(args: Any, out: Output) -> int:
    told = Told(args)
    with told.store() as store:
        found = standing(store)
    counts, shops = found.counts, found.shops
    out.data(store=told.name, shops=shops, **{name: _as_data(value) for name, value in counts.items()})
    out.data(late=found.late, for_a_person=found.for_a_person, needs_a_person=_as_data(found.persons),
             refunds=_as_data(found.refunds), refund_counts=found.refund_counts)
    outcomes = sorted({outcome for row in shops.values() for outcome in row})
    out.facts((
        ("store", told.name),
        ("orders", sum(counts["outcomes"].values())),
        ("due now", "{}{}{}".format(counts["due"], ", the oldest since {}".format(_age(counts["oldest_due"]))
                                    if counts["due"] else "", ": is cron running?" if found.late else "")),
        ("effects", "{} to carry out{}".format(counts["effects"], ", {} of them failed before".format(
            counts["failures"]) if counts["failures"] else "")),
        ("for a person", found.for_a_person),
    ))
    if shops:
        out.line()
        out.table(["shop"] + [outcome.replace("_", " ") for outcome in outcomes],
                  [[shop] + [row.get(outcome, 0) for outcome in outcomes] for shop, row in sorted(shops.items())])
    for heading, head, rows, count in (
            ("a person must look", ("shop", "order", "why"), found.persons, found.for_a_person),
            ("refunds that are not done", ("shop", "order", "refund", "amount", "status", "error"), found.refunds,
             sum(found.refund_counts.values()) - found.refund_counts.get(refunding.DONE, 0)),
            ("effects whose handler failed", ("shop", "order", "effect", "attempts", "last error"), counts["failing"],
             0),
            ("last errors", ("shop", "order", "last error"), counts["errors"], 0)):
        if rows:
            out.line()
            out.heading(heading)
            out.table(head, rows[-_LISTED:], "   ")
            if count > _LISTED:
                out.line("   {} more; --json tells the last hundred".format(count - _LISTED))
    return exits.DONE


def _as_data(value):
    if isinstance(value, float):
        return round(value, 1)
    if isinstance(value, list):
        return [dict(one._asdict()) if hasattr(one, "_asdict") else
                dict(zip(("shop", "out_trade_no", "error"), one)) for one in value]
    return value


def _age(seconds_: float) -> str:
    for length, name in ((_DAY, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds_ >= 2 * length:
            return "{:.0f} {}".format(seconds_ // length, name)
    return "{:.0f} seconds".format(seconds_)


def run_retry(args: Any, out: Output) -> int:
    told = Told(args)
    chosen = fallback_shops.named(args)
    shop = fallback_shops.known(chosen, told) if chosen else None
    number = None if args.out_trade_no is None else options.text(args.out_trade_no)
    with told.store() as store:
        count = store.reopen(shop, number)
    out.data(store=told.name, asked_again=count)
    if number is not None and not count:
        raise InvalidRequest("--out-trade-no: {} is not watched in this store{}".format(
            show(number), " for the shop " + show(shop) if shop else ""), parameter="--out-trade-no")
    out.facts([("asked again", "{}, by the next run".format(count))])
    return exits.DONE


def run_migrate(args: Any, out: Output) -> int:
    from ..fallback.stores.contract import SCHEMA
    told, before = Told(args), str(SCHEMA)
    try:
        with told.store():
            pass
    except SchemaError as err:
        told_of = re.search(r"has schema (\w+)", str(err))
        before = told_of.group(1) if told_of else "?"
        with told.store(migrate=True):
            pass
    out.data(store=told.name, before=before, after=str(SCHEMA))
    if before == str(SCHEMA):
        out.good("nothing", "to do: the store has schema {}, which this version needs".format(SCHEMA))
    else:
        out.good("migrated", "from schema {} to {}".format(before, SCHEMA))
    return exits.DONE


def run_prune(args: Any, out: Output) -> int:
    told = Told(args)
    older = seconds(args.older, "--older")
    if older < 2 * _DAY:
        raise InvalidRequest("--older: 2d at least; Alipay repeats a notification for more than a day, and what is "
                                 "deleted is not known any more", parameter="--older")
    deleted = 0
    with told.store() as store:
        while True:
            count = store.prune(older, _SHARE)
            deleted += count
            if count < _SHARE:
                break
    out.data(store=told.name, deleted=deleted)
    out.facts([("deleted", "{} and {} effects".format(several(deleted, "order"), "its" if deleted == 1 else "their"))])
    return exits.DONE
