"""The gateway's clock."""
import time
from datetime import datetime, timedelta, timezone

import pytest
from core_setup import BEIJING, START

from alipay_mapi.emulator.clock import Clock
from alipay_mapi.errors import InvalidRequest


def test_a_frozen_clock_stands_still_until_it_is_moved():
    clock = Clock(START, frozen=True)
    assert clock.now() == clock.now() == START and clock.speed == 0
    assert clock.move(90) == clock.now() == START + timedelta(seconds=90)
    assert clock.move(-100) == START - timedelta(seconds=10)


def test_times_are_aware_and_in_beijings_offset():
    clock = Clock(datetime(2026, 3, 1, 4, 0, tzinfo=timezone.utc), frozen=True)
    assert clock.now() == START and clock.now().utcoffset() == timedelta(hours=8)
    assert clock.set(datetime(2026, 1, 1, tzinfo=timezone.utc)).isoformat() == "2026-01-01T08:00:00+08:00"
    assert Clock().now().utcoffset() == timedelta(hours=8)


def test_a_running_clock_runs_by_the_machines_steady_clock_times_its_speed(monkeypatch):
    machine = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: machine[0])
    clock = Clock(START)
    machine[0] += 5
    assert clock.now() == START + timedelta(seconds=5)
    clock.resume(60)
    machine[0] += 2
    assert clock.now() == START + timedelta(seconds=125) and clock.speed == 60
    clock.freeze()
    machine[0] += 1000
    assert clock.now() == START + timedelta(seconds=125)
    clock.resume()
    clock.move(3600)
    machine[0] += 1
    assert clock.now() == START + timedelta(seconds=125 + 3600 + 1)


@pytest.mark.parametrize("moment", [
    datetime(2026, 1, 1), "2026-01-01 00:00:00", 0, None, datetime(1, 1, 1, tzinfo=timezone.utc),
    datetime(9999, 12, 31, tzinfo=BEIJING)])
def test_a_naive_time_and_the_ends_of_the_calendar_are_refused(moment):
    clock = Clock(START, frozen=True)
    with pytest.raises(InvalidRequest, match="moment"):
        clock.set(moment)
    assert clock.now() == START


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), 1e300, -1e15, "5", True, None])
def test_a_move_that_is_no_number_of_seconds_is_refused(seconds):
    clock = Clock(START, frozen=True)
    with pytest.raises(InvalidRequest, match="seconds"):
        clock.move(seconds)
    assert clock.now() == START


@pytest.mark.parametrize("speed", [0, -1, 1e7, float("nan"), "2", True])
def test_a_speed_that_is_none_is_refused(speed):
    with pytest.raises(InvalidRequest, match="speed"):
        Clock(START).resume(speed)
