"""One worker of ``mutants.py``: a process that has imported what every test needs but the package, and forks for each.

Reads a line of JSON, ``[seconds, argument of pytest, …]``, and answers with a line: pytest's exit code, ``broken`` when
pytest itself could not run, ``late``. The package is imported anew by every child, from the folder that ``PYTHONPATH``
names.
"""
import gc
import importlib
import json
import os
import signal
import sys
import time

#: What tests and package import of others. What is missing is imported by the tests that need it.
OTHERS = [
    "_hypothesis_pytestplugin", "Crypto.Cipher.PKCS1_v1_5", "Crypto.PublicKey.DSA", "Crypto.PublicKey.RSA",
    "Crypto.Signature.DSS", "Crypto.Signature.pkcs1_15", "_pytest.config", "concurrent.futures.thread", "configparser",
    "csv", "dataclasses", "difflib", "doctest", "email.mime.multipart", "encodings.gb18030", "encodings.idna",
    "html.parser", "http.client", "http.server", "hypothesis.strategies", "importlib.metadata", "jinja2.ext",
    "logging.handlers", "lxml.etree", "multiprocessing.util", "pytest", "queue", "requests", "responses", "rich.table",
    "segno", "sqlite3", "unittest.mock", "urllib.robotparser", "uuid", "werkzeug.serving", "werkzeug.test",
    "wsgiref.simple_server", "xml.etree.ElementTree",
]
BROKEN = 70     # pytest's own codes are 0 to 5


def main():
    for name in OTHERS:
        _import(name)
    for name in sys.modules["_pytest.config"].default_plugins:
        _import("_pytest." + name)
    gc.freeze()     # what is here stays here: no child's collector looks through it
    for line in sys.stdin:
        assert not any(name.split(".")[0] == "alipay_mapi" for name in sys.modules)
        seconds, *arguments = json.loads(line)
        child = os.fork()
        if child == 0:
            return _run(arguments)
        print(_end_of(child, seconds), flush=True)
    return 0


def _import(name):
    try:
        importlib.import_module(name)
    except ImportError:
        pass


def _run(arguments):
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    try:
        # hypothesis and others are there already, so pytest cannot rewrite them; they are not what is tested.
        return sys.modules["pytest"].main(["-W", "ignore::pytest.PytestAssertRewriteWarning"] + arguments)
    except BaseException:
        return BROKEN


def _end_of(child, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else BROKEN
            return "broken" if code == BROKEN else code
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "late"


if __name__ == "__main__":
    sys.exit(main())
