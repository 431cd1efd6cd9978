"""Batch refunds of instant payments: with the payment password (a page), without it (a server's call), and the query.

The answer only says that the batch was taken. What became of each item is in a ``batch_refund_notify``, and a trade's
new status in a notification to the payment's own address. The merchant is thought to type his password at once.
Which code an item deserves is told by no page; the choice is ours, and ``why`` of the stored item explains it.
Source: refund_fastpay_by_platform_pwd and _nopwd, refund_fastpay_query, "Refund notification".
"""
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from ... import charsets
from ...errors import MalformedParameter
from ...times import parse_time
from ..gateway import Call
from ..refused import Refused, refuse
from ..reply import PLAIN, Reply
from ..trades import MAINLAND
from .batches import counted, done_page, is_amount, new_number, required, tell, well_formed
from .create_direct_pay_by_user import account_of

#: The kind of its rows in the ledger's table ``batches``.
REFUND = "refund"
#: What ``give_back`` says → what a batch says.
_CODES = {"RETURN_AMOUNT_EXCEED": "REFUND_TRADE_FEE_ERROR",
          "MERCHANT_BALANCE_NOT_ENOUGH": "TXN_RESULT_ACCOUNT_BALANCE_NOT_ENOUGH"}
_STATES = {"TRADE_CLOSED": "TRADE_HAS_CLOSED", "TRADE_FINISHED": "TRADE_HAS_FINISHED"}


class Item(NamedTuple):
    """One item of ``detail_data``. ``fee``: the service fee to give back, ``royalties`` and ``sub_trades``: parts that
    the emulator reads and cannot carry out."""

    trade_no: str
    amount: str
    reason: str
    fee: Optional[Decimal]
    royalties: int
    sub_trades: int


def by_platform_nopwd(call: Call) -> Reply:
    """A bare T: the batch was taken. Raises Refused with a code of the batch."""
    _refund(call)
    return call.success()


def by_platform_pwd(call: Call) -> Reply:
    """The page after the password. Raises Refused with a code of the batch."""
    number, items = _refund(call, royalties=False)
    return done_page("Refund", "Batch {}: {} of {} refunds done.".format(
        number, sum(item["code"] == "SUCCESS" for item in items), len(items)))


def query(call: Call) -> Reply:
    """``result_details`` of a batch, of a trade, or of a trade in a batch, as form text.

    Raises Refused: ILLEGAL_ARGUMENT (no number), RESULT_BATCH_NO_FORMAT_ERROR. Source: refund_fastpay_query.
    """
    number, trade_no = call.params.get("batch_no"), call.params.get("trade_no")
    if not number and not trade_no:
        raise refuse("ILLEGAL_ARGUMENT", "give batch_no or trade_no", "batch_no")
    if number and not re.fullmatch("[0-9]{8}[0-9A-Za-z]{3,24}", number):
        raise refuse("RESULT_BATCH_NO_FORMAT_ERROR", "a date and 3 to 24 letters or digits", "batch_no")
    found = ["{}^{}^{}^{}".format(batch["batch_no"], item["trade_no"], item["amount"], item["code"])
             for batch in call.gateway.ledger.rows("batches", partner=call.partner, kind=REFUND)
             if not number or number == batch["batch_no"]
             for item in batch["items"] if not trade_no or trade_no == item["trade_no"]]
    text = "is_success=T&result_details=" + "#".join(found) if found else "is_success=F&error_code=REFUND_NOT_EXIST"
    return Reply(200, PLAIN, text.encode("ascii"))


# --- a batch ----------------------------------------------------------------------------------------------------------

