"""Both crypto back ends, one after the other, for every test that signs or checks.

A module takes part with ``backend = backends.backend`` and an argument ``backend`` in its tests.
"""
import importlib
import importlib.util
import os

import pytest

from alipay_mapi import crypto

NAMES = ["cryptography", "pycryptodome"]
INSTALLED = [name for name in NAMES if name == "pycryptodome" or importlib.util.find_spec(name)]


def load(name):
    """The back end's module. Where cryptography must be (``ALIPAY_MAPI_EXPECT`` says fast) its absence fails."""
    if name not in INSTALLED and "fast" not in os.environ.get("ALIPAY_MAPI_EXPECT", "").split():
        pytest.skip("{} is not installed (extra fast): signing was tested with {} alone".format(name, *INSTALLED))
    return importlib.import_module("alipay_mapi.crypto." + name)


@pytest.fixture(scope="module", params=INSTALLED)
def backend(request):
    """The package signs and checks with this back end. ``crypto/test_back_ends.py`` says when one is missing."""
    module, chosen = load(request.param), crypto.backend
    crypto.backend = lambda: module
    yield module
    crypto.backend = chosen
