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


def test_an_unlisted_service_is_signed_when_raw(run, ini):
    assert run("url", "alipay.acquire.customs", "a=1", "--raw", "--config", ini).code == 0
    refused = run("url", "alipay.acquire.customs", "a=1", "--config", ini)
    assert (refused.code, refused.out) == (2, "") and "--raw" in refused.err and "meant" not in refused.err


def test_a_misspelt_service_is_refused_with_the_nearest(run):
    ran = run("url", "single_trade_qery", "out_trade_no=A1", "--json")
    assert (ran.code, load(ran)["error"]["parameter"]) == (2, "service")
    assert "single_trade_qery: not a service that this library knows (meant single_trade_query?); --raw" in \
        load(ran)["error"]["message"]


@pytest.mark.parametrize("command", [("url", "create_forex_trade"), ("order-string",)])
def test_a_misspelt_parameter_is_refused_with_the_nearest(run, ini, command):
    ran = run(*(command + ("notfy_url=https://shop.example/n",) + ORDER + ("--config", ini)))
    assert (ran.code, ran.out) == (2, "")
    assert "notfy_url: not a parameter of" in ran.err and "(meant notify_url?)" in ran.err
    assert "--extra" in ran.err and "--raw" in ran.err and "shop.example" not in ran.err


def test_an_unlisted_parameter_is_sent_on_purpose_only(run, ini):
    refused = run("url", "create_forex_trade", "brand_new=1", *(ORDER + ("--config", ini)))
    assert refused.code == 2 and "meant" not in refused.err
    ran = run("url", "create_forex_trade", "--extra", "brand_new=1", "--extra", "other=2", *(ORDER + ("--config", ini)))
    assert "&brand_new=1&" in ran.out and "&other=2&" in ran.out
    assert "brand_new=1" in run("url", "create_forex_trade", "brand_new=1", "--raw", "--config", ini).out


@pytest.mark.parametrize("options, word", [
    (["--extra", "subject=Tea"], "without --extra"), (["--extra", "partner=1"], "merchant"), (["sign=1"], "merchant"),
    (["--extra", "a=1", "--extra", "a=2"], "twice"), (["--extra", "a"], "--extra: write name=value"),
    (["--extra", "a=1", "--raw"], "without --extra"),
])
def test_extra_is_for_what_the_page_does_not_list(run, ini, options, word):
    ran = run("url", "create_forex_trade", *(ORDER + ("--config", ini) + tuple(options)))
    assert ran.code == 2 and word in ran.err


def test_an_order_string_takes_extra_parameters_as_well(run, ini, fixtures):
    ran = run("order-string", "--extra", "brand_new=1", "--sign-type", "RSA2", "--private-key-file",
              fixtures / "keys" / "TEST-ONLY-rsa2048-private.pem", *(ORDER + ("--config", ini)))
    assert ran.code == 0 and 'brand_new="1"' in ran.out


def test_a_fixed_parameter_has_its_one_value(run, ini, fixtures):
    key = ("--sign-type", "RSA2", "--private-key-file", fixtures / "keys" / "TEST-ONLY-rsa2048-private.pem")
    assert run("order-string", "payment_type=1", *(ORDER + key + ("--config", ini))).code == 0
    ran = run("order-string", "payment_type=2", *(ORDER + key + ("--config", ini)))
    assert ran.code == 2 and "payment_type: is always 1" in ran.err


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
