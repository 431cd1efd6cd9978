"""What the browser tests of the example shops share: a real emulator process, the shop's own processes, a buyer.

No test is in here. Both examples have the same pages: ``/`` with the button ``buy``; ``/orders/<number>/`` with
``number``, ``price``, ``state`` and, before the payment, the button ``pay``. Screenshots are left in
``build/screenshots/``, 1280 and 390 pixels wide.
"""
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from selenium.common.exceptions import WebDriverException

from cashier_in_chromium import SHOTS, by_id, start_browser, until

__all__ = ["CHECKING", "CHECKOUT", "NOT_PAID", "PAID", "Buyer", "Emulation", "Program", "by_id", "command", "free_port",
           "shoot", "shows", "start_browser"]

CHECKOUT = Path(__file__).resolve().parent.parent.parent
#: Seconds that a process may take to answer, or a command to end.
PATIENCE = 60.0
NOT_PAID, CHECKING, PAID = "Not paid yet", "We are checking", "Paid"


def free_port():
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Program:
    """A process of the example shop. ``log``: the file with what it says."""

    def __init__(self, arguments, cwd, log, **environment):
        self.log = Path(str(log))
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable] + list(arguments), cwd=str(cwd), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=with_package(environment))

    def answers(self, url):
        """Wait until a page comes → its status."""
        last = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                    return answer.status
            except urllib.error.HTTPError as err:
                err.close()
                return err.code
            except OSError:
                if time.monotonic() > last or self.process.poll() is not None:
                    raise AssertionError("no answer from {}\n{}".format(url, self.said()[-3000:])) from None
                time.sleep(0.1)

    def said(self):
        return self.log.read_bytes().decode("utf-8", "replace")

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def command(arguments, cwd, **environment):
    """Run a command of the shop to its end → (exit code, what it said)."""
    done = subprocess.run([sys.executable] + list(arguments), cwd=str(cwd), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE,
                          env=with_package(environment))
    return done.returncode, done.stdout.decode("utf-8", "replace")


def with_package(environment):
    """The environment in which this checkout's package is imported."""
    path = os.pathsep.join([str(CHECKOUT)] + [part for part in [os.environ.get("PYTHONPATH")] if part])
    return dict(os.environ, PYTHONPATH=path, LC_ALL="C.UTF-8", **environment)


class Emulation:
    """``alipay-mapi emulator`` in a process of its own. ``ini``: the file with its test merchants."""

    def __init__(self, folder):
        self.ini = str(Path(str(folder)) / "shop.ini")
        port = free_port()
        self.url = "http://127.0.0.1:{}".format(port)
        self.program = Program(["-m", "alipay_mapi", "emulator", "--port", str(port), "--ini", self.ini, "--seed", "7"],
                               folder, Path(str(folder)) / "emulator.log")
        self.program.answers(self.url + "/_emulator/now")

    def control(self, verb, path, **values):
        """One call of its control API."""
        request = urllib.request.Request(self.url + "/_emulator" + path, method=verb, data=json.dumps(values).encode(),
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read().decode("utf-8"))

    def late(self, seconds):
        """The next notification comes so many seconds after the payment."""
        self.control("POST", "/faults", name="late", seconds=seconds)

    def notifications(self, number):
        """The states of an order's notifications."""
        found = self.control("GET", "/notifications?out_trade_no=" + number)["notifications"]
        return [one["state"] for one in found]

    def end(self):
        self.program.end()


class Buyer:
    """Somebody in front of a browser. ``site``: the shop's address; ``name``: how the screenshots begin."""

    def __init__(self, driver, site, name):
        self.driver, self.site, self.name = driver, site, name

    def orders(self):
        """Buys, and is on the order's page → the order's number."""
        self.driver.get(self.site + "/")
        shoot(self.driver, self.name + "-shop")
        by_id(self.driver, "buy").click()
        shows(self.driver, "state", NOT_PAID)
        shoot(self.driver, self.name + "-order")
        return by_id(self.driver, "number").text

    def goes_to_alipay(self):
        by_id(self.driver, "pay").click()
        shows(self.driver, "verdict", "VALID")      # the cashier's, about the shop's sign

    def pays(self, button="pay"):
        """At the cashier. ``lose``: pays, and the notification is lost. Then the shop is checking."""
        by_id(self.driver, button).click()
        shows(self.driver, "state", CHECKING)
        assert "/orders/" in self.driver.current_url and "sign=" not in self.driver.current_url
        shoot(self.driver, "{}-checking-{}".format(self.name, "lost" if button == "lose" else "notified"))

    def sees_paid(self):
        """The page finds out by itself."""
        shows(self.driver, "state", PAID)
        shoot(self.driver, self.name + "-paid")

    def complaints(self):
        """What the browser's console holds."""
        return [entry["message"] for entry in self.driver.get_log("browser") if "favicon" not in entry["message"]]


def shows(driver, name, text):
    """The element with this id says ``text``. By a script, as the page may be loading itself anew meanwhile."""
    def said():
        try:
            return text in (driver.execute_script(
                "var one = document.getElementById(arguments[0]); return one && one.textContent.trim()", name) or "")
        except WebDriverException:
            return False
    until(driver, said, "{} says {}".format(name, text))


def shoot(driver, name):
    """The whole page at 1280 and 390 pixels; nothing may be wider than the window."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    for width, height in ((1280, 900), (390, 844)):
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
        whole = driver.execute_script("return document.documentElement.scrollWidth")
        assert whole <= width, "{} is {} pixels wide".format(name, whole)
        driver.save_screenshot(str(SHOTS / "{}-{}.png".format(name, width)))
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
