"""Without Flask these tests are skipped; where ``ALIPAY_MAPI_EXPECT`` names it, they fail."""
import os
import sys
import warnings
from pathlib import Path

import pytest

# What plays AMS's part.
sys.path.append(str(Path(__file__).resolve().parent.parent.parent / "migration"))


def _is_there():
    # A folder of tests with this name is a package for Python, too, once its parent is on the path.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")     # of old ones, about one another
            from flask import Flask
    except ImportError:
        return False
    return Flask is not None


if not _is_there():
    if "flask" in os.environ.get("ALIPAY_MAPI_EXPECT", "").split():
        raise RuntimeError("Flask is expected here, and is not installed")
    collect_ignore_glob = ["*.py"]      # doctest collection imports them all


@pytest.fixture
def desk(tmp_path):
    """A shop with a store in a file."""
    from flask_desk import Desk
    with Desk(STORE="sqlite:///{}".format(tmp_path / "orders.db")) as one:
        yield one
