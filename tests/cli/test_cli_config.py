"""``config``: every value has a source, and no key is shown."""
from cli_samples import MD5_KEY, PARTNER, load


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
