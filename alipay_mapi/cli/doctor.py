"""``doctor``: what is odd about this machine and this merchant. Offline, unless ``--online`` asks for the gateway."""
import os
import re
import stat
import sys
from typing import Any, List, NamedTuple

from .. import merchant, merchant_settings
from ..errors import AlipayError, ConfigurationError
from ..installed import module_version, pycrypto_is_there
from ..keys import load_public_key
from . import ams_account, exits, online, settings
from .keys import fingerprint
from .output import Output
from .versions import versions
from .words import for_shell

OK, NOTE, WARNING, PROBLEM = "ok", "note", "warning", "problem"

Finding = NamedTuple("Finding", [("id", str), ("level", str), ("text", str)])


def add(commands: Any, parents: list) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("doctor", parents=parents, help="look for what is odd in a set-up", examples=(
        "alipay-mapi doctor --config shop.ini", "alipay-mapi doctor --config shop.ini --online"))
    parser.add_argument("--online", action="store_true", help="ask the gateway: is it reached, does the clock agree")
    parser.add_argument("--own-public-key-file", metavar="FILE",
                        help="the public key you uploaded: does it belong to private_key?")
    parser.set_defaults(run=run, parser=parser)


def run(args: Any, out: Output) -> int:
    found = machine()
    code = exits.DONE
    problems: List[ConfigurationError] = []
    given = settings.load(args, problems=problems)
    if not problems and not given.given and given.ini is None:
        found.append(Finding("merchant", NOTE, "no merchant is configured, so only this machine was looked at; "
                                               "give --config FILE"))
    else:
        found += files(given)
        problems += _further(given, problems)
        found += [Finding("merchant", PROBLEM, "{}: {}".format(type(err).__name__, err)) for err in problems]
        if not problems:
            shop = settings.make_merchant(given)
            found += shop_findings(shop)
            found += pair(shop, args.own_public_key_file)
            found += at_ams(given)
            if args.online:
                asked = online.ask(shop)
                found += [Finding(*row) for row in asked]
                if any(row[0] == "gateway" and row[1] == PROBLEM for row in asked):
                    code = exits.UNREACHABLE
    _print(found, out)
    others = [row for row in found if row.level == PROBLEM and row.id != "gateway"]
    return exits.CONFIGURATION if others else code


def _further(given, problems):
    """What else is wrong: not that a setting is missing which could not be read, as was said already."""
    unread = {str(err).partition(":")[0].replace("_file", "") for err in problems}
    return [err for err in settings.faults(given)
            if not (unread & {"config", "merchant", settings.about(err)}
                    and getattr(given.table.get(settings.about(err)), "value", None) is None)]


def machine() -> List[Finding]:
    """Python and the libraries."""
    known = dict(versions())
    found = [Finding("versions", OK, ", ".join("{} {}".format(name, version) for name, version in versions()
                                               if version is not None))]
    for name, module in (("requests", "requests"), ("lxml", "lxml.etree"), ("pycryptodome", "Crypto.PublicKey.RSA")):
        if known[name] is None or module_version(module) is None:
            found.append(Finding("library", PROBLEM, "{} cannot be imported; pip install {}".format(name, name)))
    if pycrypto_is_there():
        found.append(Finding("pycrypto", PROBLEM, "the abandoned pycrypto is installed, in the same folder Crypto: "
                             "pip uninstall pycrypto pycryptodome, then pip install pycryptodome"))
    if known["cryptography"] is None:
        found.append(Finding("cryptography", NOTE, "not installed: RSA works with pycryptodome, more slowly; "
                                                   "pip install 'alipay-mapi[fast]'"))
    if sys.version_info < (3, 9):
        found.append(Finding("python", NOTE, "this Python gets no security fixes any more"))
    return found


def files(given: settings.Settings) -> List[Finding]:
    """Who else can read the ini file and the key files."""
    paths = [path for name, path in given.files.items() if name != "alipay_public_key"]
    if given.ini and any(given.table[name].source == "file" and given.table[name].value and name not in given.files
                         for name in ("private_key", "md5_key")):
        paths.append(given.ini[0])
    return [finding for path in paths for finding in _open_to_others(path)]


def _open_to_others(path):
    if os.name == "posix" and stat.S_IMODE(os.stat(path).st_mode) & (stat.S_IRGRP | stat.S_IROTH):
        yield Finding("files", WARNING, "{} holds a key and others on this machine may read it; chmod 600".format(path))


