"""A merchant out of a configuration's text: files, short names, several keys, and what is refused."""
import os

import pytest

from alipay_mapi import merchant, merchant_settings
from alipay_mapi.errors import AlipayError, ConfigurationError, KeyFormatError, MissingKey
from alipay_mapi.merchant_settings import GATEWAYS, KEY_FILES, about, faults, merchant_of, several
from genuine import MD5_KEY, PARTNER, key_file

MD5 = {"partner": PARTNER, "sign_type": "MD5", "md5_key": MD5_KEY}
RSA2 = {"partner": PARTNER, "sign_type": "RSA2", "private_key": key_file("rsa2048", "private"),
        "alipay_public_key": key_file("rsa2048-other")}
SECRETS = (MD5_KEY, "BEGIN", "MII", "S3CRET")


def bare(text):
    """A key's text as a console shows it: base64 on one line."""
    return "".join(text.partition("KEY-----")[2].partition("-----END")[0].split())


def without(base, *names, **changes):
    return dict({name: value for name, value in base.items() if name not in names}, **changes)


def test_the_defaults_are_those_of_a_merchant():
    made, plain = merchant_of(MD5), merchant.Merchant(PARTNER, "MD5", md5_key=MD5_KEY)
    for name in ("input_charset", "gateway", "allow_http", "seller_id", "seller_email"):
        assert getattr(made, name) == getattr(plain, name)


@pytest.mark.parametrize("name, url", [
    ("intl", "https://intlmapi.alipay.com/gateway.do"), ("instore", "https://globalmapi.alipay.com/gateway.do"),
    ("mainland", "https://mapi.alipay.com/gateway.do"), ("sandbox", "https://mapi.alipaydev.com/gateway.do"),
    ("hk", "https://api-sea-global.alipayplus.com/gateway.do")])
def test_a_gateway_has_a_short_name(name, url):
    assert merchant_of(dict(MD5, gateway=name)).gateway == url == GATEWAYS[name]
    assert merchant_of(dict(MD5, gateway=url)).gateway == url


@pytest.mark.parametrize("value, sent", [("gbk", "gbk"), ("none", None), ("NONE", None), (None, None)])
def test_the_charset_can_be_left_out(value, sent):
    assert merchant_of(dict(MD5, input_charset=value)).input_charset == sent


@pytest.mark.parametrize("value, allowed", [(True, True), ("true", True), ("YES", True), ("on", True), ("1", True),
                                            (1, True), (False, False), ("false", False), ("Off", False), (0, False),
                                            (None, False)])
def test_a_switch_is_written_in_many_ways(value, allowed):
    assert merchant_of(dict(MD5, allow_http=value)).allow_http is allowed


def test_a_setting_that_is_none_is_left_out():
    made = merchant_of(dict(MD5, seller_id=None, seller_email=None, gateway=None, private_key=None,
                            alipay_public_key=None, private_key_file=None))
    assert repr(made) == repr(merchant_of(MD5)) and made.private_key is None and made.alipay_public_key == ()


def test_keys_come_from_files_too(tmp_path, monkeypatch):
    for name, text in (("own.pem", RSA2["private_key"]), ("alipay.pem", RSA2["alipay_public_key"]), ("md5", MD5_KEY)):
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("HOME", str(tmp_path))
    one = merchant_of({"partner": PARTNER, "sign_type": "RSA2", "private_key_file": "~/own.pem",
                       "alipay_public_key_file": tmp_path / "alipay.pem"})
    assert one.signing_key.numbers == merchant_of(RSA2).signing_key.numbers and len(one.alipay_public_key) == 1
    other = merchant_of(without(MD5, "md5_key", md5_key_file=os.fsencode(str(tmp_path / "md5"))))
    assert other.md5_key.secret == MD5_KEY.encode("ascii")


def test_alipays_keys_may_be_several_in_any_form(tmp_path):
    first, second = key_file("rsa2048-other"), key_file("rsa1024-other")
    (tmp_path / "both.pem").write_text(first + second)
    (tmp_path / "one.pem").write_text(first)
    (tmp_path / "two.txt").write_text(bare(second))
    numbers = [key.numbers for key in merchant_of(dict(RSA2, alipay_public_key=[first, second])).alipay_public_key]
    assert len(set(numbers)) == 2
    for value in (first + second, bare(first) + "," + bare(second), [bare(first), second], (first, second),
                  (first + second).encode("ascii")):
        made = merchant_of(dict(RSA2, alipay_public_key=value))
        assert [key.numbers for key in made.alipay_public_key] == numbers
    for paths in (str(tmp_path / "both.pem"), [str(tmp_path / "one.pem"), str(tmp_path / "two.txt")]):
        made = merchant_of(without(RSA2, "alipay_public_key", alipay_public_key_file=paths))
        assert [key.numbers for key in made.alipay_public_key] == numbers


