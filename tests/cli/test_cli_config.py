"""``config``: every value has a source, and no key is shown."""
import re

import pytest
from cli_samples import MD5_KEY, PARTNER, load

from alipay_mapi import merchant_settings


def test_show_gives_value_and_source_of_every_setting(run, ini):
    ran = run("config", "show", "--config", ini, "--seller-id", "2088101122136242", "--json")
    table = load(ran)["settings"]
    assert ran.code == 0
    assert table["partner"] == {"value": PARTNER, "source": "file", "where": ini + " [default]"}
    assert table["seller_id"]["source"] == "flag"
    assert table["gateway"]["source"] == "default"
    assert set(table) == {"partner", "sign_type", "private_key", "alipay_public_key", "md5_key", "seller_id",
                          "seller_email", "input_charset", "gateway", "allow_http"}


def test_show_masks_keys_and_addresses(run, ini):
    ran = run("config", "show", "--config", ini, "--seller-email", "forename@example.com")
    assert MD5_KEY not in ran.out + ran.err and "forename@" not in ran.out
    assert "********" in ran.out and "for***@example.com" in ran.out


def test_show_works_where_check_does_not(run, tmp_path):
    (tmp_path / "shop.ini").write_text("[a]\npartner = x\n")
    assert run("config", "show", "--config", "shop.ini").code == 0
    assert run("config", "check", "--config", "shop.ini").code == 78


def test_check_says_what_the_keys_are_good_for(run, ini, fixtures):
    ran = run("config", "check", "--config", ini, "--json")
    assert (ran.code, load(ran)["can_sign"], load(ran)["can_check"]) == (0, True, True)
    ran = run("config", "check", "--config", ini, "--json", "--sign-type", "RSA2", "--private-key-file",
              fixtures / "keys" / "TEST-ONLY-rsa2048-private.pem")
    assert (ran.code, load(ran)["can_sign"], load(ran)["can_check"]) == (0, True, False)


def test_show_prints_the_gateway_in_one_form(run, ini):
    for given in ("mainland", "https://mapi.alipay.com/gateway.do"):
        ran = run("config", "show", "--config", ini, "--gateway", given)
        assert "  mainland (https://mapi.alipay.com/gateway.do)  " in ran.out
        told = load(run("config", "show", "--config", ini, "--gateway", given, "--json"))
        assert told["settings"]["gateway"]["value"] == "https://mapi.alipay.com/gateway.do"
    assert "intl (https://intlmapi.alipay.com/gateway.do)" in run("config", "show").out
    assert "   https://x.example/gateway.do   " in run("config", "show", "--gateway", "https://x.example/gateway.do").out


def test_show_shows_what_it_can_although_a_key_file_is_missing(run, tmp_path):
    (tmp_path / "shop.ini").write_text(
        "[a]\npartner = {}\nprtner = 1\nmd5_key_file = lost.txt\nprivate_key_file = gone.pem\n".format(PARTNER))
    ran = run("config", "show", "--config", "shop.ini")
    assert ran.code == 78 and PARTNER in ran.out and "(not readable)" in ran.out
    for word in ("lost.txt", "gone.pem", "prtner"):
        assert word in ran.err
    ran = run("config", "show", "--config", "shop.ini", "--json")
    assert load(ran)["settings"]["partner"]["value"] == PARTNER and ran.err == ""
    assert load(ran)["settings"]["md5_key"]["value"] is None and len(load(ran)["problems"]) == 3
    assert load(ran)["error"]["exit"] == ran.code == 78


@pytest.mark.parametrize("sign_type", ["RSA", "RSA2", "DSA"])
def test_check_refuses_a_merchant_that_can_neither_sign_nor_check(run, ini, sign_type):
    ran = run("config", "check", "--config", ini, "--sign-type", sign_type)
    assert ran.code == 78 and ran.out == ""
    assert "neither is set" in ran.err and "signs with" not in ran.err
    told = load(run("config", "check", "--config", ini, "--sign-type", sign_type, "--json"))
    assert (told["ok"], told["can_sign"], told["can_check"]) == (False, False, False)


def test_check_does_not_say_that_it_signs_when_it_cannot(run, ini, fixtures):
    ran = run("config", "check", "--config", ini, "--sign-type", "RSA2", "--alipay-public-key-file",
              fixtures / "keys" / "TEST-ONLY-rsa2048-public.pem")
    assert ran.code == 0 and "signs with" not in ran.out and "checks with RSA2" in ran.out
    assert "cannot     sign requests: private_key is not set" in ran.out


def test_the_example_holds_every_setting_and_no_key_and_is_taken(run, tmp_path, fixtures):
    ran = run("config", "example")
    assert ran.code == 0 and ran.err == ""
    for name in merchant_settings.NAMES:
        assert name in ran.out
    assert load(run("config", "example", "--json"))["ini"] == ran.out
    (tmp_path / "new.ini").write_text(ran.out)
    for name, key in (("shop.pem", "private"), ("alipay.pem", "other-public")):
        (tmp_path / name).write_bytes((fixtures / "keys" / "TEST-ONLY-rsa2048-{}.pem".format(key)).read_bytes())
    assert run("config", "check", "--config", "new.ini").code == 0
    # each line that is only commented out can be taken too, with the keys as a file
    text = re.sub("^# (?=[a-z0-9_]+ = )", "", ran.out, flags=re.MULTILINE)
    (tmp_path / "md5.txt").write_text(MD5_KEY)
    (tmp_path / "new.ini").write_text(text)
    told = load(run("config", "show", "--config", "new.ini", "--json"))["settings"]
    assert {name for name in told if told[name]["source"] == "file"} == set(merchant_settings.NAMES)


def test_check_refuses_a_key_in_the_wrong_place(run, ini, fixtures):
    ran = run("config", "check", "--config", ini, "--json", "--sign-type", "RSA2", "--private-key-file",
              fixtures / "keys" / "TEST-ONLY-rsa2048-public.pem")
    assert ran.code == 78
    assert load(ran)["error"]["class"] == "KeyMismatch"


def test_a_weak_own_key_is_a_warning_on_stderr(run, ini, fixtures):
    ran = run("config", "check", "--config", ini, "--sign-type", "RSA2", "--private-key-file",
              fixtures / "keys" / "TEST-ONLY-rsa1024-private.pem")
    assert ran.code == 0
    assert "warning: private_key has 1024 bits" in ran.err
