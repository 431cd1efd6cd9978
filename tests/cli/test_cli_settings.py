"""Flag before environment before file before default, and what cannot be read says so without a secret."""
import argparse

import pytest
from cli_samples import MD5_KEY, PARTNER

from alipay_mapi.cli import options, settings
from alipay_mapi.errors import ConfigurationError
from alipay_mapi.merchant import GATEWAY_HK


def flags(**given):
    return argparse.Namespace(**dict(options.DEFAULTS, **given))


def write(tmp_path, text, name="shop.ini"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_flag_wins_over_the_environment_over_the_file_over_the_default(tmp_path):
    path = write(tmp_path, "[a]\npartner = 1\nsign_type = RSA\ninput_charset = gbk\n")
    found = settings.load(flags(config=path, partner="3"), {"ALIPAY_MAPI_PARTNER": "2", "ALIPAY_MAPI_SIGN_TYPE": "MD5"})
    assert [(found.table[name].value, found.table[name].source) for name in
            ("partner", "sign_type", "input_charset", "gateway")] == [
        ("3", "flag"), ("MD5", "environment"), ("gbk", "file"), ("https://intlmapi.alipay.com/gateway.do", "default")]


def test_each_source_is_named_in_full(tmp_path):
    path = write(tmp_path, "[a]\nsign_type = RSA\n")
    found = settings.load(flags(config=path, seller_id="3"), {"ALIPAY_MAPI_PARTNER": "2"})
    assert found.table["seller_id"].where == "--seller-id"
    assert found.table["partner"].where == "ALIPAY_MAPI_PARTNER"
    assert found.table["sign_type"].where == path + " [a]"


def test_an_empty_variable_is_not_a_setting():
    assert settings.load(flags(), {"ALIPAY_MAPI_PARTNER": ""}).table["partner"].value is None
    assert not settings.load(flags(), {}).given


def test_the_ini_and_its_section_can_come_from_the_environment(tmp_path):
    path = write(tmp_path, "[a]\npartner = 1\n[b]\npartner = 2\n")
    found = settings.load(flags(), {"ALIPAY_MAPI_CONFIG": path, "ALIPAY_MAPI_MERCHANT": "b"})
    assert found.table["partner"].value == "2"


def test_a_key_file_of_the_ini_is_looked_for_beside_the_ini(tmp_path):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "md5.txt").write_text(MD5_KEY + "\n")
    path = write(tmp_path, "[a]\nmd5_key_file = keys/md5.txt\n")
    assert settings.load(flags(config=path), {}).table["md5_key"].value == MD5_KEY.encode() + b"\n"


def test_a_key_file_of_a_flag_is_looked_for_where_the_command_runs(tmp_path):
    (tmp_path / "md5.txt").write_text(MD5_KEY)
    assert settings.load(flags(md5_key_file="md5.txt"), {}).table["md5_key"].value == MD5_KEY.encode()


def test_a_key_of_the_environment_wins_over_a_key_file_of_the_ini(tmp_path):
    path = write(tmp_path, "[a]\nmd5_key_file = there-is-none.txt\n")
    found = settings.load(flags(config=path), {"ALIPAY_MAPI_MD5_KEY": "k"})
    assert found.table["md5_key"].value == "k"


def test_text_and_file_of_one_key_in_one_place_are_refused(tmp_path):
    path = write(tmp_path, "[a]\nmd5_key = S3CRET\nmd5_key_file = x\n")
    with pytest.raises(ConfigurationError, match="keep one") as caught:
        settings.load(flags(config=path), {})
    assert "S3CRET" not in str(caught.value)


def test_several_sections_without_a_choice_are_listed(run, tmp_path):
    write(tmp_path, "[hongkong]\npartner = 1\n[berlin]\npartner = 2\n")
    ran = run("config", "show", "--config", "shop.ini")
    assert ran.code == 78
    assert "hongkong, berlin" in ran.err and "--merchant" in ran.err


