"""``transactions[]`` of an inquiry: the captures and refunds of a payment."""
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, List, Optional, Tuple

from ...errors import MalformedParameter
from ..ams.amounts import from_ams

#: ``resultStatus`` of one that has no ``transactionStatus``.
_OF_RESULT = {"S": "SUCCESS", "F": "FAIL", "U": "PROCESSING"}


def listed(message: Mapping, kind: str) -> Tuple[Tuple[str, Optional[str], Decimal], ...]:
    """(request id, AMS's status word, amount) of each transaction of a kind: ``CAPTURE`` or ``REFUND``, in the
    payment's currency. Raises MalformedParameter."""
    given: Any = message.get("transactions") or ()
    if not isinstance(given, tuple) or not all(isinstance(one, Mapping) for one in given):
        raise MalformedParameter("transactions: not a list of objects", parameter="transactions")
    found: List[Tuple[str, Optional[str], Decimal]] = []
    paid = message.get("paymentAmount")
    currency = paid.get("currency") if isinstance(paid, Mapping) else None
    for one in given:
        if one.get("transactionType") != kind:
            continue
        number = one.get("transactionRequestId")
        if not isinstance(number, str):
            raise MalformedParameter("transactions: a {} without its transactionRequestId".format(kind.lower()),
                                     parameter="transactions")
        word, result = one.get("transactionStatus"), one.get("transactionResult")
        if word is None and isinstance(result, Mapping):
            word = _OF_RESULT.get(str(result.get("resultStatus")))
        amount = from_ams(one.get("transactionAmount"), "transactionAmount")
        if currency not in (None, amount["currency"]):
            raise MalformedParameter("transactions: a {} in another currency than the payment".format(kind.lower()),
                                     parameter="transactions")
        found.append((number, word, Decimal(amount["amount"])))
    return tuple(found)


def succeeded(message: Mapping, kind: str) -> Decimal:
    """What the successful ones of a kind come to, each request counted once."""
    return sum({number: amount for number, word, amount in listed(message, kind) if word == "SUCCESS"}.values(),
               Decimal(0))
