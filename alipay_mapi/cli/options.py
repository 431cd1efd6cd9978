"""The argument parser's parts that all commands share."""
import argparse
import os
from typing import Any, List, Sequence

from ..errors import InvalidRequest, show

#: What the common options are when they are not given; parsers leave them out, so that both places of them work.
DEFAULTS = {
    "json": False, "verbose": 0, "debug": False, "config": None, "merchant": None, "show_buyer": False,
    "partner": None, "sign_type": None, "seller_id": None, "seller_email": None, "input_charset": None,
    "gateway": None, "allow_http": None, "private_key_file": None, "alipay_public_key_file": None,
    "md5_key_file": None,
}

_SECRET_FLAGS = ("--private-key", "--md5-key", "--alipay-public-key")


class Parser(argparse.ArgumentParser):
    """argparse that starts its help with examples, takes no abbreviations, and raises where argparse would exit."""

    def __init__(self, *args: Any, **kwargs: Any):
        self.examples: Sequence[str] = kwargs.pop("examples", ())
        kwargs["allow_abbrev"] = False      # --md5-key would be taken for --md5-key-file, with the key as its path
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*args, **kwargs)

    def format_help(self) -> str:
        head = "examples:\n" + "".join("  {}\n".format(line) for line in self.examples) + "\n" if self.examples else ""
        return head + super().format_help()

    def error(self, message: str) -> Any:
        raise InvalidRequest("{} (see {} --help)".format(show(message, 300), self.prog))


def common() -> argparse.ArgumentParser:
    """Options of every command, before or after its name."""
    parent = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS, allow_abbrev=False)
    group = parent.add_argument_group("common")
    group.add_argument("--config", metavar="FILE", help="ini file with one section per merchant")
    group.add_argument("--merchant", metavar="SECTION", help="which section of the ini file")
    group.add_argument("--json", action="store_true", help="print one JSON object")
    group.add_argument("-v", "--verbose", action="count", help="say on stderr what is done (twice: everything)")
    group.add_argument("--debug", action="store_true", help="show where in the program an error came from")
    return parent


def shop() -> argparse.ArgumentParser:
    """Options that say which merchant; each wins over the environment and the ini file. Keys are never among them."""
    parent = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS, allow_abbrev=False)
    group = parent.add_argument_group("merchant (each wins over the environment, which wins over the ini file)")
    group.add_argument("--partner", metavar="PID", help="16 digits, starting 2088")
    group.add_argument("--sign-type", metavar="TYPE", help="MD5, RSA, RSA2 or DSA")
    group.add_argument("--seller-id", metavar="PID", help="whom payments go to, if not the partner")
    group.add_argument("--seller-email", metavar="MAIL", help="the seller's account")
    group.add_argument("--input-charset", metavar="CHARSET", help="UTF-8, GBK, GB2312, GB18030, or none: not sent")
    group.add_argument("--gateway", metavar="URL", help="intl, instore, mainland, sandbox, hk, or a full URL")
    group.add_argument("--allow-http", action="store_true", help="plain http to a test gateway on another machine")
    group.add_argument("--private-key-file", metavar="FILE", help="file with your private key; - for stdin")
    group.add_argument("--alipay-public-key-file", metavar="FILE", action="append",
                       help="file with Alipay's public key; twice while Alipay changes keys")
    group.add_argument("--md5-key-file", metavar="FILE", help="file with the MD5 key; - for stdin")
    return parent


def refuse_secret_flags(argv: Sequence[str]) -> None:
    """A key on the command line is in the process list and the shell's history: refused before anything is parsed."""
    for arg in argv:
        name = arg.split("=", 1)[0]
        if name in _SECRET_FLAGS:
            raise InvalidRequest("{0}: keys are never given on the command line, where every user of the machine can "
                                 "read them; use {0}-file, ALIPAY_MAPI_{1}, or the ini file".format(
                                     name, name[2:].upper().replace("-", "_")), parameter=name)


def pairs(arguments: Sequence[str], what: str = "key=value") -> dict:
    """``name=value`` arguments → params. Raises InvalidRequest; a value is never shown.

    >>> pairs(["subject=a=b", "currency=USD"]) == {"subject": "a=b", "currency": "USD"}
    True
    """
    found = {}
    for argument in arguments:
        name, equals, value = text(argument).partition("=")
        if not equals or not name:
            raise InvalidRequest("{}: write name=value, such as currency=USD".format(what), parameter=what)
        if name in found:
            raise InvalidRequest("{}: given twice".format(show(name)), parameter=show(name))
        found[name] = value
    return found


def text(argument: str) -> str:
    """An argument as text, also where Python took the terminal for ASCII (Python 3.6 without a locale)."""
    try:
        return os.fsencode(argument).decode("utf-8")
    except UnicodeError:
        pass
    raise InvalidRequest("an argument is not UTF-8 text", parameter="argument")


def unknown(extras: List[str]) -> None:
    """Raise InvalidRequest for what argparse did not know: names only, since a value may be a secret."""
    names = [extra.split("=", 1)[0] for extra in extras if extra.startswith("-") and len(extra) > 1]
    raise InvalidRequest("unknown option {}".format(show(", ".join(names), 200)) if names
                         else "{} argument(s) too many".format(len(extras)))
