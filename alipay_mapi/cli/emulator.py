"""``emulator``: a gateway on this machine, with test merchants, until Ctrl-C."""
import math
import os
import shlex
import signal
import tempfile
import threading
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Dict, List, Optional
from urllib.parse import urlsplit

from ..errors import ConfigurationError, InvalidRequest, show
from ..merchant import is_loopback
from . import exits, options
from .ini import AMS
from .output import Output

#: The first line of an ini file that may be written over.
MARK = "# Written by alipay-mapi emulator, and again each time that it starts. Test merchants: worth nothing elsewhere."
_NEEDED = ("werkzeug", "jinja2", "segno")
_SLOW = "making the test merchants' keys (a few seconds{})"


def add(commands: Any, parents: list) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("emulator", parents=parents[:1], help="run a gateway on this machine, to try against",
                                 stray="everything has its option", examples=(
                                     "alipay-mapi emulator",
                                     "alipay-mapi emulator --state gateway.db --fault lost=0.1 --fault twice=0.1"))
    parser.add_argument("--port", metavar="N", type=int, default=8642, help="default 8642; 0: any free one")
    parser.add_argument("--state", metavar="FILE", help="keep orders and keys in this file; default: forget them")
    parser.add_argument("--seed", metavar="N", type=int, help="the same numbers, MD5 keys and drawn faults each time")
    parser.add_argument("--notify-url", metavar="URL", default="", help="for orders that name none")
    parser.add_argument("--host", metavar="ADDR", default="127.0.0.1",
                        help="default 127.0.0.1; another address opens it to other machines")
    parser.add_argument("--ini", metavar="FILE", default="shop.ini", help="where the merchants are written; default "
                        "shop.ini. Never over a file that the emulator did not write")
    parser.add_argument("--ams", action="store_true", help="write the merchants' accounts at AMS too, as [NAME.ams]; "
                        "their keys take some seconds")
    parser.add_argument("--fault", metavar="NAME=SHARE", action="append", default=[],
                        help="a share from 0 to 1 of all messages goes wrong so; may be given several times")
    parser.add_argument("--frozen", action="store_true", help="the clock stands still until the control API moves it")
    parser.set_defaults(run=run, parser=parser)


def run(args: Any, out: Output) -> int:
    rates, notify_url = _rates(args.fault), _address(args.notify_url)
    check_ini(args.ini)
    missing = [name for name in _NEEDED if not _is_installed(name)]
    if missing:
        raise ConfigurationError("the emulator needs {}; run: pip install 'alipay-mapi[emulator]'".format(
            ", ".join(missing)))
    from ..emulator import Emulator
    from ..emulator.server import Server
    with Emulator(args.state, seed=args.seed, notify_url=notify_url, frozen=args.frozen, rates=rates) as emulator:
        server = Server(emulator, args.host, args.port, any_host=not is_loopback(args.host))
        try:
            with _until_told() as told:
                emulator.base_url = server.url
                write_ini(args.ini, _ini_text(emulator, args, out))
                server.start()
                _tell(emulator, server, args, out)
                told()
        finally:
            server.stop()
        if not out.as_json:
            out.talk("stopped" + ("; what happened is in {}".format(show(args.state, 200)) if args.state else ""))
    return exits.DONE


def _is_installed(name) -> bool:
    try:
        import_module(name)
    except ImportError:
        return False
    return True


def _rates(faults) -> Dict[str, float]:
    from ..emulator.faults import Faults
    rates: Dict[str, float] = {}
    for name, value in options.pairs(faults, "--fault").items():
        try:
            rates[name] = float(value)
        except ValueError:
            rates[name] = math.nan
        if not 0 <= rates[name] <= 1:
            raise InvalidRequest("--fault: {} needs a share from 0 to 1, such as {}=0.1".format(show(name), show(name)),
                                 parameter="--fault")
    return Faults(None, rates).rates


def _address(url) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if url and (parts.scheme not in ("http", "https") or not parts.netloc):
        raise InvalidRequest("--notify-url: an address that begins with http:// or https://", parameter="--notify-url")
    return url


@contextmanager
def _until_told():
    """Gives a function that waits for Ctrl-C or SIGTERM; either may come before it is called."""
    told = threading.Event()
    before: List[Any] = []
    if threading.current_thread() is threading.main_thread():
        before = [(number, signal.signal(number, lambda *_: told.set()))
                  for number in (signal.SIGINT, signal.SIGTERM)]

    def wait():
        while not told.wait(1.0):       # Windows looks for Ctrl-C between two waits only
            pass
    try:
        yield wait
    finally:
        for number, handler in before:
            signal.signal(number, handler)


# --- shop.ini ---------------------------------------------------------------------------------------------------------

def check_ini(path: str) -> None:
    """Raises ConfigurationError: there is a file that the emulator did not write, or none can be written there."""
    ours = False
    if os.path.isfile(path):        # and not a pipe, which would keep us waiting
        try:
            with open(path, "rb") as file:
                ours = file.readline().rstrip(b"\r\n") == MARK.encode("ascii") and not _added(file.read())
        except OSError:
            pass
    elif not os.path.exists(path):
        ours = os.path.isdir(os.path.dirname(path) or ".")
        if not ours:
            raise ConfigurationError("--ini: there is no folder for {}; make it first".format(show(path, 200)),
                                     parameter="--ini")
    if not ours:
        raise ConfigurationError("--ini: {} is there already and is not the emulator's, so it is left as it is; name "
                                 "another file with --ini FILE".format(show(path, 200)), parameter="--ini")


