"""``ams/account.py`` and ``ams/domains.py``: who we are at AMS, and where it is."""
import copy
import pickle

import pytest

from alipay_mapi import keys
from alipay_mapi.errors import ConfigurationError, InvalidRequest, KeyFormatError, KeyMismatch, MissingKey
from alipay_mapi.migration.ams import Account, domains
from migration_samples import FOLDER, account, pem


@pytest.mark.parametrize("region, old, in_store, domain", [
    ("north-america", False, False, "https://open-na-global.alipay.com"),
    ("asia", False, False, "https://open-sea-global.alipay.com"),
    ("europe", False, False, "https://open-de-global.alipay.com"),
    ("us-entity", False, False, "https://open.antglobal-us.com"),
    ("north-america", True, False, "https://open-na.alipay.com"),
    ("asia", True, False, "https://open-sea.alipay.com"),
    ("europe", True, True, "https://open-eu.alipay.com")])
def test_each_region_has_its_domain(region, old, in_store, domain):
    assert domains.domain_of(region, old, in_store) == domain


@pytest.mark.parametrize("region, old", [("mars", False), ("us-entity", True), ("", False)])
def test_another_region_is_refused(region, old):
    with pytest.raises(ConfigurationError, match="region"):
        domains.domain_of(region, old)


def test_europes_old_domain_serves_in_store_payments_only():
    with pytest.raises(ConfigurationError, match="in-store"):
        domains.domain_of("europe", old=True)
    with pytest.raises(ConfigurationError, match="in-store"):
        Account("C1", domain="https://open-eu.alipay.com/")
    assert Account("C1", domain="https://open-eu.alipay.com/", in_store=True).domain == "https://open-eu.alipay.com"


@pytest.mark.parametrize("client_id, in_store, path", [
    ("C1", False, "/ams/api/v1/payments/pay"), ("SANDBOX_C1", False, "/ams/sandbox/api/v1/payments/pay"),
    ("SANDBOX_C1", True, "/ams/api/v1/payments/pay"), ("C1SANDBOX_", False, "/ams/api/v1/payments/pay")])
def test_the_client_id_chooses_the_path_and_stores_have_no_sandbox_path(client_id, in_store, path):
    assert Account(client_id, in_store=in_store).path("payments/pay") == path


@pytest.mark.parametrize("call", ["pay", "/ams/api/v1/payments/pay", "payments/pay?x=1", "", "payments/../pay"])
def test_only_known_calls_have_a_path(call):
    with pytest.raises(InvalidRequest):
        domains.path_of(call)


@pytest.mark.parametrize("settings, word", [
    ({"client_id": "2088101122136241"}, "partner number"), ({"client_id": ""}, "client_id"),
    ({"client_id": "a.b"}, "client_id"), ({"client_id": "a\n"}, "client_id"), ({"client_id": None}, "client_id"),
    ({"key_version": "one"}, "key_version"), ({"key_version": 1}, "key_version"),
    ({"agent_token": "x" * 129}, "agent_token"), ({"agent_token": "a b"}, "agent_token"),
    ({"region": "mars"}, "region"), ({"domain": "http://open.example.com"}, "plain http"),
    ({"domain": "https://open.example.com/ams"}, "host alone"), ({"domain": "open.example.com"}, "https")])
def test_a_setting_that_cannot_work_is_refused_with_its_name(settings, word):
    with pytest.raises(ConfigurationError, match=word):
        Account(**dict({"client_id": "C1"}, **settings))


def test_http_is_for_this_machine_or_for_those_who_say_so():
    assert Account("C1", domain="http://127.0.0.1:8000").domain == "http://127.0.0.1:8000"
    assert Account("C1", domain="http://ams.test", allow_http=True).domain == "http://ams.test"


def test_an_md5_key_is_no_key_here_and_the_keys_are_not_swapped():
    with pytest.raises(KeyFormatError):
        Account("C1", private_key="760bdzec6y9goq7ctyx96ezkz78287de")
    with pytest.raises(KeyMismatch):
        Account("C1", private_key=pem("merchant-public"))
    with pytest.raises(KeyMismatch, match="public half"):
        Account("C1", private_key=pem("merchant-private"), alipay_public_key=pem("merchant-public"))
    with pytest.raises(KeyMismatch):
        Account("C1", private_key=account().alipay_public_key[0])
    with pytest.raises(KeyMismatch):
        Account("C1", alipay_public_key=[pem("platform-public"), account().private_key])


@pytest.mark.parametrize("name, half, load", [("private_key", "private", keys.load_private_key),
                                              ("alipay_public_key", "public", keys.load_public_key)])
def test_a_dsa_key_that_mapi_takes_is_no_key_here(name, half, load):
    text = (FOLDER.parent / "keys" / "TEST-ONLY-dsa2048-{}.pem".format(half)).read_text(encoding="ascii")
    for key in (text, load(text, "DSA")):
        with pytest.raises(KeyMismatch, match=name + ".*RSA"):
            Account("C1", **{name: key})


def test_keys_left_out_are_missed_when_they_are_needed():
    bare = Account("C1")
    with pytest.raises(MissingKey, match="private_key"):
        _ = bare.signing_key
    with pytest.raises(MissingKey, match="alipay_public_key"):
        _ = bare.checking_keys


def test_an_account_holds_secrets_and_is_neither_pickled_nor_copied():
    assert copy.copy(account()) is account() and copy.deepcopy(account()) is account()
    with pytest.raises(InvalidRequest):
        pickle.dumps(account())
