"""A flood of forged notifications beside genuine ones, under gunicorn with two processes: some seconds of what
``benchmarks/notify_load.py`` does for longer."""
import importlib.util
import os
import sys

import pytest

SECONDS = 2.0


@pytest.fixture(scope="module")
def notify_load(checkout):
    sys.path.append(str(checkout / "benchmarks"))
    import notify_load
    yield notify_load
    sys.path.remove(str(checkout / "benchmarks"))


def must_have(package):
    """A package that is missing skips, with the reason; it fails where ``ALIPAY_MAPI_EXPECT`` names ``servers``."""
    if importlib.util.find_spec(package) is None:
        if "servers" in os.environ.get("ALIPAY_MAPI_EXPECT", "").split():
            pytest.fail("{} must be there".format(package))
        pytest.skip("{} is not installed: no flood under gunicorn".format(package))


@pytest.mark.parametrize("framework", ["django", "flask"])
def test_a_flood_costs_no_genuine_notification_and_leaves_little_behind(notify_load, framework, tmp_path, monkeypatch):
    must_have("gunicorn")
    must_have(framework)
    monkeypatch.setenv("NOTIFY_HANDLER", "1")
    found = notify_load.flooded(framework, SECONDS, str(tmp_path / "shop"), [])
    count = int(SECONDS * notify_load.RATE)
    assert found["genuine"]["answers"] == {"200 success": count} and found["paid"] == count
    assert found["grown"].pop("booked") == count
    assert set(found["forged"]["answers"]) == {"400 fail", "404 fail"} and found["forged"]["count"] > count
    assert found["outgoing"] == 0
    assert notify_load.left(found["grown"], count) <= 200
    # Each of two processes tells twenty at once, then one a second; Django's own logger has a line for each.
    assert found["lines"] <= 4 * (20 + 10 * SECONDS)
