"""What of a logged value may be shown: words of the protocol, numbers and amounts; no key, no sign, no buyer.

A name that no page lists is a name that nobody here knows the meaning of: its value is not shown at all.
"""
import re
from typing import Any, Dict, Mapping

from ...errors import show
from ...fields import NAMES
from ...masking import LISTS, PERSONAL, mask

HIDDEN = "********"
#: A value is shown up to so many characters.
LONGEST = 200

#: Names that the translators know and ``fields`` does not.
_ALSO_KNOWN = frozenset("""
trans_name refund_reson memo terminal_id alipay_seller_id sync_flag identity_code_type dynamic_id_type charset
""".split())
_SECRET = re.compile(r"(?:^|_)sign$|key|token|secret|passw|pwd|card|cvv|cvc|auth_code|identity_code$|dynamic_id$",
                     re.IGNORECASE)
#: Where a buyer is, and numbers that may be a person's.
_NOT_SHOWN = frozenset("exter_invoke_ip ip registration_no cs_no".split())
_URLS = frozenset("notify_url return_url show_url merchant_url refer_url error_notify_url".split())
_STRUCTURES = LISTS | frozenset("""
trade_information split_fund_info royalty_parameters extend_info extend_params extend_param item_orders_info
goods_detail site_infos req_data notify_data agreement_info promo_params hb_fq_param fund_bill_list extra_common_param
external_storefront_photo internal_store_photo register_address store_address
""".split())

_MAIL = re.compile(r"[^\s@=&?]{1,64}@[^\s@=&?]{1,190}")
_DIGITS = re.compile(r"(?<![0-9])\+?[0-9][0-9 -]{6,30}[0-9](?![0-9])", re.ASCII)
#: Names whose value is a number or a time; in other texts a long number may be a telephone's.
_NUMBERS = re.compile(r"(?:^|_)(?:no|id|fee|amount|date|time|create|payment|refund|return|close|partner|timestamp|"
                      r"charset|rule|b_pay|price)$")


def shown(name: str, value: str) -> str:
    """The value of the parameter ``name``, as it may be shown.

    >>> shown("total_fee", "12.30"), shown("sign", "0123abcd"), shown("buyer_email", "forename@example.com")
    ('12.30', '********', 'for***@example.com')
    >>> shown("return_url", "https://shop.example/r?session=S3CRET"), shown("not_listed", "S3CRET")
    ('https://shop.example/r?***', '***')
    """
    if not value:
        return ""
    if _SECRET.search(name):
        return HIDDEN
    if name in PERSONAL:
        return show(mask(value), LONGEST)
    if name in _STRUCTURES:
        return "({} characters)".format(len(value))
    if name == "notify_id":
        return show(value[:6], 24) + "***"
    if name in _NOT_SHOWN or name not in NAMES and name not in _ALSO_KNOWN:
        return "***"
    if name in _URLS or "://" in value:
        return show(without_query(value), LONGEST)
    text = _MAIL.sub(lambda found: mask(found.group()), value)
    if not _NUMBERS.search(name):
        text = _DIGITS.sub("***", text)
    return show(text, LONGEST)


def without_query(address: str) -> str:
    """An address without what it may hold of a session or a login.

    >>> without_query("https://me:S3CRET@shop.example/r?a=1#b")
    'https://***@shop.example/r?***'
    """
    address, mark, _ = address.partition("?")
    address, fragment, _ = address.partition("#")
    scheme, colon, rest = address.partition("://")
    login, at, host = rest.partition("@")
    if colon and at and "/" not in login:
        address = scheme + "://***@" + host
    return address + ("?***" if mark else "#***" if fragment else "")


def shown_content(content: Any, came_from: Mapping[str, str], params: Mapping[str, str], at: str = "") -> Any:
    """A copy of a built request whose values may be shown. ``came_from``: path → the parameter whose text, or what was
    made of it, stands there."""
    if isinstance(content, Mapping):
        found: Dict[str, Any] = {}
        for name, value in content.items():
            found[show(name)] = shown_content(value, came_from, params, at + "." + name if at else name)
        return found
    if isinstance(content, (list, tuple)):
        return [shown_content(value, came_from, params, "{}.{}".format(at, number))
                for number, value in enumerate(content)]
    if not isinstance(content, str):
        return content
    parameter = came_from.get(at, "")
    outer, _, inner = parameter.partition(".")
    if inner or params.get(parameter) == content:
        return shown(inner or outer, content)
    for name, value in params.items():
        if value == content and len(value) > 5:
            return shown(name, value)
    return show(without_query(content) if "://" in content else content, LONGEST)
