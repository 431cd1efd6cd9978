"""What was recorded happens again on a fresh emulator; what differs is told; what is no recording is refused."""
import ast
import inspect
import json
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl, urlsplit

import pytest

import alipay_mapi as mapi
from alipay_mapi import InvalidRequest
from alipay_mapi.emulator import Emulator, Refused, recorder
from alipay_mapi.emulator.incoming import Incoming
from alipay_mapi.emulator.notifier import Answered

NOON = datetime(2026, 11, 18, 12, 0, 0, tzinfo=timezone(timedelta(hours=8)))
KEYS = {}


def fresh(**options):
    return Emulator(seed=5, keys=KEYS, frozen=True, start=NOON, **options)


def asked(emulator, service, params, merchant="md5"):
    url = mapi.build_request(emulator.shop(merchant), service, params).url
    return emulator.answer(Incoming("GET", urlsplit(url).query.encode("ascii")))


def notify_verify(emulator, notify_id):
    return asked(emulator, "notify_verify", {"notify_id": notify_id}).reply.body


class Shop:
    """It asks the gateway in the middle of a notification, and acknowledges the second send alone."""

    def __init__(self):
        self.emulator, self.verdicts, self.sends = None, [], 0

    def __call__(self, delivery):
        self.sends += 1
        notify_id = dict(parse_qsl(delivery.body.decode("ascii")))["notify_id"]
        self.verdicts.append(notify_verify(self.emulator, notify_id))
        return Answered(200, "success" if self.sends == 2 else "fail")


def played(emulator):
    """A day at the gateway: orders, payments, notifications, refunds, a fault, a time-out, refusals."""
    asked(emulator, "create_forex_trade", {"out_trade_no": "A1", "subject": "茶", "currency": "USD",
                                           "total_fee": "12.30", "notify_url": "https://shop.example.com/notify"})
    emulator.pay("A1")
    emulator.deliver()
    asked(emulator, "single_trade_query", {"out_trade_no": "A1"})
    emulator.advance(121)
    emulator.place("A2", merchant="rsa", timeout_rule="5m", total_fee="3.00")
    emulator.log_in("A2")
    asked(emulator, "single_trade_query", {"out_trade_no": "A2"}, "rsa")
    emulator.clock.move(3600)
    asked(emulator, "single_trade_query", {"out_trade_no": "A2"}, "rsa")
    with pytest.raises(Refused):
        emulator.pay("A2")
    emulator.fail("system-error", service="single_trade_query")
    asked(emulator, "single_trade_query", {"out_trade_no": "A1"})
    emulator.settings("md5", balance="5.00")
    asked(emulator, "forex_refund", {"out_trade_no": "A1", "out_return_no": "R1", "return_amount": "2.00",
                                     "currency": "USD", "gmt_return": "2026-11-18 13:00:00", "is_sync": "Y"})
    emulator.freeze()
    emulator.resume()
    emulator.freeze()
    emulator.answer(Incoming("POST", b"service=\xff", b"\x00garbage", "192.0.2.7", "https://shop.example.com/"))
    asked(emulator, "close_trade", {"out_trade_no": "A1"})


def state(emulator):
    """The ledger's rows, less the moments (which differ by the time that the test took)."""
    return [{name: value for name, value in row.items() if not name.endswith("_at") and not name.startswith("gmt_")}
            for table in ("trades", "refunds", "notifications", "deliveries") for row in emulator.ledger.rows(table)]


@pytest.fixture(scope="module")
def recorded():
    """(lines, state afterwards, notify_verify's answers)"""
    shop = Shop()
    with fresh(sender=shop) as emulator:
        shop.emulator = emulator
        emulator.merchant("rsa")
        one = recorder.recorder_of(emulator)
        one.start()
        played(emulator)
        one.stop()
        asked(emulator, "single_trade_query", {"out_trade_no": "A1"})       # no more
        return one.lines(), state(emulator), shop.verdicts


def nobody(delivery):
    raise AssertionError("a playback sends nothing")


