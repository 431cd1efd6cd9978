"""``batch_trans_notify``: the merchant pays many receivers at once, on a page; the result comes by notification.

A malformed batch is refused whole. A line whose receiver cannot have the money fails alone. The merchant is thought to
type his password at once. The receivers, their names and the day's quota are ours. Source: batch_trans_notify,
"Batch-pay notification".
"""
import re
from decimal import Decimal
from typing import Any, Dict, List, NamedTuple

from ... import charsets
from ..gateway import Call
from ..refused import refuse
from ..reply import Reply
from .batches import counted, done_page, is_amount, new_number, required, tell, well_formed

#: The kind of its rows in the ledger's table ``batches``.
PAYMENT = "payment"
#: CNY that one partner may pay out in a day.
DAILY_QUOTA = Decimal("10000000.00")

#: ``refusal``: the code of everything that is paid to this account, or "".
Payee = NamedTuple("Payee", [("account", str), ("number", str), ("name", str), ("refusal", str)])

#: Who can be paid. ``account``: an address under example.com, which belongs to nobody; its number does as well.
PAYEES = (
    Payee("buyer1@example.com", "2088000000000901", "张三", ""),
    Payee("buyer2@example.com", "2088000000000902", "李四", ""),
    Payee("blocked@example.com", "2088000000000905", "王五", "ILLEGAL_USER_STATUS"),
    Payee("unnamed@example.com", "2088000000000906", "赵六", "ERROR_OTHER_NOT_REALNAMED"),
    Payee("uncertified@example.com", "2088000000000907", "孙七", "ERROR_OTHER_CERTIFY_LEVEL_LIMIT"),
    Payee("released@example.com", "2088000000000908", "周八", "PAYEE_ACCOUNT_IS_RELEASED"),
    Payee("level0@example.com", "2088000000000909", "吴九", "PERMIT_NON_BANK_LIMIT_PAYEE_L0_FORBIDDEN"),
)

_ACCOUNT = re.compile(r"[^\s@^|]{1,64}@[^\s@^|]{1,64}|1[0-9]{10}|2088[0-9]{12}", re.ASCII)


class Line(NamedTuple):
    """One line of ``detail_data``, as written."""

    serial: str
    account: str
    name: str
    amount: str
    note: str


def batch_trans_notify(call: Call) -> Reply:
    """The page after the password. Raises Refused with a code of the batch."""
    with call.gateway.ledger.transaction():
        number, lines = _read(call)
        batch = call.gateway.ledger.add("batches", {"items": [], "at": call.gateway.trades.now(),
                                                    "params": call.order({})}, partner=call.partner, batch_no=number,
                                        kind=PAYMENT)
        now = call.gateway.clock.now()
        done: List[Dict[str, Any]] = []
        for at, line in enumerate(lines):
            code = _refusal(line)
            done.append(dict(line._asdict(), code=code or "SUCCESS", number="{:%Y%m%d}{:05d}{:04d}".format(
                now, batch["id"], at), at="{:%Y%m%d%H%M%S}".format(now)))
        _take(call, sum((Decimal(item["amount"]) for item in done if item["code"] == "SUCCESS"), Decimal(0)))
        call.gateway.ledger.change("batches", batch, items=done)
        tell(call, number, "batch_trans_notify", {
            "pay_user_id": call.partner, "pay_user_name": call.params["account_name"],
            "pay_account_no": call.partner + "0156",
            "success_details": "".join(_row(item) for item in done if item["code"] == "SUCCESS"),
            "fail_details": "".join(_row(item) for item in done if item["code"] != "SUCCESS")})
    return done_page("Batch payment", "Batch {}: {} of {} payments done.".format(
        number, sum(item["code"] == "SUCCESS" for item in done), len(done)))


def _row(item):
    """Each ends with a bar, the last one too."""
    good = item["code"] == "SUCCESS"
    return "{serial}^{account}^{name}^{amount}^{0}^{1}^{number}^{at}|".format(
        "S" if good else "F", "" if good else item["code"], **item)


