"""``doctor``: each oddity is found, and a sound set-up has none."""
import os

import pytest
from cli_samples import MD5_KEY, PARTNER, load

from alipay_mapi.cli import doctor, online
from alipay_mapi.errors import TransportError
from alipay_mapi.merchant import GATEWAY_HK, Merchant
from alipay_mapi.transport import Answer


@pytest.fixture
def rsa2(tmp_path, fixtures):
    """An ini file with a sound RSA2 merchant."""
    for name in ("private", "other-public"):
        data = (fixtures / "keys" / "TEST-ONLY-rsa2048-{}.pem".format(name)).read_bytes()
        (tmp_path / (name + ".pem")).write_bytes(data)
        (tmp_path / (name + ".pem")).chmod(0o600)
    (tmp_path / "rsa2.ini").write_text(
        "[a]\npartner = {}\nsign_type = RSA2\nprivate_key_file = private.pem\n"
        "alipay_public_key_file = other-public.pem\n".format(PARTNER))
    return "rsa2.ini"


def found(ran, *levels):
    """The ids of the findings of these levels."""
    return {row["id"] for row in load(ran)["findings"] if row["level"] in levels}


def test_a_sound_set_up_has_no_warning(run, rsa2):
    ran = run("doctor", "--config", rsa2, "--json")
    assert ran.code == 0
    assert found(ran, "warning", "problem") == set()
    assert {"versions", "merchant", "private_key", "alipay_public_key"} <= found(ran, "ok")


def test_without_a_merchant_only_the_machine_is_looked_at(run):
    ran = run("doctor", "--json")
    assert ran.code == 0 and "merchant" in found(ran, "note")


def test_a_broken_merchant_is_a_problem_and_exit_code_78(run):
    ran = run("doctor", "--partner", PARTNER, "--sign-type", "MD5", "--json")
    assert (ran.code, found(ran, "problem")) == (78, {"merchant"})


def problems(ran):
    return [row["text"] for row in load(ran)["findings"] if row["level"] == "problem"]


def test_every_fault_of_a_broken_merchant_is_a_finding(run, tmp_path):
    (tmp_path / "a.ini").write_text(
        "[a]\npartner = 20x\nprtner = 1\nsign_type = rsa2\nprivate_key_file = lost.pem\nmd5_key = short\n"
        "gateway = http://x.example/\nallow_http = perhaps\nseller_id = a@b.example\ninput_charset = latin\n")
    ran = run("doctor", "--config", "a.ini", "--json")
    told = problems(ran)
    assert ran.code == 78 and len(told) == 9
    for word in ("(meant partner?)", "lost.pem", "partner: ", "sign_type: ", "input_charset: ", "gateway: ",
                 "allow_http: ", "seller_id: ", "WeakKey: md5_key "):
        assert len([text for text in told if word in text]) == 1, word
    assert "--allow-http" in "".join(told)


def test_a_key_file_that_is_missing_is_not_called_unset_as_well(run, tmp_path):
    (tmp_path / "a.ini").write_text("[a]\npartner = {}\nsign_type = MD5\nmd5_key_file = lost.txt\n".format(PARTNER))
    told = problems(run("doctor", "--config", "a.ini", "--json"))
    assert len(told) == 1 and "lost.txt" in told[0]


def test_an_ini_that_cannot_be_read_is_one_finding(run):
    ran = run("doctor", "--config", "none.ini", "--json")
    assert ran.code == 78 and len(problems(ran)) == 1
    ran = run("doctor", "--config", "none.ini", "--sign-type", "rsa2", "--json")
    assert len(problems(ran)) == 2


def test_two_keys_that_do_not_go_together_are_found_among_other_faults(run, fixtures):
    keys = fixtures / "keys"
    ran = run("doctor", "--json", "--partner", "x", "--sign-type", "RSA2",
              "--private-key-file", keys / "TEST-ONLY-rsa2048-private.pem",
              "--alipay-public-key-file", keys / "TEST-ONLY-rsa2048-public.pem")
    assert [text.partition(":")[0] for text in problems(ran)] == ["ConfigurationError", "KeyMismatch"]


