"""Connections that fork, break, or lose a deadlock; servers that go and come back."""
import os
import threading

import pytest


import servers
from stores_under_test import (Place, START, KINDS, SERVERS, at_once, becomes, claim, kill, numbers, reason, watched)


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


@pytest.mark.parametrize("kind", SERVERS)
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


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_that_is_gone_is_a_store_error_until_it_is_back(kind, tmp_path):
    place, server = Place(kind, tmp_path), getattr(servers, kind)()
    store = place.open()
    store.watch([watched("A1")])
    server.stop(kill=True)
    try:
        assert reason(lambda: claim(store)) == "gone"
        assert reason(place.open) == "gone"
    finally:
        server.start()
    assert numbers(claim(store)) == ["A1"]
    place.close()


@pytest.mark.parametrize("kind", SERVERS)
def test_a_transaction_that_lost_a_deadlock_is_run_again(kind, tmp_path):
    """Another transaction takes two rows in the opposite order."""
    place = Place(kind, tmp_path)
    import sqlalchemy
    from alipay_mapi.fallback.stores.sql_orders import _locked_rows
    store = place.open()
    store.watch([watched("A1"), watched("A2")])
    rows, calls, held, asked = claim(store), [], threading.Event(), threading.Event()

    def other():
        lock = "UPDATE mapi_orders SET last_error = 'x' WHERE shop = 'shop' AND out_trade_no = '{}'"
        with sqlalchemy.create_engine(place.where, isolation_level="READ COMMITTED").begin() as db:
            db.exec_driver_sql(lock.format("A2"))
            held.set()
            asked.wait(20)
            db.exec_driver_sql(lock.format("A1"))

    def settle():
        held.wait(20)

        def work(db):
            found = _locked_rows(db, [rows[0].id], START)
            calls.append(found[rows[0].id].out_trade_no)
            asked.set()
            return numbers(_locked_rows(db, [rows[1].id], START).values())
        return store._transact(work)
    results = at_once(other, settle)
    # One of the two was undone by the database: the other transaction (an error here), or ours (run again).
    assert results[1] == ["A2"] and (results[0] is None or "eadlock" in str(results[0]))
    assert len(calls) == (2 if results[0] is None else 1)
    place.close()
