"""Signals: who listens is told, and changes nothing."""
import pytest
from flask import got_request_exception
from flask_desk import Desk, Told, note

from alipay_mapi import Order
from alipay_mapi.contrib.flask import (AlipayMapi, notify_rejected, notify_verified, refund_settled, run_finished,
                                       trade_settled)
from genuine import REFUND, message

needs_blinker = pytest.mark.skipif(not hasattr(notify_verified, "receivers"), reason="Flask without blinker")
OURS = (notify_verified, notify_rejected, trade_settled, refund_settled)


class Heard:
    """All that was sent, with ``with``: (signal's name, facts)."""

    def __init__(self, *signals, app=None):
        self.facts, self._signals, self._app = [], signals, app

    def __enter__(self):
        self._receivers = []
        for signal in self._signals:
            def receive(app, signal=signal, **facts):
                self.facts.append((signal.name, facts))
            self._receivers.append(receive)
            signal.connect(receive, *[self._app] if self._app is not None else [])
        return self

    def __exit__(self, *_):
        for signal, receive in zip(self._signals, self._receivers):
            signal.disconnect(receive, *[self._app] if self._app is not None else [])


@needs_blinker
def test_what_was_taken_in_and_what_was_settled_is_told(desk):
    desk.watch()
    with Heard(*OURS) as heard:
        desk.post(note())
    names = [name for name, _ in heard.facts]
    assert names == ["alipay-mapi-trade-settled", "alipay-mapi-notify-verified"]
    settled, verified = [facts for _, facts in heard.facts]
    assert (settled["shop"], settled["out_trade_no"], settled["kind"], settled["detail"]) == ("shop", "A1", "paid", "")
    assert settled["effect"].order == Order("A1", total_fee="8.00", currency="USD")
    assert verified["shop"] == "shop" and verified["notification"]["out_trade_no"] == "A1"
    assert verified["decision"].outcome == "paid"


@needs_blinker
def test_within_the_stores_transaction_a_signal_is_sent_after_the_commit(tmp_path):
    states = []
    with Desk(STORE=str(tmp_path / "orders.db"), HANDLER=None, WITHIN=lambda db, effect: None) as desk:
        desk.watch()

        def receive(app, **facts):
            states.append(desk.inside(desk.alipay.fallback).status()["effects"])
        with trade_settled.connected_to(receive):
            assert desk.post(note()) == (200, "success")
    assert states == [0]


@needs_blinker
def test_a_handler_that_failed_settles_nothing(desk):
    def fail(effect):
        raise ZeroDivisionError
    with Desk(HANDLER=fail) as desk, Heard(*OURS) as heard:
        desk.watch()
        desk.post(note())
    assert [name for name, _ in heard.facts] == ["alipay-mapi-notify-rejected"]


@needs_blinker
def test_a_refund_that_is_done_is_told(desk):
    desk.watch()
    desk.post(note())
    desk.inside(lambda: desk.alipay.fallback().refund("shop", "A1", "R1", "3.00"))
    with Heard(*OURS) as heard:
        assert desk.post(message(REFUND)) == (200, "success")
    assert [(name, facts["detail"]) for name, facts in heard.facts if "detail" in facts] == [
        ("alipay-mapi-refund-settled", "R1")]


@needs_blinker
def test_what_was_refused_is_told_and_of_a_flood_a_few(desk):
    with Heard(*OURS) as heard:
        for _ in range(100):
            desk.post(b"junk")
    assert 1 <= len(heard.facts) < 40
    name, facts = heard.facts[0]
    assert name == "alipay-mapi-notify-rejected"
    assert (facts["shop"], facts["verdict"], facts["status"]) == ("shop", "MalformedParameter", 400)
    assert isinstance(facts["error"], ValueError)


@needs_blinker
def test_a_wrong_method_is_no_message(desk):
    with Heard(*OURS) as heard:
        desk.app.test_client().get("/alipay/notify/")
    assert heard.facts == []


@needs_blinker
def test_a_receiver_that_raises_changes_nothing(desk):
    def receive(app, **facts):
        raise ZeroDivisionError("canary")
    for signal in OURS:
        signal.connect(receive)
    try:
        desk.watch()
        with Told() as told:
            assert desk.post(note()) == (200, "success")
            assert desk.post(b"junk") == (400, "fail")
    finally:
        for signal in OURS:
            signal.disconnect(receive)
    assert desk.done == [("paid", "A1")]
    assert told.text.count("a receiver raised ZeroDivisionError at test_flask_signals.py:") == 3
    assert "canary" not in told.text


@needs_blinker
def test_signals_are_sent_by_their_app(tmp_path):
    with Desk(STORE=str(tmp_path / "one.db")) as one, Desk(STORE=str(tmp_path / "two.db")) as two:
        one.watch()
        two.watch()
        with Heard(notify_verified, app=two.app) as heard:
            one.post(note())
            assert heard.facts == []
            two.post(note())
        assert len(heard.facts) == 1


@needs_blinker
def test_a_run_of_the_command_is_told(desk):
    desk.watch()
    with Heard(run_finished) as heard:
        desk.inside(lambda: None)
        command = desk.app.cli.commands["alipay-mapi"]
        with pytest.raises(SystemExit) as ended:
            command.main(args=["fallback", "run"], prog_name="flask", standalone_mode=True)
    assert ended.value.code == 0
    ((_, facts),) = heard.facts
    assert facts["tally"].ended == "done"


def raises(*_):
    body_of_shop = "kept"
    raise ZeroDivisionError(body_of_shop)


@needs_blinker
@pytest.mark.parametrize("settings", [
    {"HANDLER": raises}, {"HANDLER": None, "WITHIN": raises},
    {"STORE": None, "HANDLER": None, "ORDER": lambda *_: Order("A1", total_fee="8.00", currency="USD"),
     "NOTIFIED": raises}, {"STORE": None, "HANDLER": None, "ORDER": raises, "NOTIFIED": raises}])
def test_error_trackers_are_told_what_the_shops_own_code_raised_and_see_its_frames_alone(settings):
    seen = []

    def receive(app, exception, **extra):
        trace = exception.__traceback__
        while trace is not None:
            seen.append((type(exception).__name__, trace.tb_frame.f_code.co_name))
            trace = trace.tb_next
    with Desk(**settings) as desk:
        if settings.get("STORE", 1):
            desk.watch()
        with got_request_exception.connected_to(receive):
            assert desk.post(note()) == (500, "fail")
    assert seen == [("ZeroDivisionError", "raises")]


@needs_blinker
def test_junk_is_no_error_of_the_shop(desk):
    with Heard(got_request_exception) as heard:
        desk.post(b"junk")
        desk.post(note())
    assert heard.facts == []


def test_without_blinker_everything_else_works(desk, monkeypatch):
    class Fake:
        name = "fake"

        def send(self, *_, **__):
            pass
    from alipay_mapi.contrib.flask import signals
    for name in ("notify_verified", "notify_rejected", "trade_settled", "refund_settled", "run_finished",
                 "got_request_exception"):
        monkeypatch.setattr(signals, name, Fake())
    desk.watch()
    assert desk.post(note()) == (200, "success")
    assert desk.post(b"junk") == (400, "fail")
    assert desk.done == [("paid", "A1")]


def test_the_extension_has_them_for_import():
    assert AlipayMapi.__module__.startswith("alipay_mapi.contrib.flask")
