"""docs/testing-your-shop.md: its files are written as they stand into one folder, and pytest runs them there.

Its ``>>>`` blocks are doctests like those of every other page.
"""
import os
import re
import subprocess
import sys

import pytest

import alipay_mapi as mapi
from alipay_mapi.emulator.faults import ANSWER_FAULTS, NOTIFICATION_FAULTS
from alipay_mapi.testing import BROKEN, KINDS, TestGateway

_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NAME = re.compile(r"# ([a-z_]+\.(?:py|ini))\n")


@pytest.fixture(scope="module")
def page(checkout):
    return (checkout / "docs" / "testing-your-shop.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def blocks(page):
    return _BLOCK.findall(page)


def files_of(blocks):
    """File name → text, of all blocks that begin with their file's name."""
    return {_NAME.match(text).group(1): text for _, text in blocks if _NAME.match(text)}


def test_a_block_is_a_file_or_a_doctest(blocks):
    assert {language for language, _ in blocks} == {"python", "ini"}
    for language, text in blocks:
        assert _NAME.match(text) or language == "python" and text.startswith(">>> "), text
    assert len(files_of(blocks)) == len([text for _, text in blocks if _NAME.match(text)]) > 8
    assert not re.search("SKIP|skip|xfail", "".join(text for _, text in blocks))


def run(folder, checkout, files, *options):
    """Write the files, run pytest over them, and return what it says of each test, and the whole."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    environment = dict(os.environ, PYTHONPATH=str(checkout), PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "alipay_mapi.testing.plugin", "-p", "no:cacheprovider",
         "-W", "error", "-W", "ignore:Python 3", "--strict-markers"] + list(options),
        cwd=str(folder), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0 and "skipped" not in said and "warning" not in said, said
    return set(re.findall(r"::(test_\w+)\S* PASSED", said))


def written_in(files):
    return set(re.findall(r"^ *def (test_\w+)", "".join(files.values()), re.MULTILINE))


def test_every_test_of_the_page_passes(blocks, checkout, tmp_path):
    pytest.importorskip("werkzeug", reason="the extra emulator")
    files = {name: text for name, text in files_of(blocks).items() if name.endswith(".py")}
    assert run(tmp_path, checkout, files) == written_in(files) and len(written_in(files)) > 15


def test_the_configuration_of_the_page_makes_every_test_live(blocks, checkout, tmp_path):
    pytest.importorskip("werkzeug", reason="the extra emulator")
    names = ("shop.py", "conftest.py", "pytest.ini", "test_payment.py", "test_time.py")
    files = {name: files_of(blocks)[name] for name in names}
    files["test_that_it_is.py"] = "def test_it(mapi_gateway):\n    assert mapi_gateway.url.startswith('http://127.')\n"
    assert run(tmp_path, checkout, files) == written_in(files)


def test_the_page_names_every_kind_way_and_fault(page):
    named = set(re.findall("`([a-z0-9_-]+)`", page))
    assert set(KINDS) | set(BROKEN) | set(ANSWER_FAULTS) | set(NOTIFICATION_FAULTS) <= named


def test_the_page_tells_the_right_error_for_each_way(page):
    rows = re.findall(r"^\| `([a-z-]+)` \|[^|]*\| `(\w+)`", page, re.MULTILINE)
    assert [way for way, _ in rows] == list(BROKEN)
    order = mapi.Order("A1", total_fee="10.00", currency="USD")
    with TestGateway() as gateway:
        for way, error in rows:
            note = gateway.notification("paid_app", way) if way != "replayed" else gateway.notification("paid", way)
            with pytest.raises(getattr(mapi, error)) as caught:
                mapi.verify_notify(gateway.shop(), note.body, note.content_type, order={"A1": order}.get,
                                   confirm=gateway.client().notify_verify)
            assert type(caught.value).__name__ == error
