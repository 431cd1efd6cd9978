"""The ini file: one section per merchant, with keys named as ``Merchant``'s arguments; ``[NAME.ams]`` for the same
shop's account at AMS; and ``[fallback]``."""
import configparser
import re
from typing import Dict, List, Optional, Sequence, Tuple

from ..errors import ConfigurationError, show
from .words import meant

#: What ``config example`` prints.
EXAMPLE = """\
# Settings of the alipay-mapi command: one section per merchant. --merchant NAME chooses one; without it the only one
# is meant, or the one called default. A comment is a line of its own; values stand without quotes.

[default]
# the partner id (PID) from the merchant console: 16 digits, starting 2088
partner = 2088000000000000
# MD5, RSA, RSA2 or DSA: what the contract says, for both directions
sign_type = RSA2

# RSA, RSA2, DSA: your private key (alipay-mapi keys new shop.pem makes one), and Alipay's public key, which the
# console shows once yours is uploaded. Paths are relative to this file.
private_key_file = shop.pem
alipay_public_key_file = alipay.pem
# MD5: a file with the 32 letters and digits from the console, in place of both
# md5_key_file = md5.txt
# Each of the three can also stand here as text: private_key, alipay_public_key, md5_key. Then chmod 600 this file.

# whom payments go to, if not the partner; and the account, if messages name it
# seller_id = 2088000000000001
# seller_email = seller@shop.example
# UTF-8, GBK, GB2312 or GB18030, sent as spelled here; none: not sent
# input_charset = utf-8
# intl, instore, mainland, sandbox, hk, or a full URL
# gateway = intl
# plain http to a test gateway on another machine
# allow_http = false

# The same shop at AMS, for orders that live there: its own client id and keys.
#[default.ams]
#client_id = SANDBOX_5Y00000000000000
#private_key_file = ams.pem
#alipay_public_key_file = ams-alipay.pem
# asia, europe, north-america, us-entity; or domain = https://…
#region = asia
#key_version = 1

# For alipay-mapi fallback, and no merchant: where watched orders are kept, and what carries out an effect. The URL of a
# database may hold a password: then chmod 600 this file.
#[fallback]
#store = sqlite:///orders.db
#exec = /usr/local/bin/shop-effect
"""

#: The section that is no merchant.
FALLBACK = "fallback"
#: How the section of a merchant's account at AMS ends.
AMS = ".ams"

_COMMENT = re.compile(r"\s[;#]")


def read(path: str, wanted: Optional[str], known: Sequence[str],
         problems: List[ConfigurationError]) -> Tuple[Optional[str], Dict[str, str]]:
    """(section, its values); (None, {}) when there is none to read.

    ``wanted``: the section's name, or None for the usual one. ``known``: the names a section may have. What is wrong
    is added to ``problems``; messages of configparser quote the file's lines, so none is passed on.
    """
    parser = _parsed(path, problems)
    if parser is None:
        return None, {}
    sections = _merchants(parser)
    _refuse_orphans(parser, sections, path, problems)
    listed = ", ".join(show(name) for name in sections) or "none"
    if wanted is None:
        usual = [name for name in sections if name.lower() == "default"] or (sections if len(sections) == 1 else [])
        if len(usual) != 1:
            problems.append(ConfigurationError(
                "merchant: {} has the sections {}; choose one with --merchant, or call one of them default".format(
                    show(path, 200), listed) if sections else
                "config: {} has no merchant; add a section such as [default]".format(show(path, 200))
                if parser.sections() else
                "config: {} is empty; it must begin with a section such as [default]".format(show(path, 200))))
            return None, {}
        wanted = usual[0]
    if wanted not in sections:
        problems.append(ConfigurationError("merchant: {} has no section {}; it has {}".format(
            show(path, 200), show(wanted), listed)))
        return None, {}
    return wanted, _values(parser, wanted, known, path, problems)


