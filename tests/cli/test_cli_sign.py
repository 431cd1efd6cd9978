"""``url`` and ``order-string``: the library's request, printed."""
import base64
import hashlib
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from cli_samples import MD5_KEY, load
from openssl_command import accepts

ORDER = ("out_trade_no=A1", "subject=Tea 茶", "currency=USD", "total_fee=12.30")


def test_the_url_carries_the_sign_that_hashlib_computes(run, ini):
    ran = run("url", "create_forex_trade", *(ORDER + ("--config", ini)))
    assert ran.code == 0 and ran.out.count("\n") == 1
    sent = dict(parse_qsl(urlsplit(ran.out.strip()).query))
    sign = sent.pop("sign")
    sent.pop("sign_type")
    text = "&".join("{}={}".format(name, sent[name]) for name in sorted(sent))
    assert sign == hashlib.md5((text + MD5_KEY).encode("utf-8")).hexdigest()
    assert sent["subject"] == "Tea 茶" and sent["product_code"] == "NEW_OVERSEAS_SELLER"


def test_the_rules_of_a_listed_service_are_kept(run, ini):
    ran = run("url", "create_forex_trade", "subject=Tea", "currency=USD", "total_fee=1.00", "--config", ini, "--json")
    assert ran.code == 2
    assert load(ran)["error"]["parameter"] == "out_trade_no"


def test_raw_signs_exactly_what_is_given(run, ini):
    ran = run("url", "create_forex_trade", "subject=Tea", "--raw", "--config", ini)
    assert ran.code == 0
    assert set(dict(parse_qsl(urlsplit(ran.out).query))) == {"service", "partner", "_input_charset", "subject", "sign",
                                                             "sign_type"}


def test_an_unlisted_service_is_signed_as_well(run, ini):
    assert run("url", "alipay.acquire.customs", "a=1", "--config", ini).code == 0


def test_an_unlisted_parameter_of_a_listed_service_is_sent(run, ini):
    ran = run("url", "create_forex_trade", "brand_new=1", *(ORDER + ("--config", ini)))
    assert "&brand_new=1&" in ran.out


def test_common_parameters_come_from_the_merchant(run, ini):
    assert run("url", "create_forex_trade", "partner=1", *(ORDER + ("--config", ini))).code == 2


def test_presign_prints_the_signed_text_without_sign_and_key(run, ini):
    ran = run("url", "single_trade_query", "out_trade_no=A1", "--presign", "--config", ini)
    assert ran.out == ("_input_charset=utf-8&out_trade_no=A1&partner=2088101122136241&service=single_trade_query\n")


def test_form_prints_a_form(run, ini):
    ran = run("url", "create_forex_trade", "--form", *(ORDER + ("--config", ini)))
    assert ran.out.startswith("<form ")
    assert 'name="subject" value="Tea 茶"' in ran.out


def test_form_and_presign_do_not_go_together(run, ini):
    assert run("url", "query_timestamp", "--form", "--presign", "--config", ini).code == 2


@pytest.mark.parametrize("options, name", [([], "url"), (["--form"], "form"), (["--presign"], "presign")])
def test_json_names_what_it_holds(run, ini, options, name):
    ran = run("url", "query_timestamp", "--config", ini, "--json", *options)
    assert set(load(ran)) == {"schema", "command", "service", name}


def test_the_app_order_is_not_a_url(run, ini):
    assert run("url", "mobile.securitypay.pay", *(ORDER + ("seller_id=2088101122136241", "--config", ini))).code == 2


def test_the_misspelt_service_is_taken_with_a_warning(run, ini, fixtures):
    ran = run("url", "mobile.security.pay", "--presign", "--sign-type", "RSA2", "--private-key-file",
              fixtures / "keys" / "TEST-ONLY-rsa2048-private.pem", *(ORDER + ("--config", ini)))
    assert ran.code == 0, ran.err
    assert "warning: the service is called mobile.securitypay.pay" in ran.err
    assert 'service="mobile.securitypay.pay"' in ran.out


def test_the_order_string_carries_a_sign_that_openssl_accepts(run, ini, fixtures, tmp_path):
    keys = fixtures / "keys"
    ran = run("order-string", "--sign-type", "RSA2", "--private-key-file", keys / "TEST-ONLY-rsa2048-private.pem",
              *(ORDER + ("--config", ini)))
    assert ran.code == 0, ran.err
    text, _, tail = ran.out.strip().partition('&sign="')
    sign = base64.b64decode(unquote(tail.partition('"')[0]))
    assert accepts("sha256", keys / "TEST-ONLY-rsa2048-public.pem", text.encode("utf-8"), sign, tmp_path)
    assert 'seller_id="2088101122136241"' in text and 'forex_biz="FP"' in text


def test_an_order_string_is_not_signed_with_md5(run, ini):
    ran = run("order-string", *(ORDER + ("--config", ini, "--json")))
    assert (ran.code, load(ran)["error"]["parameter"]) == (2, "sign_type")


def test_a_request_without_its_key_is_a_configuration_error(run, ini):
    ran = run("url", "query_timestamp", "--sign-type", "RSA2", "--config", ini, "--json")
    assert (ran.code, load(ran)["error"]["class"]) == (78, "MissingKey")
