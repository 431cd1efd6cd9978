"""The pytest plugin, in a pytest of its own."""
import configparser
import os
import subprocess
import sys
from textwrap import dedent

import pytest

#: What pytest must not pay for in a project that has alipay_mapi installed and does not use the plugin.
HEAVY = ["requests", "urllib3", "lxml", "Crypto", "Cryptodome", "cryptography", "werkzeug", "jinja2", "sqlite3",
         "alipay_mapi.emulator", "alipay_mapi.client", "alipay_mapi.merchant", "alipay_mapi.testing.gateway"]


@pytest.fixture
def run(tmp_path, checkout):
    """Run pytest over the given files, as in a project that has the package installed: (exit code, what it says)."""
    metadata = tmp_path / "site" / "alipay_mapi_stand_in-0.dist-info"
    metadata.mkdir(parents=True)
    settings = configparser.ConfigParser()
    settings.read(str(checkout / "setup.cfg"), encoding="utf-8")
    (metadata / "entry_points.txt").write_text(
        "[pytest11]" + settings["options.entry_points"]["pytest11"] + "\n", encoding="ascii")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: alipay_mapi_stand_in\nVersion: 0\n",
                                       encoding="ascii")

    def run(files, *options):
        project = tmp_path / "project"
        project.mkdir(exist_ok=True)
        (project / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider --strict-markers\n"
                                            "filterwarnings = error\n    ignore:Python 3\n", encoding="ascii")
        for name, text in files.items():
            (project / name).write_text(dedent(text), encoding="utf-8")
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(metadata.parent), str(checkout)]),
                           PYTHONDONTWRITEBYTECODE="1")
        environment.pop("PYTEST_ADDOPTS", None)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q"] + others_off() + list(options), cwd=str(project), env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout.decode("utf-8", "replace")

    return run


def others_off():
    """Options that keep other plugins of this machine out, and leave one alipay_mapi: ours may be installed too."""
    from importlib import import_module
    try:
        metadata = import_module("importlib.metadata")
        points = metadata.entry_points()
        names = [point.name for point in (points.select(group="pytest11") if hasattr(points, "select")
                                          else points.get("pytest11", ()))]
    except ImportError:
        names = ["hypothesispytest"]
    return [word for name in sorted(set(names) - {"alipay_mapi"}) for word in ("-p", "no:" + name)]


USES = """
    import pytest
    import requests
    import alipay_mapi as mapi

    def test_in_process(mapi_gateway, mapi_shop, mapi_notify):
        mapi_gateway.place("A1")
        mapi_gateway.pay("A1")
        assert mapi_gateway.client().single_trade_query(out_trade_no="A1").trade_status == "TRADE_FINISHED"
        assert mapi_gateway.url == mapi_shop.gateway == "https://mapi.emulator.test/gateway.do"
        note = mapi_notify("paid", out_trade_no="A1", total_fee="10.00")
        assert mapi.verify_notify(mapi_shop, note.body, note.content_type).trade_status == "TRADE_FINISHED"
        assert mapi_gateway.clock.now().isoformat() == "2026-01-01T12:00:00+08:00"

    def test_each_test_begins_anew(mapi_gateway):
        assert mapi_gateway.emulator.list_trades() == []
        assert type(requests.Session().get_adapter(mapi.GATEWAY_INTL)).__name__ == "Adapter"

    @pytest.mark.mapi(merchant="rsa", seed=9)
    class TestMarked:
        def test_of_the_class(self, mapi_shop):
            assert mapi_shop.sign_type == "RSA"

        @pytest.mark.mapi(merchant="md5")
        def test_the_nearest_mark_wins(self, mapi_shop, mapi_notify):
            assert mapi_shop.sign_type == "MD5" and mapi_notify().params["sign_type"] == "MD5"

    def test_afterwards_all_is_as_it_was():
        assert type(requests.Session().get_adapter(mapi.GATEWAY_INTL)).__name__ == "HTTPAdapter"
"""
LIVE = """
    import pytest
    import requests

    @pytest.mark.mapi(live=True)
    def test_live(mapi_gateway, mapi_shop):
        assert mapi_shop.gateway.startswith("http://127.0.0.1:")
        assert requests.get(mapi_shop.gateway, params={"service": "x"}).content.count(b"ILLEGAL_SERVICE") == 1
        mapi_gateway.place("A1")
        mapi_gateway.pay("A1")
        assert mapi_gateway.client().single_trade_query(out_trade_no="A1").trade_status == "TRADE_FINISHED"
"""
EVERYWHERE_LIVE = """
    import pytest

    def test_live(mapi_gateway):
        assert mapi_gateway.url.startswith("http://127.0.0.1:")

    @pytest.mark.mapi(live=False)
    def test_not_live(mapi_gateway):
        assert mapi_gateway.url.startswith("https://mapi.emulator.test/")
"""


def test_the_fixtures_are_there_without_an_import(run):
    status, said = run({"test_uses.py": USES})
    assert status == 0 and "5 passed" in said, said


def test_the_gateway_can_be_live_for_a_test_or_for_all(run):
    pytest.importorskip("werkzeug", reason="the extra emulator")
    status, said = run({"test_live.py": LIVE})
    assert status == 0 and "1 passed" in said, said
    status, said = run({"test_live.py": EVERYWHERE_LIVE}, "-o", "mapi_live=true")
    assert status == 0 and "2 passed" in said, said


def test_loading_the_plugin_loads_nothing_heavy(run):
    status, said = run({"test_nothing.py": """
        import sys
        def test_nothing(request):
            assert request.config.pluginmanager.hasplugin("alipay_mapi")
            assert "alipay_mapi.testing.plugin" in sys.modules
            assert [name for name in {} if name in sys.modules] == []
    """.format(HEAVY)})
    assert status == 0 and "1 passed" in said, said


def test_it_can_be_switched_off_and_documents_itself(run):
    files = {"test_off.py": "def test_off(mapi_gateway):\n    pass\n"}
    status, said = run(files, "-p", "no:alipay_mapi")
    assert status == 1 and "fixture 'mapi_gateway' not found" in said, said
    assert "mapi(live=False, merchant='md5', seed=1" in run(files, "--markers")[1]
    fixtures = run(files, "--fixtures")[1]
    assert all(name in fixtures for name in ("mapi_gateway", "mapi_shop", "mapi_notify")), fixtures


def test_a_wrong_mark_is_told(run):
    status, said = run({"test_wrong.py": """
        import pytest

        @pytest.mark.mapi("rsa")
        def test_positional(mapi_gateway):
            pass

        @pytest.mark.mapi(merchant="visa")
        def test_unknown(mapi_shop):
            pass
    """})
    assert status == 1 and "mapi takes names: mapi(live=False" in said, said
    assert "merchant: one of md5 (2088000000000101), rsa" in said, said
