"""Alipay's clock is GMT+8, written without a zone."""
from datetime import date, datetime, timedelta, timezone, tzinfo

import pytest

from alipay_mapi.errors import InvalidRequest, MalformedParameter
from alipay_mapi.times import DATE8, DIGITS14, GMT8, format_time, parse_time


@pytest.mark.parametrize("text, iso", [
    ("2020-01-16 17:56:13", "2020-01-16T17:56:13+08:00"), ("2017-01-14 17:03:56.744",
                                                           "2017-01-14T17:03:56.744000+08:00"),
    ("2017-01-14 17:03:56.7", "2017-01-14T17:03:56.700000+08:00"), ("20200116175613", "2020-01-16T17:56:13+08:00"),
    ("2000-02-29 00:00:00", "2000-02-29T00:00:00+08:00")])
def test_T94_times_are_handed_out_aware(text, iso):
    """Genuine; the hostile twins are below."""
    assert parse_time(text).isoformat() == iso


def test_T94_the_zone_is_fixed_and_not_that_of_shanghai():
    """Hostile: Asia/Shanghai had summer time in 1986-91, nine hours ahead. The genuine twin is eight, always."""
    for text in ("1988-07-01 12:00:00", "2026-07-01 12:00:00", "2026-01-01 12:00:00"):
        assert parse_time(text).utcoffset() == timedelta(hours=8)
    assert GMT8.utcoffset(None) == timedelta(hours=8)


@pytest.mark.parametrize("text", [
    "", "2020-01-16", "2020-1-6 17:56:13", "2020-13-01 00:00:00", "2021-02-29 00:00:00", "2020-01-16 24:00:00",
    "2020-01-16 17:60:00", "2020-01-16 23:59:60", "0000-01-01 00:00:00", "2020-01-16T17:56:13", "2020-01-16 17:56:13Z",
    "2020-01-16 17:56:13+08:00", " 2020-01-16 17:56:13", "2020-01-16 17:56:13\n", "2020-01-16 17:56:13.", "20200116",
    "2020-01-16 17:56:13.1234567", "２０２０-01-16 17:56:13", "20201316175613", "1540549333201", "now", None,
    20200116175613, b"2020-01-16 17:56:13"])
def test_T94_what_is_no_time_is_malformed(text):
    """Hostile; the genuine twin is the same moment in the page's form."""
    with pytest.raises(MalformedParameter):
        parse_time(text)


def test_T94_a_naive_time_is_refused_and_an_aware_one_moved():
    """Hostile: a server's local time, hours late. The genuine twin says its zone."""
    with pytest.raises(InvalidRequest) as caught:
        format_time(datetime(2026, 1, 1), "timestamp")
    assert caught.value.parameter == "timestamp" and "zone" in str(caught.value)
    moment = datetime(2025, 12, 31, 16, 0, tzinfo=timezone.utc)
    assert format_time(moment) == "2026-01-01 00:00:00"
    assert format_time(moment, form=DIGITS14) == "20260101000000"
    assert format_time(moment, form=DATE8) == "20260101"
    assert format_time(moment.astimezone(timezone(timedelta(hours=-11)))) == "2026-01-01 00:00:00"


def test_a_zone_that_says_nothing_is_none():
    class Mute(tzinfo):
        def utcoffset(self, moment):
            return None

    with pytest.raises(InvalidRequest):
        format_time(datetime(2026, 1, 1, tzinfo=Mute()))


@pytest.mark.parametrize("text, form", [("2026-01-31 23:59:59", "%Y-%m-%d %H:%M:%S"), ("20260131235959", DIGITS14),
                                        ("20260131", DATE8)])
def test_text_in_the_form_is_kept(text, form):
    assert format_time(text, form=form) == text


@pytest.mark.parametrize("text, form", [
    ("2026-01-31", "%Y-%m-%d %H:%M:%S"), ("2026-1-31 23:59:59", "%Y-%m-%d %H:%M:%S"), ("20260231235959", DIGITS14),
    ("2026-01-31 23:59:59", DIGITS14), ("2026013", DATE8), ("20260132", DATE8), ("２０２６０１３１", DATE8),
    ("", DATE8), ("20260131\x00", DATE8), (" 20260131", DATE8)])
def test_other_text_is_refused_with_an_example(text, form):
    with pytest.raises(InvalidRequest) as caught:
        format_time(text, "gmt_return", form)
    assert str(caught.value).startswith("gmt_return") and "2026" in str(caught.value)


@pytest.mark.parametrize("value", [None, 1735660800, 1735660800.0, date(2026, 1, 1), b"20260101"])
def test_what_is_no_time_is_refused(value):
    with pytest.raises(InvalidRequest):
        format_time(value)


def test_the_ends_of_the_calendar_raise_our_error():
    with pytest.raises(InvalidRequest):
        format_time(datetime.max.replace(tzinfo=timezone.utc))
    with pytest.raises(InvalidRequest):
        format_time(datetime.min.replace(tzinfo=timezone(timedelta(hours=14))))
