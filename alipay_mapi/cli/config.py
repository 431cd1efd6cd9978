"""``config show`` and ``config check``: what is set, where it comes from, and whether it can work."""
from typing import Any

from . import exits, masking, settings
from .output import Output

HIDDEN = "********"


def add(commands: Any, parents: list) -> None:
    """Add the commands to the parser."""
    group = commands.add_parser("config", parents=parents[:1], help="what is set, where it comes from, does it work",
                                examples=("alipay-mapi config show --config shop.ini",
                                          "alipay-mapi config check --config shop.ini --merchant hongkong"))
    group.set_defaults(run=None, parser=group)
    below = group.add_subparsers(metavar="COMMAND")
    show = below.add_parser("show", parents=parents, help="each setting, its value and its source; keys are masked",
                            examples=("alipay-mapi config show --config shop.ini",))
    show.set_defaults(run=run_show, parser=show)
    check = below.add_parser("check", parents=parents, help="load the keys and check every setting",
                             examples=("alipay-mapi config check --config shop.ini",))
    check.set_defaults(run=run_check, parser=check)


def run_show(args: Any, out: Output) -> int:
    found = settings.load(args)
    rows = []
    for name in settings.NAMES:
        setting = found.table[name]
        rows.append((name, _masked(name, setting.value), setting.source, setting.where))
    out.table(("setting", "value", "source", "where"), rows)
    out.data(settings={name: {"value": value, "source": source, "where": where} for name, value, source, where in rows})
    return exits.DONE


def run_check(args: Any, out: Output) -> int:
    found = settings.load(args)
    shop = settings.make_merchant(found)
    signs = shop.sign_type == "MD5" or shop.private_key is not None
    checks = shop.sign_type == "MD5" or bool(shop.alipay_public_key)
    out.good("ok", "partner {} signs with {} at {}".format(shop.partner, shop.sign_type, shop.gateway))
    for can, what, lacking in ((signs, "sign requests", "private_key"), (checks, "check what Alipay sends",
                                                                         "alipay_public_key")):
        if can:
            out.good("can", what)
        else:
            out.note("cannot", "{}: {} is not set".format(what, lacking))
    out.data(ok=True, partner=shop.partner, sign_type=shop.sign_type, gateway=shop.gateway, can_sign=signs,
             can_check=checks)
    return exits.DONE


def _masked(name, value):
    if value is None:
        return None
    if name == "alipay_public_key":
        count = len(settings.several(value))
        return "{} key{}".format(count, "" if count == 1 else "s")
    return HIDDEN if name in settings.KEYS else masking.shown(name, value)


