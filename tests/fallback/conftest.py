"""A store of each kind, with the test's clock; and an emulated gateway."""
import pytest

from fallback_setup import gateway
from stores_under_test import KINDS, Place


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
