"""``alipay.overseas.secmerchant.*``: an acquirer tells Alipay of the shops behind it, and asks what became of that.

Creating and updating are one call. Payments must carry the same ``secondary_merchant_*`` values as registered here.
"""
from typing import Dict, Optional

from .json_fields import extend_params as _extend_params
from .json_fields import site_infos as _site_infos
from .rules import build, builder, wrong
from .table import REQUIRED, Extra, Json, Moment, Service

_MERCHANT = ("timestamp", "secondary_merchant_name", "secondary_merchant_id", "secondary_merchant_industry",
             "register_country", "register_address")
_DETAILS = ("secondary_merchant_type", "registration_no", "shareholder_name", "shareholder_id", "representative_name",
            "representative_id", "settlement_no", "contact_no", "contact_email", "cs_no", "cs_email")
_TAXI = "4121"

ONLINE_MAINTAIN = Service(
    name="alipay.overseas.secmerchant.online.maintain", answer="xml", source="online_maintain", writes=True,
    required=_MERCHANT + ("site_infos",), optional=_DETAILS,
    longest={"secondary_merchant_name": 64},
    json_fields={"site_infos": _site_infos},
)


@builder(ONLINE_MAINTAIN)
def secmerchant_online_maintain(
        *, timestamp: Moment = REQUIRED, secondary_merchant_name: str = REQUIRED, secondary_merchant_id: str = REQUIRED,
        secondary_merchant_industry: str = REQUIRED, register_country: str = REQUIRED,
        register_address: str = REQUIRED, site_infos: Json = REQUIRED,
        secondary_merchant_type: Optional[str] = None, registration_no: Optional[str] = None,
        shareholder_name: Optional[str] = None, shareholder_id: Optional[str] = None,
        representative_name: Optional[str] = None, representative_id: Optional[str] = None,
        settlement_no: Optional[str] = None, contact_no: Optional[str] = None, contact_email: Optional[str] = None,
        cs_no: Optional[str] = None, cs_email: Optional[str] = None, extra: Extra = None) -> Dict[str, str]:
    """The params that register or update a secondary merchant with web sites or apps: names to text.

    ``timestamp``: now, as an aware datetime; the request expires after 30 minutes. ``secondary_merchant_name``: legal
    name, 64 characters. ``secondary_merchant_industry``: MCC, cannot change later. ``register_country``: ISO 3166, two
    letters. ``site_infos``: 1 to 5 of ``{"site_type": "WEB" or "APP", "site_url": …, "site_name": …}``. Which of the
    rest are required depends on the region.

    Raises :class:`InvalidRequest`. Source: online_maintain.
    """
    return build(ONLINE_MAINTAIN, locals())


OFFLINE_MAINTAIN = Service(
    name="alipay.overseas.secmerchant.offline.maintain", answer="xml", source="offline_maintain", writes=True,
    required=_MERCHANT + ("store_id", "store_name", "store_country", "store_address", "store_industry"),
    optional=_DETAILS + ("internal_store_photo", "external_storefront_photo", "extend_params"),
    json_fields={"extend_params": _extend_params},
)


@builder(OFFLINE_MAINTAIN)
def secmerchant_offline_maintain(
        *, timestamp: Moment = REQUIRED, secondary_merchant_name: str = REQUIRED, secondary_merchant_id: str = REQUIRED,
        secondary_merchant_industry: str = REQUIRED, register_country: str = REQUIRED,
        register_address: str = REQUIRED, store_id: str = REQUIRED,
        store_name: str = REQUIRED, store_country: str = REQUIRED, store_address: str = REQUIRED,
        store_industry: str = REQUIRED,
        secondary_merchant_type: Optional[str] = None, registration_no: Optional[str] = None,
        shareholder_name: Optional[str] = None, shareholder_id: Optional[str] = None,
        representative_name: Optional[str] = None, representative_id: Optional[str] = None,
        settlement_no: Optional[str] = None, contact_no: Optional[str] = None, contact_email: Optional[str] = None,
        cs_no: Optional[str] = None, cs_email: Optional[str] = None, internal_store_photo: Optional[str] = None,
        external_storefront_photo: Optional[str] = None, extend_params: Optional[Json] = None,
        extra: Extra = None) -> Dict[str, str]:
    """The params that register or update a secondary merchant's store: names to text.

    As :func:`secmerchant_online_maintain`, with 128 characters for the name. For taxis (``store_industry`` 4121)
    ``store_id`` and ``store_name`` are the plate number and ``extend_params`` is required: up to 10 of
    ``{"operation_id": …, "contact_way": …, "contact_person": …}``.

    Raises :class:`InvalidRequest`. Source: offline_maintain.
    """
    params = build(OFFLINE_MAINTAIN, locals())
    if params["store_industry"] == _TAXI and "extend_params" not in params:
        raise wrong("extend_params", "is required for taxis (store_industry 4121)")
    return params


QUERY_STATUS = Service(
    name="alipay.overseas.secmerchant.maintain.queryStatus", answer="xml", source="online_querystatus",
    required=("timestamp", "secondary_merchant_id", "payment_method"), optional=("store_id",),
)


@builder(QUERY_STATUS)
def secmerchant_query_status(*, timestamp: Moment = REQUIRED, secondary_merchant_id: str = REQUIRED,
        payment_method: str = REQUIRED,
                             store_id: Optional[str] = None, extra: Extra = None) -> Dict[str, str]:
    """The params that ask how a registration stands. ``payment_method``: ONLINE_PAYMENT or INSTORE_PAYMENT.

    ``store_id`` belongs to INSTORE_PAYMENT. Raises :class:`InvalidRequest`. Source: online_querystatus.
    """
    params = build(QUERY_STATUS, locals())
    if "store_id" in params and params["payment_method"] != "INSTORE_PAYMENT":
        raise wrong("store_id", "goes with payment_method=INSTORE_PAYMENT; leave it out")
    return params
