"""Django, configured before a test of this folder imports a model; and a store on each of its databases."""
import sys
from pathlib import Path

import pytest

import django_setup
from django_fixtures import database, tables  # noqa: F401 - fixtures

# The contract's places, orders and changes serve here as well, and what plays AMS's part.
for _folder in ("fallback", "migration"):
    sys.path.append(str(Path(__file__).resolve().parent.parent.parent / _folder))

collect_ignore_glob = []
_told = []
try:
    django_setup.configure()
except pytest.skip.Exception as skipped:
    collect_ignore_glob = ["*.py"]     # doctest collection imports them all
    _told.append("SKIPPED tests/contrib/django: {}".format(skipped))


def pytest_terminal_summary(terminalreporter):
    for line in _told:
        terminalreporter.write_line(line)


@pytest.fixture(params=["django-sqlite", "django-postgresql", "django-mariadb"])
def place(request, tmp_path):
    from stores_under_test import Place
    place = Place(request.param, tmp_path)
    yield place
    place.close()


@pytest.fixture
def store(place):
    return place.open()


@pytest.fixture
def alias(store):
    """Of the store's own connection."""
    return store._using


@pytest.fixture
def shop(alias):
    """The shop's own table, in the same database, with rows that only have a number."""
    from django.db import connections
    from shop_tables import Sale
    with connections[alias].schema_editor() as editor:
        editor.create_model(Sale)
    yield Sale.objects.using(alias)
    with connections[alias].schema_editor() as editor:
        editor.delete_model(Sale)
