"""``create_direct_pay_by_user``: the buyer's browser brings a mainland order; also the one-step page for phones.

Which of the gateway's format codes belongs to which parameter no page tells: that choice is ours, as are the accounts
that "exist" (the test merchants, the setting ``sellers``, the test buyers).
"""
import ipaddress
import re
from decimal import Decimal
from typing import Any, Dict, Optional

from ...fields import FIELDS
from ...services import SERVICES
from ..gateway import Call
from ..merchants import BUYERS
from ..money import order_amounts
from ..refused import refuse
from ..trades import MAINLAND
from .create_forex_trade import check_utf8, check_words, order_of
from .query_timestamp import LIFE, age_of

SERVICE = "create_direct_pay_by_user"

#: Purchase, donation, e-voucher.
PAYMENT_TYPES = ("1", "4", "47")
#: ``motoPay`` is a credit card, for which no test merchant has a contract.
PAYMETHODS = ("directPay", "creditPay", "bankPay", "cartoon", "CASH", "motoPay")

_CODES = {
    "subject": "SUBJECT_MUST_NOT_BE_NULL", "total_fee": "ILLEGAL_FEE_PARAM", "price": "ILLEGAL_FEE_PARAM",
    "quantity": "ILLEGAL_FEE_PARAM", "extra_common_param": "ILLEGAL_EXTRA_COMMON_PARAM",
    "defaultbank": "DEFAULT_BANK_INVALID", "it_b_pay": "ILLEGAL_OUTTIME_ARGUMENT",
    "exter_invoke_ip": "ILLEGAL_EXTER_INVOKE_IP", "royalty_type": "ROYALTY_TYPE_ERROR",
    "royalty_parameters": "ROYALTY_FORAMT_ERROR",
}
#: A value of the wrong form; of every other parameter REGEXP_MATCH_FAIL.
_FORMS = dict(_CODES, **{"subject": "REGEXP_MATCH_FAIL", "price": "ILLEGAL_MONEY_FORMAT",
                         "quantity": "ILLEGAL_INTEGER_FORMAT",
                         "qrcode_width": "ILLEGAL_NUMBER_FORMAT", "payment_type": "ILLEGAL_PAYMENT_TYPE",
                         "need_ctu_check": "NEED_CTU_CHECK_PARAMETER_ERROR"})
#: Characters; of the subject bytes, where a Chinese character is two.
_LENGTHS = {"out_trade_no": 64, "subject": 256, "body": 1000, "token": 40}

_USER = re.compile("[0-9]{16}", re.ASCII)
_BANK = re.compile("[A-Z0-9-]{2,20}", re.ASCII)
_CHANNELS = re.compile(r"[A-Za-z0-9_]+([\^,][A-Za-z0-9_]+)*", re.ASCII)
_EXTEND = re.compile(r"[^^|]+\^[^^|]*(\|[^^|]+\^[^^|]*)*")
_ROYALTY = re.compile(r"([^^|]+)\^([0-9]{1,8}(?:\.[0-9]{1,2})?)\^[^^|]*")


def create_direct_pay_by_user(call: Call) -> Dict[str, Any]:
    """The placed order. Raises Refused with a code of the page. Source: create_direct_pay_by_user."""
    _check_forms(call.params)
    if call.params.get("payment_type") not in PAYMENT_TYPES:
        raise refuse("ILLEGAL_PAYMENT_TYPE", "1 purchase, 4 donation, 47 e-voucher", "payment_type")
    params = call._replace(service=SERVICE).checked(_CODES)
    seller = _seller(call, params)
    _check_buyer(call, params, seller)
    _check_paymethod(params)
    if "it_b_pay" in params and not call.merchant.setting("own_timeouts"):
        raise refuse("SELF_TIMEOUT_NOT_SUPPORT", "timeouts of one's own are off (setting own_timeouts)", "it_b_pay")
    _check_phishing(call, params)
    if "royalty_type" in params:
        _check_royalty(call, params)
    check_words(call, params)
    order = order_of(call._replace(service=SERVICE), params)
    return call.gateway.trades.place(call.partner, call.service, order, kind=MAINLAND,
                                     basic=call.merchant.setting("basic_contract"))


def wap_create_direct_pay_by_user(call: Call) -> Dict[str, Any]:
    """``alipay.wap.create.direct.pay.by.user``: the same in one step on a phone, in UTF-8, with ``seller_id``.

    Raises Refused. Source: alipay.wap.create.direct.pay.by.user.
    """
    check_utf8(call)
    for name in ("seller_id", "total_fee"):
        if not call.params.get(name):
            raise refuse("PARAMTER_IS_NULL", "is required", name)
    return create_direct_pay_by_user(call)


# --- single values ------------------------------------------------------------------------------------------------

