"""``settings.py``: an account at AMS from text values and key files; what is wrong is told by its name and without a
key."""
import pytest

from alipay_mapi.errors import ConfigurationError, KeyMismatch
from alipay_mapi.migration.ams import Account
from alipay_mapi.migration.settings import NAMES, account_of
from migration_samples import FOLDER, pem

GIVEN = {"client_id": "CLIENT001", "private_key": pem("merchant-private"), "alipay_public_key": pem("platform-public")}


def bare(name):
    """The base64 between BEGIN and END, as people have it."""
    return "".join(pem(name).split("-----")[2].split())


def test_its_names_are_accounts_own():
    assert NAMES == tuple(Account.__dataclass_fields__)


def test_text_is_read_as_account_takes_it():
    account = account_of(dict(GIVEN, region="europe", key_version="3", agent_token="T", in_store=None))
    assert (account.client_id, account.domain, account.key_version, account.agent_token, account.in_store) == (
        "CLIENT001", "https://open-de-global.alipay.com", "3", "T", False)
    assert account.signing_key is not None and len(account.checking_keys) == 1
    assert "BEGIN" not in repr(account) and bare("merchant-private")[:40] not in repr(account)


@pytest.mark.parametrize("word, value", [("true", True), ("yes", True), ("on", True), ("1", True), ("False", False),
                                         ("no", False), ("off", False), ("0", False), (True, True), (False, False)])
def test_switches_are_written_as_for_a_merchant(word, value):
    assert account_of(dict(GIVEN, in_store=word)).in_store is value
    account = account_of(dict(GIVEN, allow_http=word))
    assert account.allow_http is value


@pytest.mark.parametrize("version", ["none", "None", "NONE"])
def test_the_keys_version_can_be_left_out(version):
    assert account_of(dict(GIVEN, key_version=version)).key_version is None
    assert account_of(GIVEN).key_version == "1"
    assert account_of(dict(GIVEN, key_version=2)).key_version == "2"


def test_a_domain_stands_in_the_place_of_a_region():
    assert account_of(dict(GIVEN, domain="https://open-sea.alipay.com/")).domain == "https://open-sea.alipay.com"
    local = account_of(dict(GIVEN, domain="http://127.0.0.1:8080"))
    assert local.domain == "http://127.0.0.1:8080"


def test_keys_may_stand_in_files_and_be_several(tmp_path):
    both = tmp_path / "both.pem"
    both.write_text(pem("platform-public") + (FOLDER / "TEST-ONLY-ams-platform-public.pem").read_text())
    account = account_of({"client_id": "CLIENT001", "private_key_file": FOLDER / "TEST-ONLY-ams-merchant-private.pem",
                          "alipay_public_key_file": str(both)})
    assert account.signing_key.private and len(account.checking_keys) == 2
    account = account_of(dict(GIVEN, alipay_public_key="{},{}".format(bare("platform-public"),
                                                                      bare("platform-public"))))
    assert len(account.checking_keys) == 2


def test_keys_may_be_left_out_and_come_later():
    account = account_of({"client_id": "SANDBOX_X"})
    assert account.sandbox and account.alipay_public_key == ()


@pytest.mark.parametrize("name, wrong", [
    ("client_id", {"client_id": None}), ("client_id", {"client_id": ""}), ("client_id", {"client_id": "a b"}),
    ("client_id", {"client_id": "2088123412341234"}), ("colour", {"colour": "S3CRET"}),
    ("md5_key", {"md5_key": "S3CRET"}), ("partner", {"partner": "2088123412341234"}),
    ("in_store", {"in_store": "perhaps"}), ("allow_http", {"allow_http": "S3CRET"}),
    ("key_version", {"key_version": "S3CRET"}), ("region", {"region": "moon"}),
    ("domain", {"domain": "https://open-na.alipay.com/ams"}), ("agent_token", {"agent_token": "a b"}),
    ("private_key", {"private_key_file": "/no/such/S3CRET.pem", "private_key": None})])
def test_what_is_wrong_begins_with_its_name(name, wrong):
    with pytest.raises(ConfigurationError) as caught:
        account_of(dict(GIVEN, **wrong))
    text = str(caught.value)
    assert text.startswith(name) and "BEGIN" not in text and "\n" not in text
    if "file" not in "".join(wrong):
        assert "S3CRET" not in text


@pytest.mark.parametrize("wrong", [
    {"private_key": pem("platform-public")}, {"alipay_public_key": pem("merchant-private")},
    {"private_key": "S3CRET" * 20}, {"alipay_public_key": "S3CRET" * 20},
    {"alipay_public_key": pem("merchant-public")}, {"private_key": pem("merchant-private")[:300]}],
    ids=["public for private", "private for public", "no key", "no public key", "one's own", "cut"])
def test_a_key_in_the_wrong_place_is_told_without_the_key(wrong):
    with pytest.raises(ConfigurationError) as caught:
        account_of(dict(GIVEN, **wrong))
    text = str(caught.value) + repr(caught.value.__dict__)
    assert not [line for line in pem("merchant-private").splitlines() + ["S3CRET"] if len(line) > 5 and line in text]
    if wrong.get("alipay_public_key") == pem("merchant-public"):
        assert isinstance(caught.value, KeyMismatch)


def test_a_key_given_twice_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="private_key"):
        account_of(dict(GIVEN, private_key_file=str(FOLDER / "TEST-ONLY-ams-merchant-private.pem")))
