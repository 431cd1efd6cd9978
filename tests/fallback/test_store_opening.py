"""open_store: which text names which store, and what is never told of it."""
import logging
import os
import subprocess
import sys

import pytest

import alipay_mapi as mapi
from alipay_mapi.errors import ConfigurationError, StoreError
from alipay_mapi.fallback.stores import open_store
from alipay_mapi.fallback.stores.sqlite import SQLiteStore

from stores_under_test import Clock, START, watched

SECRET = "canary-7d1f"


@pytest.mark.parametrize("url", ["memory:", ":memory:", "sqlite://", "sqlite:///:memory:", "MEMORY:"])
def test_a_store_in_memory_is_an_sqlite_store(url):
    with open_store(url) as store, open_store(url) as other:
        assert type(store) is SQLiteStore and store.watch([watched("A1")]) == 1
        assert other.counts()["watched"] == 0


@pytest.mark.parametrize("form", ["sqlite:///orders.db", "orders.db", "orders.sqlite", "orders.sqlite3", "./orders.db",
                                  "sqlite:///{}/orders.db", "{}/orders.db", "sqlite:///no ending", "SQLite:///orders.db"])
def test_a_file_is_named_by_a_url_or_a_path(form, tmp_path, monkeypatch):
    monkeypatch.chdir(str(tmp_path))
    url = form.format(tmp_path)
    open_store(url).close()
    assert os.path.isfile(url.split(":///")[-1]) and len(os.listdir(str(tmp_path))) == 1
    store = open_store(url, clock=Clock())
    assert type(store) is SQLiteStore and store.now() == START
    store.close()


def test_a_path_object_is_a_path(tmp_path):
    open_store(tmp_path / "orders.db").close()
    assert (tmp_path / "orders.db").is_file()


@pytest.mark.parametrize("url", ["", "orders", "orders.txt", "memory", None, 7, b"orders.db", "://x", "sqlite:orders",
                                 "sqlite:/x.db?", "a b://x", SECRET, "postgresql:/user:{}@host/db".format(SECRET)])
def test_anything_else_is_refused_with_the_forms_that_there_are(url):
    with pytest.raises(ConfigurationError) as caught:
        open_store(url)
    for form in ("memory:", "sqlite:///", ".db", "postgresql+psycopg2://"):
        assert form in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite://orders.db", "sqlite:///x.db?mode=ro&key=" + SECRET])
def test_an_sqlite_url_is_a_path_and_nothing_else(url):
    with pytest.raises(ConfigurationError, match="sqlite:////var") as caught:
        open_store(url)
    assert SECRET not in str(caught.value)


# SQLAlchemy 1.4.0 on Python 3.6, where it looks for dialects that it does not have
@pytest.mark.filterwarnings("ignore:SelectableGroups:DeprecationWarning")
@pytest.mark.parametrize("url", ["postgresql://shop:{}@127.0.0.1:1/db", "postgresql+psycopg2://shop:{}@127.0.0.1:1/db",
                                 "mysql+pymysql://shop:{}@127.0.0.1:1/db?charset=utf8mb4", "postgres://shop:{}@host/db",
                                 "postgresql+nodriver://shop:{}@host/db", "mysql+pymysql://shop:{}@host:port/db",
                                 "nodialect://shop:{}@host/db", "postgresql://shop:{}@[::1/db",
                                 "mysql+pymysql://shop:{}@127.0.0.1:1/db?charset=latin1&no_such_option=1"])
def test_a_password_is_told_by_no_error_and_no_log(url, caplog):
    """Neither in the message nor in what hangs on it: arguments, attributes, causes."""
    pytest.importorskip("sqlalchemy")
    caplog.set_level(logging.DEBUG)
    with pytest.raises((ConfigurationError, StoreError)) as caught:
        open_store(url.format(SECRET))
    error = caught.value
    assert error.__cause__ is None and error.__context__ is None
    assert SECRET not in repr(error) + str(error) + repr(vars(error)) + caplog.text


def test_a_password_is_told_by_no_store(monkeypatch):
    sqlalchemy = pytest.importorskip("sqlalchemy")
    from alipay_mapi.fallback.stores import sql_connection
    url = "postgresql+psycopg2://shop:{}@127.0.0.1:1/db".format(SECRET)
    pytest.importorskip("psycopg2")
    engine = sql_connection.engine_of(url)
    store = object.__new__(mapi.fallback.stores.SQLAlchemyStore)
    store._engine = engine
    assert SECRET not in repr(store) + str(store) + repr(engine) + repr(vars(store))
    assert isinstance(engine, sqlalchemy.engine.Engine)


def test_what_alipay_mapi_does_not_keep_itself_goes_to_sqlalchemy(tmp_path):
    pytest.importorskip("sqlalchemy")
    store = open_store("sqlite+pysqlite:///{}/x.db".format(tmp_path), clock=Clock())
    assert type(store).__name__ == "SQLAlchemyStore" and store.now() == START
    store.close()


def run(code):
    return subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, timeout=60)


def test_sqlalchemy_is_loaded_for_its_own_stores_alone():
    done = run("import sys, alipay_mapi.fallback\n"
               "from alipay_mapi.fallback import open_store\n"
               "open_store('memory:').close()\n"
               "print([name for name in sys.modules if name.startswith('sqlalchemy')])")
    assert (done.returncode, done.stdout.strip()) == (0, "[]")


@pytest.mark.parametrize("hide", ["sys.modules['sqlalchemy'] = None",
                                  "import types; sys.modules['sqlalchemy'] = types.ModuleType('sqlalchemy'); "
                                  "sys.modules['sqlalchemy'].__version__ = '1.3.24'"])
def test_without_sqlalchemy_the_error_names_the_extra(hide):
    done = run("import sys\n{}\nfrom alipay_mapi.fallback.stores import open_store\n"
               "open_store('postgresql://shop:{}@host/db')".format(hide, SECRET))
    last = done.stdout.strip().splitlines()[-1]
    assert "ConfigurationError" in last and "pip install 'alipay-mapi[sql]'" in last
    assert SECRET not in last and "During handling" not in done.stdout


def test_a_driver_that_is_missing_is_named():
    pytest.importorskip("sqlalchemy")
    done = run("import sys\nsys.modules['psycopg2'] = None\nfrom alipay_mapi.fallback.stores import open_store\n"
               "open_store('postgresql+psycopg2://shop:{}@host/db')".format(SECRET))
    assert "no module psycopg2" in done.stdout.strip().splitlines()[-1]
