"""A shop with an account at AMS in the ini file: ``[NAME.ams]`` beside ``[NAME]``."""
import argparse
import os
import sys
from pathlib import Path

import pytest
from cli_samples import MD5_KEY, PARTNER, load
from fallback_shop import HANDLER, SECTION, effects, write_orders

from alipay_mapi import Order, transport
from alipay_mapi.backend import MapiBackend
from alipay_mapi.cli import fallback_shops, ini
from alipay_mapi.cli.fallback_settings import Told
from alipay_mapi.fallback import Fallback, open_store
from alipay_mapi.migration import settings
from alipay_mapi.migration.backends import AmsBackend

sys.path.append(str(Path(__file__).resolve().parent.parent / "migration"))
from migration_samples import FOLDER, answer_headers, dumped, pem, result

KEYS = "private_key_file = {0}/TEST-ONLY-ams-merchant-private.pem\n" \
       "alipay_public_key_file = {0}/TEST-ONLY-ams-platform-public.pem\n".format(FOLDER)
AMS = "[shop.ams]\nclient_id = CLIENT001\n" + KEYS
MAPI = "[shop]\npartner = {}\nsign_type = MD5\nmd5_key = {}\n".format(PARTNER, MD5_KEY)
SECRETS = (MD5_KEY, "BEGIN", "S3CRET") + tuple(pem("merchant-private").splitlines()[1:3])


@pytest.fixture
def write(tmp_path):
    def call(*sections):
        path = tmp_path / "shop.ini"
        path.write_text("\n".join(sections))
        path.chmod(0o600)
        return "shop.ini"
    return call


def clients(path="shop.ini", merchant=None):
    args = argparse.Namespace(config=path, merchant=merchant)
    return fallback_shops.clients(args, Told(args))


def clean(ran):
    return not [secret for secret in SECRETS if secret in ran.out + ran.err]


# --- what is read -----------------------------------------------------------------------------------------------------

def test_a_shop_with_an_account_has_two_gateways(write):
    write(MAPI, AMS, SECTION)
    found = clients()
    assert list(found) == ["shop"] and list(found["shop"]) == ["mapi", "ams"]
    backend = found["shop"]["ams"]
    assert isinstance(backend, AmsBackend) and backend.account == "CLIENT001"
    store = open_store("memory:")
    fallback = Fallback(store, found)
    assert isinstance(fallback.backends["shop"]["mapi"], MapiBackend)
    fallback.watch("shop", Order("A1", total_fee="8.00", currency="USD"), gateway="ams")
    store.close()


def test_a_shop_without_one_has_mapi_alone(write):
    write(MAPI, SECTION)
    assert list(clients()["shop"]) == ["mapi"]


def test_each_shop_has_its_own_account(write):
    write(MAPI, AMS, MAPI.replace("[shop]", "[hk]"), AMS.replace("[shop.ams]", "[hk.ams]").replace("CLIENT001", "C2"),
          MAPI.replace("[shop]", "[third]"))
    found = clients()
    assert {name: [getattr(one, "account", None) for one in mine.values()][1:] for name, mine in found.items()} == {
        "shop": ["CLIENT001"], "hk": ["C2"], "third": []}
    assert list(clients(merchant="hk")) == ["hk"]


def test_key_files_are_relative_to_the_ini_file(write, tmp_path):
    for name in ("merchant-private", "platform-public"):
        (tmp_path / (name + ".pem")).write_text(pem(name))
    write(MAPI, "[shop.ams]\nclient_id = CLIENT001\nprivate_key_file = merchant-private.pem\n"
                "alipay_public_key_file = platform-public.pem\nregion = europe\nkey_version = none\n")
    account = clients(str(tmp_path / "shop.ini"))["shop"]["ams"].client.account
    assert (account.domain, account.key_version) == ("https://open-de-global.alipay.com", None)
    assert account.signing_key is not None


# --- mistakes ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, wrong", [
    ("client_id", AMS.replace("client_id = CLIENT001\n", "")), ("colour", AMS + "colour = S3CRET\n"),
    ("partner", AMS + "partner = 2088000000000000\n"), ("client_id", AMS.replace("CLIENT001", "2088000000000000")),
    ("region", AMS + "region = moon\n"), ("in_store", AMS + "in_store = perhaps\n"),
    ("key_version", AMS + "key_version = S3CRET\n"), ("region", AMS + 'region = "asia"\n'),
    ("region", AMS + "region = asia ; near\n"), ("agent_token", AMS + "agent_token = S3 CRET\n"),
    ("private_key", AMS.replace("merchant-private", "no-such")),
    ("alipay_public_key", AMS.replace("platform-public", "merchant-public")),
    ("md5_key", AMS + "md5_key = S3CRET\n"), ("domain", AMS + "domain = ftp://x\n")], ids=lambda value: value[:30])
