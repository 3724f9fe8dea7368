"""Which moments are evaluated, and what becomes of an assessment there."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cds.smart.timeline.band import MOST, moments, thinned
from tests.builders import NOW


SINCE = NOW - timedelta(hours=72)
TIMES = st.lists(
    st.integers(min_value=0, max_value=72 * 60).map(lambda m: SINCE + timedelta(minutes=m)),
    unique=True,
    max_size=400,
).map(sorted)


@given(TIMES, st.integers(min_value=0, max_value=100_000))
def test_moments_are_few_in_order_end_now_and_keep_the_first_and_last_charting(
    times: list, values: int
) -> None:
    found = moments(times, SINCE, NOW, values)
    assert len(found.at) <= MOST
    assert found.at[-1] == NOW
    assert all(before < after for before, after in pairwise(found.at))
    assert all(SINCE <= at <= NOW for at in found.at)
    if times:
        assert {times[0], times[-1]} <= set(found.at)


def test_few_times_of_charting_are_all_evaluated() -> None:
    times = [SINCE + timedelta(hours=place) for place in range(20)]
    found = moments(times, SINCE, NOW, 60)
    assert set(times) <= set(found.at)
    assert not found.thinned


def test_many_are_thinned_and_it_is_known() -> None:
    times = [SINCE + timedelta(minutes=place) for place in range(2000)]
    found = moments(times, SINCE, NOW, 2000)
    assert found.thinned
    assert (found.charted, found.shown) == (2000, 5)


def test_a_long_time_without_charting_is_evaluated_in_between() -> None:
    found = moments([SINCE], SINCE, NOW, 1)
    assert max(after - before for before, after in pairwise(found.at)) < timedelta(hours=8)


def test_without_any_charting_only_the_present_is_evaluated() -> None:
    assert moments([], SINCE, NOW, 0).at == (NOW,)


def test_thinning_is_even() -> None:
    times = [SINCE + timedelta(hours=place) for place in range(9)]
    assert thinned(times, 5) == tuple(times[::2])
    assert thinned(times, 9) == tuple(times)
