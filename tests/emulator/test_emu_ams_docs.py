"""docs/emulator.md tells all of AMS that there is: calls, settings, faults, test cards."""
import re

import pytest

from alipay_mapi.emulator.ams.cards import CARDS
from alipay_mapi.emulator.ams.clients import SETTINGS
from alipay_mapi.emulator.ams.codes import CODES
from alipay_mapi.emulator.ams.fault_names import AMS_ANSWER_FAULTS
from alipay_mapi.emulator.ams.handlers import AMS_HANDLERS
from alipay_mapi.emulator.ams.notices import AMS_EVENTS


@pytest.fixture(scope="module")
def page(checkout):
    return (checkout / "docs" / "emulator.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("head, names", [
    ("call of AMS | what it does here |", AMS_HANDLERS), ("setting of a client | what it does |", SETTINGS),
    ("fault of an answer of AMS | what the client sees |", set(AMS_ANSWER_FAULTS) - set(CODES)),
    ("test card | what it does |", [card.number for card in CARDS])])
def test_everything_stands_once_in_its_table(page, head, names):
    _, found, rest = page.partition("| " + head + "\n")
    assert found
    cells = [row.strip("|").split("|")[0] for row in rest.partition("\n\n")[0].splitlines()[1:]]
    assert sorted(re.findall("`([^`]+)`", " ".join(cells))) == sorted(names)


def test_what_a_test_card_does_is_told_in_its_own_words(page):
    for card in CARDS:
        assert "| `{}` | {} |".format(card.number, card.about) in page


def test_the_events_of_notifications_are_named(page):
    assert all("`{}`".format(event) in page for event in AMS_EVENTS)