def test_a_merchant_without_any_key_is_a_problem(run):
    ran = run("doctor", "--partner", PARTNER, "--sign-type", "RSA2", "--json")
    assert (ran.code, found(ran, "problem")) == (78, {"keys"})


def test_what_to_install_can_be_typed_into_a_shell(run, monkeypatch):
    versions = doctor.versions()
    monkeypatch.setattr(doctor, "versions", lambda: [(name, None if name == "cryptography" else version)
                                                     for name, version in versions])
    assert "pip install 'alipay-mapi[fast]'" in run("doctor").out.replace("\n           ", " ")


@pytest.mark.parametrize("options, name, level", [
    (("--partner", "1234"), "partner", "warning"),
    (("--partner", "2099101122136241"), "partner", "warning"),
    (("--allow-http",), "allow_http", "warning"),
    (("--input-charset", "none"), "input_charset", "warning"),
    (("--sign-type", "RSA"), "sign_type", "note"),
    (("--gateway", "http://127.0.0.1:1/gateway.do"), "gateway-http", "warning"),
    (("--gateway", "sandbox"), "gateway-sandbox", "note"),
])
def test_each_oddity_is_found(run, rsa2, options, name, level):
    ran = run("doctor", "--config", rsa2, "--json", *options)
    assert ran.code == 0
    assert name in found(ran, level)
    assert name not in found(run("doctor", "--config", rsa2, "--json"), level)


@pytest.mark.parametrize("partner", ["2088101122136241", "2160101122136241"])
def test_both_kinds_of_partner_are_in_shape(partner):
    shop = Merchant(partner=partner, sign_type="MD5", md5_key=MD5_KEY)
    assert "partner" not in [row.id for row in doctor.shop_findings(shop)]


def test_md5_is_a_warning_and_at_the_gateway_of_hong_kong_a_problem(run, ini):
    assert "sign_type" in found(run("doctor", "--config", ini, "--json"), "warning")
    shop = Merchant(partner=PARTNER, sign_type="MD5", md5_key=MD5_KEY, gateway=GATEWAY_HK)
    assert ("gateway-sign-type", "problem") in [row[:2] for row in doctor.shop_findings(shop)]


def test_an_own_key_of_1024_bits_is_a_warning_and_alipays_is_not(run, ini, fixtures):
    keys = fixtures / "keys"
    ran = run("doctor", "--config", ini, "--json", "--sign-type", "RSA",
              "--private-key-file", keys / "TEST-ONLY-rsa1024-private.pem",
              "--alipay-public-key-file", keys / "TEST-ONLY-rsa1024-other-public.pem")
    assert "private_key" in found(ran, "warning") and "alipay_public_key" in found(ran, "ok")


def test_two_keys_of_alipay_are_noted(run, ini, fixtures):
    keys = fixtures / "keys"
    ran = run("doctor", "--config", ini, "--json", "--sign-type", "RSA2",
              "--alipay-public-key-file", keys / "TEST-ONLY-rsa2048-public.pem",
              "--alipay-public-key-file", keys / "TEST-ONLY-rsa2048-other-public.pem")
    assert {"alipay_public_key", "private_key"} <= found(ran, "note")


def test_the_uploaded_key_is_compared_with_the_private_one(run, rsa2, fixtures):
    keys = fixtures / "keys"
    right = run("doctor", "--config", rsa2, "--json", "--own-public-key-file", keys / "TEST-ONLY-rsa2048-public.pem")
    assert right.code == 0 and "pair" in found(right, "ok")
    wrong = run("doctor", "--config", rsa2, "--json", "--own-public-key-file", "other-public.pem")
    assert wrong.code == 78 and "pair" in found(wrong, "problem")
    assert "pair" in found(run("doctor", "--config", rsa2, "--json", "--own-public-key-file", "none.pem"), "problem")


def test_an_uploaded_key_without_a_private_one_is_only_noted(run, ini, fixtures):
    ran = run("doctor", "--config", ini, "--json", "--own-public-key-file",
              fixtures / "keys" / "TEST-ONLY-rsa2048-public.pem")
    assert "pair" in found(ran, "note")


