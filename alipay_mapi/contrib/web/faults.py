"""What is wrong with a configuration: all of it, for Django's system checks and for a look when Flask starts.

Nothing is asked of the gateway and no store is opened. Key files are read and the shop's functions imported, as they
are when the first payment is made.
"""
import os
import re
from functools import partial
from typing import Any, Callable, Iterator, List, Mapping, NamedTuple, Optional
from urllib.parse import urlsplit

from ... import merchant, merchant_settings
from ...errors import ConfigurationError, MissingKey, show
from ...fallback import Schedule, Store
from ...installed import pycrypto_is_there
from .configured import NAMES, Configured

ERROR, WARNING = "error", "warning"

#: The forms of ``open_store``; it is not called, as it would make a file or connect.
_STORE = re.compile(r"(?is):?memory:|sqlite://|sqlite:///[^?]+|(?!sqlite:)[a-z][a-z0-9_]*(\+[a-z0-9_]+)?://.+"
                    r"|(?!.*://).+\.(db|sqlite|sqlite3)")
#: Kinds of order numbers, for a URL that takes them.
_NUMBERS = ("A1", "1", "20261122000001", "0" * 32, "00000000-0000-4000-8000-000000000000")
_PARTNER = re.compile("(2088|2160)[0-9]{12}", re.ASCII)
#: Name of FALLBACK → least, most.
_BOUNDS = {"per_second": (0.001, 10000), "refunds_apart": (3, 3600), "workers": (0, 256), "limit": (1, 10 ** 9),
           "deadline": (1, 10 ** 9)}


class Problem(NamedTuple):
    """``id``: E001 to E005, W001 to W003, W007, W009. ``level``: ``error`` or ``warning``. ``text``: begins with the
    setting. ``hint``: the cure. Neither holds a key."""

    id: str
    level: str
    text: str
    hint: str


def problems_of(values: Any, title: str = "{}", debug: bool = False,
                open_own: Optional[Callable[[], Store]] = None) -> List[Problem]:
    """The same as ``problems`` for settings of which ``Configured`` cannot even be made. Raises nothing.

    >>> [problem.text.partition(":")[0] for problem in problems_of({"COLOUR": "red"})]
    ['COLOUR', 'MERCHANTS', 'SITE_URL', 'STORE']
    """
    found = []
    known = values
    if isinstance(values, Mapping):
        known = {name: value for name, value in values.items() if name in NAMES}
    for given in [{name: values[name]} for name in values if name not in NAMES] if known is not values else [values]:
        try:
            Configured(given, title)
        except ConfigurationError as err:
            found.append(_other(str(err)))
    return found + (problems(Configured(known, title, open_own), debug) if known is not values else [])


def problems(configured: Configured, debug: bool = False) -> List[Problem]:
    """Everything that is wrong, not only the first. ``debug``: is this a developer's machine? Raises nothing."""
    found = list(_merchants(configured, debug))
    for look in (_default, _accounts, _site, _functions, _store, _fallback, _rest):
        found += look(configured)
    if pycrypto_is_there():
        found.append(Problem("W003", WARNING, "the abandoned pycrypto is installed, in the same folder Crypto",
                             "pip uninstall pycrypto pycryptodome, then pip install pycryptodome"))
    return found


def _other(text, hint="See the table of settings in the documentation."):
    return Problem("E005", ERROR, text, hint)


def _refused(call: Callable[[], Any]) -> str:
    """What a part of the configuration says against itself; "" for nothing."""
    try:
        call()
    except ConfigurationError as err:
        return str(err)
    return ""


# --- merchants --------------------------------------------------------------------------------------------------------

def _named(configured: Configured) -> Mapping[Any, Any]:
    given = configured.get("MERCHANTS")
    return given if isinstance(given, Mapping) else {}


def _merchants(configured: Configured, debug: bool) -> Iterator[Problem]:
    if not _named(configured):
        yield _other(_refused(lambda: configured.names))
    for name, values in _named(configured).items():
        alone = Configured({"MERCHANTS": {name: values}}, configured.title)
        text = _refused(partial(getattr, alone, "names"))
        if text:
            yield _other(text)
            continue
        place = "{}[{!r}]".format(configured.title.format("MERCHANTS"), name)
        yield from _merchant(place, values, debug)


def _merchant(place: str, values: Mapping[str, Any], debug: bool) -> Iterator[Problem]:
    errors = merchant_settings.faults(values)
    partner, sign_type = values.get("partner"), values.get("sign_type")
    if not isinstance(partner, str) or _PARTNER.fullmatch(partner) is None:
        yield Problem("E001", ERROR, "{}: partner: not 16 digits that begin with 2088 (or 2160)".format(place),
                      "Copy the PID whole from the merchant console, as text.")
    for err in errors:
        if isinstance(err, MissingKey):
            yield Problem("E002", ERROR, "{}: {}".format(place, err), "Nothing can be signed or checked without it.")
        elif merchant_settings.about(err) != "partner":
            yield Problem("E003", ERROR, "{}: {}".format(place, err),
                          "alipay-mapi keys show FILE tells what a file holds.")
    if sign_type in ("RSA", "RSA2", "DSA"):
        for key, lost in (("private_key", "signed, so no payment can be made"),
                          ("alipay_public_key", "checked, so every notification is refused")):
            if not values.get(key) and values.get(key + "_file") is None:
                yield Problem("E002", ERROR, "{}: {}: not set; {} needs it".format(place, key, sign_type),
                              "Without it nothing can be {}.".format(lost))
    if sign_type == "MD5":
        yield Problem("W001", WARNING, "{}: sign_type: MD5, where one shared secret signs both ways".format(place),
                      "Ask Alipay for RSA2 if your contract allows it.")
    odd = _odd_gateway(values.get("gateway"))
    if odd and not debug and "gateway" not in map(merchant_settings.about, errors):
        yield Problem("W002", WARNING, "{}: gateway: {}, and this is not a debug server".format(place, odd),
                      "No real payment goes there: set the gateway of your contract, such as intl or mainland.")


