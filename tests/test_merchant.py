"""A merchant's settings: what is refused when it is made, and that it never shows a key."""
import copy
import dataclasses
import logging
import pickle
import pprint
import traceback

import pytest

from alipay_mapi import merchant
from alipay_mapi.errors import (AlipayError, ConfigurationError, InvalidRequest, KeyFormatError, KeyMismatch,
                                MissingKey, WeakKey)
from alipay_mapi.merchant import (GATEWAY_HK, GATEWAY_INSTORE, GATEWAY_INTL, GATEWAY_MAINLAND, GATEWAY_SANDBOX,
                                  Merchant, WeakKeyWarning)
from alipay_mapi.request import build_request
from alipay_mapi.response import parse_response
from answers import MD5_KEY, PARTNER, TRADE, answer, md5_shop, presign, rsa_shop, rsa_sign
from signing_fixtures import bare, der, pem


# --- partner, charset, seller ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("partner", [None, "", " ", "2088 101122136241", "2088101122136241 ", "2088abc", "-2088",
                                     2088101122136241,
                                     b"2088101122136241", "２０８８１０１１２２１３６２４１", "²", "1" * 33, "2088\n"])
def test_a_malformed_partner_is_refused(partner):
    with pytest.raises(ConfigurationError) as caught:
        md5_shop(partner=partner)
    assert "partner" in str(caught.value)


@pytest.mark.parametrize("partner", ["2088101122136241", "2160000000000001", "1000000000000000", "123456789", "1",
                                     "0" * 32])
def test_a_partner_of_another_shape_is_taken(partner):
    """Only doctor has an opinion on it."""
    shop = md5_shop(partner=partner)
    assert shop.partner == shop.seller_id == partner


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8", "GBK", "gb2312", "GB18030", None])
def test_the_charset_keeps_its_spelling(charset):
    assert md5_shop(input_charset=charset).input_charset == charset


@pytest.mark.parametrize("charset", ["", "utf-16", "utf-7", "latin-1", "big5", "utf-8 ", "none", 8, b"utf-8"])
def test_T25_a_charset_that_alipay_does_not_use_is_refused(charset):
    """Hostile; the genuine twin is of the closed list."""
    with pytest.raises(ConfigurationError):
        md5_shop(input_charset=charset)
    assert md5_shop(input_charset="gbk").input_charset == "gbk"


def test_the_seller_is_the_partner_unless_given():
    assert md5_shop().seller_id == PARTNER and md5_shop().seller_email is None
    shop = md5_shop(seller_id="2088000000000002", seller_email="shop@example.com")
    assert (shop.seller_id, shop.seller_email) == ("2088000000000002", "shop@example.com")


@pytest.mark.parametrize("name", ["seller_id", "seller_email"])
@pytest.mark.parametrize("value", ["", " ", 2088000000000002, b"x"])
def test_a_seller_is_text(name, value):
    with pytest.raises(ConfigurationError) as caught:
        md5_shop(**{name: value})
    assert name in str(caught.value)


@pytest.mark.parametrize("sign_type", ["md5", "Md5", "RSA1", "HMAC", "none", "", None, 5, "RSA2 ", b"MD5", ["MD5"]])
def test_the_sign_type_is_one_of_four_in_upper_case(sign_type):
    with pytest.raises(ConfigurationError):
        Merchant(partner=PARTNER, sign_type=sign_type, md5_key=MD5_KEY)


def test_a_merchant_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        md5_shop().partner = "1"
    with pytest.raises(dataclasses.FrozenInstanceError):
        md5_shop().sign_type = "RSA"


# --- gateway --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("gateway", [GATEWAY_INTL, GATEWAY_INSTORE, GATEWAY_MAINLAND, GATEWAY_SANDBOX, GATEWAY_HK,
                                     "https://gateway.example:8443/gateway.do", "https://[2001:db8::1]/gateway.do",
                                     "http://127.0.0.1:8000/gateway.do", "http://localhost/gateway.do",
                                     "http://[::1]:9/x", "http://127.8.8.8/", "http://LOCALHOST/gateway.do"])
def test_T67_a_gateway_is_https_or_on_this_machine(gateway):
    """Genuine; the hostile twins follow."""
    assert md5_shop(gateway=gateway).gateway == gateway


@pytest.mark.parametrize("gateway", [
    "http://intlmapi.alipay.com/gateway.do", "http://localhost.example/x", "http://127.0.0.1.example/x",
    "http://0.0.0.0/x", "http://10.0.0.1/x", "http://[2001:db8::1]/x", "http://2130706433/x",
    "http://localhost@evil.example/x"])
