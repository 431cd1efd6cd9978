"""How often a flood may write: a burst, then a rate, and what was left out is counted."""
import threading

from hypothesis import given
from hypothesis import strategies as st

from alipay_mapi.contrib.web.seldom import Seldom


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_burst_passes_and_then_a_rate():
    clock = Clock()
    seldom = Seldom(2.0, 3, clock)
    assert [seldom.passes() for _ in range(5)] == [0, 0, 0, None, None]
    clock.now = 0.4
    assert seldom.passes() is None
    clock.now = 0.5
    assert [seldom.passes(), seldom.passes()] == [3, None]
    clock.now = 1000.0
    assert [seldom.passes() for _ in range(4)] == [1, 0, 0, None]


def test_a_clock_that_goes_back_opens_nothing_and_closes_nothing_for_good():
    clock = Clock()
    clock.now = 100.0
    seldom = Seldom(1.0, 1, clock)
    assert seldom.passes() == 0
    clock.now = 5.0
    assert seldom.passes() is None
    clock.now = 6.0
    assert seldom.passes() == 1


@given(st.lists(st.floats(0, 3), max_size=60), st.integers(1, 5), st.floats(0.1, 5))
def test_never_more_than_the_burst_and_the_rate_and_nothing_is_lost_from_the_count(steps, burst, rate):
    clock = Clock()
    seldom = Seldom(rate, burst, clock)
    passed = left_out = 0
    for step in steps:
        clock.now += step
        count = seldom.passes()
        if count is not None:
            passed, left_out = passed + 1, left_out + count
    assert passed <= burst + clock.now * rate + 1e-6
    clock.now += 100
    assert passed + left_out + seldom.passes() == len(steps)


def test_no_two_threads_count_at_once():
    """The clock is where they would meet: each waits there for the other, who must not come."""
    meeting, met, begun = threading.Barrier(2), [], []

    def clock():
        if begun:
            try:
                meeting.wait(0.2)
                met.append(1)
            except threading.BrokenBarrierError:
                pass
        return 0.0
    seldom = Seldom(1.0, 20, clock)
    begun.append(1)
    threads = [threading.Thread(target=seldom.passes) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert met == []


def test_from_many_threads_no_more_pass_and_every_one_is_counted():
    seldom = Seldom(1.0, 20, Clock())
    results, gate = [], threading.Barrier(8)

    def work():
        gate.wait(20)
        found = [seldom.passes() for _ in range(500)]
        results.extend(found)
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(results) == 4000 and sum(count is not None for count in results) == 20
    seldom._room = 1.0
    assert seldom.passes() == 3980
