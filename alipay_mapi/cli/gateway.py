"""``query``, ``refund`` and ``notify-verify``: one call of the gateway each; a refund only with ``--yes``."""
from datetime import datetime, timezone
from typing import Any, Dict

from .. import services
from ..client import Client
from ..errors import InvalidRequest, NotifyNotGenuine
from ..request import build_request
from . import exits, settings, verify
from .output import Output
from .words import as_options

_REFUND = (
    ("--out-trade-no", "NO", "the payment, by your number"),
    ("--out-return-no", "NO", "your number of this refund: what keeps it from happening twice"),
    ("--currency", "CUR", "the payment's currency, also with --return-rmb-amount"),
    ("--return-amount", "AMOUNT", "how much, in the currency"),
    ("--return-rmb-amount", "AMOUNT", "how much, in CNY, for a payment priced in rmb_fee"),
    ("--gmt-return", "TIME", "yyyyMMddHHmmss or 'yyyy-MM-dd HH:mm:ss', in GMT+8; default: now"),
    ("--reason", "TEXT", "shown to the buyer"),
    ("--notify-url", "URL", "where the result is sent"),
    ("--is-sync", "Y", "refund within the call, without a notification"),
    ("--product-code", "CODE", "that of the payment"),
)


def add(commands: Any, parents: list) -> None:
    """Add the commands to the parser."""
    query = commands.add_parser("query", parents=parents, help="ask what became of a trade", examples=(
        "alipay-mapi query --out-trade-no A1 --config shop.ini",),
        stray="write --out-trade-no NO (yours) or --trade-no NO (Alipay's)")
    query.add_argument("--out-trade-no", metavar="NO", help="the order, by your number")
    query.add_argument("--trade-no", metavar="NO", help="the order, by Alipay's number (faster)")
    query.add_argument("--show-buyer", action="store_true", help="print the buyer's data unmasked")
    query.set_defaults(run=run_query, parser=query)
    refund = commands.add_parser("refund", parents=parents, help="give money back; only with --yes", examples=(
        "alipay-mapi refund --out-trade-no A1 --out-return-no R1 --currency USD --return-amount 1.00 --dry-run "
        "--config shop.ini",
        "alipay-mapi refund --out-trade-no A1 --out-return-no R1 --currency USD --return-amount 1.00 --yes "
        "--config shop.ini"), stray="every parameter has its option")
    for flag, metavar, text in _REFUND:
        refund.add_argument(flag, metavar=metavar, help=text)
    how = refund.add_mutually_exclusive_group()
    how.add_argument("--yes", action="store_true", help="send it: this moves money")
    how.add_argument("--dry-run", action="store_true", help="show what would be sent, and send nothing")
    refund.set_defaults(run=run_refund, parser=refund)
    verified = commands.add_parser("notify-verify", parents=parents, help="ask whether Alipay sent a notification",
                                   examples=("alipay-mapi notify-verify NOTIFY_ID --config shop.ini",))
    verified.add_argument("notify_id", metavar="ID", help="the notify_id, as received; known for about a minute")
    verified.set_defaults(run=run_notify_verify, parser=verified)


def run_query(args: Any, out: Output) -> int:
    params = _built(services.single_trade_query, {"out_trade_no": args.out_trade_no, "trade_no": args.trade_no})
    shop = settings.make_merchant(settings.load(args))
    out.data(service="single_trade_query")
    verify.answer(Client(shop).single_trade_query(**params), args.show_buyer, out)
    return exits.DONE


def run_refund(args: Any, out: Output) -> int:
    arguments = {flag[2:].replace("-", "_"): getattr(args, flag[2:].replace("-", "_")) for flag, _, _ in _REFUND}
    arguments["gmt_return"] = arguments["gmt_return"] or datetime.now(timezone.utc)
    params = _built(services.forex_refund, arguments)
    shop = settings.make_merchant(settings.load(args))
    out.data(service="forex_refund", sent=args.yes)
    if args.yes:
        verify.answer(Client(shop).forex_refund(**arguments), False, out)
        return exits.DONE
    request = build_request(shop, "forex_refund", params)
    sent = {name: "********" if name == "sign" else value for name, value in request.params.items()}
    out.note("not sent", "this is what would go to {}".format(shop.gateway))
    out.table(("parameter", "value"), sorted(sent.items()), "  ")
    out.data(gateway=shop.gateway, would_send=sent)
    if args.dry_run:
        return exits.DONE
    raise InvalidRequest("nothing was sent: a live refund needs --yes (or --dry-run, to look only)", parameter="--yes")


def _built(builder, arguments) -> Dict[str, str]:
    """The builder's params; a refusal names the options instead of its arguments."""
    try:
        return builder(**arguments)
    except InvalidRequest as err:
        told, facts = str(err), err.facts
    raise InvalidRequest(as_options(told, arguments), **facts)


def run_notify_verify(args: Any, out: Output) -> int:
    shop = settings.make_merchant(settings.load(args))
    genuine = Client(shop).notify_verify(args.notify_id)
    out.data(genuine=genuine)
    if not genuine:
        raise NotifyNotGenuine("the gateway does not confirm this notify_id: not sent by Alipay, or asked after its "
                               "minute was over. Ask single_trade_query")
    out.good("genuine", "Alipay sent a notification with this id to partner {}; this says nothing about its fields"
             .format(shop.partner))
    return exits.DONE