def test_keys_that_are_loaded_already_are_taken():
    made = merchant_of(RSA2)
    again = merchant_of(dict(RSA2, private_key=made.private_key, alipay_public_key=made.alipay_public_key))
    assert again.alipay_public_key == made.alipay_public_key and several(made.private_key) == [made.private_key]


WRONG = [
    ("partner", {"partner": None}), ("partner", {"partner": ""}), ("partner", {"partner": "x"}),
    ("partner", {"partner": 5}),
    ("sign_type", {"sign_type": None}), ("sign_type", {"sign_type": "md5"}), ("sign_type", {"sign_type": ["MD5"]}),
    ("colour", {"colour": "S3CRET"}), ("PARTNER", {"PARTNER": "S3CRET"}),
    ("private_key_path", {"private_key_path": "S3CRET"}),
    ("md5_key", {"md5_key": None}), ("md5_key", {"md5_key": "S3CRET"}), ("md5_key", {"md5_key": 5}),
    ("md5_key", {"md5_key_file": "/no/such"}), ("private_key", {"private_key": 5}),
    ("private_key", {"private_key": "S3CRET"}), ("alipay_public_key", {"alipay_public_key": "S3CRET"}),
    ("alipay_public_key", {"alipay_public_key": {"a": 1}}), ("alipay_public_key", {"alipay_public_key": b"S3CRET"}),
    ("private_key_file", {"private_key_file": "/no/such/file"}), ("private_key_file", {"private_key_file": 5}),
    ("private_key_file", {"private_key_file": []}), ("private_key_file", {"private_key_file": "a\0b"}),
    ("private_key_file", {"private_key_file": ["/no/such", None]}), ("private_key_file", {"private_key_file": "/"}),
    ("gateway", {"gateway": "S3CRET"}), ("gateway", {"gateway": 5}), ("gateway", {"gateway": ["intl"]}),
    ("input_charset", {"input_charset": "latin-1"}), ("input_charset", {"input_charset": 5}),
    ("allow_http", {"allow_http": "perhaps"}), ("allow_http", {"allow_http": []}), ("allow_http", {"allow_http": 2}),
    ("seller_id", {"seller_id": "shop@example.com"}), ("seller_id", {"seller_id": 5}),
    ("seller_email", {"seller_email": ""}),
]


@pytest.mark.parametrize("name, changes", WRONG, ids=["{}-{}".format(at, row[0]) for at, row in enumerate(WRONG)])
def test_what_cannot_work_is_told_by_its_name_and_shows_no_secret(name, changes):
    values = dict(MD5, **changes)
    before = dict(values)
    with pytest.raises(ConfigurationError) as caught:
        merchant_of(values)
    text = str(caught.value)
    assert about(caught.value) == name and not [secret for secret in SECRETS if secret in text]
    assert text.isprintable() and values == before
    assert [about(err) for err in faults(values)] == [name] and values == before


def test_a_file_that_is_too_large_for_a_key_is_not_read_whole(tmp_path):
    (tmp_path / "large").write_bytes(b"x" * (merchant_settings.LARGEST + 1))
    with pytest.raises(ConfigurationError, match="md5_key_file: cannot read .*: too large for a key"):
        merchant_of(without(MD5, "md5_key", md5_key_file=str(tmp_path / "large")))


def test_every_fault_is_found_and_not_only_the_first():
    values = {"partner": "x", "sign_type": "RSA3", "private_key": "S3CRET", "alipay_public_key_file": "/no/such",
              "md5_key": "S3CRET", "gateway": "x", "input_charset": "x", "seller_email": "", "colour": 1, "form": 2,
              "allow_http": "x"}
    found = faults(values)
    assert sorted(map(about, found)) == sorted([
        "partner", "sign_type", "private_key", "alipay_public_key_file", "md5_key", "gateway", "input_charset",
        "seller_email", "colour", "form", "allow_http"])
    assert not [secret for secret in SECRETS for err in found if secret in str(err)]


def test_behind_a_missing_key_the_others_are_looked_at_too():
    found = faults({"partner": PARTNER, "sign_type": "MD5", "private_key": "S3CRET", "seller_id": "a@b"})
    assert [(type(err), about(err)) for err in found] == [
        (KeyFormatError, "private_key"), (MissingKey, "md5_key"), (ConfigurationError, "seller_id")]


def test_nothing_is_found_in_what_works_and_nothing_warns_there():
    weak = {"partner": PARTNER, "sign_type": "RSA", "private_key": key_file("rsa1024", "private")}
    with pytest.warns(merchant.WeakKeyWarning):
        merchant_of(weak)
    assert faults(weak) == faults(MD5) == faults(RSA2) == []


@pytest.mark.parametrize("name", merchant_settings.NAMES + KEY_FILES)
@pytest.mark.parametrize("value", [None, 5, -1.5, "x", b"x", [], {}, [[]], object(), True, ("x", 5)])
def test_whatever_stands_there_the_error_is_ours(name, value):
    try:
        merchant_of(dict(MD5, **{name: value}))
    except AlipayError:
        pass
    assert isinstance(faults(dict(MD5, **{name: value})), list)
