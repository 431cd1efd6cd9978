"""Connections that fork, break, or lose a deadlock; servers that go and come back."""
import os
import threading
import time
from contextlib import closing

import pytest

import servers
from stores_under_test import (Place, START, KINDS, SHARED, at_once, becomes, claim, kill, numbers, reason, watched)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_forked_child_opens_its_own_connection(kind, tmp_path):
    place = Place(kind, tmp_path)
    store = place.open()
    store.watch([watched("A1"), watched("A2")])
    child = os.fork()
    if not child:
        try:
            os._exit(0 if len(claim(store, 1)) == 1 else 3)
        except BaseException:
            os._exit(4)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 if hasattr(os, "waitstatus_to_exitcode") else \
        os.waitpid(child, 0)[1] == 0
    assert len(claim(store)) == 1
    place.close()


@pytest.mark.parametrize("kind", SHARED)
def test_a_connection_that_breaks_in_the_middle_is_a_store_error_and_the_next_call_works(kind, tmp_path):
    place = Place(kind, tmp_path)
    store = place.open()
    store.watch([watched("A1")])
    row, = claim(store)

    def cut(stored):
        kill(place)
        return becomes("paid", "paid")(stored)
    assert reason(lambda: store.settle([(row, cut)])) == "gone"
    assert store.get("shop", "A1") == row._replace(due_at=START + 60) and store.counts()["effects"] == 0
    store.settle([(row, becomes("paid", "paid"))])
    assert store.get("shop", "A1").outcome == "paid"
    place.close()


@pytest.mark.parametrize("kind", SHARED)
def test_a_server_that_is_gone_is_a_store_error_until_it_is_back(kind, tmp_path):
    place = Place(kind, tmp_path)
    server = getattr(servers, place.server)()
    store = place.open()
    store.watch([watched("A1")])
    server.stop(kill=True)
    try:
        assert reason(lambda: claim(store)) == "gone"
        assert reason(lambda: place.open().now()) == "gone"
    finally:
        server.start()
    assert numbers(claim(store)) == ["A1"]
    place.close()


@pytest.mark.parametrize("kind", SHARED)
def test_a_transaction_that_lost_a_deadlock_is_run_again(kind, tmp_path):
    """Another transaction takes two rows in the opposite order."""
    place = Place(kind, tmp_path)
    store = place.open()
    store.watch([watched("A1"), watched("A2")])
    rows, calls, held, asked = claim(store), [], threading.Event(), threading.Event()

    def locked(db, ids):
        if place.django:
            return store._current(db, ids)
        from alipay_mapi.fallback.stores.sql_orders import _locked_rows
        return _locked_rows(db, ids, START)

    def other():
        lock = "UPDATE mapi_orders SET last_error = 'x' WHERE shop = 'shop' AND out_trade_no = '{}'"
        with place.transaction() as run:
            run(lock.format("A2"))
            held.set()
            asked.wait(20)
            run(lock.format("A1"))

    def settle():
        held.wait(20)

        def work(db):
            found = locked(db, [rows[0].id])
            calls.append(found[rows[0].id].out_trade_no)
            asked.set()
            return numbers(locked(db, [rows[1].id]).values())
        return store._transact(work)
    results = at_once(other, settle)
    # One of the two was undone by the database: the other transaction (an error here), or ours (run again).
    assert results[1] == ["A2"] and (results[0] is None or "eadlock" in str(results[0]))
    assert len(calls) == (2 if results[0] is None else 1)
    place.close()


# --- what docs/workers.md says of the servers' settings ---------------------------------------------------------------

@pytest.mark.parametrize("setting", ["statement_timeout", "idle_in_transaction_session_timeout"])
def test_a_transaction_that_a_shop_s_time_limit_breaks_off_is_undone_as_a_whole(setting, tmp_path):
    place = Place("postgresql", tmp_path, new=True)
    store = place.open()
    store.watch([watched("A1"), watched("A2")])
    rows = claim(store)
    place.execute(None, "ALTER DATABASE {} SET {} = '300ms'".format(place.where.rpartition("/")[2], setting))
    limited = place.open()
    activity = "SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"

    def change(stored):
        """Idle: it takes too long. Else a statement does, since it waits for a lock."""
        until = time.monotonic() + 20
        while setting.startswith("idle") and place.execute(None, activity) and time.monotonic() < until:
            time.sleep(0.01)
        return becomes("paid", "paid")(stored)
    if setting.startswith("idle"):
        assert reason(lambda: limited.settle([(row, change) for row in rows])) == "gone"
    else:
        with place.engine.begin() as other:
            other.exec_driver_sql("UPDATE mapi_orders SET last_error = '' WHERE out_trade_no = 'A2'")
            assert reason(lambda: limited.settle([(row, change) for row in rows])) == "locked"
    assert [row.outcome for row in store.rows()] == ["open", "open"] and store.counts()["effects"] == 0
    limited.settle([(row, becomes("paid", "paid")) for row in rows])
    assert [row.outcome for row in store.rows()] == ["paid", "paid"] and store.counts()["effects"] == 2
    place.close()


def test_mariadb_refuses_what_it_cannot_log_by_statement():
    """Whoever begins with binlog_format=STATEMENT learns it when the tables are made, not from a lost order."""
    plain = servers.mariadb()       # skips, where it cannot be started
    from alipay_mapi.fallback.stores.sql import SQLAlchemyStore

    class Logged(servers.MariaDB):
        def command(self):
            return [part for part in super().command() if part != "--skip-log-bin"] + [
                "--log-bin=" + os.path.join(self.folder, "log-bin"), "--server-id=1", "--binlog-format=STATEMENT"]
    server = Logged(plain.daemon)
    try:
        server.prepare()
        server.start()
        where = server.database()
        assert reason(lambda: SQLAlchemyStore(where)) not in ("gone", "locked")
        with closing(server.connect()) as connection:
            connection.cursor().execute("SET GLOBAL binlog_format = MIXED")
        store = SQLAlchemyStore(where)
        assert store.watch([watched("A1")]) == 1
        store.close()
    finally:
        server.remove()
