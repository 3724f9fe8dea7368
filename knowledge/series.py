"""Looking things up in series ordered by time: the newest value at a time, and its age."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar


class Timed(Protocol):
    """Anything that happened at one time."""

    @property
    def at(self) -> datetime: ...


T = TypeVar("T", bound=Timed)


def upto(series: Sequence[T], at: datetime) -> Sequence[T]:
    """The part of an ascending series that lies at or before `at`."""
    if series and series[-1].at <= at:
        return series
    return series[: bisect_right(series, at, key=lambda item: item.at)]


def newest(series: Sequence[T], at: datetime, since: datetime | None = None) -> T | None:
    """The newest value at or before `at` and not before `since`, or None."""
    part = upto(series, at)
    if not part or (since is not None and part[-1].at < since):
        return None
    return part[-1]


def any_within(series: Sequence[T], at: datetime, window: timedelta) -> T | None:
    """The newest value inside the window that ends at `at`, both ends included."""
    return newest(series, at, at - window)