def shop_findings(shop: merchant.Merchant) -> List[Finding]:
    """What is odd about a merchant that can be made at all."""
    found = [Finding("merchant", OK, "partner {}, {}, {}".format(shop.partner, shop.sign_type, shop.gateway))]

    def add(name, level, text):
        found.append(Finding(name, level, text))

    if not re.fullmatch(r"(2088|2160)[0-9]{12}", shop.partner):
        add("partner", WARNING, "the partner is not 16 digits starting 2088 (or 2160); copied whole?")
    if shop.sign_type == "MD5":
        add("sign_type", WARNING, "MD5: one shared secret signs both ways; ask for RSA2 if your contract allows it")
        if shop.gateway == merchant.GATEWAY_HK:
            add("gateway-sign-type", PROBLEM, "this gateway takes RSA and RSA2 alone, not MD5")
    elif shop.sign_type == "RSA":
        add("sign_type", NOTE, "RSA signs with SHA-1, and Alipay's key is the same for every merchant: notifications "
                               "without a seller must be confirmed. RSA2 has neither weakness")
    elif shop.sign_type == "DSA":
        add("sign_type", WARNING, "DSA stands in old pages and was never seen on the wire")
    if shop.input_charset is None:
        add("input_charset", WARNING, "_input_charset is not sent, so Alipay assumes GBK")
    if shop.allow_http:
        add("allow_http", WARNING, "plain http is allowed; only for a test gateway, never with real keys")
    if shop.gateway.startswith("http:"):
        add("gateway-http", WARNING, "the gateway is spoken to over plain http")
    if shop.gateway == merchant.GATEWAY_SANDBOX:
        add("gateway-sandbox", NOTE, "this is Alipay's test gateway")
    if shop.sign_type != "MD5":
        found.extend(_keys(shop))
    return found


def _keys(shop):
    if shop.private_key is None and not shop.alipay_public_key:
        yield Finding("keys", PROBLEM, "neither private_key nor alipay_public_key is set, so nothing can be signed or "
                                       "checked")
        return
    if shop.private_key is None:
        yield Finding("private_key", NOTE, "not set: nothing can be signed")
    else:
        yield Finding("private_key", WARNING if shop.private_key.bits < 2048 else OK,
                      "{} bits{}; compare its public half with the key you uploaded: {}".format(
                          shop.private_key.bits, ", and 2048 is the size for new keys" if shop.private_key.bits < 2048
                          else "", fingerprint(shop.private_key)))
    if not shop.alipay_public_key:
        yield Finding("alipay_public_key", NOTE, "not set: nothing that Alipay sends can be checked")
    for key in shop.alipay_public_key:
        yield Finding("alipay_public_key", OK, "{} bits, {}".format(key.bits, fingerprint(key)))
    if len(shop.alipay_public_key) > 1:
        yield Finding("alipay_public_key", NOTE, "{} keys are taken; remove the old one once Alipay has changed"
                      .format(len(shop.alipay_public_key)))


def pair(shop: merchant.Merchant, path: Any) -> List[Finding]:
    """Does the public key that was uploaded belong to ``private_key``?"""
    if path is None:
        return []
    if shop.sign_type == "MD5" or shop.private_key is None:
        return [Finding("pair", NOTE, "there is no private_key to compare the public key with")]
    try:
        uploaded = load_public_key(merchant_settings.read_file(path, "own_public_key_file"), shop.private_key.kind,
                                   "own_public_key_file")
    except AlipayError as err:
        return [Finding("pair", PROBLEM, str(err))]
    if uploaded.numbers == shop.private_key.numbers:
        return [Finding("pair", OK, "private_key and the public key you uploaded belong together")]
    return [Finding("pair", PROBLEM, "private_key and the public key you uploaded do not belong together, so Alipay "
                                     "answers ILLEGAL_SIGN; upload the public half: alipay-mapi keys show")]


def at_ams(given: settings.Settings) -> List[Finding]:
    """What is odd about the same shop's account at AMS, if it has one."""
    try:
        account = ams_account.of_settings(given)
    except ConfigurationError as err:
        return [Finding("ams", PROBLEM, "{}: {}".format(type(err).__name__, err))]
    if account is None:
        return []
    found = [Finding("ams", OK, "client {}, {}".format(account.client_id, account.domain))]
    for path in ams_account.private_files(given):
        found += _open_to_others(path)
    if account.sandbox:
        found.append(Finding("ams-sandbox", NOTE, "this client id is of AMS's sandbox"))
    if account.allow_http:
        found.append(Finding("ams-allow_http", WARNING, "plain http is allowed; only for a test gateway, never with "
                                                        "real keys"))
    if account.private_key is None:
        found.append(Finding("ams-private_key", PROBLEM, "not set: AMS cannot be called, not even to ask about an "
                                                         "order"))
    if not account.alipay_public_key:
        found.append(Finding("ams-alipay_public_key", PROBLEM, "not set: no answer and no notification of AMS can be "
                                                               "checked"))
    return found


def _print(found, out):
    found = [row._replace(text=for_shell(row.text)) for row in found]
    faces = {OK: out.good, NOTE: out.note, WARNING: out.note, PROBLEM: out.bad}
    for row in found:
        faces[row.level](row.level, "{}: {}".format(row.id, row.text))
    counts = {level: sum(1 for row in found if row.level == level) for level in (PROBLEM, WARNING, NOTE)}
    out.line()
    out.line("{} problem(s), {} warning(s), {} note(s)".format(*[counts[level] for level in (PROBLEM, WARNING, NOTE)]))
    out.data(findings=[row._asdict() for row in found], problems=counts[PROBLEM], warnings=counts[WARNING],
             notes=counts[NOTE])