@pytest.mark.skipif(os.name != "posix", reason="file modes are of POSIX")
def test_a_key_that_others_can_read_is_a_warning(run, ini, rsa2, tmp_path):
    assert "files" not in found(run("doctor", "--config", ini, "--json"), "warning")
    os.chmod(ini, 0o644)
    assert "files" in found(run("doctor", "--config", ini, "--json"), "warning")
    (tmp_path / "private.pem").chmod(0o640)
    assert "files" in found(run("doctor", "--config", rsa2, "--json"), "warning")


@pytest.mark.skipif(os.name != "posix", reason="file modes are of POSIX")
def test_an_ini_without_a_key_in_it_may_be_read_by_others(run, rsa2):
    os.chmod(rsa2, 0o644)
    assert "files" not in found(run("doctor", "--config", rsa2, "--json"), "warning")


def test_the_abandoned_pycrypto_is_a_problem(tmp_path, monkeypatch):
    assert "pycrypto" not in [row.id for row in doctor.machine()]
    (tmp_path / "pycrypto-2.6.1.dist-info").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert ("pycrypto", "problem") in [row[:2] for row in doctor.machine()]


def test_a_missing_library_is_a_problem(monkeypatch):
    versions = doctor.versions()
    monkeypatch.setattr(doctor, "versions", lambda: [(name, None if name == "lxml" else version)
                                                     for name, version in versions])
    assert ("library", "problem") in [row[:2] for row in doctor.machine()]


def test_nothing_is_asked_of_the_gateway_unless_told_to(run, rsa2, gateway):
    run("doctor", "--config", rsa2)
    assert gateway.calls == []


class Transport:
    """One answer, or one error."""

    def __init__(self, result):
        self.result = result

    def send(self, call):
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


SHOP = Merchant(partner=PARTNER, sign_type="MD5", md5_key=MD5_KEY)
NOON = 1521979200.0     # 2018-03-25 12:00:00 GMT


def ask(result=None, date="Sun, 25 Mar 2018 12:00:00 GMT", now=NOON):
    result = result or Answer(200, "text/html", b"x", date)
    return {row[0]: row[1] for row in online.ask(SHOP, transport=Transport(result), now=lambda: now)}


def test_a_gateway_that_answers_and_a_clock_that_agrees():
    assert ask() == {"gateway": "ok", "clock": "ok"}


@pytest.mark.parametrize("kind", ["status", "redirect", "empty"])
def test_a_refusal_shows_that_the_gateway_is_there(kind):
    fault = TransportError("x", kind=kind, sent=True, date="Sun, 25 Mar 2018 12:00:00 GMT")
    assert ask(fault) == {"gateway": "ok", "clock": "ok"}
    assert ask(TransportError("x", kind=kind, sent=True)) == {"gateway": "ok", "clock": "note"}


@pytest.mark.parametrize("kind", ["dns", "connect", "tls", "timeout", "proxy"])
def test_a_gateway_that_is_not_reached_is_a_problem(kind):
    assert ask(TransportError("x", kind=kind, sent=False)) == {"gateway": "problem"}


@pytest.mark.parametrize("seconds, level", [(59, "ok"), (-59, "ok"), (61, "problem"), (-8 * 3600, "problem")])
def test_the_clock_may_differ_by_a_minute(seconds, level):
    assert ask(now=NOON + seconds)["clock"] == level


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_a_gateway_without_a_clock_is_noted(date):
    assert ask(date=date)["clock"] == "note"


def test_an_unreachable_gateway_is_exit_code_5(run, rsa2, gateway):
    gateway.raises(TransportError("no connection", kind="connect", sent=False))
    assert run("doctor", "--config", rsa2, "--online").code == 5


@pytest.mark.parametrize("body", [b"hello", b""])
def test_the_clock_is_read_from_a_real_http_answer(body):
    from loopback import Loopback, http, says
    with Loopback(says(http(body, Date="Sun, 25 Mar 2018 12:00:00 GMT"))) as server:
        shop = Merchant(partner=PARTNER, sign_type="MD5", md5_key=MD5_KEY, gateway=server.url)
        rows = {row[0]: row[1] for row in online.ask(shop, now=lambda: NOON)}
        assert rows == {"gateway": "ok", "clock": "ok" if body else "note"}
