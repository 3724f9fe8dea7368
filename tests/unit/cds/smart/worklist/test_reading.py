"""Many at once: a few at a time, in their order, and not for ever."""

import threading

from cds.smart.worklist.reading import AT_ONCE, all_within


def test_answers_come_in_the_order_asked_and_few_are_asked_at_a_time() -> None:
    lock, gate = threading.Lock(), threading.Barrier(AT_ONCE, timeout=10)
    now, most = 0, 0

    def job(item: str) -> str:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        gate.wait()  # goes on only when so many are there
        with lock:
            now -= 1
        return item.upper()

    items = [f"p{place}" for place in range(3 * AT_ONCE)]
    assert all_within(items, job, items, seconds=20) == tuple(one.upper() for one in items)
    assert most == AT_ONCE


def test_what_takes_too_long_is_late_and_the_rest_is_there() -> None:
    release = threading.Event()

    def job(item: str) -> str:
        if item == "slow":
            release.wait(10)
        return item

    try:
        found = all_within(["slow", "quick"], job, ["late", "late"], seconds=0.5)
    finally:
        release.set()
    assert found == ("late", "quick")


def test_nobody_is_no_fault() -> None:
    assert all_within([], str.upper, [], seconds=1) == ()
