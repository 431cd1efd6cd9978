"""``config show``, ``check`` and ``example``: what is set and where, whether it can work, and how it is written."""
from typing import Any, List

from .. import merchant_settings
from ..errors import ConfigurationError, MissingKey
from . import ams_account, exits, ini, masking, settings
from .output import Output
from .words import for_shell

HIDDEN = "********"


def add(commands: Any, parents: list) -> None:
    """Add the commands to the parser."""
    group = commands.add_parser("config", parents=parents[:1], help="what is set, where it comes from, does it work",
                                examples=("alipay-mapi config example > shop.ini",
                                          "alipay-mapi config show --config shop.ini",
                                          "alipay-mapi config check --config shop.ini --merchant hongkong"))
    group.set_defaults(run=None, parser=group)
    below = group.add_subparsers(metavar="COMMAND")
    show = below.add_parser("show", parents=parents, help="each setting, its value and its source; keys are masked",
                            examples=("alipay-mapi config show --config shop.ini",))
    show.set_defaults(run=run_show, parser=show)
    check = below.add_parser("check", parents=parents, help="load the keys and check every setting",
                             examples=("alipay-mapi config check --config shop.ini",))
    check.set_defaults(run=run_check, parser=check)
    example = below.add_parser("example", parents=parents[:1], help="print an ini file to begin with, without keys",
                               examples=("alipay-mapi config example > shop.ini",))
    example.set_defaults(run=run_example, parser=example)


def run_show(args: Any, out: Output) -> int:
    problems: List[ConfigurationError] = []
    found = settings.load(args, problems=problems)
    rows, table = [], {}
    for name in merchant_settings.NAMES:
        setting = found.table[name]
        value, short = _masked(name, setting), ""
        if name == "gateway":
            short, value = _gateway(value)
        rows.append((name, "{} ({})".format(short, value) if short else value, setting.source, setting.where))
        table[name] = {"value": None if setting.value is None else value, "source": setting.source,
                       "where": setting.where}
    out.table(("setting", "value", "source", "where"), rows)
    out.data(settings=table)
    if problems:
        out.data(problems=[for_shell(str(problem)) for problem in problems])
        for problem in problems[:-1] if not out.as_json else ():
            out.talk("{}: {}".format(type(problem).__name__, problem))
        raise problems[-1]
    return exits.DONE


def run_check(args: Any, out: Output) -> int:
    given = settings.load(args)
    shop, account = settings.make_merchant(given), ams_account.of_settings(given)
    signs = shop.sign_type == "MD5" or shop.private_key is not None
    checks = shop.sign_type == "MD5" or bool(shop.alipay_public_key)
    out.data(ok=signs or checks, partner=shop.partner, sign_type=shop.sign_type, gateway=shop.gateway, can_sign=signs,
             can_check=checks, ams=None if account is None else _ams(account))
    if not signs and not checks:
        raise MissingKey("private_key and alipay_public_key: neither is set, so nothing can be signed or checked with "
                         "{}; set one or both, see alipay-mapi config example".format(shop.sign_type))
    out.good("ok", "partner {} {} with {} at {}".format(shop.partner, "signs" if signs else "checks", shop.sign_type,
                                                        shop.gateway))
    _tell([(signs, "sign requests", "private_key"), (checks, "check what Alipay sends", "alipay_public_key")], out)
    if account is not None:
        told = _ams(account)
        out.good("ok", "client {} at {}".format(told["client_id"], told["domain"]))
        _tell([(told["can_sign"], "call AMS", "private_key of the account at AMS"),
               (told["can_check"], "check what AMS sends", "alipay_public_key of the account at AMS")], out)
    return exits.DONE


def _tell(able, out):
    """``able``: (can it, what, by which setting)."""
    for can, what, setting in able:
        if can:
            out.good("can", what)
        else:
            out.note("cannot", "{}: {} is not set".format(what, setting))


def _ams(account):
    return {"client_id": account.client_id, "domain": account.domain, "can_sign": account.private_key is not None,
            "can_check": bool(account.alipay_public_key)}


def run_example(args: Any, out: Output) -> int:
    out.line(ini.EXAMPLE.rstrip("\n"))
    out.data(ini=ini.EXAMPLE)
    return exits.DONE


def _gateway(value):
    """(short name or "", URL)."""
    url = merchant_settings.GATEWAYS.get(value, value)
    return next((short for short, known in merchant_settings.GATEWAYS.items() if known == url), ""), url


def _masked(name, setting):
    value = setting.value
    if value is None:
        return None if setting.source == "default" else "(not readable)"
    if name == "alipay_public_key":
        count = len(merchant_settings.several(value))
        return "{} key{}".format(count, "" if count == 1 else "s")
    return HIDDEN if name in merchant_settings.KEYS else masking.shown(name, value)