def test_what_is_wrong_names_the_section_and_the_setting_and_no_key(run, write, name, wrong):
    write(MAPI, wrong, SECTION)
    ran = run("fallback", "run", "--config", "shop.ini")
    assert ran.code == 78 and name in ran.err and "[shop.ams]" in ran.err and "shop.ini" in ran.err and clean(ran)
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("section", ["[other.ams]", "[shop.AMS]", "[.ams]", "[Shop.ams]", "[shop.ams.ams]"])
def test_an_account_without_its_merchant_is_told(run, write, section):
    """A misspelt one would be left alone, and with it every order that lives there; so would be a merchant that has
    such a name."""
    write(MAPI, AMS.replace("[shop.ams]", section), SECTION)
    for command in (("fallback", "run"), ("config", "check")):
        ran = run(*command, "--config", "shop.ini")
        assert ran.code == 78 and section in ran.err and "AMS" in ran.err and clean(ran)


def test_a_merchant_whose_own_name_ends_so_is_told(run, write):
    write(MAPI.replace("[shop]", "[tea.ams]"), SECTION)
    ran = run("fallback", "run", "--config", "shop.ini")
    assert ran.code == 78 and "[tea.ams]" in ran.err and "does not end in .ams" in ran.err and clean(ran)


# --- other commands ---------------------------------------------------------------------------------------------------

def test_config_show_shows_the_merchant_alone(run, write):
    write(MAPI, AMS, SECTION)
    ran = run("config", "show", "--config", "shop.ini", "--json")
    assert (ran.code, load(ran)["problems"] if "problems" in load(ran) else []) == (0, []) and clean(ran)
    assert load(ran)["settings"]["partner"]["value"] == PARTNER
    assert "client_id" not in run("config", "show", "--config", "shop.ini").out


def test_config_check_loads_the_account_too(run, write):
    write(MAPI, AMS, SECTION)
    ran = run("config", "check", "--config", "shop.ini", "--json")
    assert ran.code == 0 and load(ran)["can_sign"] is True and clean(ran)
    assert load(ran)["ams"] == {"client_id": "CLIENT001", "domain": "https://open-sea-global.alipay.com",
                                "can_sign": True, "can_check": True}
    ran = run("config", "check", "--config", "shop.ini")
    assert "client CLIENT001 at https://open-sea-global.alipay.com" in ran.out and "call AMS" in ran.out and clean(ran)
    write(MAPI, SECTION)
    assert load(run("config", "check", "--config", "shop.ini", "--json"))["ams"] is None


def test_config_check_says_what_an_account_cannot_do(run, write):
    write(MAPI, "[shop.ams]\nclient_id = CLIENT001\n")
    ran = run("config", "check", "--config", "shop.ini")
    assert ran.code == 0 and "call AMS: private_key of the account at AMS is not set" in ran.out
    assert "check what AMS sends: alipay_public_key of the account at AMS is not set" in ran.out


@pytest.mark.parametrize("line", ["client_id =", "region = mars", "private_key_file = lost.pem", "colour = red"])
def test_config_check_and_doctor_refuse_an_account_that_cannot_work(run, write, line):
    client = "" if "client_id" in line else "client_id = CLIENT001\n"
    write(MAPI, "[shop.ams]\nkey_version = 2\n" + client + line)
    ran = run("config", "check", "--config", "shop.ini")
    assert ran.code == 78 and line.split()[0] in ran.err and "[shop.ams]" in ran.err and clean(ran)
    ran = run("doctor", "--config", "shop.ini", "--json")
    told, = [row for row in load(ran)["findings"] if row["level"] == "problem"]
    assert ran.code == 78 and told["id"] == "ams" and line.split()[0] in told["text"] and clean(ran)


