"""Looking things up in series ordered by time: the newest value at a time, and its age."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Protocol, TypeVar


class Timed(Protocol):
    """Anything that happened at one time."""

    @property
    def at(self) -> datetime: ...


T = TypeVar("T", bound=Timed)
_AT = attrgetter("at")


def upto(series: Sequence[T], at: datetime) -> Sequence[T]:
    """The part of an ascending series that lies at or before `at`."""
    if series and series[-1].at <= at:
        return series
    return series[: bisect_right(series, at, key=_AT)]


def newest(series: Sequence[T], at: datetime, since: datetime | None = None) -> T | None:
    """The newest value at or before `at` and not before `since`, or None."""
    if not series:
        return None
    found = series[-1]
    if found.at > at:
        place = bisect_right(series, at, key=_AT)
        if place == 0:
            return None
        found = series[place - 1]
    return found if since is None or found.at >= since else None


def any_within(series: Sequence[T], at: datetime, window: timedelta) -> T | None:
    """The newest value inside the window that ends at `at`, both ends included."""
    return newest(series, at, at - window)
