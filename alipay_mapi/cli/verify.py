"""``verify``: check bytes that came from Alipay, offline, and say what they prove."""
import re
import sys
from typing import Any, Optional, Tuple

from ..app_result import verify_app_result
from ..errors import InvalidRequest, MalformedParameter, show
from ..notification import verify_notify
from ..order import Order
from ..response import parse_response
from ..synchronous_return import verify_return
from . import exits, masking, options, settings
from .output import Output
from .words import for_shell

_ORDER = re.compile(r"(.+?),([0-9.]+)(?:,(rmb))?(?:,([A-Z]{3}))?", re.ASCII | re.DOTALL)
_LARGEST = 4 * 1024 * 1024
_BODY = "the raw body of the POST to notify_url: name=value&…, with sign and sign_type among them"
_QUERY = ("the query string that came to return_url, or the whole URL: out_trade_no=…&trade_status=…&…&sign=…, "
          "percent-encoded as the browser sent it")
_RESULT = "what the app SDK handed out: resultStatus={…};memo={…};result={…}, or its result alone"
_KINDS = (
    ("notify", "the body of a POST to notify_url",
     ("alipay-mapi verify notify body.bin --order A1,12.30,USD --config shop.ini",
      "alipay-mapi verify notify - --config shop.ini < body.bin")),
    ("return", "the query string that the buyer's browser brought to return_url",
     ("alipay-mapi verify return query.txt --own session --config shop.ini",)),
    ("app", "the app SDK's result", ("alipay-mapi verify app result.txt --config shop.ini",)),
    ("response", "an XML answer of the gateway",
     ("alipay-mapi verify response answer.xml --asked service=single_trade_query --asked out_trade_no=A1 "
      "--config shop.ini",)),
)


def add(commands: Any, parents: list) -> None:
    """Add the commands to the parser."""
    group = commands.add_parser("verify", parents=parents[:1], help="check what came from Alipay",
                                examples=[examples[0] for _, _, examples in _KINDS])
    group.set_defaults(run=None, parser=group)
    below = group.add_subparsers(metavar="KIND")
    runs = {"notify": run_notify, "return": run_return, "app": run_app, "response": run_response}
    for kind, what, examples in _KINDS:
        parser = below.add_parser(kind, parents=parents, help=what, examples=examples)
        parser.add_argument("file", metavar="FILE", nargs="?", default="-", help="the raw bytes; - for stdin, default")
        parser.add_argument("--show-buyer", action="store_true", help="print the buyer's data unmasked")
        parser.set_defaults(run=runs[kind], parser=parser)
        if kind in ("notify", "return"):
            parser.add_argument("--order", metavar="ORDER", help="what the shop knows: NO,AMOUNT[,CURRENCY] (without "
                                "CURRENCY: yuan); NO,AMOUNT,rmb[,CURRENCY] for an order priced in rmb_fee")
        if kind == "notify":
            parser.add_argument("--content-type", metavar="TYPE", help="the header that came with the POST")
            parser.add_argument("--confirm", action="store_true",
                                help="ask the gateway too (notify_verify); goes to the network")
        if kind == "return":
            parser.add_argument("--own", metavar="NAME", action="append", default=[],
                                help="a parameter that your own return_url has")
        if kind == "response":
            parser.add_argument("--asked", metavar="key=value", action="append", default=[],
                                help="a parameter that was sent, such as out_trade_no=A1")


def run_notify(args: Any, out: Output) -> int:
    order = _order(args.order)
    shop = settings.make_merchant(settings.load(args))
    confirm = None
    if args.confirm:
        from ..client import Client
        confirm = Client(shop).notify_verify
    note = verify_notify(shop, _line(_read(args, out), _BODY), args.content_type, order=order, confirm=confirm)
    out.good("verified", "a notification ({})".format(note.kind))
    out.data(kind=note.kind, is_paid=note.is_paid, is_refund=note.is_refund, is_closed=note.is_closed)
    report(note, args.show_buyer, out, (("is_paid", _yes(note.is_paid)), ("is_refund", _yes(note.is_refund)),
                                        ("is_closed", _yes(note.is_closed))))
    return exits.DONE


