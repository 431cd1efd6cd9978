"""What the tests of the command line share: a way to run it, an ini file, and a gateway that is not there."""
import io
import itertools
import os
import sys
from functools import lru_cache

import pytest
from cli_samples import MD5_KEY, PARTNER, Ran

from alipay_mapi.cli import main
from alipay_mapi.crypto import pycryptodome

#: A new key of this kind and size; the same one for the same number.
_made = lru_cache(maxsize=None)(lambda kind, bits, number, make=pycryptodome.generate: make(kind, bits))


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    """An empty folder, and no setting from the machine that runs the tests."""
    for name in list(os.environ):
        if name.startswith("ALIPAY_MAPI_") and name != "ALIPAY_MAPI_EXPECT":
            monkeypatch.delenv(name)
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(str(tmp_path))


@pytest.fixture(autouse=True)
def made_once(request, monkeypatch):
    """Making keys takes longer than all else here: outside the tests of ``keys`` itself they are made once for all
    tests. Any four neighbours differ: a shop's key, the gateway's, its former one and a forger's."""
    if request.module.__name__ != "test_cli_keys":
        count = itertools.count()
        monkeypatch.setattr(pycryptodome, "generate", lambda kind, bits: _made(kind, bits, next(count) % 4))


@pytest.fixture
def run(capsys, monkeypatch):
    """``run("codes", "X", stdin=b"…")`` → exit code, stdout, stderr."""
    def call(*argv, **options):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(options.get("stdin", b"")), "utf-8"))
        code = main([str(arg) for arg in argv])
        return Ran(code, *capsys.readouterr())
    return call


@pytest.fixture
def ini(tmp_path):
    """The path of an ini file with one MD5 merchant."""
    path = tmp_path / "shop.ini"
    path.write_text("[default]\npartner = {}\nsign_type = MD5\nmd5_key = {}\n".format(PARTNER, MD5_KEY))
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def gateway(monkeypatch):
    """A gateway in memory: ``.answers(body)`` or ``.raises(error)``; ``.calls`` lists what came."""
    from alipay_mapi import client, transport

    class Gateway:
        def __init__(self):
            self.calls, self.result = [], None

        def answers(self, body):
            self.result = transport.Answer(200, "text/xml", body)

        def raises(self, error):
            self.result = error

    gateway = Gateway()

    def send(self, call):
        gateway.calls.append(call)
        if gateway.result is None:
            raise AssertionError("nothing may be sent here")
        if isinstance(gateway.result, Exception):
            raise gateway.result
        return gateway.result

    monkeypatch.setattr(transport.RequestsTransport, "send", send)
    monkeypatch.setattr(client, "_pause", lambda attempt, hosts: 0.0)
    return gateway
