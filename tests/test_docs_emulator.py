"""docs/emulator.md says what there is, all of it: faults, services, settings, gaps. Its blocks are doctests."""
import re

import pytest

from alipay_mapi.emulator.control_table import AMS_CALLS, CALLS
from alipay_mapi.emulator.faults import ANSWER_FAULTS, NOTIFICATION_FAULTS
from alipay_mapi.emulator.handlers import HANDLERS
from alipay_mapi.emulator.merchants import BUYERS, PARTNERS, SETTINGS
from alipay_mapi.emulator.notifier import SCHEDULE

_UNIT = {"m": 60, "h": 3600}


@pytest.fixture(scope="module")
def page(checkout):
    return (checkout / "docs" / "emulator.md").read_text(encoding="utf-8")


def table(page, head):
    """The rows of the table whose first line is ``head``, each as its cells."""
    _, found, rest = page.partition("| " + head + "\n")
    assert found, head
    rows = rest.partition("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def named(cells):
    """Every name in backquotes, in turn."""
    return [name for cell in cells for name in re.findall("`([^`]+)`", cell)]


@pytest.mark.parametrize("head, faults", [
    ("fault of a notification | what happens |", NOTIFICATION_FAULTS),
    ("fault of an answer | what the client sees |", ANSWER_FAULTS)])
def test_every_fault_stands_once_in_its_table(page, head, faults):
    assert sorted(named(row[0] for row in table(page, head))) == sorted(faults)


def test_every_service_that_is_answered_stands_once_in_its_table(page):
    assert sorted(named(row[1] for row in table(page, "| services |"))) == sorted(HANDLERS)


def test_every_setting_of_a_merchant_stands_once_in_its_table(page):
    assert sorted(named(row[0] for row in table(page, "setting | what it does |"))) == sorted(SETTINGS)


def test_the_gaps_between_two_sends_are_those_of_the_program(page):
    told = re.search(r"then after ((?:[0-9]+ [mh](?:, | and )?)+), until", page).group(1)
    assert [int(number) * _UNIT[unit] for number, unit in re.findall("([0-9]+) ([mh])", told)] == [
        gap.total_seconds() for gap in SCHEDULE]


def test_the_merchants_and_the_number_of_buyers_are_told(page):
    assert [name for name, _ in PARTNERS.values()] == re.findall("`([a-z0-9]+)`", re.search(
        "merchants: ([^.]+)\\.", page).group(1))
    assert len(BUYERS) == 4 and "Four buyers" in page


def test_every_address_of_the_control_api_that_the_page_names_is_there(page):
    paths = re.compile("|".join(re.sub("{[a-z_]+}", "[^/]+", "/_emulator" + call.path) for call in CALLS))
    addresses = set(re.findall("/_emulator/[A-Za-z0-9_/]*", page))
    assert len(addresses) > 2 and [one for one in addresses if not paths.fullmatch(one)] == []


def test_every_control_call_of_ams_stands_once_in_its_table(page):
    rows = table(page, "control call of AMS | what it does |")
    assert sorted(named(row[0] for row in rows)) == sorted("{} {}".format(call.verb, call.path) for call in AMS_CALLS)