@pytest.mark.parametrize("name", ["default", "DEFAULT"])
def test_a_section_called_default_is_taken(tmp_path, name):
    path = write(tmp_path, "[hongkong]\npartner = 1\n[{}]\npartner = 2\n".format(name))
    assert settings.load(flags(config=path), {}).table["partner"].value == "2"


def test_no_section_lends_its_settings_to_another(tmp_path):
    path = write(tmp_path, "[DEFAULT]\nsign_type = MD5\n[a]\npartner = 2\n")
    assert settings.load(flags(config=path, merchant="a"), {}).table["sign_type"].value is None


def test_an_unknown_section_is_refused(tmp_path):
    path = write(tmp_path, "[a]\npartner = 1\n")
    with pytest.raises(ConfigurationError, match="no section b; it has a"):
        settings.load(flags(config=path, merchant="b"), {})


def test_a_section_without_a_file_is_refused():
    with pytest.raises(ConfigurationError, match="--config"):
        settings.load(flags(merchant="b"), {})


def test_a_misspelt_setting_is_refused_and_its_value_not_shown(tmp_path):
    path = write(tmp_path, "[a]\nmd5key = S3CRET\n")
    with pytest.raises(ConfigurationError, match="md5key: no setting") as caught:
        settings.load(flags(config=path), {})
    assert "S3CRET" not in str(caught.value)


@pytest.mark.parametrize("text", [
    "S3CRET\n", "[a]\nmd5_key = x\nS3CRET\n", "[a]\nmd5_key = S3CRET\nmd5_key = S3CRET\n",
    "[a]\nx = 1\n[a]\nS3CRET = 1\n",
    "[a]\nprivate_key = -----BEGIN PRIVATE KEY-----\nS3CRET\n-----END PRIVATE KEY-----\n",
])
def test_a_broken_ini_is_refused_by_line_number_and_without_the_line(tmp_path, text):
    path = write(tmp_path, text)
    with pytest.raises(ConfigurationError, match="cannot read") as caught:
        settings.load(flags(config=path), {})
    assert "S3CRET" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("text", ["partner = 1\n", "\n# note\npartner = 1\n[a]\n", "", "# note\n"])
def test_an_ini_without_a_section_says_what_it_begins_with(tmp_path, text):
    with pytest.raises(ConfigurationError, match=r"must begin with a section such as \[default\]"):
        settings.load(flags(config=write(tmp_path, text)), {})


@pytest.mark.parametrize("line, cure", [
    ('md5_key = "S3CRET"', "without quotes"), ("partner = '2088'", "without quotes"),
    ("md5_key = S3CRET ; of the shop", "line of its own"), ("partner = 2088\t# ours", "line of its own"),
])
def test_quotes_and_comments_are_not_taken_for_the_value(tmp_path, line, cure):
    name = line.split()[0]
    with pytest.raises(ConfigurationError, match="{}: .*{}".format(name, cure)) as caught:
        settings.load(flags(config=write(tmp_path, "[a]\n{}\n".format(line))), {})
    assert "S3CRET" not in str(caught.value)


@pytest.mark.parametrize("value", ["a;b", "a#b", 'a"b', "it's", "#a"])
def test_what_only_looks_like_quotes_or_a_comment_is_the_value(tmp_path, value):
    found = settings.load(flags(config=write(tmp_path, "[a]\nmd5_key = {}\n".format(value))), {})
    assert found.table["md5_key"].value == value


def test_a_misspelt_setting_names_the_nearest_or_all(tmp_path):
    for name, words in (("sign_typ", "meant sign_type"), ("shoe_size", "input_charset, gateway")):
        with pytest.raises(ConfigurationError, match=words):
            settings.load(flags(config=write(tmp_path, "[a]\n{} = x\n".format(name))), {})


def test_all_that_is_wrong_can_be_collected(tmp_path):
    path = write(tmp_path, "[a]\nprtner = 1\nmd5_key = x\nmd5_key_file = y\nprivate_key_file = z\nseller_id = 2\n")
    problems = []
    found = settings.load(flags(config=path), {}, problems)
    assert [settings.about(problem) for problem in problems] == ["prtner", "private_key_file", "md5_key"]
    assert found.table["seller_id"].value == "2"


