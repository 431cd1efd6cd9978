"""The default database, made once and emptied for each test that asks for it."""
import pytest


@pytest.fixture(scope="session")
def tables():
    """All tables of the default database."""
    from django.core.management import call_command
    from django.db import connections
    call_command("migrate", verbosity=0, interactive=False)
    yield
    connections.close_all()


@pytest.fixture
def database(tables):
    """The default database, with nothing in it."""
    from django.contrib.admin.models import LogEntry
    from django.contrib.auth.models import User
    from django.contrib.sessions.models import Session
    from django.db import connections

    from alipay_mapi.contrib.django.store.models import Effect, Evidence, Moment, Trade
    for model in (Effect, Trade, Moment, Evidence, LogEntry, Session, User):
        model.objects.all().delete()
    yield
    connections.close_all()
