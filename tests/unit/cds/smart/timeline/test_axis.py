"""The axis of time: labels are local times, places are elapsed time, also when clocks change."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from cds.smart.timeline.axis import WINDOWS, axis_of


LONDON = ZoneInfo("Europe/London")


def labels(until: datetime, hours: int, zone: ZoneInfo = LONDON) -> list[str]:
    return [tick.label for tick in axis_of(until, hours, zone, 0, 100).ticks()]


def test_a_day_has_a_label_for_each_quarter_and_one_for_its_date() -> None:
    until = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
    assert labels(until, 24) == ["18:00", "21 Nov", "06:00", "12:00"]


def test_the_day_that_loses_an_hour_has_each_label_at_its_elapsed_time() -> None:
    until = datetime(2026, 3, 29, 11, 0, tzinfo=UTC)  # 12:00 BST; the clock went on at 01:00
    axis = axis_of(until, 24, LONDON, 0, 24)
    assert [(tick.label, tick.x) for tick in axis.ticks()] == [
        ("12:00", 1.0),
        ("18:00", 7.0),
        ("29 Mar", 13.0),
        ("06:00", 18.0),
        ("12:00", 24.0),
    ]
    assert axis.zones() == "GMT and BST"


def test_the_day_that_gains_an_hour_shows_each_local_time_once() -> None:
    until = datetime(2026, 10, 25, 12, 0, tzinfo=UTC)
    axis = axis_of(until, 24, LONDON, 0, 24)
    assert [tick.label for tick in axis.ticks()] == ["18:00", "25 Oct", "06:00", "12:00"]
    assert [tick.x for tick in axis.ticks()] == [5.0, 11.0, 18.0, 24.0]
    assert axis.zones() == "BST and GMT"


def test_a_midnight_that_does_not_exist_begins_the_day_at_its_first_moment() -> None:
    havana = ZoneInfo("America/Havana")  # on 8 March 2026 the clock goes from 00:00 to 01:00
    until = datetime(2026, 3, 8, 16, 0, tzinfo=UTC)
    days = [tick for tick in axis_of(until, 24, havana, 0, 24).ticks() if tick.day]
    assert [(tick.label, tick.x) for tick in days] == [("8 Mar", 13.0)]


@pytest.mark.parametrize("hours", WINDOWS)
@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Asia/Kathmandu", "UTC"])
def test_ticks_lie_within_the_drawing_from_left_to_right(hours: int, zone: str) -> None:
    for day in range(0, 370, 5):
        until = datetime(2026, 1, 1, 7, 11, tzinfo=UTC) + timedelta(days=day)
        places = [tick.x for tick in axis_of(until, hours, ZoneInfo(zone), 48, 700).ticks()]
        assert places
        assert all(48 <= x <= 700 for x in places)
        assert all(before < after for before, after in pairwise(places))


def test_what_is_outside_the_window_is_drawn_at_its_edge() -> None:
    until = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    axis = axis_of(until, 24, LONDON, 10, 20)
    assert axis.x(until - timedelta(days=9)) == 10
    assert axis.x(until + timedelta(days=9)) == 20
    assert axis.x(until - timedelta(hours=12)) == 15
