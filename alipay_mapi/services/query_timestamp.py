"""``query_timestamp``: the short-lived key that ``create_direct_pay_by_user`` takes as ``anti_phishing_key``."""
from typing import Dict

from .rules import build, builder
from .table import Extra, Service

SERVICE = Service(name="query_timestamp", answer="xml", source="query_timestamp")


@builder(SERVICE)
def query_timestamp(*, extra: Extra = None) -> Dict[str, str]:
    """The params of the question: none, unless ``extra`` has some. Source: query_timestamp.

    >>> query_timestamp()
    {}
    """
    return build(SERVICE, locals())
