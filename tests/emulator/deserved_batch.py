"""For each code of batch refunds, batch payments and escrow, a request (or an item) that deserves it.

``DESERVED``: code → function of an emulator → the code that was got. ``EXCUSED``: code → why nothing can deserve it.
"""
import hashlib
import re
from urllib.parse import parse_qsl, urlencode

from alipay_mapi.emulator.incoming import Incoming
from alipay_mapi.emulator.notifier import Answered

REFUND, PASSWORD, REFUND_QUERY = ("refund_fastpay_by_platform_nopwd", "refund_fastpay_by_platform_pwd",
                                  "refund_fastpay_query")
PAY, ESCROW, BOTH, SHIP = ("batch_trans_notify", "create_partner_trade_by_buyer", "trade_create_by_buyer",
                           "send_goods_confirm_by_platform")


# --- requests, signed without our code --------------------------------------------------------------------------

def posted(emulator, service, charset="utf-8", **params):
    """A request of the merchant ``md5``; None leaves a parameter out."""
    shop = emulator.merchant("md5")
    params = {name: value for name, value in dict(
        params, service=service, partner=shop.partner, _input_charset=charset).items() if value is not None}
    text = "&".join("{}={}".format(name, params[name]) for name in sorted(params) if params[name] != "")
    params["sign"] = hashlib.md5((text + shop.shop_keys()["md5_key"]).encode(charset)).hexdigest()
    params["sign_type"] = "MD5"
    return Incoming("POST", b"_input_charset=" + charset.encode("ascii"),
                    urlencode(params, encoding=charset).encode("ascii"))


def send(emulator, service, **params):
    """The outcome of such a request."""
    return emulator.answer(posted(emulator, service, **params))


def today(emulator):
    return emulator.clock.now().strftime("%Y%m%d")


def refund(emulator, *items, **params):
    """The outcome of a batch refund of ``items``."""
    given = {"seller_user_id": emulator.merchant("md5").partner, "batch_no": today(emulator) + "001",
             "batch_num": str(len(items)), "detail_data": "#".join(items),
             "refund_date": emulator.clock.now().strftime("%Y-%m-%d %H:%M:%S")}
    given.update(params)
    return send(emulator, given.pop("service", REFUND), **given)


def pay(emulator, *lines, **params):
    """The outcome of a batch payment."""
    given = {"email": emulator.merchant("md5").seller_email, "account_name": "某公司", "pay_date": today(emulator),
             "batch_no": today(emulator) + "001", "batch_num": str(len(lines)), "detail_data": "|".join(lines),
             "batch_fee": "1.00"}
    given.update(params)
    return send(emulator, PAY, **given)


def order(emulator, **params):
    """The outcome of an escrow order."""
    given = {"out_trade_no": "E1", "subject": "Tea", "payment_type": "1", "price": "10.00", "quantity": "1",
             "seller_id": emulator.merchant("md5").partner, "logistics_type": "EXPRESS", "logistics_fee": "0.00",
             "logistics_payment": "SELLER_PAY"}
    given.update(params)
    return send(emulator, ESCROW, **given)


def ship(emulator, trade_no, **params):
    given = {"trade_no": trade_no, "logistics_name": "Post", "invoice_no": "I1", "transport_type": "EXPRESS"}
    given.update(params)
    return send(emulator, SHIP, **given)


def paid(emulator, number="A1", merchant="md5", **params):
    """The trade_no of an instant mainland payment of 10.00 (or of what ``params`` say)."""
    params.setdefault("service", "create_direct_pay_by_user")
    emulator.place(number, merchant=merchant, **params)
    return emulator.pay(number)["trade_no"]


def item(trade_no, amount="1.00", reason="broken", more=""):
    return "^".join((trade_no, amount, reason)) + more


def line(account="buyer1@example.com", name="张三", amount="1.00", note="wage", serial="S1"):
    return "^".join((serial, account, name, amount, note))


def item_code(emulator, *items, **params):
    """The code of the last item, as the batch's notification tells it."""
    outcome = refund(emulator, *items, notify_url="https://shop.example.com/refunds", **params)
    assert outcome.error is None, outcome.why
    return told(emulator)["result_details"].split("#")[-1].split("^")[2]


def line_code(emulator, text):
    outcome = pay(emulator, text, notify_url="https://shop.example.com/paid")
    assert outcome.error is None, outcome.why
    row = told(emulator)["fail_details"]
    assert row.endswith("|") and row.split("^")[4] == "F"
    return row.split("^")[5]


