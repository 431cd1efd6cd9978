"""A store of each kind, with the test's clock."""
import pytest

from stores_under_test import KINDS, Place


@pytest.fixture(params=KINDS)
def place(request, tmp_path):
    place = Place(request.param, tmp_path)
    yield place
    place.close()


@pytest.fixture
def store(place):
    return place.open()
