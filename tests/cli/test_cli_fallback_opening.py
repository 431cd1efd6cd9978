"""A store that cannot be opened: what is told, that nothing is made, and that no password is shown."""
import os
import sqlite3
from contextlib import closing

import pytest
from fallback_shop import write_orders

from alipay_mapi.cli import fallback_opening
from alipay_mapi.cli.fallback_url import path_of, shown
from alipay_mapi.errors import StoreError

OTHERS = [("run", "--config", "md5.ini"), ("status",), ("retry",), ("migrate",), ("prune", "--older", "90d"),
          ("report",),
          ("refund", "--config", "md5.ini", "--out-trade-no", "A1", "--out-return-no", "R1", "--amount", "1")]


@pytest.fixture(autouse=True)
def config(tmp_path):
    (tmp_path / "md5.ini").write_text("[shop]\npartner = 2088101122136241\nsign_type = MD5\n"
                                      "md5_key = TESTONLYcli0key0TESTONLYcli0key0\n")


def opened(run, url, command=("status",)):
    ran = run("fallback", *command, "--store", url)
    return ran.code, ran.err


# --- a file -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("command", OTHERS, ids=lambda command: command[0])
@pytest.mark.parametrize("kind", ["somebody else's", "empty"])
def test_a_file_without_our_tables_is_refused_and_stays_as_it_is(run, tmp_path, command, kind):
    path = tmp_path / "shop.db"
    if kind == "empty":
        path.write_bytes(b"")
    else:
        with closing(sqlite3.connect(str(path))) as db:
            db.execute("CREATE TABLE orders (id INTEGER)")
            db.commit()
    before = path.read_bytes()
    code, told = opened(run, "shop.db", command)
    assert code == 78 and "shop.db is an SQLite file, and no orders are kept in it" in told
    assert "alipay-mapi fallback watch makes the tables" in told
    assert path.read_bytes() == before and sorted(os.listdir(str(tmp_path))) == ["md5.ini", "shop.db"]


def test_watch_makes_the_tables_beside_those_of_the_shop(run, tmp_path):
    with closing(sqlite3.connect(str(tmp_path / "shop.db"))) as db:
        db.execute("CREATE TABLE orders (id INTEGER)")
        db.commit()
    assert run("fallback", "watch", write_orders(tmp_path, "A1"), "--store", "shop.db").code == 0
    assert opened(run, "shop.db") == (0, "")


@pytest.mark.parametrize("command", [("watch",), ("status",)])
def test_a_file_that_is_no_database_is_told_by_its_path(run, tmp_path, command):
    (tmp_path / "orders.db").write_bytes(b"this is no database" * 100)
    code, told = opened(run, "orders.db", command)
    assert code == 78 and "orders.db is no SQLite database" in told


def test_a_database_that_is_damaged_is_75(run, tmp_path):
    run("fallback", "watch", write_orders(tmp_path, "A1"), "--store", "orders.db")
    data = (tmp_path / "orders.db").read_bytes()
    (tmp_path / "orders.db").write_bytes(data[:100] + b"\xff" * (len(data) - 100))
    code, told = opened(run, "orders.db")
    assert code == 75 and "orders.db: " in told and "corrupt" in told


@pytest.mark.parametrize("command", [("watch",), ("status",)])
@pytest.mark.parametrize("path, words", [("no/such/orders.db", "no folder {}/no/such"),
                                         ("folder.db", "folder.db is a folder"),
                                         ("md5.ini/orders.db", "there is no folder {}/md5.ini")])
def test_a_path_that_cannot_be_is_named(run, tmp_path, path, words, command):
    (tmp_path / "folder.db").mkdir()
    code, told = opened(run, path, command)
    assert code == 78 and words.format(tmp_path) in told


def test_what_may_not_be_read_is_told(run, tmp_path, monkeypatch):
    (tmp_path / "orders.db").write_bytes(b"")
    monkeypatch.setattr(fallback_opening, "_head", lambda path: (b"", PermissionError))
    code, told = opened(run, "orders.db")
    assert code == 75 and "orders.db: this user (uid {}) may not read it".format(os.geteuid()) in told


@pytest.mark.parametrize("missing, words", [("file", "orders.db: this user (uid {}) may not write it"),
                                            ("folder", "may not write in the folder {}, where SQLite keeps its -wal")])
def test_what_may_not_be_written_is_told(run, tmp_path, monkeypatch, missing, words):
    run("fallback", "watch", write_orders(tmp_path, "A1"), "--store", "orders.db")
    path = str(tmp_path / "orders.db")

    def refused(*_, **__):
        raise StoreError("the store could not be used (readonly)", reason="readonly")
    monkeypatch.setattr("alipay_mapi.cli.fallback_settings.open_store", refused)
    monkeypatch.setattr(fallback_opening.os, "access", lambda name, mode: (
        os.path.basename(name) == "orders.db") is (missing == "folder"))
    code, told = opened(run, path)
    assert code == 75 and words.format(os.geteuid() if missing == "file" else tmp_path) in told


