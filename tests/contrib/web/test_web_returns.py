"""The buyer who is back: who it is, and never that he has paid."""
import pytest

from alipay_mapi.errors import StoreError
from genuine import RETURN, STRANGER, changed, form, message, signed
from web_setup import OwnTableDesk, StoreDesk, Told, raises

GENUINE = message(RETURN)


@pytest.fixture
def desk():
    with StoreDesk() as desk:
        desk.watch("A1", total_fee="8.00")
        yield desk


def back(desk, query=GENUINE, name="shop", **more):
    return desk.callbacks.returned(name, query, **more)


@pytest.mark.parametrize("mode", [StoreDesk, OwnTableDesk])
def test_T51_a_return_names_the_order_and_proves_nothing(mode):
    """Hostile: TRADE_SUCCESS in the address bar. Genuine: the order's number, so that its page can be shown."""
    with mode() as desk:
        desk.watch("A1", total_fee="8.00")
        returned = back(desk)
        assert (returned.shop, returned.out_trade_no, returned.verdict) == ("shop", "A1", "accepted")
        assert desk.done == [] and desk.gateway.calls == []
        assert not hasattr(returned, "is_paid") and not hasattr(returned.message, "is_paid")
        if mode is StoreDesk:
            assert desk.row().outcome == "open"


def test_the_order_is_asked_about_soon(desk):
    usual = desk.row().due_at
    back(desk)
    assert desk.row().due_at < usual


def test_reloading_the_page_asks_no_more_often(desk):
    back(desk)
    due = desk.row().due_at
    for _ in range(20):
        back(desk)
    assert desk.row().due_at == due


def test_the_query_is_taken_as_text_or_bytes(desk):
    assert back(desk, GENUINE.decode("ascii")).out_trade_no == back(desk, GENUINE).out_trade_no == "A1"


def test_the_shops_own_parameters_are_left_out(desk):
    assert back(desk, GENUINE + b"&lang=en").out_trade_no == ""
    assert back(desk, GENUINE + b"&lang=en", own=["lang"]).out_trade_no == "A1"


@pytest.mark.parametrize("query, verdict", [
    (b"", "MalformedParameter"), (b"x", "MalformedParameter"), (form(RETURN), "SignatureMissing"),
    (message(RETURN, key="0" * 32), "SignatureInvalid"), (form(dict(signed(RETURN), out_trade_no="A2")),
                                                          "SignatureInvalid"),
    (message(changed(RETURN, seller_id=STRANGER)), "PartyMismatch"), ("ü=ü", None), (b"\xff\x00", None),
    (GENUINE + b"&out_trade_no=A2", "DuplicateParameter"), (b"a" * 2000000, "BodyTooLarge"),
], ids=["nothing", "x", "unsigned", "forged", "changed", "another merchant's", "text", "bytes", "twice", "large"])
def test_a_return_that_cannot_be_believed_names_no_order(desk, query, verdict):
    usual = desk.row().due_at
    returned = back(desk, query)
    assert (returned.out_trade_no, returned.message) == ("", None)
    assert returned.verdict == (verdict or returned.verdict) != "accepted"
    assert type(returned.error).__name__ == returned.verdict and desk.row().due_at == usual


def test_an_unknown_merchant_is_told_by_its_verdict(desk):
    returned = back(desk, name="nobody")
    assert (returned.shop, returned.out_trade_no, returned.verdict) == ("", "", "ConfigurationError")


def test_a_return_of_an_order_that_is_not_watched_is_believed_all_the_same(desk):
    assert back(desk, message(changed(RETURN, out_trade_no="B1"))).out_trade_no == "B1"


@pytest.mark.parametrize("error", [StoreError("the disk is full"), ValueError("canary"), KeyError("canary")])
def test_a_store_that_fails_keeps_no_buyer_from_his_order(desk, monkeypatch, error):
    monkeypatch.setattr(desk.store, "apply", raises(error))
    with Told() as told:
        returned = back(desk)
    assert (returned.out_trade_no, returned.verdict) == ("A1", "accepted")
    assert "canary" not in "".join(told.lines)


def test_a_shop_without_a_key_is_told_in_the_log_and_seldom():
    with StoreDesk("RSA2", alipay_public_key=None) as desk, Told() as told:
        for _ in range(200):
            assert back(desk, message(RETURN, "RSA2")).verdict == "MissingKey"
        assert 20 <= len(told.lines) < 30 and "verdict=MissingKey" in told.lines[0]


def test_junk_returns_are_not_logged(desk):
    with Told() as told:
        for _ in range(50):
            back(desk, b"x=1")
    assert told.lines == []


@pytest.mark.parametrize("own", [5, [5], ["sign"], None])
def test_whatever_is_handed_over_nothing_is_raised(desk, own):
    for query in (GENUINE, None, 5, {}):
        assert back(desk, query, own=own).shop in ("shop", "")
