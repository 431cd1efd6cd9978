"""Which order a call is about: Alipay's number and the shop's, under the names that the target has for them."""
from typing import Any, Dict

from .context import AMS


def taken(draft, alipays: str, shops: str) -> Dict[str, Any]:
    """Take both out of ``draft`` → ``{alipays: …, shops: …}``, as far as they are given and mean something there.

    Alipay's number is known only to the gateway that issued it, so it is passed on only when that is the order's home.
    """
    found: Dict[str, Any] = {}
    trade_no = draft.take("trade_no", "alipay_trans_id", to=alipays)
    number = draft.take("out_trade_no", "partner_trans_id", "out_order_no", to=shops)
    if trade_no is not None and draft.context.home == draft.target:
        found[alipays] = trade_no
    elif trade_no is not None and number is not None:
        draft.note("trade_no", "left out: nobody knows whether it is one of {}'s".format(
            "AMS" if draft.target == AMS else "OpenAPI"))
    elif trade_no is not None:
        draft.refuse("trade_no", "only the gateway that issued it knows it", "give out_trade_no, or Context(home=…)")
    if number is not None:
        found[shops] = number
    if trade_no is None and number is None:
        draft.refuse("out_trade_no", "neither it nor trade_no says which order", "give one of them")
    return found