def test_the_faults_of_a_sound_merchant_are_none():
    sound = settings.load(flags(partner=PARTNER, sign_type="MD5"), {"ALIPAY_MAPI_MD5_KEY": MD5_KEY})
    assert settings.faults(sound) == []
    assert [settings.about(fault) for fault in settings.faults(settings.load(flags(), {}))] == ["partner", "sign_type"]


def test_a_missing_ini_is_a_configuration_error(run):
    assert run("query", "--out-trade-no", "A1", "--config", "none.ini").code == 78


def test_an_ini_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / "shop.ini").write_bytes(b"[a]\nseller_email = \xff\xfe\n")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        settings.load(flags(config=str(tmp_path / "shop.ini")), {})


def test_a_percent_sign_is_a_percent_sign_and_a_byte_order_mark_is_skipped(tmp_path):
    path = write(tmp_path, "\ufeff[a]\nmd5_key = a%(b)s%\n")
    assert settings.load(flags(config=path), {}).table["md5_key"].value == "a%(b)s%"


def test_an_unset_partner_says_how_to_set_it(run):
    ran = run("query", "--out-trade-no", "A1")
    assert ran.code == 78
    assert "--partner" in ran.err and "ALIPAY_MAPI_PARTNER" in ran.err


def test_gateways_have_short_names_and_none_leaves_the_charset_out(tmp_path):
    shop = settings.make_merchant(settings.load(flags(
        partner=PARTNER, sign_type="MD5", gateway="hk", input_charset="none", allow_http=True),
        {"ALIPAY_MAPI_MD5_KEY": MD5_KEY}))
    assert (shop.gateway, shop.input_charset, shop.allow_http) == (GATEWAY_HK, None, True)


def test_an_unclear_switch_is_refused():
    with pytest.raises(ConfigurationError, match="true or false"):
        settings.make_merchant(settings.load(flags(partner=PARTNER, sign_type="MD5"), {
            "ALIPAY_MAPI_MD5_KEY": MD5_KEY, "ALIPAY_MAPI_ALLOW_HTTP": "perhaps"}))


def test_two_public_keys_are_taken_from_one_ini(tmp_path, fixtures):
    keys = [(fixtures / "keys" / name).read_text() for name in ("TEST-ONLY-rsa2048-public.pem",
                                                                "TEST-ONLY-rsa2048-other-public.pem")]
    (tmp_path / "1.pem").write_text(keys[0])
    (tmp_path / "2.pem").write_text(keys[1])
    for text in ("alipay_public_key_file = 1.pem\n  2.pem\n",
                 "alipay_public_key = {}\n".format("".join(keys).replace("\n", "\n  ")),
                 "alipay_public_key = {}\n".format(", ".join(
                     "".join(key.split("-----")[2].split()) for key in keys))):
        path = write(tmp_path, "[a]\npartner = {}\nsign_type = RSA2\n{}".format(PARTNER, text))
        shop = settings.make_merchant(settings.load(flags(config=path), {}))
        assert [key.bits for key in shop.alipay_public_key] == [2048, 2048]


def test_a_key_can_come_from_stdin(run):
    ran = run("url", "query_timestamp", "--partner", PARTNER, "--sign-type", "MD5", "--md5-key-file", "-",
              stdin=MD5_KEY.encode() + b"\n")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("https://intlmapi.alipay.com/gateway.do?service=query_timestamp")


def test_a_missing_key_file_is_named(run):
    ran = run("url", "query_timestamp", "--partner", PARTNER, "--sign-type", "MD5", "--md5-key-file", "no.txt")
    assert ran.code == 78
    assert "no.txt" in ran.err


def test_a_file_too_large_for_a_key_is_refused(tmp_path):
    (tmp_path / "big").write_bytes(b"x" * 70000)
    with pytest.raises(ConfigurationError, match="too large"):
        settings.load(flags(md5_key_file="big"), {})
