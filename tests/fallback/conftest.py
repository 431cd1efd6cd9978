"""A store of each kind, with the test's clock; and an emulated gateway."""
import sys
from pathlib import Path

import pytest

from fallback_setup import gateway
from stores_under_test import KINDS, Place

# The gateways of the migration's tests serve here as well.
sys.path.append(str(Path(__file__).resolve().parent.parent / "migration"))


@pytest.fixture(params=KINDS)
def place(request, tmp_path):
    place = Place(request.param, tmp_path)
    yield place
    place.close()


@pytest.fixture
def store(place):
    return place.open()


@pytest.fixture(scope="module")
def shared():
    with gateway() as one:
        yield one
