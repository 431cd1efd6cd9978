"""The fields whose value is JSON: what their page allows inside, and the text that is signed and sent.

Given lists and dicts become compact text, with every inner value as text; ready text is checked and kept as written.
``split_fund_info`` has single quotation marks in place of double ones, as in Alipay's own demos, since a value may
not hold the double one; the others keep theirs.
"""
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Dict

from ..amounts import decimals_of, format_amount, parse_amount
from .rules import matching, wrong
from .table import Json

_PARTY = re.compile(r"2088[0-9]{12}", re.ASCII)
_GOODS = re.compile(r"[^|^]+\^[1-9][0-9]{0,8}(?:\|[^|^]+\^[1-9][0-9]{0,8})*", re.ASCII)
_COUNT = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
#: business_type → the keys that go with it (*create_forex_trade*, trade_information).
_BUSINESS = {
    "1": ("hotel_name", "check_in_time", "check_out_time"),
    "2": ("flight_number", "departure_time"),
    "3": ("admission_notice_url",),
    "4": ("goods_info", "total_quantity"),
    "5": ("other_business_type", "total_quantity"),
}
_ORDER_AMOUNTS = ("total_fee", "rmb_fee", "return_amount", "return_rmb_amount")


def split_fund_info(value: Json, params: Dict[str, str], party: str = "transIn") -> str:
    """1 to 10 of ``{party, amount, currency, desc}``; ``party`` is 16 digits from 2088. Source: create_forex_trade.

    The sum is at most the order's amount; the currency is the settlement currency, or CNY for an order in CNY.
    """
    name = "split_fund_info"
    rows = _entries(name, _load(name, value, quote="'"), 10, {party: 16, "amount": 16, "currency": 3, "desc": 256},
                    (party, "amount", "currency"), quote="'")
    order_amount = next(paid for paid in _ORDER_AMOUNTS if paid in params)
    currency = "CNY" if "rmb" in order_amount else params["currency"]
    total = Decimal(0)
    for row in rows:
        if not _PARTY.fullmatch(row[party]):
            raise wrong(name, "{} must be 16 digits that start with 2088".format(party))
        if row["currency"] != currency:
            raise wrong(name, "currency must be {}, since the order has {}".format(currency, order_amount))
        if len(row["amount"].partition(".")[2]) > decimals_of(currency) or not parse_amount(row["amount"]):
            raise wrong(name, "each amount must be above 0, with the decimals that {} has".format(currency))
        total += parse_amount(row["amount"])
    if total > parse_amount(params[order_amount]):
        raise wrong(name, "the parts add up to more than {}".format(order_amount))
    return _dump(value, rows, quote="'")


def split_fund_info_back(value: Json, params: Dict[str, str]) -> str:
    """The same for a refund: taken back from ``transOut``. Source: forex_refund."""
    return split_fund_info(value, params, party="transOut")


def trade_information(value: Json, params: Dict[str, str]) -> str:
    """``business_type`` 1 hotel, 2 air, 3 study, 4 goods, 5 others, with the keys of its kind."""
    name = "trade_information"
    loaded = _load(name, value)
    kind = loaded.get("business_type") if isinstance(loaded, Mapping) else None
    if type(kind) is int and 1 <= kind <= 5:
        kind = str(kind)
    if not isinstance(kind, str) or kind not in _BUSINESS:
        raise wrong(name, "business_type must be 1 (hotel), 2 (air), 3 (study), 4 (goods) or 5 (others)")
    keys = _BUSINESS[kind]
    row = _entry(name, loaded, dict.fromkeys(("business_type",) + keys, 4000), ("business_type",) + keys, '"')
    if "total_quantity" in row and not _COUNT.fullmatch(row["total_quantity"]):
        raise wrong(name, "total_quantity must be a whole number from 1")
    if "goods_info" in row and not _GOODS.fullmatch(row["goods_info"]):
        raise wrong(name, "goods_info must look like name^quantity|name^quantity")
    return _dump(value, row)


def site_infos(value: Json, params: Dict[str, str]) -> str:
    """1 to 5 of ``{site_type: WEB or APP, site_url, site_name}``. Source: secmerchant.online.maintain."""
    name = "site_infos"
    rows = _entries(name, _load(name, value), 5, {"site_type": 3, "site_url": 256, "site_name": 128}, ("site_type",))
    for row in rows:
        if row["site_type"] not in ("WEB", "APP"):
            raise wrong(name, "site_type must be WEB or APP, in upper case")
        if "site_url" not in row and (row["site_type"] == "WEB" or "site_name" not in row):
            raise wrong(name, "site_url is missing: a WEB site needs it, an APP needs it or site_name")
    return _dump(value, rows)


def extend_params(value: Json, params: Dict[str, str]) -> str:
    """1 to 10 taxis, ``{operation_id, contact_way, contact_person}``. Source: secmerchant.offline.maintain."""
    name = "extend_params"
    rows = _entries(name, _load(name, value), 10, {"operation_id": 64, "contact_way": 256, "contact_person": 64},
                    ("operation_id",))
    if len({row["operation_id"] for row in rows}) != len(rows):
        raise wrong(name, "each operation_id may occur only once")
    return _dump(value, rows)


# --- reading and writing ----------------------------------------------------------------------------------------

def _load(name: str, value: Any, quote: str = '"') -> Any:
    """Ready text as lists and dicts (numbers stay text, so that nothing becomes a float); other values unchanged."""
    if not isinstance(value, str):
        return value
    text = matching(name, value)
    if quote == "'":
        if "'" in text and '"' in text:
            raise wrong(name, "has both kinds of quotation mark; give a list, or text with ' alone")
        text = text.replace("'", '"')
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=_no_constant,
                          object_pairs_hook=_no_twins)
    except (ValueError, RecursionError):
        pass  # raised below, so that the text does not hang on the error
    raise wrong(name, "is not JSON, or has a key twice; give lists and dicts and it will be written for you")


def _no_constant(word):
    raise ValueError(word)


def _no_twins(pairs):
    if len(dict(pairs)) != len(pairs):
        raise ValueError("key twice")
    return dict(pairs)


def _entries(name, loaded, most, longest, required, quote='"'):
    if not isinstance(loaded, (list, tuple)) or not 1 <= len(loaded) <= most:
        raise wrong(name, "must be a list of 1 to {} entries".format(most))
    return [_entry(name, entry, longest, required, quote) for entry in loaded]


def _entry(name, entry, longest, required, quote):
    """One flat object as texts. ``longest``: the keys it may have → characters."""
    if not isinstance(entry, Mapping) or set(entry) - set(longest) or set(required) - set(entry):
        raise wrong(name, "each entry must be an object with {}{}".format(
            ", ".join(required), "" if set(required) == set(longest) else " (it may have {})".format(
                ", ".join(key for key in longest if key not in required))))
    return {key: _inner(name, key, value, longest[key], quote) for key, value in entry.items()}


def _inner(name, key, value, longest, quote):
    if key == "amount":
        return format_amount(value, name)
    if type(value) is int and abs(value) < 10 ** 18:
        value = str(value)
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise wrong(name, "{} must be text of 1 to {} characters".format(key, longest))
    if any(c in '"' + quote or ord(c) < 32 or ord(c) == 127 for c in value):
        raise wrong(name, "{} must not have the quotation mark {} or control characters".format(
            key, '"' if quote == '"' else "\" or '"))
    return value


def _dump(value, cleaned, quote='"'):
    text = value if isinstance(value, str) else json.dumps(cleaned, ensure_ascii=False, separators=(",", ":"))
    return text.replace('"', quote)