def _added(text: bytes) -> bool:
    """Has somebody put a section of his own into the file?"""
    from ..emulator.merchants import PARTNERS
    known = {"[{}{}]".format(name, end).encode("ascii") for name, _ in PARTNERS.values() for end in ("", AMS)}
    return any(line.strip() not in known for line in text.splitlines() if line.startswith(b"["))


def write_ini(path: str, text: str) -> None:
    """Write the file in one step, readable for its owner alone."""
    problem: Optional[str] = None
    try:
        handle, draft = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=".shop-", suffix=".ini")
        try:
            with os.fdopen(handle, "w", encoding="ascii", newline="\n") as file:    # made with mode 600
                file.write(text)
            os.replace(draft, path)
        except OSError:
            os.unlink(draft)
            raise
    except OSError as err:
        problem = err.strerror or type(err).__name__
    if problem:
        raise ConfigurationError("--ini: {} cannot be written ({}); name another file with --ini FILE".format(
            show(path, 200), problem), parameter="--ini")


def _ini_text(emulator, args, out) -> str:
    from ..emulator import shop_ini
    names = [name for _, name, _ in emulator.merchants.partners()]
    count = emulator.ledger.count
    if count("merchants") < len(names) or args.ams and count("ams_clients") < len(names):
        out.talk(_SLOW.format("" if args.state else "; --state FILE keeps them"))
    sections = []
    for name in names:
        sections.append(shop_ini.section(emulator, name))
        if args.ams:
            sections.append(shop_ini.ams_section(emulator, name))
    return MARK + "\n\n" + "\n".join(sections)


# --- what is said -----------------------------------------------------------------------------------------------------

def _tell(emulator, server, args, out):
    """Where it is and what to do next; printed now, since the command goes on."""
    url, config = server.url, "--config {} --merchant md5".format(shlex.quote(args.ini))
    merchants = emulator.merchants.partners()
    out.data(url=url, gateway=emulator.gateway_url, pages=url + "/", control=url + "/_emulator/", ini=args.ini,
             state=args.state, seed=args.seed, frozen=args.frozen, notify_url=args.notify_url or None,
             faults=emulator.faults.rates, ams=url if args.ams else None, open_to_others=not is_loopback(args.host),
             merchants=[{"name": name, "partner": partner, "sign_type": sign_type}
                        for partner, name, sign_type in merchants])
    if out.as_json:
        out.finish()
        out.as_json = False     # that was the one object
        return
    out.heading("alipay-mapi emulator: a gateway on this machine. Its merchants, keys, buyers and money are made up.")
    out.line()
    rates = ", ".join("{} {:g}".format(*pair) for pair in sorted(emulator.faults.rates.items()))
    out.facts((
        ("gateway", emulator.gateway_url),
        ("pages", url + "/  orders, requests, notifications; the cashier opens from there"),
        ("control", url + "/_emulator/  JSON; this address lists the calls"),
        ("merchants", "{}: sections {}".format(args.ini, ", ".join(name for _, name, _ in merchants))),
        ("AMS", "domain {}; {}".format(url, "{}: sections {}".format(args.ini, ", ".join(
            name + AMS for _, name, _ in merchants)) if args.ams else "--ams writes the accounts to " + args.ini)),
        ("state", args.state or "in memory: orders and keys are forgotten at the end (--state FILE keeps them)"),
        ("notify_url", args.notify_url or "the orders' own"),
        ("clock", "stands still; POST {}/_emulator/advance moves it".format(url) if args.frozen else "the machine's"),
        ("faults", rates or "none; POST {}/_emulator/faults arms them".format(url)),
    ))
    if not is_loopback(args.host):
        out.line()
        out.note("open", "--host {}: everybody who reaches this machine can read the test keys and the orders, pay "
                 "them, and have this machine send requests (notifications) to addresses of their choice".format(
                     args.host))
    out.line()
    out.paragraph("Point a shop at it: gateway URL, partner and keys as in {}; a notify_url that this machine reaches. "
                  "Or try it from another terminal, in this folder. An order's URL, to open in a browser and pay; then "
                  "what became of it:".format(args.ini))
    out.line()
    for line in ("alipay-mapi url create_forex_trade out_trade_no=A1 subject=Tea currency=USD total_fee=12.30 {}",
                 "alipay-mapi query --out-trade-no A1 {}"):
        out.line("   " + line.format(config))
    out.line()
    out.paragraph("The same without a browser:")
    out.line()
    for line in ("curl -d '{{\"out_trade_no\": \"A2\"}}' {}/_emulator/trades",
                 "curl -X POST {}/_emulator/trades/A2/pay"):
        out.line("   " + line.format(url))
    out.line("   alipay-mapi query --out-trade-no A2 {}".format(config))
    out.line()
    out.paragraph("Ctrl-C ends it.")
    out.finish()