def told(emulator):
    """The fields of the newest notification, read from its bytes."""
    sent = []
    before = emulator.notifier.sender
    emulator.notifier.sender = lambda delivery: sent.append(delivery) or Answered(500, "")
    try:
        emulator.deliver()
    finally:
        emulator.notifier.sender = before
    return dict(parse_qsl(sent[-1].body.decode("ascii"), strict_parsing=True))


# --- the codes --------------------------------------------------------------------------------------------------

def of_refund(*items, **params):
    """A batch refund of ``items`` (by default one item of a paid trade) that is refused whole."""
    def deserve(emulator):
        return refund(emulator, *(items or (item(paid(emulator)),)), **params).error
    return deserve


def of_item(amount="1.00", more="", **params):
    """An item of a paid trade of 10.00."""
    return lambda emulator: item_code(emulator, item(paid(emulator), amount, more=more), **params)


def of_pay(*lines, **params):
    return lambda emulator: pay(emulator, *(lines or (line(),)), **params).error


def of_line(account, name="张三"):
    return lambda emulator: line_code(emulator, line(account, name))


def duplicate_batch_no(emulator):
    trade_no = paid(emulator)
    assert refund(emulator, item(trade_no)).error is None
    return refund(emulator, item(trade_no, "2.00")).error


def twice_the_same_royalty(emulator):
    return refund(emulator, item(paid(emulator), more=_ROYALTY + _ROYALTY)).error


def royalty_with_password(emulator):
    return refund(emulator, item(paid(emulator), more=_ROYALTY), service=PASSWORD).error


def same_trade_twice(emulator):
    trade_no = paid(emulator)
    return refund(emulator, item(trade_no), item(trade_no)).error


def blocked_seller(emulator):
    trade_no = paid(emulator)
    emulator.settings("md5", seller_forbidden=True)
    return refund(emulator, item(trade_no)).error


def malformed_batch_in_query(emulator):
    return send(emulator, REFUND_QUERY, batch_no="001").error


def no_such_refund(emulator):
    return _form(send(emulator, REFUND_QUERY, batch_no=today(emulator) + "001"))["error_code"]


def seller_of_another_trade(emulator):
    emulator.settings("md5", sellers=["2088000000000951"])
    return item_code(emulator, item(paid(emulator, seller_id="2088000000000951")))


def trade_of_another_partner(emulator):
    return item_code(emulator, item(paid(emulator, merchant="rsa")))


def unpaid_trade(emulator):
    emulator.place("A1", service="create_direct_pay_by_user")
    return item_code(emulator, item(emulator.log_in("A1")["trade_no"]))


def closed_trade(emulator):
    trade_no = paid(emulator)
    assert item_code(emulator, item(trade_no, "10.00")) == "SUCCESS"
    return item_code(emulator, item(trade_no), batch_no=today(emulator) + "002")


def finished_trade(emulator):
    trade_no = paid(emulator)
    emulator.advance(91 * 86400)
    return item_code(emulator, item(trade_no))


def cross_border_trade(emulator):
    return item_code(emulator, item(paid(emulator, service="create_forex_trade")))


def seller_without_money(emulator):
    emulator.settings("md5", balance="0.50")
    return item_code(emulator, item(paid(emulator)))


def payer_without_money(emulator):
    emulator.settings("md5", balance="0.50")
    return pay(emulator, line()).error


def quota_of_the_day(emulator):
    amount = "5000000.01"
    assert pay(emulator, line(amount=amount), batch_fee=amount).error is None
    return pay(emulator, line(amount=amount), batch_fee=amount, batch_no=today(emulator) + "002").error


def ship_unknown_trade(emulator):
    return ship(emulator, "2026010100100400000000000000").error


def ship_twice(emulator):
    order(emulator)
    trade_no = emulator.pay("E1")["trade_no"]
    assert ship(emulator, trade_no).error is None
    return ship(emulator, trade_no).error


def own_timeout(emulator):
    emulator.settings("md5", own_timeouts=False)
    return order(emulator, t_s_send_1="3").error


def of_order(**params):
    return lambda emulator: order(emulator, **params).error


def _form(outcome):
    return dict(pair.split("=", 1) for pair in re.split("&", outcome.reply.body.decode("ascii")))