def _refund(call: Call, royalties: bool = True) -> Tuple[str, List[Dict[str, Any]]]:
    with call.gateway.ledger.transaction():
        seller = _seller(call)
        number = new_number(call, REFUND, 24)
        _check_date(call)
        well_formed(call, "notify_url")
        items = [_item(call, text) for text in counted(call, "#")]
        if len({item.trade_no for item in items}) != len(items):
            raise refuse("DUBL_TRADE_NO_IN_SAME_BATCH", "a trade_no stands in it twice", "detail_data")
        if not royalties and any(item.royalties for item in items):
            raise refuse("PWD_REFUND_NOT_ALLOW_ROYALTY", "a refund with password takes no royalties back",
                         "detail_data")
        done = []
        for item in items:
            code, why = _carry_out(call, seller, number, item)
            done.append({"trade_no": item.trade_no, "amount": item.amount, "reason": item.reason, "code": code,
                         "why": why})
        call.gateway.ledger.add("batches", {"items": done, "at": call.gateway.trades.now(), "params": call.order({})},
                                partner=call.partner, batch_no=number, kind=REFUND)
        tell(call, number, "batch_refund_notify", {
            "success_num": str(sum(item["code"] == "SUCCESS" for item in done)),
            "result_details": "#".join("{trade_no}^{amount}^{code}".format(**item) for item in done)})
    return number, done


def _seller(call: Call) -> str:
    """Whose trades these are: ``seller_user_id`` wins over ``seller_email``. Raises Refused."""
    number, email = call.params.get("seller_user_id"), call.params.get("seller_email")
    if not number and not email:
        raise refuse("ILLEGAL_ARGUMENT", "give seller_user_id or seller_email", "seller_user_id")
    by_number, by_email = account_of(call, number or ""), account_of(call, email or "")
    if email and by_email is None:
        raise refuse("ACCOUNT_NOT_EXISTS", "no account has this address", "seller_email")
    if number and by_number != number:
        raise refuse("SELLER_INFO_NOT_EXIST", "no account has this number", "seller_user_id")
    if number and email and by_email != number:
        raise refuse("EMAIL_USERID_NOT_MATCH", "seller_email is another account than seller_user_id", "seller_email")
    if call.merchant.setting("seller_forbidden"):
        raise refuse("SELLER_STATUS_NOT_ALLOW", "the seller's account is blocked (setting seller_forbidden)")
    return by_number or by_email or ""


def _check_date(call):
    text = required(call, "refund_date")
    try:
        away = abs(call.gateway.clock.now() - parse_time(text)) if len(text) == 19 else None
    except MalformedParameter:
        away = None
    if away is None or away > timedelta(days=1):
        raise refuse("REFUND_DATE_ERROR", "the time of the request, yyyy-MM-dd HH:mm:ss in GMT+8", "refund_date")


# --- its items --------------------------------------------------------------------------------------------------------

def _item(call: Call, text: str) -> Item:
    """``trade_no^amount^reason``, then ``$fee`` (``|royalty`` ...) (``$$sub-trade`` ...). Raises Refused."""
    try:
        text.encode("gbk")
    except UnicodeEncodeError:
        raise refuse("SINGLE_DETAIL_DATA_ENCODING_NOT_SUPPORT", "holds characters beyond GBK", "detail_data") from None
    first, *sub_trades = text.split("$$")
    first, *royalties = first.split("|")
    first, *fees = first.split("$")
    parts, fee = first.split("^"), fees[0].split("^") if fees else None
    if len(parts) != 3 or not re.fullmatch("[0-9A-Za-z_-]{1,64}", parts[0]) or not is_amount(parts[1]) \
            or not parts[2] or len(fees) > 1 or (fee is not None and (len(fee) != 4 or not is_amount(fee[2]))):
        raise _malformed("trade_no^amount^reason")
    if any(len(one.split("^")) != 6 or not is_amount(one.split("^")[4]) for one in royalties):
        raise _malformed("|from_email^from_id^to_email^to_id^amount^reason")
    if any(len(one.split("^")) != 2 or not is_amount(one.split("^")[0]) for one in sub_trades):
        raise _malformed("$$amount^reason")
    if len({tuple(one.split("^")[:4]) for one in royalties}) != len(royalties):
        raise refuse("DUBL_ROYALTY_IN_DETAIL", "an item takes a royalty back twice", "detail_data")
    if len(parts[2].encode(charsets.reading_codec(call.charset))) > 256:
        raise refuse("SINGLE_DETAIL_DATA_EXCEED_LIMIT", "the reason of an item is longer than 256 bytes",
                     "detail_data")
    return Item(parts[0], parts[1], parts[2], Decimal(fee[2]) if fee else None, len(royalties), len(sub_trades))


