"""docs/workers.md, cron: the line of the crontab, word for word, as cron gives it to the shell."""
import pytest
import workers_page
from command_shop import NUMBERS, PAID, prepare, settled
from shop_at_work import eventually, must_have


@pytest.fixture
def cron(shop):
    must_have("flock")
    prepare(shop)
    return ["/bin/sh", "-c", workers_page.crontab_command()]


def test_the_line_finds_every_order_whose_notification_was_lost(shop, cron):
    assert shop.run(cron) == 0, shop.read("fallback.log")
    assert settled(shop) == PAID and shop.asked() == {number: 1 for number in NUMBERS}
    log = shop.read("fallback.log")
    assert "12 effects carried out; nothing else is due" in log and shop.read("log") == ""
    assert shop.run(cron) == 0 and shop.read("fallback.log") == log


def test_of_two_at_once_one_works_and_the_other_leaves_at_once(shop, cron):
    first = shop.start(cron)
    eventually("it asks", lambda: shop.asked())
    assert shop.run(cron) == 1
    assert first.poll() is None
    assert shop.finish(first) == 0, shop.read("fallback.log")
    assert settled(shop) == PAID and shop.asked() == {number: 1 for number in NUMBERS}
