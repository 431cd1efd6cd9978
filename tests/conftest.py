"""What every test may use; nothing here imports the package."""
from importlib.util import find_spec
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent

# Scripts, not tests: doctest collection would import them.
collect_ignore = ["rows.py", "mutants.py"]
# Run by .ci/run, which installs a browser and the peers.
collect_ignore_glob = ["browser/*", "peers/*"]

# Under ``python -O`` only rewritten asserts are checked: pytest rewrites test modules by itself, helpers when named.
for _module in _HERE.glob("**/*.py"):
    _name = ".".join(_module.relative_to(_HERE).with_suffix("").parts)
    pytest.register_assert_rewrite(_name, "tests." + _name, _module.stem)


def pytest_configure(config):
    """Without the extra ``fast`` the module behind it cannot be imported, not even to look for doctests."""
    if find_spec("cryptography") is None:
        config.option.ignore = (config.option.ignore or []) + ["alipay_mapi/crypto/cryptography.py"]


@pytest.fixture(scope="session")
def fixtures():
    """The folder of recorded samples at the top of the checkout."""
    return _HERE.parent / "fixtures"


@pytest.fixture(scope="session")
def checkout():
    """The top of the checkout: ``setup.cfg``, ``README.md``, the package."""
    return _HERE.parent
