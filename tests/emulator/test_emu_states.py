"""Buyers, shops, refunds and the clock, in any order: what must hold after every step."""
import os
import shutil
import tempfile
from decimal import Decimal

from core_setup import MD5, NOTIFY, Address, gateway
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from alipay_mapi.emulator import Refused
from alipay_mapi.status import RANK

TABLES = ("trades", "plans", "refunds", "notifications", "deliveries")
#: An event of a notification may only follow one of a lower rank.
NOTIFIED = {"paid": 1, "refund status": 2, "refunded": 2, "refund_failed": 2, "finished": 3}
AMOUNTS = st.sampled_from(["0.01", "1.00", "3.33", "10.00"])


class Gateway(RuleBasedStateMachine):
    """Two merchants' orders, cross-border and mainland, over a file."""

    orders = Bundle("orders")

    @initialize()
    def start(self):
        self.folder = tempfile.mkdtemp()
        self.path = os.path.join(self.folder, "ledger")
        self.count, self.ranks, self.closed_unpaid, self.paid = 0, {}, set(), set()
        self.open()

    def open(self, start=None):
        given = {} if start is None else {"start": start}
        self.emulator = gateway(Address(), state=self.path, **given)

    def attempt(self, call, *args, **kwargs):
        try:
            call(*args, **kwargs)
        except Refused:
            pass

    @rule(target=orders, mainland=st.booleans(), rule=st.sampled_from(["5m", "12h"]))
    def place(self, mainland, rule):
        self.count += 1
        number = "A{}".format(self.count)
        if mainland:
            self.emulator.place(number, service="create_direct_pay_by_user", payment_type="1", it_b_pay=rule)
        else:
            self.emulator.place(number, timeout_rule=rule)
        return number

    @rule(number=orders)
    def log_in(self, number):
        self.attempt(self.emulator.log_in, number)

    @rule(number=orders, lose=st.booleans())
    def pay(self, number, lose):
        self.attempt(self.emulator.pay, number, lose=lose)

    @rule(number=orders, seconds=st.sampled_from([0, 60, 300, 3600]))
    def pay_later(self, number, seconds):
        self.attempt(self.emulator.pay_later, number, seconds)

    @rule(number=orders)
    def close(self, number):
        self.attempt(self.emulator.close_trade, number)

    @rule(number=orders, amount=AMOUNTS)
    def refund(self, number, amount):
        self.attempt(self.emulator.refund, number, amount, notify_url=NOTIFY)

    @rule(number=orders, amount=AMOUNTS, sync=st.sampled_from(["Y", "N"]), name=st.sampled_from(["R1", "R2", "R3"]))
    def ask_for_refund(self, number, amount, sync, name):
        self.attempt(self.emulator.refunds.ask, MD5, {
            "out_return_no": name, "out_trade_no": number, "currency": "USD", "return_amount": amount,
            "is_sync": sync, "notify_url": NOTIFY})

    @rule(balance=st.sampled_from([None, "0.00", "20.00"]))
    def balance(self, balance):
        self.emulator.settings("md5", balance=balance)

    @rule(seconds=st.sampled_from([1, 299, 3600, 86400, 91 * 86400]))
    def advance(self, seconds):
        self.emulator.advance(seconds)

    @rule(seconds=st.sampled_from([-3600, 7200, 181 * 86400]))
    def move(self, seconds):
        self.emulator.clock.move(seconds)

    @rule()
    def deliver(self):
        self.emulator.deliver()

    @rule(fault=st.sampled_from(["lost", "late", "twice", "out-of-order", "forged"]))
    def fail(self, fault):
        self.emulator.fail(fault)

    @rule()
    def restart(self):
        before, now = [self.emulator.ledger.rows(table) for table in TABLES], self.emulator.clock.now()
        self.emulator.close()
        self.open(now)
        assert before == [self.emulator.ledger.rows(table) for table in TABLES]

    @invariant()
    def money_is_neither_made_nor_lost(self):
        for row in self.rows("trades"):
            refunds = [one for one in self.rows("refunds") if one["out_trade_no"] == row["out_trade_no"]
                       and one["refund_status"] != "REFUND_FAIL"]
            done = [one for one in refunds if one["refund_status"] == "REFUND_SUCCESS"]
            reserved = sum(Decimal(one["amount"]) for one in refunds)
            assert reserved == Decimal(row["refunded"]) <= Decimal(row["total_fee"])
            assert sum(Decimal(one["cny"]) for one in done) == Decimal(row["to_buyer_fee"]) <= Decimal(row["cny"])
            assert row.get("gmt_payment") or not refunds

    @invariant()
    def a_trade_never_goes_back_and_one_that_was_closed_unpaid_is_never_paid(self):
        for row in self.rows("trades"):
            number, rank = row["out_trade_no"], RANK.get(row["trade_status"], 0)
            assert self.ranks.get(number, 0) <= rank
            self.ranks[number] = rank
            if row["trade_status"] == "TRADE_CLOSED" and not row.get("gmt_payment"):
                self.closed_unpaid.add(number)
            assert not (number in self.closed_unpaid and row.get("gmt_payment"))

    @invariant()
    def every_payment_is_notified_once_and_nothing_that_did_not_happen(self):
        sent = {}
        for row in self.rows("notifications"):
            sent.setdefault(row["out_trade_no"], []).append(row["event"])
        for row in self.rows("trades"):
            events = sent.pop(row["out_trade_no"], [])
            assert events.count("paid") == (1 if row.get("gmt_payment") else 0)
            assert events.count("finished") <= 1
            assert [NOTIFIED[event] for event in events][:1] in ([], [1])
        assert not sent

    @invariant()
    def what_was_acknowledged_is_not_sent_again_and_what_is_due_has_a_time(self):
        for row in self.rows("notifications"):
            delivered = self.emulator.ledger.count("deliveries", notification=row["id"])
            assert (row["next_at"] is not None) == (row["state"] == "queued")
            assert delivered == {"acknowledged": 2 if row["fault"] == "twice" else 1}.get(row["state"], 0)

    def rows(self, table):
        return self.emulator.ledger.rows(table) if hasattr(self, "emulator") else []

    def teardown(self):
        if hasattr(self, "emulator"):
            self.emulator.close()
            shutil.rmtree(self.folder, ignore_errors=True)


TestGateway = Gateway.TestCase
TestGateway.settings = settings(max_examples=25, stateful_step_count=25, deadline=None,
                                suppress_health_check=list(HealthCheck))
