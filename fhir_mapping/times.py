"""FHIR times to UTC instants; a time that cannot be ordered against `now` is refused, not guessed.

A date alone or a local time without a zone could be hours away from what it says, and freshness,
intervals and resolution are counted in hours.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from fhir_mapping.datatypes import Period


AHEAD = timedelta(minutes=5)  # clocks differ; anything later than this is a fault in the record
_DATE_AND_TIME = len("2026-11-21T12:00")
# The zones of the world: a local time may be this much earlier or later in UTC.
_FIRST_ZONE, _LAST_ZONE = timedelta(hours=14), timedelta(hours=12)


class When(NamedTuple):
    """When something was: `start` and, for a period, `end`; `problem` says why there is none."""

    start: datetime | None
    end: datetime | None
    problem: str


@lru_cache(maxsize=4096)
def instant(text: str) -> datetime | None:
    """A dateTime or instant with time and zone, in UTC; None for anything else."""
    if len(text) < _DATE_AND_TIME or text[10] != "T":
        return None
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.astimezone(UTC) if parsed.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def problem(text: str) -> str:
    """Why `text` is not an instant."""
    if "T" not in text:
        return f"the time {text[:32]} is a date without a time: it cannot be ordered"
    return f"the time {text[:32]} has no zone or is not a time: it cannot be ordered"


def latest(moment: str | None, period: Period | None, now: datetime) -> datetime | None:
    """The latest time a dateTime or Period that cannot be ordered may mean; None: the future.

    A date may be its whole day, a local time up to twelve hours later in UTC; anything else is now.
    """
    text = moment or (period and (period.end or period.start)) or ""
    start = instant(moment or (period and period.start) or "")
    if start is not None and start > now + AHEAD:
        return None
    try:
        parsed = datetime.fromisoformat(text)
        if parsed.tzinfo is not None:
            return min(parsed.astimezone(UTC), now)
        spread = _LAST_ZONE if "T" in text else _LAST_ZONE + timedelta(days=1)
        earliest = parsed.replace(tzinfo=UTC) - _FIRST_ZONE
        return None if earliest > now else min(parsed.replace(tzinfo=UTC) + spread, now)
    except (ValueError, OverflowError):
        return now


def read_when(moment: str | None, period: Period | None, now: datetime) -> When:
    """A dateTime or a Period. A start in the future is a problem; an end in the future is open."""
    if moment is not None:
        return _checked(instant(moment), None, moment, now)
    if period is None:
        return When(None, None, "no time is given")
    end = instant(period.end) if period.end else None
    if period.end and end is None:
        return When(None, None, problem(period.end))
    if period.start is None:
        return _checked(end, end, "", now)
    return _checked(instant(period.start), end, period.start, now)


def _checked(start: datetime | None, end: datetime | None, text: str, now: datetime) -> When:
    if start is None:
        return When(None, None, problem(text) if text else "no time is given")
    if start > now + AHEAD:
        return When(None, None, f"the time {start:%Y-%m-%dT%H:%MZ} is in the future: not used")
    if end is not None and end < start:
        return When(None, None, "the period ends before it starts: not used")
    return When(start, end if end is None or end <= now + AHEAD else None, "")