def _read(call: Call):
    """(batch_no, lines) of a request in which everything fits. Raises Refused."""
    if required(call, "email").lower() != call.merchant.seller_email:
        raise refuse("USER_NOT_EXIST", "the payer is the merchant's own account, {}".format(
            call.merchant.seller_email), "email")
    if call.merchant.setting("seller_forbidden"):
        raise refuse("ILLEGAL_USER_STATUS", "the payer's account is blocked (setting seller_forbidden)", "email")
    required(call, "account_name")
    required(call, "pay_date")
    well_formed(call, "pay_date")
    well_formed(call, "notify_url")
    number = new_number(call, PAYMENT, 16)
    # Whether Alipay takes a bar behind the last line is not known; clients send it.
    lines = [_line(call, text) for text in counted(call, "|", end="|")]
    if len({line.serial for line in lines}) != len(lines):
        raise refuse("ILLEGAL_ARGUMENT", "a serial stands in it twice", "detail_data")
    total = sum((Decimal(line.amount) for line in lines), Decimal(0))
    required(call, "batch_fee")
    if Decimal(well_formed(call, "batch_fee", "RECEIVE_MONEY_ERROR")) != total:
        raise refuse("RECEIVE_MONEY_ERROR", "the amounts add up to {}".format(total), "batch_fee")
    _check_funds(call, total)
    return number, lines


def _line(call, text):
    parts = text.split("^")
    if len(parts) != 5 or not re.fullmatch("[0-9A-Za-z_-]{1,64}", parts[0]):
        raise refuse("LINE_LENGTH_ERROR", "a line is not serial^account^name^amount^note", "detail_data")
    line = Line(*parts)
    if not _ACCOUNT.fullmatch(line.account):
        raise refuse("RECEIVE_ACCOUNT_ERROR", "an account is an e-mail address, a mobile number or a number of 2088",
                     "detail_data")
    if not 1 <= len(line.name) <= 128:
        raise refuse("RECEIVE_NAME_ERROR", "a receiver's name has 1 to 128 characters", "detail_data")
    if not is_amount(line.amount) or Decimal(line.amount) == 0:
        raise refuse("RECEIVE_SINGLE_MONEY_ERROR", "the amount of a line is plain digits such as 12.30, and not zero",
                     "detail_data")
    if len(line.note.encode(charsets.reading_codec(call.charset))) > 200:
        raise refuse("RECEIVE_REASON_ERROR", "the note of a line has at most 200 bytes", "detail_data")
    return line


def _check_funds(call, total):
    today = call.gateway.clock.now().strftime("%Y-%m-%d")
    spent = sum((Decimal(item["amount"]) for batch in call.gateway.ledger.rows(
        "batches", partner=call.partner, kind=PAYMENT) if batch["at"].startswith(today) for item in batch["items"]
        if item["code"] == "SUCCESS"), Decimal(0))
    if spent + total > DAILY_QUOTA:
        raise refuse("DAILY_QUOTA_LIMIT_EXCEED", "a merchant pays out at most {} yuan a day".format(DAILY_QUOTA),
                     "batch_fee")
    balance = call.merchant.setting("balance")
    if balance is not None and Decimal(balance) < total:
        raise refuse("TRANSFER_AMOUNT_NOT_ENOUGH", "the merchant's balance does not cover it (setting balance)",
                     "batch_fee")


def _take(call, total):
    balance = call.merchant.setting("balance")
    if balance is not None and total:
        call.gateway.merchants.change(call.partner, balance=str(Decimal(balance) - total))


def _refusal(line: Line) -> str:
    """Why a line fails, or ""."""
    for payee in PAYEES:
        if line.account.lower() in (payee.account, payee.number):
            if line.name != payee.name:
                return "RECEIVE_EMAIL_NAME_NOT_MATCH" if "@" in line.account else "ACCOUN_NAME_NOT_MATCH"
            return payee.refusal
    return "RECEIVE_USER_NOT_EXIST"


#: Service → (handler, what answers).
ROWS = {"batch_trans_notify": (batch_trans_notify, "page")}
