"""Dates in searches: every prefix against every precision, by the ranges R4 gives them.

http://hl7.org/fhir/R4/search.html#prefix and #date.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.demo.fhir.dates import COMPARISONS, Range, range_in, range_of


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2026", "2026-01-01T00:00Z", "2027-01-01T00:00Z"),
        ("2026-12", "2026-12-01T00:00Z", "2027-01-01T00:00Z"),
        ("2024-02", "2024-02-01T00:00Z", "2024-03-01T00:00Z"),
        ("2026-11-21", "2026-11-21T00:00Z", "2026-11-22T00:00Z"),
        ("2026-11-21T10:30Z", "2026-11-21T10:30Z", "2026-11-21T10:31Z"),
        ("2026-11-21T10:30:05Z", "2026-11-21T10:30:05Z", "2026-11-21T10:30:06Z"),
        ("2026-11-21T10:30:05+01:00", "2026-11-21T09:30:05Z", "2026-11-21T09:30:06Z"),
        ("2026-11-21T10:30:05-05:30", "2026-11-21T16:00:05Z", "2026-11-21T16:00:06Z"),
        ("2026-11-21T10:30:05.5Z", "2026-11-21T10:30:05.500Z", "2026-11-21T10:30:05.600Z"),
        ("2026-11-21T10:30:05.123Z", "2026-11-21T10:30:05.123Z", "2026-11-21T10:30:05.124Z"),
    ],
)
def test_a_date_stands_for_all_the_time_it_could_be(text: str, low: str, high: str) -> None:
    assert range_of(text) == Range(at(low), at(high))


@pytest.mark.parametrize("text", ["", "21.11.2026", "2026-13", "2026-02-30", "26", "2026-11-21T10"])
def test_what_is_no_date_has_no_range(text: str) -> None:
    assert range_of(text) is None


# Stored, prefixes that find it, out of eq ne gt lt ge le sa eb; asked is 2026-11-21 (the day).
STORED = [
    ("2026-11-21", "eq ge le"),
    ("2026-11-21T10:00:00Z", "eq ge le"),
    ("2026-11-20", "ne lt le eb"),
    ("2026-11-20T23:59:59Z", "ne lt le eb"),
    ("2026-11-22", "ne gt ge sa"),
    ("2026-11-22T00:00:00Z", "ne gt ge sa"),
    ("2026-11", "ne gt lt ge le"),
    ({"start": "2026-11-20", "end": "2026-11-21"}, "ne lt le"),
    ({"start": "2026-11-21T08:00:00Z", "end": "2026-11-21T09:00:00Z"}, "eq ge le"),
    ({"start": "2026-11-21T08:00:00Z"}, "ne gt ge"),
    ({"end": "2026-11-21T08:00:00Z"}, "ne lt le"),
    ({"start": "2026-11-25"}, "ne gt ge sa"),
]


@pytest.mark.parametrize(("stored", "prefixes"), STORED)
def test_prefixes(stored: object, prefixes: str) -> None:
    asked, found = range_of("2026-11-21"), range_in(stored)
    assert asked is not None
    assert found is not None
    assert {name for name, holds in COMPARISONS.items() if holds(found, asked)} == set(
        prefixes.split()
    )


START = datetime(2020, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 10 * 365 * 86400).map(lambda seconds: START + timedelta(seconds=seconds))


@given(first=MOMENTS, second=MOMENTS)
def test_two_instants_compare_as_times_do(first: datetime, second: datetime) -> None:
    stored, asked = range_of(first.isoformat()), range_of(second.isoformat())
    assert stored is not None
    assert asked is not None
    expected = {
        "eq": first == second,
        "ne": first != second,
        "gt": first > second,
        "lt": first < second,
        "ge": first >= second,
        "le": first <= second,
        "sa": first > second,
        "eb": first < second,
    }
    assert {name: holds(stored, asked) for name, holds in COMPARISONS.items()} == expected


@given(moment=MOMENTS, minutes=st.integers(-14 * 60, 14 * 60))
def test_the_zone_a_time_is_written_in_does_not_matter(moment: datetime, minutes: int) -> None:
    sign, rest = ("-", -minutes) if minutes < 0 else ("+", minutes)
    local = (moment + timedelta(minutes=minutes)).replace(tzinfo=None).isoformat()
    assert range_of(f"{local}{sign}{rest // 60:02}:{rest % 60:02}") == range_of(moment.isoformat())
