"""Where AMS is: a domain a region, and a path a call.

The domain is configuration and is never derived from the MAPI gateway: where a merchant was registered decides. The old
domains still stand in merchants' code; Europe's old one serves in-store payments only.
Source: "API fundamentals" (api_fund); the in-store guides (ams_oc, ams_upm) for the old domains.
"""
from ...errors import ConfigurationError, InvalidRequest, show

#: Region → domain, as the documentation has it now.
DOMAINS = {
    "north-america": "https://open-na-global.alipay.com",
    "asia": "https://open-sea-global.alipay.com",
    "europe": "https://open-de-global.alipay.com",
    "us-entity": "https://open.antglobal-us.com",
}
#: The older names of the same regions.
OLD_DOMAINS = {
    "north-america": "https://open-na.alipay.com",
    "asia": "https://open-sea.alipay.com",
    "europe": "https://open-eu.alipay.com",
}
#: Old domains that never served online payments.
IN_STORE_ONLY = frozenset([OLD_DOMAINS["europe"]])

PRODUCTION, SANDBOX = "/ams/api/v1/", "/ams/sandbox/api/v1/"
#: What client ids of the sandbox begin with; by it the official SDKs choose the path.
SANDBOX_PREFIX = "SANDBOX_"

#: Every call that is used here, by the end of its path.
CALLS = frozenset("""
payments/pay payments/inquiryPayment payments/cancel payments/refund payments/inquiryRefund payments/capture
payments/inquireExchangeRate merchants/registration merchants/inquiryRegistrationStatus
merchants/inquiryRegistrationInfo customs/declare customs/inquiryDeclarationRequests
""".split())


def domain_of(region: str, old: bool = False, in_store: bool = False) -> str:
    """The region's domain, ``https://…`` without a path. Raises ConfigurationError.

    >>> domain_of("europe")
    'https://open-de-global.alipay.com'
    """
    table = OLD_DOMAINS if old else DOMAINS
    if region not in table:
        raise ConfigurationError("region: one of {}".format(", ".join(sorted(table))))
    check_domain(table[region], in_store)
    return table[region]


def check_domain(domain: str, in_store: bool) -> None:
    """Raise ConfigurationError for a domain that does not serve this kind of payment."""
    if domain.rstrip("/") in IN_STORE_ONLY and not in_store:
        raise ConfigurationError("{} serves in-store payments only; for online payments take {}".format(
            domain, DOMAINS["europe"]))


def path_of(call: str, sandbox: bool = False, in_store: bool = False) -> str:
    """``"payments/pay"`` → the path that is signed and sent. Raises InvalidRequest for a call that is not in CALLS.

    In-store products have no path of their own in the sandbox: there the client id alone says which it is.

    >>> path_of("payments/pay"), path_of("payments/pay", sandbox=True)
    ('/ams/api/v1/payments/pay', '/ams/sandbox/api/v1/payments/pay')
    """
    if call not in CALLS:
        raise InvalidRequest("{}: no call of AMS that is known here; one of {}".format(
            show(call), ", ".join(sorted(CALLS))), parameter="call")
    return (SANDBOX if sandbox and not in_store else PRODUCTION) + call