def _odd_gateway(gateway: Any) -> str:
    """Why no real payment goes there; "" for a real gateway."""
    url = merchant_settings.GATEWAYS.get(gateway, gateway) if isinstance(gateway, str) else merchant.GATEWAY_INTL
    if _refused(lambda: merchant.check_gateway(url, allow_http=True)):
        return ""
    if url == merchant.GATEWAY_SANDBOX:
        return "Alipay's test gateway"
    parts = urlsplit(url)
    if merchant.is_loopback(parts.hostname or ""):
        return "this machine itself"
    return "spoken to over plain http" if parts.scheme == "http" else ""


def _accounts(configured: Configured) -> List[Problem]:
    """AMS, and what goes there."""
    text = _refused(lambda: configured.accounts)
    if text:
        return [_other(text)]
    found = [_refused(partial(configured.account, name)) for name in configured.accounts]
    if configured.accounts and not configured.has_store:
        found.append("{}: an order stays on the gateway that made it, and that is kept in the store; set STORE".format(
            configured.title.format("AMS")))
    for name in configured.accounts or ("",):       # nobody has one: then nothing may go there
        found.append(_refused(partial(configured.rule, name)))
    problems = [_other(text) for text in dict.fromkeys(found) if text]
    if configured.accounts and configured.get("RETURN_TO") is None:
        problems.append(Problem("W009", WARNING, str(configured.wrong("RETURN_TO", "not set, and AMS signs nothing on "
                                "the buyer's way back, so he is shown the page for what cannot be believed")),
                                "Name a page of the shop that shows the order."))
    return problems


def _default(configured: Configured) -> Iterator[Problem]:
    text = _refused(lambda: configured.default)
    if text.startswith(configured.title.format("DEFAULT_MERCHANT") + ":"):
        yield _other(text, "It is meant where no merchant is named.")


# --- the rest ---------------------------------------------------------------------------------------------------------

def _site(configured: Configured) -> Iterator[Problem]:
    text = _refused(lambda: configured.site_url)
    if text:
        yield Problem("E004", ERROR, text, "Without it Alipay does not know where to send notifications.")


def _functions(configured: Configured) -> Iterator[Problem]:
    for name in ("HANDLER", "WITHIN", "ORDER", "NOTIFIED"):
        text = _refused(partial(configured.function, name))
        if text:
            yield _other(text)


def _store(configured: Configured) -> Iterator[Problem]:
    if not configured.has_store:
        missing = [name for name in ("ORDER", "NOTIFIED") if configured.get(name) is None]
        if missing:
            text = "not set, and so {} needed".format(" and ".join(missing) + (" are" if len(missing) == 2 else " is"))
            yield _other(str(configured.wrong("STORE", text)), "Set STORE, and orders are watched in it; or ORDER and "
                         "NOTIFIED, and the shop books what is notified itself.")
        for name in ("HANDLER", "WITHIN"):
            if configured.get(name) is not None:
                yield _other(str(configured.wrong(name, "there is no STORE, so nothing would call it")), "Set STORE.")
        return
    url = configured.get("STORE")
    if not (url is None or configured.opens(url)) and not _is_store(url):
        yield _other(str(configured.wrong("STORE", "no URL of a store")),
                     "sqlite:///orders.db, or a URL of SQLAlchemy such as postgresql+psycopg2://user@host/name.")
    both = [name for name in ("HANDLER", "WITHIN") if configured.get(name) is not None]
    if len(both) == 2:
        yield _other(str(configured.wrong("WITHIN", "HANDLER is set too; an effect is carried out once")),
                     "Keep one of them.")
    if not both:
        yield Problem("W007", WARNING, str(configured.wrong("HANDLER", "neither it nor WITHIN is set: what follows "
                                           "from a payment is recorded, and nobody carries it out")),
                      "Name the function that books a payment.")


def _is_store(url: Any) -> bool:
    return isinstance(url, (str, os.PathLike)) and _STORE.fullmatch(str(os.fspath(url))) is not None


def _fallback(configured: Configured) -> Iterator[Problem]:
    given = configured.get("FALLBACK", {})
    if not isinstance(given, Mapping):
        yield _other(_refused(lambda: configured.fallback_settings))
        return
    sound = {}
    for name, value in given.items():
        alone = Configured({"FALLBACK": {name: value}}, configured.title)
        text = _refused(partial(getattr, alone, "fallback_settings"))
        least, most = _BOUNDS.get(name, (None, None))
        if not text and least is not None and value is not None and not least <= value <= most:
            text = str(configured.wrong("FALLBACK", "{}: {} to {}".format(name, least, most)))
        if not text and name in ("workers", "limit") and value is not None and value != int(value):
            text = str(configured.wrong("FALLBACK", "{}: a whole number".format(name)))
        if text:
            yield _other(text)
        elif name in Schedule._fields:
            sound[name] = value
    text = _refused(Schedule()._replace(**sound).check)
    if text:
        yield _other(str(configured.wrong("FALLBACK", text)))


def _rest(configured: Configured) -> Iterator[Problem]:
    # A URL may take some numbers and not others: the shop's own kind is not known here.
    texts = [_refused(partial(configured.return_to, number)) for number in _NUMBERS]
    text = texts[0] if all(texts) else ""
    if text:
        yield _other(text)
    if not isinstance(configured.get("EVIDENCE", True), bool):
        yield _other(str(configured.wrong("EVIDENCE", "True or False, not {}".format(
            show(type(configured.get("EVIDENCE")).__name__)))))