def test_T67_plain_http_to_another_machine_is_refused_without_allow_http(gateway):
    """Hostile; the genuine twin was allowed on purpose (and doctor reports it)."""
    with pytest.raises(ConfigurationError):
        md5_shop(gateway=gateway)
    if "@" not in gateway:
        assert md5_shop(gateway=gateway, allow_http=True).allow_http


@pytest.mark.parametrize("gateway", [
    "", "intlmapi.alipay.com/gateway.do", "//intlmapi.alipay.com/gateway.do", "https:///gateway.do", "https://",
    "ftp://x/y", "file:///etc/hostname", "https://x/y?service=a", "https://x/y#a", "https://u:p@x/y", "https://u@x/y",
    "https://@x/y",
    "https://x:0/y", "https://x:99999/y", "https://x:a/y", "https://[::1/y", "https://x/a b", "https://x/a\nb",
    "https://x/\x00", None, 5, b"https://x/y", ["https://x/y"], "GATEWAY_INTL"])
def test_a_gateway_is_a_full_url_and_nothing_else(gateway):
    for allow_http in (False, True):
        with pytest.raises(ConfigurationError) as caught:
            md5_shop(gateway=gateway, allow_http=allow_http)
        assert "gateway" in str(caught.value)


def test_the_gateway_constants_are_alipays_hosts():
    assert [GATEWAY_INTL, GATEWAY_INSTORE, GATEWAY_MAINLAND, GATEWAY_SANDBOX, GATEWAY_HK] == [
        "https://intlmapi.alipay.com/gateway.do", "https://globalmapi.alipay.com/gateway.do",
        "https://mapi.alipay.com/gateway.do", "https://mapi.alipaydev.com/gateway.do",
        "https://api-sea-global.alipayplus.com/gateway.do"]


# --- keys -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("form", [pem, bare, der, lambda name: pem(name).encode("ascii"),
                                  lambda name: "\ufeff" + pem(name).replace("\n", "\r\n")])
def test_keys_are_text_or_bytes(form):
    shop = rsa_shop(private_key=form("rsa2048-private"), alipay_public_key=form("rsa2048-other-public"))
    assert shop.signing_key.bits == 2048 and len(shop.checking_keys) == 1
    text = presign(TRADE)
    assert parse_response(shop, answer(sign=rsa_sign(text), sign_type="RSA2")).signed
    assert build_request(shop, "x", {}).sign


@pytest.mark.parametrize("sign_type, kind", [("RSA", "rsa2048"), ("RSA2", "rsa2048"), ("DSA", "dsa2048")])
def test_either_half_may_be_left_out_until_it_is_needed(sign_type, kind):
    other = {"rsa2048": "rsa2048-other-public", "dsa2048": "dsa1024-public"}[kind]
    signer = Merchant(partner=PARTNER, sign_type=sign_type, private_key=pem(kind + "-private"))
    checker = Merchant(partner=PARTNER, sign_type=sign_type, alipay_public_key=pem(other))
    neither = Merchant(partner=PARTNER, sign_type=sign_type)
    assert build_request(signer, "x", {}).sign
    for shop, needs in ((checker, "private_key"), (neither, "private_key")):
        with pytest.raises(MissingKey) as caught:
            build_request(shop, "x", {})
        assert needs in str(caught.value)
    for shop in (signer, neither):
        with pytest.raises(MissingKey) as caught:
            _ = shop.checking_keys
        assert "alipay_public_key" in str(caught.value)
    assert len(checker.checking_keys) == 1


def test_T83_an_md5_merchant_needs_its_key_at_once():
    """Hostile: empty, short, a public key. The genuine twin is 32 letters and digits."""
    for key, error in ((None, MissingKey), ("", MissingKey), (" ", MissingKey), ("short", WeakKey),
                       (pem("rsa2048-other-public"), KeyMismatch), (bare("rsa2048-other-public"), KeyMismatch),
                       (der("rsa2048-other-public"), KeyMismatch), (12345678901234567890123456789012, KeyFormatError)):
        with pytest.raises(error):
            md5_shop(md5_key=key)
    assert md5_shop(md5_key=MD5_KEY.encode("ascii")).signing_key.secret == MD5_KEY.encode("ascii")


def test_T02_only_the_configured_sign_type_is_used_however_many_keys_there_are():
    """Genuine: RSA2 beside the MD5 key that it replaced. Hostile: that key signs nothing any more."""
    shop = rsa_shop(md5_key=MD5_KEY)
    assert shop.signing_key.kind == "RSA" and {key.kind for key in shop.checking_keys} == {"RSA"}
    with pytest.raises(AlipayError):
        parse_response(shop, answer())
    assert parse_response(md5_shop(), answer()).signed