def test_doctor_looks_at_the_account(run, write):
    write(MAPI, AMS)
    levels = findings(run("doctor", "--config", "shop.ini", "--json"))
    assert levels["ams"] == "ok" and "problem" not in levels.values()
    write(MAPI, "[shop.ams]\nclient_id = SANDBOX_1\nallow_http = true\n")
    ran = run("doctor", "--config", "shop.ini", "--json")
    levels = findings(ran)
    assert ran.code == 78 and levels["ams-sandbox"] == "note" and levels["ams-allow_http"] == "warning"
    assert levels["ams-private_key"] == levels["ams-alipay_public_key"] == "problem"


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("inside", [False, True])
def test_doctor_says_who_else_can_read_the_accounts_key(run, write, tmp_path, inside):
    key = tmp_path / "ams.pem"
    key.write_bytes((FOLDER / "TEST-ONLY-ams-merchant-private.pem").read_bytes())
    key.chmod(0o600)
    text = "".join(line for line in key.read_text().splitlines() if "-----" not in line)
    line = "private_key = " + text if inside else "private_key_file = ams.pem"
    write(MAPI, "[shop.ams]\nclient_id = CLIENT001\n" + line)
    kept = tmp_path / "shop.ini" if inside else key
    kept.chmod(0o600)
    assert "files" not in findings(run("doctor", "--config", "shop.ini", "--json"))
    kept.chmod(0o644)
    ran = run("doctor", "--config", "shop.ini", "--json")
    assert findings(ran)["files"] == "warning" and text[:40] not in ran.out + ran.err


def findings(ran):
    return {row["id"]: row["level"] for row in load(ran)["findings"]}


def test_the_account_is_no_merchant_to_choose(run, write):
    write(MAPI, AMS)
    ran = run("config", "show", "--config", "shop.ini", "--merchant", "shop.ams")
    assert ran.code != 0 and "has no section" in ran.err and clean(ran)
    assert run("config", "check", "--config", "shop.ini").code == 0, "there is one merchant, so it is meant"


def test_the_example_can_be_read_with_its_accounts_lines_in_use(run, write, tmp_path):
    ran = run("config", "example")
    assert "#[default.ams]" in ran.out
    text = ran.out.replace("#[default.ams]", "[default.ams]").replace("#client_id", "client_id")
    (tmp_path / "shop.ini").write_text(text)
    problems = []
    assert ini.merchants("shop.ini", problems) == ["default"] and problems == []
    assert ini.ams("shop.ini", "default", settings.NAMES, problems) == {"client_id": "SANDBOX_5Y00000000000000"}
    assert problems == []


# --- a run ------------------------------------------------------------------------------------------------------------

def test_a_run_asks_each_gateway_about_its_own_orders(run, write, tmp_path, gateway, monkeypatch):
    """MAPI does not know A1, AMS says that A2 is paid."""
    write(MAPI, AMS, SECTION)
    (tmp_path / "test_cli_handler_of_a_shop.py").write_text(HANDLER)
    monkeypatch.syspath_prepend(str(tmp_path))
    asked = []
    path = "/ams/api/v1/payments/inquiryPayment"
    body = dumped({"result": result(), "paymentStatus": "SUCCESS", "paymentRequestId": "A2", "paymentId": "P1",
                   "paymentAmount": {"currency": "USD", "value": "800"}})

    def send(self, call):
        asked.append(call.url.partition("?")[0])
        if call.url.endswith(path):
            return transport.Answer(200, "application/json", body,
                                    headers=tuple(answer_headers(path, body).items()))
        return transport.Answer(200, "text/xml",
                                b"<alipay><is_success>F</is_success><error>TRADE_NOT_EXIST</error></alipay>")
    monkeypatch.setattr(transport.RequestsTransport, "send", send)
    assert run("fallback", "watch", write_orders(tmp_path, "A1"), "--config", "shop.ini").code == 0
    store = open_store("orders.db")
    Fallback(store, clients()).watch("shop", Order("A2", total_fee="8.00", currency="USD"), gateway="ams", first_in=0)
    store.close()
    ran = run("fallback", "run", "--config", "shop.ini", "--handler", "test_cli_handler_of_a_shop:settle", "--json")
    sys.modules.pop("test_cli_handler_of_a_shop", None)
    assert ran.code == 0 and effects(tmp_path) == ["shop:paid::A2"] and clean(ran)
    assert sorted(asked) == ["https://intlmapi.alipay.com/gateway.do", "https://open-sea-global.alipay.com" + path]