def merchants(path: str, problems: List[ConfigurationError]) -> List[str]:
    """The names of all sections that are merchants."""
    parser = _parsed(path, problems)
    if parser is None:
        return []
    sections = _merchants(parser)
    _refuse_orphans(parser, sections, path, problems)
    return sections


def ams(path: str, merchant: str, known: Sequence[str], problems: List[ConfigurationError]) -> Dict[str, str]:
    """The values of ``[merchant.ams]``; {} when there is none."""
    parser = _parsed(path, problems)
    if parser is None or merchant + AMS not in parser.sections():
        return {}
    return _values(parser, merchant + AMS, known, path, problems, "an account at AMS")


def fallback(path: str, known: Sequence[str], problems: List[ConfigurationError]) -> Dict[str, str]:
    """The values of the section ``[fallback]``; {} when there is none."""
    parser = _parsed(path, problems)
    found = [name for name in parser.sections() if name.lower() == FALLBACK] if parser is not None else []
    return _values(parser, found[0], known, path, problems, "the fallback") if found else {}


def _parsed(path, problems) -> Optional[configparser.ConfigParser]:
    parser = configparser.ConfigParser(interpolation=None, default_section="\0", comment_prefixes=("#", ";"))
    problem = _parse(parser, path)
    if problem:
        problems.append(ConfigurationError("config: cannot read {}: {}".format(show(path, 200), problem)))
        return None
    return parser


def _merchants(parser):
    return [name for name in parser.sections() if name.lower() != FALLBACK and not name.lower().endswith(AMS)]


def _refuse_orphans(parser, merchants, path, problems):
    """A misspelt one would be left alone, with all orders that live there; so would a merchant of such a name."""
    for name in parser.sections():
        if name.lower().endswith(AMS) and not (name.endswith(AMS) and name[:-len(AMS)] in merchants):
            problems.append(ConfigurationError(
                "merchant: [{}] of {} is the account at AMS of a merchant [{}], and there is none; a merchant's own "
                "name does not end in {}".format(show(name), show(path, 200), show(name[:-len(AMS)]), AMS)))


def _values(parser, section, known, path, problems, owner="a merchant"):
    values = {name: value for name, value in parser.items(section) if value}
    place = "{} [{}]".format(show(path, 200), show(section))
    for name in list(values):
        wrong = _wrong(name, values[name], known, owner)
        if wrong:
            problems.append(ConfigurationError("{}: {} ({})".format(show(name), wrong, place)))
            del values[name]
    return values


def _parse(parser, path) -> str:
    """Read the file; what is wrong with it, or ""."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            parser.read_file(file)
    except OSError as err:
        return err.strerror or type(err).__name__
    except UnicodeDecodeError:
        return "it is not UTF-8 text"
    except configparser.MissingSectionHeaderError as err:
        return "it must begin with a section such as [default], and line {} comes before any".format(err.lineno)
    except configparser.Error as err:
        line = getattr(err, "lineno", None) or next(iter(getattr(err, "errors", ())), (None,))[0]
        where = "" if line is None else " in line {}".format(line)
        if isinstance(err, (configparser.DuplicateOptionError, configparser.DuplicateSectionError)):
            return "the same {} twice{}".format(
                "name" if isinstance(err, configparser.DuplicateOptionError) else "section", where)
        return "no name = value{}; lines that belong to the value above them are indented".format(where)
    return ""


def _wrong(name, value, known, owner) -> str:
    """What is wrong with a setting, or "". No value is shown: it may be a key."""
    if name not in known:
        return "no setting of {}".format(owner) + (meant(name, known) or "; there are {}{}".format(
            ", ".join(one for one in known if not one.endswith("_file")),
            "; keys also …_file" if any(one.endswith("_file") for one in known) else ""))
    if value[0] in "\"'" and value[-1] == value[0]:
        return "write the value without quotes"
    if _COMMENT.search(value):
        return "a comment stands on a line of its own, not behind a value"
    return ""
