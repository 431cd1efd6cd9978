"""``fallback refund``: the wish for a refund is written down; runs send it, and see it through."""
from typing import Any, Dict

from ..amounts import format_amount
from ..client import Client
from ..errors import AlipayError, InvalidRequest, OrderNotFound, show
from ..fallback import Fallback, refunding
from ..fallback.refund_limit import too_much
from . import exits, fallback_shops, options, settings
from .fallback_settings import Told
from .output import Output
from .words import as_options


def run_refund(args: Any, out: Output) -> int:
    told = Told(args)
    shop = fallback_shops.usual(args, told)
    client = Client(settings.make_merchant(settings.load(args)))
    number, wish = options.text(args.out_trade_no), options.text(args.out_return_no)
    facts = (("shop", shop), ("out_trade_no", number), ("out_return_no", wish), ("amount", args.amount),
             ("reason", options.text(args.reason)))
    out.data(store=told.name, written=False, **dict(facts))
    with told.store() as store:
        row = store.get(shop, number)
        if row is None:
            raise InvalidRequest("--out-trade-no: {} of the shop {} is not watched in this store; to give money back "
                                 "all the same use alipay-mapi refund".format(show(number), show(shop)),
                                 parameter="--out-trade-no")
        currency = row.order.currency if row.order.rmb_fee is None else "CNY"
        out.data(currency=currency)
        problem = _too_much(row, wish, args.amount)
        if problem:
            raise InvalidRequest(as_options(problem, ("amount",)), parameter="--amount")
        if not args.yes:
            out.note("not done", "this is what would be written down for the next run")
            out.facts(facts + (("currency", currency or "CNY"),), "  ")
            raise InvalidRequest("nothing was written: a refund needs --yes", parameter="--yes")
        details: Dict[str, Any] = {}
        try:
            Fallback(store, {shop: client}).refund(shop, number, wish, args.amount, reason=options.text(args.reason))
        except OrderNotFound:
            problem = "--out-trade-no: it was deleted just now"
        except InvalidRequest as err:
            problem, details = as_options(str(err), ("out_trade_no", "out_return_no", "amount", "reason")), err.facts
    if problem:
        raise InvalidRequest(problem, **details)
    out.data(written=True)
    out.good("written", "refund {} of order {}: {} {}; the next run sends it, and the effect refunded tells when it is "
             "proved".format(wish, number, args.amount, currency or "CNY"))
    return exits.DONE


def _too_much(row, wish, amount) -> str:
    """Said before anything is confirmed; what cannot be read is for ``Fallback.refund`` to refuse."""
    try:
        others = [one for one in refunding.from_text(row.refunds) if one.out_return_no != wish]
        return too_much(row.order, others, format_amount(amount))
    except AlipayError:
        return ""
