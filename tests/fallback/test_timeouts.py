"""How long an order can be paid, in whatever words the payment request said it."""
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from alipay_mapi.errors import AlipayError, InvalidRequest
from alipay_mapi.fallback.timeouts import seconds_of

BEIJING = timezone(timedelta(hours=8))
NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=BEIJING).timestamp()


@pytest.mark.parametrize("timeout, seconds", [
    (None, 43200), ("30m", 1800), ("90m", 5400), ("12h", 43200), ("15d", 1296000), ("1m", 60),
    ("1c", 43200), (45, 45), (0, 0), (-5, -5), (1.5, 1.5), (timedelta(days=2), 172800), (timedelta(seconds=-1), -1),
    ("2026-03-01 13:00:00", 3600), ("2026-03-01 11:00:00", -3600),
])
def test_every_way_to_say_it_is_understood(timeout, seconds):
    assert seconds_of(timeout, NOON) == seconds


def test_T94_the_end_of_the_day_and_a_moment_are_in_beijing_wherever_the_host_is(monkeypatch):
    """Genuine: GMT+8 at any time of the year. Hostile: a host in a zone with summer time, at its change."""
    import time
    for zone in ("America/New_York", "Asia/Shanghai", "UTC"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert seconds_of("1c", NOON + 43199) == 1 and seconds_of("1c", NOON + 43200) == 86400
        for day in ("2026-03-08", "2026-11-01", "1988-06-01"):      # Shanghai had summer time in 1988
            moment = datetime.strptime(day + " 12:00:00", "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
            assert seconds_of(day + " 12:30:00", moment.timestamp()) == 1800
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("wrong", [
    "", "12", "1.5h", "-3h", "12H", "12 h", "h", "1x", "2c", "１２h", "2026-02-30 00:00:00", "2026-13-01 00:00:00",
    "tomorrow", "2026-03-01", True, b"12h", Decimal("5"), [], float("nan"), float("inf"), 10 ** 400, -10 ** 400, 1e10,
    "9" * 400 + "d", timedelta.max,
])
def test_anything_else_is_refused_by_name(wrong):
    with pytest.raises(InvalidRequest) as caught:
        seconds_of(wrong, NOON)
    assert caught.value.parameter == "timeout"


@pytest.mark.parametrize("most, more", [("30d", "31d"), ("720h", "721h"), ("43200m", "43201m"),
                                        ("2026-03-31 12:00:00", "2026-03-31 12:00:01")])
def test_what_no_payment_request_can_say_is_refused(most, more):
    """15d, says the parameter's page, and order_valid_time takes 30 days."""
    assert seconds_of(most, NOON) == 30 * 86400
    with pytest.raises(InvalidRequest, match="15d, and 30d"):
        seconds_of(more, NOON)
    assert seconds_of(40 * 86400, NOON) == 40 * 86400       # the caller's own word


@given(st.one_of(st.text(max_size=20), st.integers(), st.floats(), st.timedeltas(), st.none(), st.binary(max_size=5),
                 st.from_regex(r"[0-9]{1,20}[mhdc]", fullmatch=True)))
def test_any_value_gives_seconds_or_one_of_our_errors(value):
    try:
        assert isinstance(seconds_of(value, NOON), float)
    except AlipayError:
        pass
