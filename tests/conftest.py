"""What every test may use; nothing here imports the package."""
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

_HERE = Path(__file__).resolve().parent

#: package → what imports it when it is imported itself (doctest collection imports every module)
_NEEDS = {
    "cryptography": ["alipay_mapi/crypto/cryptography.py"],
    "sqlalchemy": ["alipay_mapi/fallback/stores/sql.py", "alipay_mapi/fallback/stores/sql_*.py"],
    "celery": ["alipay_mapi/contrib/celery.py"],
    "prometheus_client": ["alipay_mapi/fallback/prometheus.py"],
    "flask": ["alipay_mapi/contrib/flask"],
}

# How many examples a property gets; a test whose examples are dear, or worth more, takes a share of this number. "full"
# is what everybody has who says nothing, README's command among them; setup.cfg says which of tox's cells have "fifth".
# "mutants" is as many as "full", without the search for the shortest failure. Nothing is timed: a busy machine is no
# failure.
_UNTIMED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("full", max_examples=300, **_UNTIMED)
settings.register_profile("fifth", max_examples=60, **_UNTIMED)
settings.register_profile("mutants", max_examples=300, phases=[Phase.explicit, Phase.generate], **_UNTIMED)
settings.load_profile(os.environ.get("ALIPAY_MAPI_EXAMPLES", "full"))

# Doctests of what needs a configured Django are run by tests/contrib/django.
_ELSEWHERE = ["alipay_mapi/contrib/django"]

# Scripts, which doctest collection would import; what .ci/run starts, as it installs a browser and the peers.
collect_ignore_glob = ["rows.py", "mutants*.py", "browser/*", "peers/*"]

# Under ``python -O`` only rewritten asserts are checked: pytest rewrites test modules by itself, helpers when named.
for _module in _HERE.glob("**/*.py"):
    _name = ".".join(_module.relative_to(_HERE).with_suffix("").parts)
    pytest.register_assert_rewrite(_name, "tests." + _name, _module.stem)


def pytest_configure(config):
    """Without an extra the modules behind it cannot be imported, not even to look for doctests."""
    top = _HERE.parent
    config.option.ignore = (config.option.ignore or []) + [str(top / path) for path in _ELSEWHERE]
    for package, modules in sorted(_NEEDS.items()):
        if package not in sys.modules and find_spec(package) is None:    # celery 4.4 has no __spec__ once it is loaded
            found = [str(path) for module in modules for path in sorted(top.glob(module))]
            config.option.ignore = (config.option.ignore or []) + found


@pytest.fixture(scope="session")
def fixtures():
    """The folder of recorded samples at the top of the checkout."""
    return _HERE.parent / "fixtures"


@pytest.fixture(scope="session")
def checkout():
    """The top of the checkout: ``setup.cfg``, ``README.md``, the package."""
    return _HERE.parent
