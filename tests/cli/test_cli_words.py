"""What the library calls an argument is called an option here; everything else is left alone."""
import re
from pathlib import Path

import pytest

import alipay_mapi
from alipay_mapi import checks
from alipay_mapi.cli import words
from alipay_mapi.errors import ConfigurationError
from alipay_mapi.merchant import Merchant


@pytest.mark.parametrize("library, here", [
    ("no order= was given, so neither", "no --order was given, so neither"),
    ("no confirm= was given; the sign", "no --confirm was given; the sign"),
    ("asked= names nothing", "--asked names nothing"), ("own: x is a name", "--own: x is a name"),
    ("Pass confirm=Client(shop).notify_verify, or ask", "Give --confirm, or ask"),
    ("name it in own=", "name it in --own"),
    ("(pass content_type, or set the", "(give --content-type, or set the"),
    ("or with allow_http=True", "or with --allow-http"),
    ("utf-8 or None not to send it", "utf-8 or none: not sent"),
    ("give the app build_order_string(...)", "make it with alipay-mapi order-string"),
])
def test_the_words_of_the_library_are_put_into_options(library, here):
    assert words.for_shell(library) == here
    assert words.for_shell(here) == here


@pytest.mark.parametrize("text", [
    "holds &order=, which", "the order: A1", "in order to", "order_gmt_create=1", "order=A1", "--order=A1",
    "seller_id: names another merchant", "Content-Type",
])
def test_other_words_are_left_alone(text):
    assert words.for_shell(text) == text


def test_what_the_library_says_today_is_covered():
    assert "--order" in words.for_shell(checks.NO_ORDER)
    with pytest.raises(ConfigurationError) as caught:
        Merchant(partner="2088101122136241", sign_type="MD5", md5_key="x" * 32, gateway="http://shop.example/")
    told = words.for_shell(str(caught.value))
    assert "--allow-http" in told and "intl, instore" in told and "GATEWAY_" not in told and "True" not in told


def test_no_message_of_the_library_keeps_an_argument(fixtures):
    """Every text in its source, put into this program's words, names no argument of a call that is an option here."""
    found = []
    for path in Path(alipay_mapi.__file__).parent.glob("*.py"):
        for text in re.findall(r'"([^"\\n]{12,})"', path.read_text(encoding="utf-8")):
            if re.search(r"(?<![&\w-])(order|confirm|asked|own)= |GATEWAY_ |allow_http=", words.for_shell(text)):
                found.append((path.name, text))
    assert found == []


def test_parameters_become_options_where_they_are_names():
    told = words.as_options("currency: the settlement currency, also with return_rmb_amount",
                            ["currency", "return_rmb_amount"])
    assert told == "--currency: the settlement currency, also with --return-rmb-amount"
