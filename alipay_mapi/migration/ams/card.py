"""The members of ``payments/pay`` that make it a card payment: ``paymentMethod`` and ``paymentFactor``.

Put them into a body that has the rest: ``dict(content, **hosted_page())``, with ``productCode`` ``CASHIER_PAYMENT``. A
card payment is always an authorization (``paymentFactor.isAuthorization``): it reserves the money, which is captured at
once, or by ``AmsClient.capture`` with ``capture_mode="MANUAL"``. All scalars are text, "true" too.

Source: "Card payment features" (cashierpay/mf) for is3DSAuthentication and enableAuthenticationUpgrade;
"Authorization payment" (cashierpay/api) for hosted page, PCI and captureMode; "Card-on-File" (cashierpay/cof) for
isCardOnFile and paymentMethodId; "Co-badged cards" (pm/co-badged_cards) for selectedCardBrand and the members of a raw
card; "MIT" (pm/mit) for payments without the buyer. Doubtful, as no page that could be read names them: the words of
recurringType and the names in billingAddress (the vendor's SDKs and shop plug-ins have them so), and the length of
networkTransactionId (256 there, 100 in a plug-in).
"""
import re
from collections.abc import Mapping
from typing import Any, Dict, NamedTuple, Optional

from ...errors import InvalidRequest
from .card_secret import CardNumber, SecurityCode, looks_like_a_number

CARD = "CARD"
CAPTURE_MODES = ("AUTOMATIC", "MANUAL")
RECURRING = ("SCHEDULED", "UNSCHEDULED")

_ADDRESS = ("region", "state", "city", "address1", "address2", "zipCode")
_NAMES = ("firstName", "middleName", "lastName", "fullName")


class Features(NamedTuple):
    """The value-added fields of ``paymentMethodMetaData``; None leaves one out.

    ``three_d_secure``: True demands 3-D Secure; without it, or False, nobody demands it. ``upgrade``: where the scheme
    or the issuer insists on 3-D Secure, take the buyer there in place of failing (``enableAuthenticationUpgrade``).
    Both may be True. ``billing_address``: for address verification (AVS), a mapping of ``region`` (two letters),
    ``state``, ``city``, ``address1``, ``address2``, ``zipCode``; the bank compares it, see ``card_results``.
    ``payer_email``: compared too. ``brand``: what the buyer chose on a card with two brands, such as ``VISA``; in the
    European Economic Area the choice is the buyer's. ``on_file``: the card was kept after an earlier payment.
    ``recurring`` (``SCHEDULED`` or ``UNSCHEDULED``) together with ``network_transaction_id``, from the card result of
    the first payment: the merchant pays without the buyer, who cannot be asked for 3-D Secure.
    """

    three_d_secure: Optional[bool] = None
    upgrade: Optional[bool] = None
    billing_address: Optional[Mapping] = None
    payer_email: Optional[str] = None
    brand: Optional[str] = None
    on_file: Optional[bool] = None
    recurring: Optional[str] = None
    network_transaction_id: Optional[str] = None

    @property
    def without_buyer(self) -> bool:
        """Is it a merchant-initiated payment?"""
        return self.recurring is not None and self.network_transaction_id is not None

    def __repr__(self):
        # An address is a buyer's: the names alone.
        return "Features({})".format(", ".join(name for name, value in zip(self._fields, self) if value is not None))


#: No value-added field.
NONE = Features()


def hosted_page(*, capture_mode: Optional[str] = None, features: Features = NONE) -> Dict[str, Any]:
    """AMS's own page asks for the card: no PCI duties. The answer to ``pay`` is then only F or U, with the page's
    address in ``normalUrl``; the result comes by notifyPayment or inquiryPayment.

    >>> hosted_page()["paymentMethod"], hosted_page()["paymentFactor"]
    ({'paymentMethodType': 'CARD'}, {'isAuthorization': 'true'})
    """
    metadata = _metadata(features)
    if features.on_file:
        raise InvalidRequest("features: a page is for a card that is not known yet; with a kept one take stored_card()",
                             parameter="features")
    return _payment({}, metadata, capture_mode)


def stored_card(token: str, *, capture_mode: Optional[str] = None, features: Features = NONE) -> Dict[str, Any]:
    """A card that AMS keeps. ``token``: ``cardToken`` of an earlier notifyPayment or inquiryPayment. U with
    ``normalUrl`` means that the buyer has to pass 3-D Secure there."""
    if looks_like_a_number(token):
        raise InvalidRequest("token: this is a card number; give the cardToken that AMS made of it, or raw_card()",
                             parameter="token")
    if not isinstance(token, str) or re.fullmatch("[!-~]{1,2048}", token) is None:
        raise InvalidRequest("token: the cardToken as AMS sent it, 1 to 2048 characters", parameter="token")
    return _payment({"paymentMethodId": token}, _metadata(features), capture_mode)