def _check_forms(params):
    if not params.get("out_trade_no"):
        raise refuse("PARAMTER_IS_NULL", "is required", "out_trade_no")
    for name, longest in _LENGTHS.items():
        value = params.get(name, "")
        if sum(2 if ord(c) > 127 and name == "subject" else 1 for c in value) > longest:
            raise refuse("ILLEGAL_LENGTH", "at most {}".format(longest), name)
    for name in SERVICES[SERVICE].names:
        value = params.get(name)
        if value and name in FIELDS and not FIELDS[name].match(value):
            raise refuse(_FORMS.get(name, "REGEXP_MATCH_FAIL"), FIELDS[name].rule, name)
    for name in ("seller_id", "buyer_id"):
        if params.get(name) and not _USER.fullmatch(params[name]):
            raise refuse("ILLEGAL_USER", "16 digits; an e-mail goes into the parameter that is called so", name)
    if params.get("enable_paymethod") and not _CHANNELS.fullmatch(params["enable_paymethod"]):
        raise refuse("REGEXP_MATCH_FAIL", "names joined with ^", "enable_paymethod")
    if params.get("extend_param") and not _EXTEND.fullmatch(params["extend_param"]):
        raise refuse("ILLEGAL_DATA_FORMAT", "name^value|name^value", "extend_param")


def _check_paymethod(params):
    paymethod = params.get("paymethod")
    if paymethod is not None and paymethod not in PAYMETHODS:
        raise refuse("ILLEGAL_ARGUMENT", "one of {}".format(", ".join(PAYMETHODS)), "paymethod")
    if paymethod == "motoPay":
        raise refuse("EBANK_CERDIT_GW_RULE_NOT_OPEN", "no contract for credit cards", "paymethod")
    if "defaultbank" in params and not _BANK.fullmatch(params["defaultbank"]):
        raise refuse("DEFAULT_BANK_INVALID", "a bank's code: capital letters, digits and -", "defaultbank")
    if "product_type" in params:
        raise refuse("PRODUCT_NOT_ALLOWED", "is for contracts that no test merchant has", "product_type")


def _check_phishing(call, params):
    if "exter_invoke_ip" in params and not _is_address(params["exter_invoke_ip"]):
        raise refuse("ILLEGAL_EXTER_INVOKE_IP", "the buyer's IP address", "exter_invoke_ip")
    if "anti_phishing_key" in params:
        age = age_of(call.partner, params["anti_phishing_key"], call.gateway.clock.now())
        if age is None:
            raise refuse("ILLEGAL_ANTI_PHISHING_KEY", "query_timestamp gave this merchant no such key",
                         "anti_phishing_key")
        if age > LIFE:
            raise refuse("ANTI_PHISHING_KEY_TIMEOUT", "it is good for {} seconds".format(LIFE.seconds),
                         "anti_phishing_key")


def _is_address(text):
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


# --- accounts -----------------------------------------------------------------------------------------------------

def account_of(call: Call, name_or_number: str) -> Optional[str]:
    """The number of an account that is known by this number or e-mail; None when there is none."""
    domain = call.merchant.seller_email.rpartition("@")[2]
    for partner, name, _ in call.gateway.merchants.partners():
        if name_or_number in (partner, name + "@" + domain):
            return partner
    for buyer in BUYERS:
        if name_or_number in (buyer.buyer_id, buyer.buyer_email):
            return buyer.buyer_id
    return name_or_number if name_or_number in call.merchant.setting("sellers") else None


def _first(params, *names):
    return next((name for name in names if name in params), None)


def _seller(call, params):
    name = _first(params, "seller_id", "seller_account_name", "seller_email")
    seller = account_of(call, params[name])
    if seller is None:
        raise refuse("SELLER_NOT_EXIST", "no test merchant has this account, nor has the setting sellers", name)
    if seller != call.partner and seller not in call.merchant.setting("sellers"):
        raise refuse("SELLER_NOT_IN_SPECIFIED_SELLERS", "neither the partner itself nor in its setting sellers", name)
    return seller


def _check_buyer(call, params, seller):
    name = _first(params, "buyer_id", "buyer_account_name", "buyer_email")
    if name is None:
        return
    if "token" in params:
        raise refuse("BUYER_EMAIL_ID_MUST_NULL", "the token says who the buyer is; leave him out", name)
    buyer = account_of(call, params[name])
    if buyer is None:
        raise refuse("BUYER_NOT_EXIST", "no test buyer has this account", name)
    if buyer == seller:
        raise refuse("BUYER_SELLER_EQUAL", "buyer and seller are one account", name)


def _check_royalty(call, params):
    """``royalty_type`` 10: ``account^amount^note|…``, paid out of the order's amount."""
    if params["royalty_type"] != "10":
        raise refuse("ROYALTY_TYPE_ERROR", "is always 10", "royalty_type")
    if len(params["royalty_parameters"]) > 1000:
        raise refuse("ROYALTY_LENGTH_ERROR", "at most 1000 characters", "royalty_parameters")
    total = Decimal(0)
    for text in params["royalty_parameters"].split("|"):
        item = _ROYALTY.fullmatch(text)
        if item is None:
            raise refuse("ROYALTY_FORAMT_ERROR", "account^amount^note|account^amount^note", "royalty_parameters")
        if account_of(call, item.group(1)) is None:
            raise refuse("ROYALTY_RECEIVE_EMAIL_NOT_EXIST", "no test account is called so", "royalty_parameters")
        total += Decimal(item.group(2))
    if total > Decimal(order_amounts(params, None)[0]):
        raise refuse("ROYALTY_FORAMT_ERROR", "the parts are more than the order's amount", "royalty_parameters")