def test_a_recording_is_json_lines_with_the_clocks_time(recorded):
    events = [json.loads(line) for line in recorded[0].decode("ascii").splitlines()]
    assert events[0]["kind"] == "recording" and set(events[0]["keys"]) == {"2088000000000101", "2088000000000102"}
    assert events[0]["at"] == "2026-11-18 12:00:00.000000"
    assert [event["kind"] for event in events[1:6]] == ["request", "call", "call", "request", "delivery"]
    first = events[1]
    assert (first["service"], first["error"], first["trade_status"], first["remote"], first["method"]) == (
        "create_forex_trade", None, "NO_TRADE", "127.0.0.1", "GET")
    assert events[2] == {"kind": "call", "name": "pay", "arguments": {"out_trade_no": "A1"},
                         "at": "2026-11-18 12:00:00.000000"}
    assert events[5]["text"] == "fail" and events[-1]["service"] == "close_trade"
    garbage = [event for event in events if event["kind"] == "request" and event["remote"] == "192.0.2.7"][0]
    assert (garbage["query"], garbage["body"], garbage["referer"], garbage["error"]) == (
        "service=\xff", "AGdhcmJhZ2U=", "https://shop.example.com/", "ILLEGAL_ARGUMENT")


def test_no_key_is_in_a_recording(recorded):
    with fresh() as emulator:
        for name in ("md5", "rsa"):
            for key in emulator.merchant(name).shop_keys().values():
                assert key.splitlines()[len(key.splitlines()) // 2].encode() not in recorded[0]


def test_the_same_happens_again_and_nothing_is_sent(recorded):
    lines, before, verdicts = recorded
    assert verdicts == [b"true", b"true"]
    with fresh(sender=nobody) as emulator:
        told = recorder.replay(emulator, lines)
        assert told.differences == []
        assert (told.requests, told.notifications) == (10, 2)
        assert state(emulator) == before
        assert emulator.clock.speed == 0
        assert emulator.notifier.sender is nobody


def test_it_may_be_played_back_as_text_and_from_a_state_file(recorded, tmp_path):
    with fresh(state=str(tmp_path / "gateway.db"), sender=nobody) as emulator:
        assert recorder.replay(emulator, recorded[0].decode("ascii")).differences == []


def test_an_answer_that_differs_is_told_with_its_line(recorded):
    lines = recorded[0].decode("ascii").splitlines(True)
    at = [number for number, line in enumerate(lines) if '"name": "pay"' in line][0]
    del lines[at]
    with fresh(sender=nobody) as emulator:
        first = recorder.replay(emulator, "".join(lines)).differences[0]
    assert (first.service, first.field, first.was, first.now) == (
        "single_trade_query", "error", None, "TRADE_NOT_EXIST")
    assert "single_trade_query" in lines[first.line - 1]


def test_a_second_recording_forgets_the_first():
    with fresh() as emulator:
        one = recorder.recorder_of(emulator)
        assert one is recorder.recorder_of(emulator) and one.state() == {"recording": False, "events": 0}
        assert one.lines() == b""
        one.start()
        emulator.place("A1")
        assert one.start() == {"recording": True, "events": 0}
        assert len(one.lines().splitlines()) == 1
        emulator.place("A2")
        assert one.stop() == {"recording": False, "events": 1}
        assert b"A1" not in one.lines()


def test_a_sender_is_put_back_when_recording_stops():
    with fresh(sender=nobody) as emulator:
        one = recorder.recorder_of(emulator)
        one.start()
        one.start()
        assert emulator.notifier.sender is not nobody
        one.stop()
        one.stop()
        assert emulator.notifier.sender is nobody


def test_values_that_json_does_not_know_are_recorded_as_text():
    from decimal import Decimal
    with fresh() as emulator:
        one = recorder.recorder_of(emulator)
        one.start()
        emulator.place("A1", total_fee=Decimal("12.30"), order_gmt_create=NOON, order_valid_time=600)
        lines = one.lines()
    with fresh() as emulator:
        recorder.replay(emulator, lines)
        assert emulator.trade("A1")["total_fee"] == "12.30"


def test_other_keys_are_refused_before_anything_is_done(recorded):
    with Emulator(seed=6, keys=KEYS) as emulator:
        with pytest.raises(InvalidRequest, match="merchant 2088000000000101 has other keys"):
            recorder.replay(emulator, recorded[0])
        assert emulator.requests() == [] and emulator.clock.speed == 1


def test_an_emulator_that_has_orders_is_refused(recorded):
    with fresh() as emulator:
        emulator.place("Z1")
        with pytest.raises(InvalidRequest, match="has orders already"):
            recorder.replay(emulator, recorded[0])


HEAD = {"kind": "recording", "format": recorder.FORMAT, "at": "2026-11-18 12:00:00.000000", "keys": {}}
CALL = {"kind": "call", "name": "deliver", "arguments": {}, "at": "2026-11-18 12:00:00.000000"}
REQUEST = {"kind": "request", "method": "GET", "query": "", "body": "", "remote": "x", "referer": "", "error": None,
           "trade_status": None, "at": "2026-11-18 12:00:00.000000"}


@pytest.mark.parametrize("events, line", [
    ([], None), ([CALL], 1), ([HEAD, HEAD], 2), ([dict(HEAD, format="other/1")], 1), ([dict(HEAD, keys=[])], 1),
    ([HEAD, dict(CALL, name="close")], 2), ([HEAD, dict(CALL, name="__init__")], 2),
    ([HEAD, dict(CALL, arguments=1)], 2), ([HEAD, dict(CALL, at="noon")], 2),
    ([HEAD, dict(REQUEST, body="%")], 2), ([HEAD, dict(REQUEST, query="茶")], 2),
    ([HEAD, dict(REQUEST, remote=None)], 2), ([HEAD, CALL, {"kind": "gossip"}], 3), ([HEAD, []], 2), ([HEAD, None], 2),
])
def test_what_is_no_recording_is_refused_with_its_line(events, line):
    text = "".join(json.dumps(event) + "\n" for event in events)
    with fresh() as emulator, pytest.raises(InvalidRequest) as caught:
        recorder.replay(emulator, text)
    assert "line {} is none".format(line) in str(caught.value) if line else "empty" in str(caught.value)


@pytest.mark.parametrize("lines", [b"", b"\xff\xfe", b"[" * 100000, b"{}", b"\n\n", json.dumps(HEAD).encode() + b"\n{"])
def test_bytes_that_are_no_recording_are_refused(lines):
    with fresh() as emulator, pytest.raises(InvalidRequest):
        recorder.replay(emulator, lines)


@pytest.mark.parametrize("name, arguments", [
    ("pay", {"out_trade_no": ["A1"]}), ("pay", {"out_trade_no": "\ud800"}), ("log_in", {"out_trade_no": 10 ** 30}),
    ("set_rates", {"rates": "all"}),
])
def test_arguments_that_no_emulator_wrote_down_do_nothing(name, arguments):
    events = [HEAD, CALL, dict(CALL, name=name, arguments=arguments)]
    with fresh() as emulator:
        sender = emulator.notifier.sender
        recorder.replay(emulator, "".join(json.dumps(event) + "\n" for event in events))
        assert emulator.notifier.sender is sender
        assert {row["trade_status"] for row in emulator.list_trades()} <= {"NO_TRADE"} and not emulator.faults.rates


def test_arguments_of_another_version_and_refused_calls_do_not_end_a_playback():
    events = [HEAD, dict(CALL, name="pay", arguments={"out_trade_no": "none"}), dict(CALL, arguments={"colour": "red"}),
              dict(CALL, name="place", arguments={"out_trade_no": "A1", "merchant": "md5"})]
    with fresh() as emulator:
        told = recorder.replay(emulator, "".join(json.dumps(event) + "\n" for event in events))
        assert told.calls == 3 and emulator.trade("A1")


def test_every_reported_call_can_be_played_back_or_is_left_out_on_purpose():
    from alipay_mapi.emulator import buyer_calls, emulator
    from alipay_mapi.emulator.ams import calls
    trees = [ast.parse(inspect.getsource(module)) for module in (emulator, buyer_calls, calls)]
    reported = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
                and any(getattr(one, "id", "") == "reported" for one in node.decorator_list)}
    assert len(reported) > 10
    assert reported == set(recorder.REPEATED) | set(recorder._LEFT_OUT)
