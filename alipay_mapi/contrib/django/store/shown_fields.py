"""A received message as a person may see it, field by field: buyers masked, no sign, nothing that is not Alipay's."""
from typing import List, Tuple

from ....errors import InvalidMessage, show
from ....fields import NAMES
from ....form_body import parse
from ....masking import LISTS, PERSONAL, mask

_LONGEST = 500


def shown_fields(body: bytes) -> List[Tuple[str, str]]:
    """(name, text) in the order received. A body that is no form is not shown at all: only how long it is.

    >>> shown_fields(b"out_trade_no=A1&sign=0123&buyer_email=li.na%40mail.example")
    [('out_trade_no', 'A1'), ('sign', '(not shown)'), ('buyer_email', 'li.***@mail.example')]
    >>> shown_fields(b"password=x")
    [('password', '(no field of Alipay: not shown)')]
    """
    try:
        pairs = parse(body)
    except InvalidMessage as err:
        return [("", "{} bytes that are no message: {}".format(len(body), type(err).__name__))]
    return [(show(name.decode("ascii", "backslashreplace"), 64), _shown(name, value)) for name, value in pairs.items()]


def _shown(name: bytes, value: bytes) -> str:
    key = name.decode("ascii", "replace")
    if key == "sign" or key in LISTS:
        return "(not shown)"
    if key not in NAMES:
        return "(no field of Alipay: not shown)"
    text = _text(value)
    return show(mask(text) if key in PERSONAL else text, _LONGEST)


def _text(value):
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("gb18030", "backslashreplace")
