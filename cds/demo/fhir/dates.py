"""FHIR dates as ranges of time, and R4's comparison of a searched with a stored range.

A value of less than full precision stands for all of the time it could be (R4 search, "date").
Times without a zone are taken as UTC. No clock.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any, NamedTuple


_FORM = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?"
    r"(Z|[+-]\d\d:\d\d)?)?)?)?"
)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)


class Range(NamedTuple):
    """From `low` on, up to but without `high`."""

    low: datetime
    high: datetime


Compare = Callable[[Range, Range], bool]


def _within(stored: Range, asked: Range) -> bool:
    return asked.low <= stored.low and stored.high <= asked.high


# R4 search, "Prefixes": each says how the stored range lies to the one asked for.
COMPARISONS: Mapping[str, Compare] = MappingProxyType(
    {
        "eq": _within,
        "ne": lambda stored, asked: not _within(stored, asked),
        "gt": lambda stored, asked: stored.high > asked.high,
        "lt": lambda stored, asked: stored.low < asked.low,
        "ge": lambda stored, asked: stored.high > asked.high or _within(stored, asked),
        "le": lambda stored, asked: stored.low < asked.low or _within(stored, asked),
        "sa": lambda stored, asked: stored.low >= asked.high,
        "eb": lambda stored, asked: stored.high <= asked.low,
    }
)


def range_of(text: str) -> Range | None:
    """The range of a date, dateTime or instant; None where the text is none of them."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    date = (int(year), int(month or 1), int(day or 1))
    time = (int(hour or 0), int(minute or 0), int(second or 0))
    part = int(f"{fraction or 0:0<6}"[:6])
    try:
        low = datetime(*date, *time, part, tzinfo=_zone(zone))
        return Range(low, _after(low, month, day, hour, second, fraction))
    except ValueError:
        return None
    except OverflowError:
        return Range(_EARLIEST, _LATEST)


def range_in(value: Any) -> Range | None:
    """The range of a stored element: a date of any kind, or a Period open at either end."""
    if isinstance(value, str):
        return range_of(value)
    if not isinstance(value, dict) or not {"start", "end"} & value.keys():
        return None
    start, end = value.get("start"), value.get("end")
    low = range_of(start) if isinstance(start, str) else Range(_EARLIEST, _EARLIEST)
    high = range_of(end) if isinstance(end, str) else Range(_LATEST, _LATEST)
    return None if low is None or high is None else Range(low.low, high.high)


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)


def _after(
    low: datetime,
    month: str | None,
    day: str | None,
    hour: str | None,
    second: str | None,
    fraction: str | None,
) -> datetime:
    """The end of what a value of this precision, beginning at `low`, stands for."""
    if month is None:
        return low.replace(year=low.year + 1) if low.year < _LATEST.year else _LATEST
    if day is None:
        return (low + timedelta(days=32)).replace(day=1)
    if hour is None:
        return low + timedelta(days=1)
    if second is None:
        return low + timedelta(minutes=1)
    if fraction is None:
        return low + timedelta(seconds=1)
    return low + timedelta(microseconds=10 ** max(0, 6 - len(fraction)))
