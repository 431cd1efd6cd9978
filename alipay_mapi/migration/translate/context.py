"""What the caller knows and a MAPI call does not say: the clock, where the order lives, and decisions only he can make.
"""
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Callable, FrozenSet, Mapping, Optional

from ...errors import InvalidRequest
from ...times import GMT8

MAPI, AMS, OPENAPI = "mapi", "ams", "openapi"
#: What ``translate`` can aim at.
TARGETS = (AMS, OPENAPI)


@dataclass(frozen=True)
class Context:
    """``now``: aware. ``home``: the gateway on which the order was made ("mapi", "ams", "openapi"), None when that is
    not known or it is a new order. Writes to an order whose home is not the target are refused.

    ``ignore``: names of parameters that may be dropped; any other that has no place there is refused.

    For payments: ``longest_expiry``: seconds; AMS takes less than 10 minutes for wallets and less than 48 hours for
    bank transfers. ``clamp_expiry``: cut a longer rule to that. ``os_type``: ANDROID or IOS, for the app.
    ``map_trade_information``: a function from that field's parsed JSON to members of ``order`` (AMS) or of
    ``business_params`` (OpenAPI); there is no lossless rule. ``quit_url``: OpenAPI's wap page wants one.
    ``settles_in_cny``: the domestic contract settles in CNY, and an order with ``rmb_fee`` may go there.

    For refunds: ``payment_id``: AMS's id, kept at payment time. ``order_currency``: what the order was priced in.

    For secondary merchants: ``first_registration``: True when this id was never registered there; AMS has no update.
    ``registration_request_id``, ``legal_name``, ``registration_type``: what AMS wants and MAPI never had.
    """

    now: datetime
    home: Optional[str] = None
    ignore: FrozenSet[str] = frozenset()
    longest_expiry: int = 599
    clamp_expiry: bool = False
    os_type: Optional[str] = None
    map_trade_information: Optional[Callable[[Any], Mapping[str, Any]]] = None
    quit_url: Optional[str] = None
    settles_in_cny: bool = False
    payment_id: Optional[str] = None
    order_currency: Optional[str] = None
    first_registration: bool = False
    registration_request_id: Optional[str] = None
    legal_name: Optional[str] = None
    registration_type: Optional[str] = None

    def __post_init__(self):
        if not isinstance(self.now, datetime) or self.now.tzinfo is None or self.now.utcoffset() is None:
            raise InvalidRequest("now: an aware datetime, such as datetime.now(timezone.utc)", parameter="now")
        if self.home not in (None, MAPI, AMS, OPENAPI):
            raise InvalidRequest("home: mapi, ams, openapi, or None when it is not known", parameter="home")
        ignore: Any = self.ignore
        if isinstance(ignore, str):
            raise InvalidRequest("ignore: a set of names, not one text", parameter="ignore")
        if isinstance(self.longest_expiry, bool) or not isinstance(self.longest_expiry, int) or self.longest_expiry < 1:
            raise InvalidRequest("longest_expiry: whole seconds from 1", parameter="longest_expiry")
        object.__setattr__(self, "ignore", frozenset(ignore))

    @property
    def today(self) -> datetime:
        """``now`` on Alipay's clock, whole seconds."""
        return self.now.astimezone(GMT8).replace(microsecond=0)