_ROYALTY = "|md5@shop.example.com^2088000000000101^buyer2@example.com^2088000000000902^0.10^share"
_NOBODY = "2088999999999999"

DESERVED = {
    # batch refund: the batch
    "BATCH_NO_FORMAT_ERROR": of_refund(batch_no="20080107001"),
    "RESULT_BATCH_NO_FORMAT_ERROR": malformed_batch_in_query,
    "DUPLICATE_BATCH_NO": duplicate_batch_no,
    "BATCH_NUM_ERROR": of_refund(batch_num="one"),
    "BATCH_NUM_EXCEED_LIMIT": of_refund(batch_num="1001"),
    "BATCH_NUM_NOT_EQUAL_TOTAL": of_refund(batch_num="2"),
    "REFUND_DATE_ERROR": of_refund(refund_date="2008-01-07 00:00:00"),
    "DETAIL_DATA_FORMAT_ERROR": of_refund("2026010100100400000000000000^1.00"),
    "SINGLE_DETAIL_DATA_EXCEED_LIMIT": of_refund(item("2026010100100400000000000000", reason="x" * 257)),
    "SINGLE_DETAIL_DATA_ENCODING_NOT_SUPPORT": of_refund(item("2026010100100400000000000000", reason="\U0001f375")),
    "DUBL_TRADE_NO_IN_SAME_BATCH": same_trade_twice,
    "DUBL_ROYALTY_IN_DETAIL": twice_the_same_royalty,
    "PWD_REFUND_NOT_ALLOW_ROYALTY": royalty_with_password,
    "SELLER_INFO_NOT_EXIST": of_refund(seller_user_id=_NOBODY),
    "ACCOUNT_NOT_EXISTS": of_refund(seller_user_id=None, seller_email="nobody@example.com"),
    "EMAIL_USERID_NOT_MATCH": of_refund(seller_email="rsa@shop.example.com"),
    "SELLER_STATUS_NOT_ALLOW": blocked_seller,
    # batch refund: an item
    "TRADE_NOT_EXISTS": lambda emulator: item_code(emulator, item("2026010100100400000000000000")),
    "NOT_THIS_PARTNERS_TRADE": trade_of_another_partner,
    "NOT_THIS_SELLER_TRADE": seller_of_another_trade,
    "TRADE_STATUS_ERROR": unpaid_trade,
    "TRADE_HAS_CLOSED": closed_trade,
    "TRADE_HAS_FINISHED": finished_trade,
    "TRADE_PRODUCT_TYPE_NOT_ALLOW_REFUND": cross_border_trade,
    "REFUND_TRADE_FEE_ERROR": of_item("10.01"),
    "REFUND_AMOUNT_NOT_VALID": of_item("0.00"),
    "REFUND_CHARGE_FEE_ERROR": of_item(more="$md5@shop.example.com^2088000000000101^0.00^fee"),
    "REFUND_CHARGE_FEE_GREATER_THAN_LIMIT": of_item(more="$md5@shop.example.com^2088000000000101^1.01^fee"),
    "NO_REFUND_CHARGE_PRIVILEDGE": of_item(more="$md5@shop.example.com^2088000000000101^0.01^fee"),
    "REFUND_ROYALTY_FEE_ERROR": of_item(more=_ROYALTY),
    "REFUND_SUBTRADE_FEE_ERROR": of_item(more="$$0.10^part"),
    "TXN_RESULT_ACCOUNT_BALANCE_NOT_ENOUGH": seller_without_money,
    "REFUND_NOT_EXIST": no_such_refund,
    # batch payment: the batch
    "USER_NOT_EXIST": of_pay(email="nobody@example.com"),
    "RECEIVE_ACCOUNT_ERROR": of_pay(line("somebody")),
    "RECEIVE_NAME_ERROR": of_pay(line(name="")),
    "RECEIVE_SINGLE_MONEY_ERROR": of_pay(line(amount="1.001")),
    "RECEIVE_MONEY_ERROR": of_pay(batch_fee="1.01"),
    "RECEIVE_REASON_ERROR": of_pay(line(note="x" * 201)),
    "LINE_LENGTH_ERROR": of_pay("S1^buyer1@example.com^张三^1.00"),
    "TRANSFER_AMOUNT_NOT_ENOUGH": payer_without_money,
    "DAILY_QUOTA_LIMIT_EXCEED": quota_of_the_day,
    # batch payment: a line
    "RECEIVE_USER_NOT_EXIST": of_line("nobody@example.com"),
    "RECEIVE_EMAIL_NAME_NOT_MATCH": of_line("buyer1@example.com", "李四"),
    "ACCOUN_NAME_NOT_MATCH": of_line("2088000000000901", "李四"),
    "ILLEGAL_USER_STATUS": of_line("blocked@example.com", "王五"),
    "ERROR_OTHER_NOT_REALNAMED": of_line("unnamed@example.com", "赵六"),
    "ERROR_OTHER_CERTIFY_LEVEL_LIMIT": of_line("uncertified@example.com", "孙七"),
    "PAYEE_ACCOUNT_IS_RELEASED": of_line("released@example.com", "周八"),
    "PERMIT_NON_BANK_LIMIT_PAYEE_L0_FORBIDDEN": of_line("level0@example.com", "吴九"),
    # escrow
    "TRADE_NOT_EXIST": ship_unknown_trade,
    "TRADE_STATUS_NOT_AVAILD": ship_twice,
    "SUBJECT_MUST_NOT_BE_NULL": of_order(subject=None),
    "ILLEGAL_PAYMENT_TYPE": of_order(payment_type="2"),
    "ILLEGAL_FEE_PARAM": of_order(total_fee="10.00"),
    "SELLER_NOT_EXIST": of_order(seller_id=_NOBODY),
    "SELLER_NOT_IN_SPECIFIED_SELLERS": of_order(seller_id="2088000000000102"),
    "BUYER_NOT_EXIST": of_order(buyer_id=_NOBODY),
    "BUYER_SELLER_EQUAL": of_order(buyer_id="2088000000000101"),
    "SELF_TIMEOUT_NOT_SUPPORT": own_timeout,
}