def test_a_list_of_alipays_keys_is_kept_in_order():
    keys = [pem("rsa2048-other-public"), pem("rsa1024-other-public")]
    for given in (keys, tuple(keys)):
        assert [key.bits for key in rsa_shop(alipay_public_key=given).checking_keys] == [2048, 1024]
    with pytest.raises(MissingKey):
        _ = rsa_shop(alipay_public_key=[]).checking_keys
    for bad in ([""], keys + ["x"], {"a": keys[0]}, 5):
        with pytest.raises(KeyFormatError):
            rsa_shop(alipay_public_key=bad)


def test_T17_our_own_public_key_is_refused_in_the_place_of_alipays():
    """Hostile: every request of ours would verify as a notification. The genuine twin is Alipay's key."""
    own = pem("rsa2048-public")
    for given in (own, bare("rsa2048-public"), [pem("rsa2048-other-public"), own]):
        with pytest.raises(KeyMismatch) as caught:
            rsa_shop(alipay_public_key=given)
        assert "alipay_public_key" in str(caught.value)
    with pytest.raises(KeyMismatch):
        Merchant(partner=PARTNER, sign_type="DSA", private_key=pem("dsa2048-private"),
                 alipay_public_key=pem("dsa2048-public"))
    assert rsa_shop(alipay_public_key=pem("rsa2048-other-public"))


def test_T80_1024_bits_of_our_own_warn_and_of_alipays_do_not():
    """Genuine, both: Alipay's own legacy key has 1024 bits. Hostile: fewer bits are refused in either place."""
    with pytest.warns(WeakKeyWarning) as caught:
        rsa_shop("RSA", private_key=pem("rsa1024-private"))
    assert [warning.filename for warning in caught] == [merchant_call_file()]
    assert rsa_shop("RSA", alipay_public_key=pem("rsa1024-other-public"))  # warnings are errors
    for changes in ({"private_key": pem("rsa768-private")}, {"alipay_public_key": pem("rsa768-public")}):
        with pytest.raises(WeakKey):
            rsa_shop("RSA", **changes)


def merchant_call_file():
    """Where ``Merchant(...)`` is called by rsa_shop: the warning points at the caller, not into the package."""
    return rsa_shop.__code__.co_filename


@pytest.mark.parametrize("changes, error", [
    ({"private_key": "rsa2048-other-public"}, KeyMismatch), ({"alipay_public_key": "rsa2048-other-private"},
                                                             KeyMismatch),
    ({"private_key": "dsa2048-private"}, KeyMismatch), ({"alipay_public_key": "dsa2048-public"}, KeyMismatch),
    ({"alipay_public_key": "ec-public"}, KeyMismatch), ({"alipay_public_key": "certificate"}, KeyFormatError)])
def test_T81_a_key_in_the_wrong_place_is_refused_at_once_and_by_name(changes, error):
    """Hostile; the genuine twin is rsa_shop() itself."""
    (name, key), = changes.items()
    with pytest.raises(error) as caught:
        rsa_shop(**{name: pem(key)})
    assert name in str(caught.value)
    assert rsa_shop()


def test_keys_are_read_once_and_can_be_handed_on():
    shop = rsa_shop()
    other = dataclasses.replace(shop, sign_type="RSA")
    assert other.signing_key is shop.signing_key and other.checking_keys[0] is shop.checking_keys[0]


@pytest.mark.parametrize("sign_type, shared", [("RSA", True), ("DSA", True), ("RSA2", False), ("MD5", False)])
def test_T41_which_keys_alipay_shares_between_merchants(sign_type, shared):
    """Hostile under RSA and DSA, where a fitting sign does not say for whom; genuine under RSA2 and MD5."""
    keys = {"MD5": {"md5_key": MD5_KEY}}.get(sign_type, {})
    assert Merchant(partner=PARTNER, sign_type=sign_type, **keys).key_is_shared is shared


# --- T-84: no key is ever shown ---------------------------------------------------------------------------------------

def every_spelling(shop):
    """Ways in which an object ends up in a page, a log or a traceback."""
    yield repr(shop)
    yield str(shop)
    yield "{}".format(shop)
    yield "{!r:>10}".format(shop)
    yield "%s %r" % (shop, shop)
    yield repr(vars(shop))
    yield repr(dataclasses.asdict(shop))
    yield repr(dataclasses.astuple(shop))
    yield repr([getattr(shop, field.name) for field in dataclasses.fields(shop)])
    yield pprint.pformat(vars(shop))
    yield repr(copy.copy(shop)) + repr(copy.deepcopy(shop)) + repr(copy.deepcopy({"shop": [shop, vars(shop)]}))
    yield repr(shop.signing_key) + str(shop.signing_key) + repr(shop.checking_keys)
    yield repr(dataclasses.replace(shop, seller_email="other@example.com"))


