"""Missing events told from numbers: against sets, for any order of repeats, gaps and restarts."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.notifications.counting import (
    MAX_RANGES,
    Count,
    Counted,
    Ranges,
    count_of,
    observe,
    with_count,
)
from cds.store.rows import SubscriptionRow


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ROW = SubscriptionRow(
    id="0e3f0f5c-6ab6-4b7a-9c39-6a4d7f3b7d01",
    site="north",
    criteria="Observation?",
    kind="topic",
    content="id-only",
    status="active",
    heard_at=NOW,
)


def numbers(ranges: Ranges) -> set[int]:
    return {one for first, last in ranges for one in range(first, last + 1)}


def after(*deliveries: int) -> Count:
    """Each number by itself, told as new the first time only."""
    count = Count()
    seen: set[int] = set()
    for one in deliveries:
        count = observe(count, (one,), one, new=one not in seen).count
        seen.add(one)
    return count


@st.composite
def deliveries(draw: st.DrawFn, *, most: int = 30) -> list[int]:
    """Some of the numbers from 1 on, in any order, any of them again at any place."""
    return draw(st.lists(st.integers(1, most), min_size=1, max_size=40))


@given(came=deliveries())
def test_missing_is_what_sets_say_whatever_the_order(came: list[int]) -> None:
    count = Count()
    seen: set[int] = set()
    for one in came:
        new = one not in seen
        seen.add(one)
        count = observe(count, (one,), None, new=new).count
        assert numbers(count.missing) == set(range(1, max(seen) + 1)) - seen
        assert count.last == max(seen)


@given(lives=st.lists(deliveries(most=12), min_size=1, max_size=5))
def test_a_server_that_counts_anew_is_followed_from_its_restart(lives: list[list[int]]) -> None:
    count = Count()
    for life in lives:
        # Before the restart everything came, and more than the new life begins with.
        for one in range(count.last + 1, max(life) + 3):
            count = observe(count, (max(one, 1),)).count
        count = observe(count, tuple(numbers(count.missing))).count if count.missing else count
        seen: set[int] = set()
        for at, one in enumerate(life):
            counted = observe(count, (one,), None, new=one not in seen)
            assert counted.restarted == (at == 0)
            count = counted.count
            seen.add(one)
        assert numbers(count.missing) == set(range(1, max(seen) + 1)) - seen
        assert count.last == max(seen)


@given(batches=st.lists(st.sets(st.integers(1, 40), min_size=1, max_size=6), max_size=20))
def test_several_events_in_one_notification_count_as_each_by_itself(
    batches: list[set[int]],
) -> None:
    count = Count()
    seen: set[int] = set()
    for batch in batches:
        total = max([*batch, *seen])
        count = observe(count, batch, total, new=not batch <= seen).count
        seen |= batch
        assert numbers(count.missing) == set(range(1, max(seen) + 1)) - seen


@given(came=deliveries(), total=st.integers(0, 40))
def test_what_is_still_missing_was_reported_as_a_gap_once(came: list[int], total: int) -> None:
    count = Count()
    seen: set[int] = set()
    reported: set[int] = set()
    for one in came:
        counted = observe(count, (one,), None, new=one not in seen)
        reported |= numbers(counted.gaps)
        assert numbers(counted.gaps).isdisjoint(numbers(count.missing))
        count = counted.count
        seen.add(one)
    if total >= count.last:
        counted = observe(count, (), total)
        assert numbers(counted.gaps) == set(range(max(seen) + 1, total + 1))
        assert counted.count.last == total


def test_a_number_that_is_skipped_is_a_gap_and_closes_when_it_comes_late() -> None:
    count = after(1, 2)
    jumped = observe(count, (5,), 5)
    assert jumped == Counted(Count(5, ((3, 4),)), gaps=((3, 4),))
    late = observe(jumped.count, (3,), 3)
    assert late == Counted(Count(5, ((4, 4),)))
    assert observe(late.count, (4,), 4) == Counted(Count(5))


def test_a_repeat_is_neither_a_gap_nor_a_restart() -> None:
    count = after(1, 2, 3)
    assert observe(count, (3,), 3, new=False) == Counted(count)
    assert observe(count, (1,), 1, new=False) == Counted(count)
    # The last one, told in a new Bundle: nothing follows from that.
    assert observe(count, (3,), 3, new=True) == Counted(count)
    # An old one told again with the present total is no restart either.
    assert observe(count, (1, 2, 3), 3, new=True) == Counted(count)


def test_a_lower_number_that_was_never_received_is_a_restart() -> None:
    again = observe(after(1, 2, 3, 4), (2,), 2, new=True)
    assert again == Counted(Count(2, ((1, 1),)), gaps=((1, 1),), restarted=True)
    assert not again.complete


@pytest.mark.parametrize("total", [0, 4])
def test_a_handshake_or_heartbeat_with_the_known_total_changes_nothing(total: int) -> None:
    count = after(*range(1, total + 1))
    found = observe(count, (), total)
    assert found.complete
    assert found.count.last == total


def test_a_heartbeat_shows_events_that_never_came_and_a_restart() -> None:
    assert observe(after(1, 2), (), 4) == Counted(Count(4, ((3, 4),)), gaps=((3, 4),))
    assert observe(after(1, 2), (), 0) == Counted(Count(0), restarted=True)


def test_the_first_event_is_1_and_a_0_leaves_no_gap() -> None:
    assert observe(Count(), (1,), 1).complete
    assert observe(Count(), (0,), 0).complete
    assert observe(observe(Count(), (0,), 0).count, (1,), 1).complete
    assert observe(Count(), (3,), 3).gaps == ((1, 2),)


def test_nothing_said_is_nothing_counted() -> None:
    assert observe(Count(7, ((2, 3),)), ()) == Counted(Count(7, ((2, 3),)))


@given(came=st.sets(st.integers(1, 10**17), max_size=300))
def test_however_many_gaps_there_are_their_list_stays_short_and_loses_none(came: set[int]) -> None:
    count = Count()
    for one in sorted(came):
        count = observe(count, (one,)).count
        assert len(count.missing) <= MAX_RANGES
    assert all(a <= b for a, b in count.missing)
    gone = {one for one in came if any(a <= one <= b for a, b in count.missing)}
    if len(came) <= MAX_RANGES:
        assert not gone
    expected = 0 if not came else max(came) - len(came)
    assert sum(b - a + 1 for a, b in count.missing) == expected + len(gone)


@given(came=deliveries())
def test_the_row_remembers_the_count(came: list[int]) -> None:
    count = after(*came)
    row = with_count(ROW, count, NOW)
    assert count_of(row) == count
    assert row.gap_from == (min(numbers(count.missing)) if count.missing else None)
    assert (row.gap_at is None) == (not count.missing)


def test_a_gap_keeps_the_time_at_which_it_was_noticed_until_it_closes() -> None:
    later = NOW + timedelta(minutes=5)
    opened = with_count(ROW, after(1, 3), NOW)
    assert (opened.gap_from, opened.gap_at, opened.missing) == (2, NOW, "2")
    wider = with_count(opened, after(1, 3, 6), later)
    assert (wider.gap_from, wider.gap_at, wider.missing) == (2, NOW, "2,4-5")
    closed = with_count(wider, after(1, 2, 3, 4, 5, 6), later)
    assert (closed.gap_from, closed.gap_at, closed.missing) == (None, None, "")
    assert msgspec.structs.replace(closed, last_event=-1) == ROW
