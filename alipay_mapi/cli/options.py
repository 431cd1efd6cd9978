"""The argument parser's parts that all commands share."""
import argparse
import os
from typing import Any, Dict, List, Sequence

from ..errors import InvalidRequest, show
from .words import meant

#: What the common options are when they are not given; parsers leave them out, so that both places of them work.
DEFAULTS = {
    "json": False, "verbose": 0, "debug": False, "config": None, "merchant": None, "show_buyer": False,
    "partner": None, "sign_type": None, "seller_id": None, "seller_email": None, "input_charset": None,
    "gateway": None, "allow_http": None, "private_key_file": None, "alipay_public_key_file": None,
    "md5_key_file": None,
}

_SECRET_FLAGS = ("--private-key", "--md5-key", "--alipay-public-key")


class Parser(argparse.ArgumentParser):
    """argparse that starts its help with examples, takes no abbreviations, and raises where argparse would exit.

    ``stray``: what to say to an argument that is none of an option, where a command has options only.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        self.examples: Sequence[str] = kwargs.pop("examples", ())
        self.stray: str = kwargs.pop("stray", "")
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
    """Options that say which merchant; each wins over the environment and the ini file. Keys are never among them.

    They stand behind the command; in front of it they are taken too, see :func:`hidden`.
    """
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


def store(parser: argparse.ArgumentParser) -> None:
    """The option of every ``fallback`` command."""
    parser.add_argument("--store", metavar="URL", help="where orders are kept: sqlite:///orders.db, or a database; a "
                        "URL with a password belongs into ALIPAY_MAPI_STORE or the ini file")


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


def hidden(parent: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The same options, without a place in the help."""
    for action in parent._actions:
        action.help = argparse.SUPPRESS
    return parent


def check_words(parser: Parser, argv: Sequence[str]) -> Parser:
    """The parser of the command that ``argv`` names. Raises InvalidRequest for a command that there is not, and for an
    option in front of one that does not take it; argparse would quote the next argument, which may be a secret."""
    at = 0
    while at < len(argv):
        word, below = argv[at], _commands(parser)
        at += 1
        if word.startswith("-"):
            action = parser._option_string_actions.get(word.partition("=")[0])
            if action is None and below:
                unknown([word], parser, "; options of a command go behind it")
            if action is not None and action.nargs != 0 and "=" not in word:
                at += 1
        elif word in below:
            parser = below[word]
        elif below:
            raise InvalidRequest("{}: no command of {}{}; see {} --help".format(
                show(word, 24), parser.prog, meant(word, below, 0.6), parser.prog), parameter="COMMAND")
        else:
            break
    return parser


def _commands(parser) -> Dict[str, Parser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return {}


def check_taken(parser: Parser, args: argparse.Namespace) -> None:
    """Refuse an option of the merchant in front of a command that takes none."""
    taken = {action.dest for action in parser._actions}
    for action in shop()._actions:
        if hasattr(args, action.dest) and action.dest not in taken:
            unknown([action.option_strings[0]], parser)


def unknown(extras: List[str], parser: Parser, cure: str = "") -> None:
    """Raise InvalidRequest for what argparse did not know: names only, since a value may be a secret."""
    names = [extra.split("=", 1)[0] for extra in extras if extra.startswith("-") and len(extra) > 1]
    help_ = "; see {} --help".format(parser.prog)
    if not names:
        raise InvalidRequest("{} argument(s) too many for {}{}{}".format(
            len(extras), parser.prog, "; " + parser.stray if parser.stray else "", help_))
    raise InvalidRequest("unknown option {}{}{}{}".format(
        show(", ".join(names), 200), meant(names[0], parser._option_string_actions), cure, help_))