def secrets(*texts):
    """Every stretch of the keys by which they could be known again."""
    for text in texts:
        text = "".join(text.split())
        for start in range(0, len(text) - 16, 16):
            yield text[start:start + 16]


@pytest.mark.parametrize("shop, texts", [
    (md5_shop(seller_email="shop@example.com"), [MD5_KEY]),
    (rsa_shop(md5_key=MD5_KEY), [bare("rsa2048-private"), bare("rsa2048-other-public"), MD5_KEY])], ids=["MD5", "RSA2"])
def test_T84_no_spelling_of_a_merchant_shows_a_key(shop, texts, caplog):
    """Hostile: anything that prints. The genuine twin still says who the merchant is."""
    shown = list(every_spelling(shop))
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").debug("shop %s %r %s", shop, shop, vars(shop))
    shown.append(caplog.text)
    everything = "\n".join(shown)
    assert [secret for secret in secrets(*texts) if secret in everything] == []
    assert PARTNER in repr(shop) and shop.sign_type in repr(shop)
    assert "example.com" not in repr(shop)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_T84_a_merchant_and_its_keys_do_not_pickle(protocol):
    """Hostile: a cache, a task queue. The genuine twin, its plain settings, pickle."""
    shop = rsa_shop(md5_key=MD5_KEY)
    for value in (shop, shop.signing_key, shop.checking_keys, vars(shop), [md5_shop()], md5_shop().signing_key):
        with pytest.raises(InvalidRequest):
            pickle.dumps(value, protocol)
    assert pickle.loads(pickle.dumps(shop.partner, protocol)) == PARTNER


def test_T84_copies_are_the_merchant_itself():
    """Genuine: frozen, so nothing is lost. Hostile: a copy would be a second place that holds the key."""
    shop = rsa_shop()
    assert copy.copy(shop) is shop and copy.deepcopy(shop) is shop
    assert copy.deepcopy([shop.signing_key])[0] is shop.signing_key


@pytest.mark.parametrize("changes", [
    {"private_key": "MII" + "TopSecret" * 20}, {"private_key": pem("rsa2048-private")[:-200]},
    {"private_key": pem("rsa768-private")}, {"alipay_public_key": pem("rsa2048-private")}, {"md5_key": "TopSecret5"},
    {"md5_key": "TopSecret" * 4 + " x"}, {"private_key": pem("encrypted-pkcs8")}, {"private_key": ["TopSecret" * 9]}])
def test_T84_no_refusal_of_a_key_shows_it(changes):
    """Hostile: the traceback of a wrong setting, causes included. The genuine twin raises nothing."""
    (value,) = changes.values()
    with pytest.raises(ConfigurationError) as caught:
        rsa_shop(**changes)
    error = caught.value
    lines = traceback.TracebackException.from_exception(error)
    said = "".join(lines.format_exception_only()) + repr(error) + repr(error.args) + repr(vars(error))
    while error.__context__ is not None:
        error = error.__context__
        said += repr(error) + str(vars(error))
    body = value[0] if isinstance(value, list) else value
    assert "TopSecret" not in said
    assert [secret for secret in secrets(body.split("-----")[2] if "-----" in body else body) if secret in said] == []
    assert rsa_shop(md5_key=MD5_KEY)


def test_T84_a_signed_request_holds_no_key():
    """Hostile: everything a request has. The genuine twin is its sign."""
    request = build_request(md5_shop(), "x", {"a": "1"})
    everything = [repr(request), request.url, request.presign, request.form(), repr(request.body),
                  repr(dict(request.params))]
    everything += [repr(getattr(request, name)) for name in type(request).__slots__]
    assert not any(MD5_KEY in text for text in everything)
    assert request.sign in request.url


def test_two_merchants_are_the_same_only_with_the_same_keys():
    shop = md5_shop()
    assert shop == copy.copy(shop) and shop != md5_shop(partner="1") and hash(shop) == hash(copy.deepcopy(shop))


def test_the_module_shows_where_plain_http_may_go():
    assert merchant.is_loopback("127.0.0.1") and merchant.is_loopback("::1") and not merchant.is_loopback("10.0.0.1")


def test_an_account_name_as_seller_id_is_refused_before_it_refuses_every_notification():
    with pytest.raises(ConfigurationError) as caught:
        Merchant(partner="2088101122136241", sign_type="MD5", md5_key=MD5_KEY, seller_id="seller@example.com")
    assert "seller_email" in str(caught.value)
    assert Merchant(partner="2088101122136241", sign_type="MD5", md5_key=MD5_KEY,
                    seller_id="2088000000000001").seller_id == "2088000000000001"
