"""What all four checked messages have in common: a read-only mapping of decoded text, and typed attributes.

A message says which checks it passed (``passed``) and which it did not, and why (``unchecked``). The mapping holds
what was signed and nothing else: no ``sign``, no ``sign_type``, no empty value (those are never signed).
"""
from collections.abc import Mapping
from types import MappingProxyType

from . import amounts, times
from .errors import MalformedParameter, show

#: The names in ``passed`` and ``unchecked``.
SIGN, PARTY, ORDER, AMOUNT, CONFIRMED = "sign", "party", "order", "amount", "confirmed"


class _Typed:
    """An attribute read from the mapping: None when absent, MalformedParameter when it is not of its type."""

    def __init__(self, convert, doc):
        self.convert, self.__doc__, self.name = convert, doc, None

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, message, owner=None):
        if message is None:
            return self
        value = message.get(self.name)
        if value is None:
            return None
        try:
            return self.convert(value)
        except MalformedParameter as error:
            problem = str(error)
        raise MalformedParameter("{}: {}".format(self.name, problem), parameter=self.name)

    def __set__(self, message, value):
        raise AttributeError("a checked message is read-only")


def _text(doc=None):
    return _Typed(str, doc)


def _amount(doc=None):
    return _Typed(amounts.parse_amount, doc)


def _time(doc=None):
    return _Typed(times.parse_time, doc)


class Message(Mapping):
    """A checked message. Typed attributes are None when the message does not carry the field."""

    _what = "Message"

    def __init__(self, params, passed, unchecked):
        self._params = params
        self._passed = frozenset(passed)
        self._unchecked = dict(unchecked)

    def __getitem__(self, name):
        return self._params[name]

    def __iter__(self):
        return iter(self._params)

    def __len__(self):
        return len(self._params)

    def get(self, name, default=None):
        return self._params.get(name, default)

    def copy(self):
        """Its names and texts as a plain dict, which may be changed; the message stays as it is."""
        return self._params.copy()

    def __repr__(self):
        # No buyer's data: ids and status only.
        facts = [show(self._params[name]) for name in ("trade_status", "refund_status", "out_trade_no")
                 if name in self._params]
        return "<{} {} passed={}>".format(self._what, " ".join(facts), ",".join(sorted(self._passed)))

    @property
    def passed(self):
        """The checks that were made and passed: of ``sign``, ``party``, ``order``, ``amount``, ``confirmed``."""
        return self._passed

    @property
    def signed(self) -> bool:
        """Did the sign fit? Always, for a notification and a return; an answer or app result may come unsigned."""
        return SIGN in self._passed

    @property
    def unchecked(self):
        """Check → why it was not made. Nothing that failed is here: what fails raises."""
        return MappingProxyType(self._unchecked)

    out_trade_no = _text("The shop's order number.")
    trade_no = _text("Alipay's trade number.")
    trade_status = _text("See ``status``.")
    subject = _text()
    body = _text()
    currency = _text("Of ``total_fee``; absent in mainland messages (yuan) and in query answers (always CNY).")
    total_fee = _amount("Foreign in a cross-border notification, CNY in a query answer: never compare the two.")
    rmb_fee = _amount()
    price = _amount()
    discount = _Typed(amounts.parse_discount, "Zero or negative.")
    refund_fee = _amount()
    return_amount = _amount()
    to_buyer_fee = _amount("Refunded so far.")
    to_seller_fee = _amount("Received; not reduced by refunds.")
    buyer_id = _text()
    buyer_email = _text("E-mail or phone number; private.")
    seller_id = _text()
    seller_email = _text()
    payment_type = _text()
    notify_id = _text()
    notify_type = _text()
    notify_time = _time("Changes with every repetition.")
    gmt_create = _time()
    gmt_payment = _time()
    gmt_close = _time()
    gmt_refund = _time()
    gmt_last_modified_time = _time()
    out_return_no = _text("The refund request's number.")
    refund_status = _text()
    error_code = _text()
    batch_no = _text()
    extra_common_param = _text()
