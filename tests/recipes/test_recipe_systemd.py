"""docs/workers.md, systemd: the units as systemd reads them, and what they start."""
import signal
import subprocess

import pytest
import workers_page
from command_shop import NUMBERS, PAID, prepare, settled
from shop_at_work import eventually, must_have

UNITS = [head.partition(" ")[2] for head, _ in workers_page.blocks() if head.endswith((".service", ".timer"))]


@pytest.fixture
def analyze(shop):
    """Unit files → what systemd-analyze verify says about them."""
    must_have("systemd-analyze")
    for name in ("alipay-mapi", "celery"):
        shop.install(name, name)

    def verify(*names):
        done = subprocess.run(["systemd-analyze", "verify", "--man=no"] + [shop.path(name) for name in names],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
        # It looks at what they depend on as well; that is the machine's own.
        said = [line for line in done.stdout.decode("utf-8", "replace").splitlines() if "alipay-" in line]
        return said or ([] if done.returncode == 0 else [done.stdout])
    return verify


def test_systemd_takes_every_unit_of_the_page(shop, analyze):
    assert len(UNITS) == 4
    for name in UNITS:
        shop.save(name)
    assert analyze(*UNITS) == []


@pytest.mark.parametrize("right, wrong", [("TimeoutStopSec=", "TimeoutStopSek="), ("bin/alipay-mapi", "bin/nothing")])
def test_systemd_would_have_said_so(shop, analyze, right, wrong):
    shop.save("alipay-fallback.service", **{right: wrong})
    assert analyze("alipay-fallback.service")


def test_the_timer_starts_the_service_of_its_name_each_minute():
    timer = workers_page.settings("alipay-fallback.timer")
    assert "Unit" not in timer and timer["OnUnitInactiveSec"] == "60s" and "OnActiveSec" in timer
    service = workers_page.settings("alipay-fallback.service")
    assert service["Type"] == "oneshot" and service["WorkingDirectory"] == "/srv/shop"


def test_what_the_service_starts_finds_every_order_whose_notification_was_lost(shop):
    prepare(shop)
    assert shop.run(workers_page.command("alipay-fallback.service")) == 0, shop.read("log")
    assert settled(shop) == PAID and shop.asked() == {number: 1 for number in NUMBERS}


def test_what_the_service_starts_ends_in_order_when_systemd_stops_it(shop):
    """With the exit status that the unit counts as success; the next run does the rest."""
    prepare(shop)
    shop.write("shop.ini", shop.read("shop.ini").replace("[fallback]\n", "[fallback]\nper_second = 3\n"))
    process = shop.start(workers_page.command("alipay-fallback.service"))
    eventually("it asks", lambda: len(shop.asked()) >= 3)
    process.send_signal(signal.SIGTERM)
    status = workers_page.settings("alipay-fallback.service")["SuccessExitStatus"]
    assert str(shop.finish(process)) == status, shop.read("log")
    assert len(shop.asked()) < len(NUMBERS)
    assert shop.run(workers_page.command("alipay-fallback.service")) == 0, shop.read("log")
    assert settled(shop) == PAID and shop.asked() == {number: 1 for number in NUMBERS}