def raw_card(number: CardNumber, *, pci_qualified: bool, expiry_month: str, expiry_year: str,
             cvv: Optional[SecurityCode] = None, holder: Optional[Mapping] = None, capture_mode: Optional[str] = None,
             features: Features = NONE) -> Dict[str, Any]:
    """A card that the shop itself asked for. ``pci_qualified``: must be True: AMS takes this from shops that have shown
    their PCI DSS papers, and so does this library. ``expiry_month``, ``expiry_year``: two digits each, as text.
    ``holder``: a mapping of ``firstName``, ``lastName``, ``middleName``, ``fullName``."""
    if pci_qualified is not True:
        raise InvalidRequest("pci_qualified: card numbers are for shops with PCI DSS papers, who say so with True; any "
                             "other takes hosted_page(), where AMS asks for the card", parameter="pci_qualified")
    if not isinstance(number, CardNumber):
        raise InvalidRequest("number: a CardNumber, which appears in no log", parameter="number")
    if cvv is not None and not isinstance(cvv, SecurityCode):
        raise InvalidRequest("cvv: a SecurityCode, which appears in no log", parameter="cvv")
    if not isinstance(expiry_month, str) or re.fullmatch("0[1-9]|1[0-2]", expiry_month) is None:
        raise InvalidRequest("expiry_month: 01 to 12, as text", parameter="expiry_month")
    if not isinstance(expiry_year, str) or re.fullmatch("[0-9]{2}", expiry_year, re.ASCII) is None:
        raise InvalidRequest("expiry_year: its last two digits, as text", parameter="expiry_year")
    metadata = _metadata(features)
    if cvv is not None and features.without_buyer:
        raise InvalidRequest("cvv: nobody may have kept it, and the buyer is not there", parameter="cvv")
    card: Dict[str, Any] = {"cardNo": number, "expiryMonth": expiry_month, "expiryYear": expiry_year}
    if cvv is not None:
        card["cvv"] = cvv
    if holder is not None:
        card["cardholderName"] = _texts(holder, "holder", _NAMES)
    return _payment({}, dict(card, **metadata), capture_mode)


def check(content: Mapping) -> None:
    """Refuse a body of ``payments/pay`` that is a card payment and no authorization, or has a number for a token."""
    method = content.get("paymentMethod")
    if not isinstance(method, Mapping) or method.get("paymentMethodType") != CARD:
        return
    if not authorizes(content):
        raise InvalidRequest("paymentFactor.isAuthorization: \"true\" for every payment by card",
                             parameter="isAuthorization")
    if looks_like_a_number(method.get("paymentMethodId")):
        raise InvalidRequest("paymentMethodId: this is a card number; a cardToken stands there",
                             parameter="paymentMethodId")


def authorizes(content: Mapping) -> bool:
    """Does this body reserve money, and move none?"""
    factor = content.get("paymentFactor")
    return isinstance(factor, Mapping) and str(factor.get("isAuthorization")).lower() == "true"


def is_hosted(content: Mapping) -> bool:
    """Will AMS's page ask for the card? Its ``pay`` then never answers S."""
    method = content.get("paymentMethod")
    if not isinstance(method, Mapping) or method.get("paymentMethodType") != CARD or method.get("paymentMethodId"):
        return False
    metadata = method.get("paymentMethodMetaData")
    return not (isinstance(metadata, Mapping) and metadata.get("cardNo"))


def _payment(method, metadata, capture_mode):
    factor = {"isAuthorization": "true"}
    if capture_mode is not None:
        if capture_mode not in CAPTURE_MODES:
            raise InvalidRequest("capture_mode: one of {}".format(", ".join(CAPTURE_MODES)), parameter="capture_mode")
        factor["captureMode"] = capture_mode
    method = dict({"paymentMethodType": CARD}, **method)
    if metadata:
        method["paymentMethodMetaData"] = metadata
    return {"paymentMethod": method, "paymentFactor": factor}


def _metadata(features):
    if not isinstance(features, Features):
        raise InvalidRequest("features: card.Features", parameter="features")
    if features.network_transaction_id is not None and features.on_file is not True:
        raise InvalidRequest("network_transaction_id: of a card that was kept; give on_file=True too",
                             parameter="network_transaction_id")
    if features.without_buyer and (features.three_d_secure or features.upgrade):
        raise InvalidRequest("three_d_secure, upgrade: the buyer is not there to pass 3-D Secure; leave them out",
                             parameter="three_d_secure")
    found: Dict[str, Any] = {}
    for name, member in (("three_d_secure", "is3DSAuthentication"), ("upgrade", "enableAuthenticationUpgrade"),
                         ("on_file", "isCardOnFile")):
        value = getattr(features, name)
        if value is not None:
            if not isinstance(value, bool):
                raise InvalidRequest("{}: True, False or None".format(name), parameter=name)
            found[member] = "true" if value else "false"
    for name, member, form, what in (
            ("payer_email", "payerEmail", r"(?=.{3,64}\Z)[^@\s]+@[^@\s]+", "an address of at most 64 characters"),
            ("brand", "selectedCardBrand", "[A-Z][A-Z_]{1,63}", "a brand in capitals, such as VISA"),
            ("recurring", "recurringType", "|".join(RECURRING), "one of " + ", ".join(RECURRING)),
            ("network_transaction_id", "networkTransactionId", "[!-~]{1,256}", "the text that AMS sent before")):
        value = getattr(features, name)
        if value is not None:
            if not isinstance(value, str) or re.fullmatch(form, value) is None:
                raise InvalidRequest("{}: {}".format(name, what), parameter=name)
            found[member] = value
    if features.billing_address is not None:
        address = _texts(features.billing_address, "billing_address", _ADDRESS)
        if re.fullmatch("[A-Z]{2}", address.get("region", "")) is None:
            raise InvalidRequest("billing_address: its region is needed, two capitals (ISO 3166)",
                                 parameter="billing_address")
        found["billingAddress"] = address
    return found


def _texts(value, parameter, names):
    if not isinstance(value, Mapping) or not value or not all(
            name in names and isinstance(text, str) and text.strip() for name, text in value.items()):
        raise InvalidRequest("{}: a mapping of {} to text".format(parameter, ", ".join(names)), parameter=parameter)
    return dict(value)