_INSIDE = "a fault inside Alipay, which a request cannot deserve"
_ROYALTIES = "the emulator pays no royalties out; taking one back is always REFUND_ROYALTY_FEE_ERROR"
_SAME = "no page tells it from {}, which is what the emulator says"

EXCUSED = {
    "BATCH_MEMO_LENGTH_EXCEED_LIMIT": "no parameter of the pages is a memo of the whole batch",
    "BATCH_REFUND_LOCK_ERROR": _INSIDE,
    "BATCH_REFUND_STATUS_ERROR": _INSIDE,
    "BATCH_REFUND_DATA_ERROR": _INSIDE,
    "REFUND_TRADE_FAILED": _INSIDE,
    "REFUND_FAIL": _INSIDE,
    "SYSTEM_DISUSE_FILE": _INSIDE,
    "GENERAL_FAILTURE": _INSIDE,
    "MERCHANT_DISUSE_FILE": "the merchant discards the batch in Alipay's console; the emulator's pays at once",
    "DUP_ROYALTY_REFUND_ITEM": _SAME.format("DUBL_ROYALTY_IN_DETAIL"),
    "ROYALTYER_NOT_SIGN_PROTOCOL": _ROYALTIES,
    "REASON_REFUND_ROYALTY_ERROR": _ROYALTIES,
    "REASON_REFUND_CHARGE_ERR": _SAME.format("REFUND_CHARGE_FEE_ERROR"),
    "REASON_TRADE_REFUND_FEE_ERR": _SAME.format("REFUND_TRADE_FEE_ERROR"),
    "REASON_HAS_REFUND_FEE_NOT_MATCH": _SAME.format("REFUND_TRADE_FEE_ERROR"),
    "RESULT_AMOUNT_NOT_VALID": _SAME.format("REFUND_AMOUNT_NOT_VALID"),
    "REASON_REFUND_AMOUNT_LESS_THAN_COUPON_FEE": "the emulator's buyers have no coupons",
    "RESULT_ACCOUNT_NO_NOT_VALID": _SAME.format("ACCOUNT_NOT_EXISTS"),
    "TXN_RESULT_ACCOUNT_STATUS_NOT_VALID": _SAME.format("SELLER_STATUS_NOT_ALLOW"),
    "SELLER_NOT_SIGN_PROTOCOL": _SAME.format("ILLEGAL_PARTNER_EXTERFACE"),
    "PARTNER_NOT_SIGN_PROTOCOL": _SAME.format("ILLEGAL_PARTNER_EXTERFACE"),
    "CA_USER_NOT_USE_CA": "test merchants have no certificates",
    "WHOLE_DETAIL_FORBID_REFUND": "every item of the emulator has a reason of its own",
}
