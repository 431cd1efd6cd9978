"""What the tests of the demo share: days that were run once, and a way to run the command."""
import sys

import pytest

from alipay_mapi.demo import audit, numbers
from alipay_mapi.demo.play import Day
from alipay_mapi.emulator import merchants
from moving import Honest, move_of


_PAIRS = {}


@pytest.fixture(scope="module", autouse=True)
def shared_keys():
    """One set of key pairs for all days: making them is most of the time, and no number depends on them."""
    pair = merchants.shared_pair
    merchants.shared_pair = lambda keys, purpose, sign_type: pair(_PAIRS, purpose, sign_type)
    yield
    merchants.shared_pair = pair


@pytest.fixture(scope="session")
def days():
    """(seed, orders) → the day; each is played once for all tests."""
    played = {}
    yield played
    for one in played.values():
        one.day.close()


def ran(days, seed, orders):
    if (seed, orders) not in days:
        days[seed, orders] = Ran(seed, orders)
    return days[seed, orders]


class Ran:
    """A day that is over, its differences and its numbers."""

    def __init__(self, seed, orders):
        self.day = Day(seed, orders)
        self.steps = list(self.day.run())
        self.differences = audit.compare(self.day.shop.books, self.day.rows())
        self.numbers = numbers.numbers(self.day, self.differences)


@pytest.fixture(scope="module")
def short(shared_keys, days):
    """40 orders."""
    return ran(days, 3, 40)


@pytest.fixture(scope="module")
def whole(shared_keys, days):
    """200 orders, as the command has them."""
    return ran(days, 1, 200)


@pytest.fixture
def command(monkeypatch, tmp_path, capsys):
    """``command("--json")`` → (exit code, stdout, stderr), in an empty folder."""
    from alipay_mapi.cli import main
    monkeypatch.chdir(str(tmp_path))
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)

    def call(*argv):
        code = main(["demo"] + [str(arg) for arg in argv])
        return (code,) + tuple(capsys.readouterr())

    assert not sys.stderr.isatty()
    return call


@pytest.fixture(scope="session")
def honest(tmp_path_factory):
    """A move to AMS that is over and was as it should be: 24 orders."""
    move = move_of()
    try:
        yield Honest(move, tmp_path_factory.mktemp("honest"))
    finally:
        move.close()