# --- a URL ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("url", [
    "postgresql:/shop:S3CRET@db/orders.db", "postgresql:shop:S3CRET@db/orders.db", "shop:S3CRET@db/orders.db",
    "S3CRET@orders.db", "file:S3CRET.db", "sqlite:///orders.db?S3CRET", "postgres://shop:S3CRET@db/shop.db",
    "Postgres://shop:S3CRET@db/shop",
])
@pytest.mark.parametrize("command", [("watch", "--json"), ("watch",), ("status", "--debug", "-vv"), ("report",)])
def test_a_url_with_a_slip_is_refused_and_not_shown(run, tmp_path, url, command):
    ran = run("fallback", *command, "--store", url)
    assert ran.code == 78 and "S3CRET" not in ran.out + ran.err
    assert os.listdir(str(tmp_path)) == ["md5.ini"]


def test_postgres_is_told_how_it_is_written(run):
    code, told = opened(run, "postgres://shop@db/shop")
    assert code == 78 and "write postgresql+psycopg2://" in told


def test_paths_are_still_paths():
    for path in ("orders.db", "/var/lib/shop/orders.sqlite", "../a b/orders.sqlite3", "C:/shop/orders.db", "C:\\o.db"):
        assert path_of(path) == shown(path) == path
    assert path_of("sqlite:///a@b:c/orders.db") == "a@b:c/orders.db"


# --- a database -------------------------------------------------------------------------------------------------------

SERVERS = [("postgresql", "psycopg2"), ("mariadb", "pymysql")]


@pytest.fixture(params=SERVERS, ids=[name for name, _ in SERVERS])
def server(request):
    pytest.importorskip("sqlalchemy", reason="the extra sql")
    pytest.importorskip(request.param[1], reason="the driver of {}".format(request.param[0]))
    import servers
    return getattr(servers, request.param[0])()


def url_of(url, **changes):
    """A part of the URL, changed; with a password in it."""
    import sqlalchemy as sa
    return sa.engine.make_url(url).set(**changes).render_as_string(hide_password=False)


@pytest.mark.parametrize("command", [("status",), ("retry",), ("migrate",)], ids=lambda command: command[0])
def test_a_database_without_our_tables_is_refused_and_gets_none(run, server, command):
    import sqlalchemy as sa
    url = server.database()
    code, told = opened(run, url, command)
    assert code == 78 and "has no tables of alipay-mapi" in told and "fallback watch makes them" in told
    engine = sa.create_engine(url)
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


@pytest.mark.parametrize("command", [("watch",), ("status",)])
def test_a_database_that_is_not_there_is_named(run, server, command):
    code, told = opened(run, url_of(server.database(), database="no_such_shop"), command)
    assert code == 78 and "has no database no_such_shop" in told and "127.0.0.1" in told


@pytest.mark.parametrize("command", [("watch",), ("status",)])
def test_a_login_that_is_refused_names_the_place_and_no_password(run, server, command):
    url = url_of(server.database(), username="nobody", password="S3CRET")
    code, told = opened(run, url, command)
    assert code == 78 and "refuses the login" in told and "127.0.0.1" in told and "S3CRET" not in told


@pytest.mark.parametrize("command", [("watch",), ("status",)])
@pytest.mark.parametrize("backend", ["postgresql+psycopg2", "mysql+pymysql"])
def test_a_server_that_does_not_run_is_named(run, backend, command):
    pytest.importorskip("sqlalchemy", reason="the extra sql")
    pytest.importorskip(backend.partition("+")[2], reason="the driver")
    code, told = opened(run, backend + "://shop:S3CRET@127.0.0.1:1/shop", command)
    assert code == 75 and "127.0.0.1:1 is not reached (Connection refused)" in told and "S3CRET" not in told


def test_a_name_that_is_unclear_is_not_told(run):
    """The password has an @ in it: SQLAlchemy finds the host, and what stands before it could be anything."""
    pytest.importorskip("psycopg2", reason="the driver")
    code, told = opened(run, "postgresql+psycopg2://shop:S3C@RET@127.0.0.1:1/shop")
    assert code == 75 and "the server is not reached" in told and "RET" not in told


def test_an_sqlite_file_through_sqlalchemy_is_looked_at_too(run, tmp_path):
    pytest.importorskip("sqlalchemy", reason="the extra sql")
    code, told = opened(run, "sqlite+pysqlite:///none.db")
    assert code == 78 and "there is no file none.db" in told
    assert os.listdir(str(tmp_path)) == ["md5.ini"]


class Driver(Exception):
    def __init__(self, *args, **attributes):
        super().__init__(*args)
        self.__dict__.update(attributes)


@pytest.mark.parametrize("error, words", [
    (Driver("x", sqlstate="28P01"), "refuses the login"), (Driver("x", pgcode="28000"), "refuses the login"),
    (Driver(1045, "x"), "refuses the login"), (Driver({"C": "28P01"}), "refuses the login"),
    (Driver('FATAL:  role "shop" does not exist'), "refuses the login"),
    (Driver('FATAL:  no pg_hba.conf entry for host "10.0.0.1"'), "refuses the login"),
    (Driver("x", sqlstate="3D000"), "has no database shop"), (Driver(1049, "x"), "has no database shop"),
    (Driver({"C": "3D000"}), "has no database shop"),
])
def test_what_drivers_say_is_understood(error, words):
    url = "postgresql+psycopg2://u:S3CRET@db.example/shop"
    told = str(fallback_opening._refusal(error, None, shown(url)))
    assert words in told and "db.example" in told and "S3CRET" not in told