def _malformed(form):
    return refuse("DETAIL_DATA_FORMAT_ERROR", "an item is not of the form {}".format(form), "detail_data")


def _carry_out(call: Call, seller: str, number: str, item: Item) -> Tuple[str, str]:
    """(code, why) of one item: SUCCESS, or why its money stays."""
    try:
        trade = _trade(call, seller, item)
        _check_amounts(item)
        # No number that a shop can write has an arrow: it never collides with an out_return_no.
        call.gateway.refunds.give_back(trade, "{}\u2192{}".format(number, item.trade_no), Decimal(item.amount), {
            "batch_no": number, "return_amount": item.amount, "reason": item.reason})
        return "SUCCESS", ""
    except Refused as refusal:
        return _CODES.get(refusal.code, refusal.code), str(refusal)


def _trade(call, seller, item):
    call.gateway.trades.settle()
    trade = call.gateway.ledger.one("trades", trade_no=item.trade_no)
    if trade is None:
        raise refuse("TRADE_NOT_EXISTS", "no trade has this number; it is Alipay's trade_no that counts", "detail_data")
    if trade["partner"] != call.partner:
        raise refuse("NOT_THIS_PARTNERS_TRADE", "it is a trade of another partner", "detail_data")
    theirs = [trade["params"][name] for name in ("seller_id", "seller_account_name", "seller_email")
              if trade["params"].get(name)]
    if seller != (account_of(call, theirs[0]) if theirs else trade["partner"]):
        raise refuse("NOT_THIS_SELLER_TRADE", "it is a trade of another seller", "detail_data")
    if trade["kind"] != MAINLAND:
        raise refuse("TRADE_PRODUCT_TYPE_NOT_ALLOW_REFUND", "only instant mainland payments are refunded in batches; "
                     "a cross-border one has forex_refund", "detail_data")
    if trade["trade_status"] != "TRADE_SUCCESS":
        raise refuse(_STATES.get(trade["trade_status"], "TRADE_STATUS_ERROR"), "the trade is {}".format(
            trade["trade_status"]), "detail_data")
    return trade


def _check_amounts(item):
    if Decimal(item.amount) == 0:
        raise refuse("REFUND_AMOUNT_NOT_VALID", "the amount is zero", "detail_data")
    if item.fee is not None:
        if item.fee == 0:
            raise refuse("REFUND_CHARGE_FEE_ERROR", "the service fee is zero", "detail_data")
        if item.fee > Decimal(item.amount):
            raise refuse("REFUND_CHARGE_FEE_GREATER_THAN_LIMIT", "a service fee above the refund", "detail_data")
        raise refuse("NO_REFUND_CHARGE_PRIVILEDGE", "no contract of a test merchant gives service fees back",
                     "detail_data")
    if item.royalties:
        raise refuse("REFUND_ROYALTY_FEE_ERROR", "the emulator pays no royalties out, so none can come back",
                     "detail_data")
    if item.sub_trades:
        raise refuse("REFUND_SUBTRADE_FEE_ERROR", "a trade of the emulator has no sub-trades", "detail_data")


#: Service → (handler, what answers).
ROWS = {
    "refund_fastpay_by_platform_nopwd": (by_platform_nopwd, "xml"),
    "refund_fastpay_by_platform_pwd": (by_platform_pwd, "page"),
    "refund_fastpay_query": (query, "text"),
}
