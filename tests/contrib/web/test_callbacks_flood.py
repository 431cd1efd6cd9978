"""A flood of junk: nobody is asked, nothing is stored, little is written, and the genuine message is taken."""
import pytest

from alipay_mapi.contrib.web.callbacks import Callbacks
from alipay_mapi.contrib.web.seldom import Seldom
from alipay_mapi.contrib.web.taking import IntoStore
from alipay_mapi.errors import StoreError, TransportError
from genuine import FOREX, changed, form, message, signed
from web_setup import OwnTableDesk, StoreDesk, Told, raises

JUNK = [b"", b"x", b"a=b", b"\xff" * 50, form(FOREX), form(dict(signed(FOREX), sign="0" * 32)),
        form(dict(signed(FOREX), out_trade_no="A2")), b"&" * 300,
        message(changed(FOREX, out_trade_no="B7"), key="k" * 32)]


class Still:
    """A clock for Seldom."""
    now = 0.0

    def __call__(self):
        return self.now


def dump(desk):
    return list(desk.store._db.iterdump())


@pytest.mark.parametrize("sign_type", ["MD5", "RSA"])
def test_T53_and_T52_ten_thousand_messages_of_junk_leave_nothing_behind(sign_type):
    """Hostile: the flood. Genuine: the message after it, which is taken as if there had been none."""
    clock, kept = Still(), []
    with StoreDesk(sign_type, evidence=lambda *given: kept.append(given), seldom=Seldom(1.0, 20, clock)) as desk:
        desk.watch()
        before = dump(desk)
        with Told() as told:
            answers = set()
            for at in range(10000):
                clock.now = at / 1000       # ten seconds
                answer = desk.post(JUNK[at % len(JUNK)], remote="198.51.100.{}".format(at % 250))
                answers.add((answer.status, answer.body))
        assert answers == {(400, "fail")}
        assert desk.gateway.calls == [] and desk.done == [] and dump(desk) == before
        assert 20 <= len(told.lines) <= 30 and len(kept) == len(told.lines)
        assert "more were refused, and not told" in told.lines[-1]
        assert desk.post(message(FOREX, sign_type)).body == "success" and desk.done == [("paid", "A1")]
        assert len(kept) == len(told.lines) + 1     # what is accepted is always kept


def test_T53_a_flood_asks_a_shop_with_its_own_table_nothing():
    """Hostile: junk for an order that exists. Genuine: one question to the shop's table."""
    with OwnTableDesk() as desk:
        for at in range(500):
            assert desk.post(JUNK[at % len(JUNK)]).status == 400
        assert desk.asked == [] and desk.gateway.calls == []
        assert desk.post(message(FOREX)).status == 200 and desk.asked == [("shop", "A1")]


def test_T103_the_told_and_the_untold_are_marked_so_that_listeners_are_not_flooded_either():
    """Hostile: one line each until there are too many. Genuine: always told."""
    with StoreDesk(seldom=Seldom(1.0, 3, Still())) as desk:
        assert [desk.post(b"x").told for _ in range(5)] == [True, True, True, False, False]
        desk.watch()
        assert desk.post(message(FOREX)).told is True


def test_what_the_shop_has_to_mend_is_told_in_the_middle_of_a_flood(monkeypatch):
    """Its own failures have room of their own, so that junk cannot hide them."""
    with StoreDesk(seldom=Seldom(1.0, 20, Still())) as desk, Told() as told:
        desk.watch()
        for at in range(100):
            desk.post(JUNK[at % len(JUNK)])
        monkeypatch.setattr(desk.store, "take_in", raises(StoreError("the disk is full", reason="full")))
        assert desk.post(message(FOREX)).told is True
        assert "verdict=StoreError" in told.lines[-1] and len(told.lines) == 21


def test_its_own_failures_are_told_seldom_too():
    with OwnTableDesk(notified=raises(ValueError("x"))) as desk, Told() as told:
        for _ in range(100):
            assert desk.post(message(FOREX)).status == 500
        assert 20 <= len(told.lines) < 30


def test_unknown_merchants_and_other_methods_write_little():
    with StoreDesk() as desk, Told() as told:
        for at in range(200):
            desk.post(b"x", name="nobody{}".format(at))
            desk.post(b"x", method="GET")
            desk.callbacks.returned("nobody{}".format(at), b"x=1")
            desk.callbacks.returned("shop", b"out_trade_no=A1&sign=x&sign_type=MD5")
        assert len(told.lines) <= 30


def test_T53_strangers_genuine_messages_under_the_common_key_make_no_outgoing_call():
    """Hostile: RSA signs for every merchant with one key, so a stranger can have messages signed by the thousand.
    Genuine: ours, about which the gateway is asked once."""
    with StoreDesk("RSA") as desk:
        desk.watch()
        body = message(changed(FOREX, out_trade_no="THEIRS"), "RSA")
        for _ in range(50):
            assert desk.post(body).verdict == "OrderNotFound"
        assert desk.gateway.calls == []
        assert desk.post(message(FOREX, "RSA")).status == 200 and len(desk.gateway.calls) == 1


def test_an_unreachable_gateway_does_not_fill_the_log():
    with StoreDesk("RSA") as desk, Told() as told:
        desk.watch()
        desk.gateway.answer = TransportError("no route")
        for _ in range(60):
            assert desk.post(message(FOREX, "RSA")).status == 503
        assert 20 <= len(told.lines) < 30


def test_evidence_is_kept_of_known_merchants_alone():
    kept = []
    with StoreDesk() as desk:
        desk.callbacks = Callbacks({"shop": desk.client}, IntoStore(lambda: desk.fallback),
                                   lambda *given: kept.append(given))
        desk.post(b"x", name="nobody")
        assert kept == []
