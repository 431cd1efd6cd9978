"""What all checked messages have in common: a read-only mapping of signed text, and typed attributes."""
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from alipay_mapi import fields, messages
from alipay_mapi.app_result import AppResult
from alipay_mapi.errors import MalformedParameter
from alipay_mapi.messages import Message
from alipay_mapi.notification import Notification
from alipay_mapi.response import Response
from alipay_mapi.synchronous_return import SynchronousReturn
from genuine import DIRECT


@pytest.fixture
def message():
    return Message(dict(DIRECT), ["sign", "party"], {"order": "no order was given"})


def test_it_is_a_read_only_mapping(message):
    assert dict(message) == DIRECT
    assert message["subject"] == "Tea" and message.get("nothing") is None and message.get("nothing", 1) == 1
    assert "subject" in message and len(message) == len(DIRECT)
    with pytest.raises(KeyError):
        message["nothing"]
    with pytest.raises(TypeError):
        message["subject"] = "Coffee"
    with pytest.raises(TypeError):
        del message["subject"]
    found = message.copy()
    assert type(found) is dict and found == DIRECT
    found["subject"] = "Coffee"
    assert message["subject"] == "Tea"


def test_nothing_on_it_can_be_changed(message):
    for name in ("total_fee", "trade_status", "seller_id", "passed", "unchecked"):
        with pytest.raises(AttributeError):
            setattr(message, name, "x")
    with pytest.raises(TypeError):
        message.unchecked["amount"] = "x"
    with pytest.raises(AttributeError):
        message.passed.add("amount")
    assert message.total_fee == Decimal("8.00")


def test_attributes_are_typed(message):
    assert message.total_fee == Decimal("8.00") and isinstance(message.total_fee, Decimal)
    assert message.discount == 0
    moment = message.gmt_payment
    assert moment == datetime(2017, 3, 5, 18, 17, 17, tzinfo=timezone(timedelta(hours=8)))
    assert moment.utcoffset() == timedelta(hours=8)
    assert message.trade_status == "TRADE_SUCCESS"


def test_an_attribute_is_none_when_the_field_is_absent(message):
    assert message.gmt_close is message.refund_fee is message.currency is None


@pytest.mark.parametrize("name,text", [
    ("total_fee", "1e3"), ("total_fee", "NaN"), ("total_fee", "８.00"), ("total_fee", "1_0"), ("total_fee", "-1.00"),
    ("rmb_fee", "8.000"), ("discount", "+1"), ("discount", "--1"), ("gmt_payment", "yesterday"),
    ("gmt_payment", "2017-02-30 00:00:00"), ("notify_time", "2017-03-05T18:17:17"),
    ("gmt_close", "２017-03-05 18:17:17"),
])
def test_a_typed_attribute_of_another_form_raises_and_the_text_stays(name, text):
    broken = Message({name: text}, [], {})
    with pytest.raises(MalformedParameter) as refused:
        getattr(broken, name)
    assert refused.value.parameter == name
    assert refused.value.__context__ is None
    assert broken[name] == text


def test_a_refund_s_time_may_have_a_fraction():
    assert Message({"gmt_refund": "2017-01-14 17:03:56.744"}, [], {}).gmt_refund.microsecond == 744000


@pytest.mark.parametrize("kind", [Notification, SynchronousReturn, Response, AppResult])
def test_every_typed_attribute_is_a_name_that_the_re_cut_rule_knows(kind):
    """Otherwise a value that holds ``&name=`` could smuggle it in. XML is not form-shaped, and has a few of its own."""
    typed = {name for base in kind.__mro__ for name, value in vars(base).items() if isinstance(value, messages._Typed)}
    assert "total_fee" in typed
    assert typed - fields.NAMES <= {"gmt_last_modified_time"}


def test_its_repr_holds_status_and_number_and_nobody_s_data(message):
    text = repr(message)
    assert "A1" in text and "TRADE_SUCCESS" in text
    for name in ("buyer_email", "buyer_id", "seller_email", "subject", "body"):
        assert DIRECT[name] not in text


def test_its_repr_has_no_line_break_from_outside():
    assert repr(Message({"out_trade_no": "A1\r\nforged", "trade_status": "\x1b[2J"}, [], {})).isprintable()