def run_return(args: Any, out: Output) -> int:
    order = _order(args.order)
    shop = settings.make_merchant(settings.load(args))
    query = _line(_read(args, out), _QUERY)
    if re.match(rb"https?://", query):
        query = _line(query.partition(b"?")[2].partition(b"#")[0], _QUERY)
    back = verify_return(shop, query, order=order, own=args.own)
    out.good("verified", "a synchronous return; not proof of payment")
    report(back, args.show_buyer, out)
    return exits.DONE


def run_app(args: Any, out: Output) -> int:
    shop = settings.make_merchant(settings.load(args))
    app = verify_app_result(shop, _line(_read(args, out), _RESULT))
    if app.signed:
        out.good("verified", "an app result; not proof of payment")
    else:
        out.note("unsigned", "the SDK reports no payment")
    out.data(signed=app.signed, success=app.success, result_status=app.result_status)
    report(app, args.show_buyer, out, (("resultStatus", app.result_status), ("success", _yes(app.success))))
    return exits.DONE


def run_response(args: Any, out: Output) -> int:
    asked = options.pairs(args.asked, "--asked")
    shop = settings.make_merchant(settings.load(args))
    answer(parse_response(shop, _read(args, out), asked=asked), args.show_buyer, out)
    return exits.DONE


def answer(response: Any, show_buyer: bool, out: Output) -> None:
    """Print an answer of the gateway. Raises GatewayError when it is a no."""
    out.data(is_success=response.is_success, signed=response.signed)
    response.raise_for_error()
    if response.signed:
        out.good("verified", "an answer that Alipay signed")
    else:
        out.note("accepted", "Alipay signs no such answer: it is accepted, and neither paid nor refunded. A "
                             "notification or a signed query settles it")
    report(response, show_buyer, out)


def report(message: Any, show_buyer: bool, out: Output, facts: Tuple = ()) -> None:
    """The fields, and which checks were made; the same for all kinds of message. ``facts``: what to say first."""
    fields = {name: masking.shown(name, message[name], show_buyer) for name in sorted(message)}
    passed = sorted(message.passed)
    unchecked = {name: for_shell(why) for name, why in message.unchecked.items()}
    out.facts(facts + (("passed", ", ".join(passed) or "nothing"),) + tuple(
        ("unchecked", "{}: {}".format(name, why)) for name, why in sorted(unchecked.items())), "  ")
    if fields:
        out.line()
        out.table(("field", "value"), fields.items(), "  ")
    out.data(passed=passed, unchecked=unchecked, fields=fields)


def _order(argument) -> Optional[Order]:
    if argument is None:
        return None
    match = _ORDER.fullmatch(options.text(argument))
    if match is None:
        raise InvalidRequest("--order: write NO,AMOUNT[,CURRENCY], such as A1,12.30,USD (without CURRENCY: yuan), or "
                             "NO,AMOUNT,rmb[,CURRENCY] for an order priced in rmb_fee", parameter="order")
    number, amount, rmb, currency = match.groups()
    if rmb:
        return Order(number, rmb_fee=amount, currency=currency)
    return Order(number, total_fee=amount, currency=currency)


def _read(args, out) -> bytes:
    if args.file == "-":
        if "-" in [args.private_key_file, args.md5_key_file] + (args.alipay_public_key_file or []):
            raise InvalidRequest("FILE: stdin holds the key already; give the message as a file", parameter="FILE")
        if sys.stdin.isatty():
            out.talk("reading the message from the terminal; end with Ctrl-D")
        return settings.read_stdin(_LARGEST)
    problem = ""
    try:
        with open(args.file, "rb") as file:
            return file.read(_LARGEST)
    except OSError as err:
        problem = err.strerror or type(err).__name__
    raise InvalidRequest("FILE: cannot read {}: {}".format(show(args.file, 200), problem), parameter="FILE")


def _line(data: bytes, expected: str) -> bytes:
    """Without the line end that an editor or ``echo`` has put behind the message; none of these kinds ends in one.

    Raises MalformedParameter when nothing is left. ``expected``: what to say then.
    """
    data = data.rstrip(b"\r\n")
    if not data:
        raise MalformedParameter("FILE: there is nothing in it; expected is {}".format(expected))
    return data


def _yes(value):
    return "yes" if value else "no"
