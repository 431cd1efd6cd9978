"""Alipay's app SDK: it takes the shop's order string, lets the buyer pay, and gives the app a signed result text.

The order string is checked as it stands, up to its sign, in any order; it never comes to ``/gateway.do``. The errors
are those that apps see in their logs (ALIN…). Source: mobile_securitypay_pay, "In-App synchronous result".
"""
import re
from typing import Dict, Tuple
from urllib.parse import unquote

from .. import algorithms, charsets, signing
from ..errors import MalformedSignature
from .gateway import Call, Gateway
from .merchants import Buyer
from .money import RATES
from .refused import Refused, refuse

SERVICE = "mobile.securitypay.pay"
_PAIR = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)="(.*?)"(?=&[A-Za-z_][A-Za-z0-9_]*="|$)', re.DOTALL | re.ASCII)

_ENCODED = re.compile("https?%3A", re.ASCII | re.IGNORECASE)


def pay(gateway: Gateway, order_string: str, buyer: Buyer) -> str:
    """``resultStatus={9000};memo={};result={…}`` with Alipay's sign; or 4000 with the code in ``memo``, unsigned."""
    try:
        return _paid(gateway, order_string, buyer)
    except Refused as refusal:
        return "resultStatus={4000};memo={%s};result={}" % refusal.code


def _paid(gateway, order_string, buyer):
    params, signed, sign, sign_type = split(order_string)
    merchant = gateway.merchants.get(params.get("partner", ""))
    if merchant is None:
        raise refuse("ALIN10129", "no test merchant has this number", "partner")
    codec = charsets.reading_codec(params["_input_charset"] if charsets.known(params.get("_input_charset")) else None)
    try:
        signed.encode(codec)
    except UnicodeEncodeError:      # half of a surrogate pair
        codec = ""
    if not codec:
        raise refuse("ALIN38173", "the order string holds a character that is no text")
    try:
        raw = algorithms.read_sign(merchant.sign_type, sign) if sign_type == merchant.sign_type else b""
    except MalformedSignature:
        raw = b""
    if not raw or not algorithms.verify(merchant.sign_type, merchant.signer.checking_keys, signed.encode(codec), raw):
        raise refuse("ALIN10070", "the sign does not fit the order string", "sign")
    if params.get("service") != SERVICE:
        raise refuse("ALIN38173", "the service is not mobile.securitypay.pay", "service")
    # Signed as they stand; some apps percent-encode their addresses, as the old demos do.
    params = {name: unquote(value) if name in ("notify_url", "return_url") and _ENCODED.match(value) else value
              for name, value in params.items()}
    call = Call(SERVICE, merchant, params, params.get("_input_charset"), "127.0.0.1", gateway)
    checked = call.checked(otherwise="ALIN38173")
    if "currency" in checked and checked["currency"] not in RATES:
        raise refuse("ALIN38173", "not a settlement currency", "currency")
    refusal = None
    try:
        trade = gateway.trades.place(merchant.partner, SERVICE, call.order(checked),
                                     basic=merchant.setting("basic_contract"))
        gateway.trades.pay(trade, buyer)
    except Refused as err:
        refusal = _as_the_app_says(err)
    if refusal is not None:
        raise refusal
    result = signed + '&success="true"'
    return "resultStatus={9000};memo={};result={%s&sign_type=\"%s\"&sign=\"%s\"}" % (
        result, merchant.sign_type, signing.sign(merchant.sign_type, merchant.signer.signing_key, result.encode(codec)))


def _as_the_app_says(refusal):
    if refusal.code.startswith("TRADE_") and refusal.code.endswith("_NOT_MATCH"):
        code = "ALIN10023" if refusal.code == "TRADE_BUYER_NOT_MATCH" else "ALIN42282"
        return refuse(code, str(refusal), refusal.parameter)
    return refusal


def split(order_string: str) -> Tuple[Dict[str, str], str, str, str]:
    """(params, the text that was signed, sign, sign_type). Raises Refused: ALIN38173, it cannot be parsed."""
    pairs = [(match.group(1), match.group(2), match.group(0)) for match in _PAIR.finditer(order_string)]
    if not pairs or "&".join(whole for _, _, whole in pairs) != order_string \
            or len({name for name, _, _ in pairs}) != len(pairs):
        raise refuse("ALIN38173", 'an order string is name="value" joined with &, each name once')
    params = {name: value for name, value, _ in pairs}
    sign, sign_type = unquote(params.pop("sign", "")), params.pop("sign_type", "")
    return params, "&".join(whole for name, _, whole in pairs if name not in ("sign", "sign_type")), sign, sign_type
