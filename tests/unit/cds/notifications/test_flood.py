"""The token bucket: what it lets in, and that what it refuses is told of."""

from hypothesis import given
from hypothesis import strategies as st

from cds.notifications import flood
from cds.notifications.flood import Bucket, Buckets, Limits, take


LIMITS = Limits(per_second=2.0, burst=3)


def test_a_burst_is_let_in_and_then_two_a_second() -> None:
    bucket: Bucket | None = None
    let_in = []
    for at in (0.0, 0.0, 0.0, 0.0, 0.4, 0.5, 0.9, 1.0):
        bucket, verdict = take(bucket, at, LIMITS)
        let_in.append(verdict.wait == 0)
    assert let_in == [True, True, True, False, False, True, False, True]


def test_the_wait_is_a_whole_number_of_seconds_after_which_one_is_let_in() -> None:
    slow = Limits(per_second=0.25, burst=1)
    bucket, _ = take(None, 0.0, slow)
    bucket, verdict = take(bucket, 0.0, slow)
    assert verdict.wait == 4
    assert take(bucket, 4.0, slow)[1].wait == 0


@given(
    gaps=st.lists(st.floats(0, 3, allow_nan=False), min_size=1, max_size=200),
    per_second=st.floats(0.1, 50),
    burst=st.integers(1, 20),
)
def test_never_more_than_the_burst_and_the_rate(
    gaps: list[float], per_second: float, burst: int
) -> None:
    limits = Limits(per_second, burst)
    bucket, now, let_in = None, 0.0, 0
    for gap in gaps:
        now += gap
        bucket, verdict = take(bucket, now, limits)
        let_in += verdict.wait == 0
    assert let_in <= burst + now * per_second + 1e-6


@given(gaps=st.lists(st.floats(0, 0.9, allow_nan=False), min_size=1, max_size=200))
def test_whatever_is_refused_is_told_of_at_once_within_a_second_or_with_the_next_let_in(
    gaps: list[float],
) -> None:
    bucket, now, told_at, owed = None, 0.0, None, False
    for gap in gaps:
        now += gap
        bucket, verdict = take(bucket, now, LIMITS)
        if verdict.wait and not verdict.tell:
            assert told_at is not None
            assert now - told_at < 1.0
            owed = True
        if not verdict.wait:
            assert verdict.tell == owed
        if verdict.tell:
            told_at, owed = now, False
        assert bucket.owed == owed


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket, _ = take(Bucket(0.0, 100.0), 50.0, LIMITS)
    assert bucket.tokens == 0.0


def test_each_subscription_has_its_own_bucket() -> None:
    buckets = Buckets(lambda: 0.0, Limits(1.0, 1))
    assert buckets.admit("a").wait == 0
    assert buckets.admit("a").wait == 1
    assert buckets.admit("b").wait == 0


def test_what_could_not_be_told_is_due_with_the_next_one() -> None:
    buckets = Buckets(lambda: 0.0, Limits(1.0, 1))
    buckets.admit("a")
    assert buckets.admit("a").tell
    assert not buckets.admit("a").tell
    buckets.owe("a")
    assert buckets.admit("a").tell
    buckets.owe("never-seen")


def test_strange_names_do_not_fill_the_memory() -> None:
    buckets = Buckets(lambda: 0.0, Limits(1.0, 1))
    for number in range(flood.MOST_BUCKETS + 1):
        buckets.admit(str(number))
    assert buckets.admit("0").wait == 0  # forgotten
    assert buckets.admit(str(flood.MOST_BUCKETS)).wait == 1
