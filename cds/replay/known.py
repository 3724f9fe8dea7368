"""When a resource became known, by the times it carries; it interprets nothing else of it.

`issued`, else `meta.lastUpdated`, else the time of what it is about. Each has a weakness, named in
docs/replay.md. A date alone may be any time of its day in any zone of the world.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
from msgspec import Struct

from fhir_mapping.bundles import BAD_INPUT
from fhir_mapping.times import instant


By = Literal["issued", "last-updated", "effective", "timeless", "no-time"]
_FIRST_ZONE, _LAST_ZONE = timedelta(hours=14), timedelta(hours=12)
_FIRST_YEAR, _LAST_YEAR = 1900, 9000
_PARTIAL = re.compile(r"(\d{4})(?:-(\d\d))?", re.ASCII)
# The time of what a resource is about, best first; a member ending in `period` is a Period.
_ABOUT: Mapping[str, tuple[str, ...]] = {
    "Observation": ("effective_date_time", "effective_instant", "effective_period"),
    "MedicationAdministration": ("effective_date_time", "effective_period"),
    "MedicationRequest": ("authored_on",),
    "ServiceRequest": ("authored_on",),
    "Condition": ("recorded_date", "onset_date_time", "onset_period"),
    "Procedure": ("performed_date_time", "performed_period"),
    "Encounter": ("period",),
    "AllergyIntolerance": ("recorded_date", "onset_date_time"),
    "DeviceUseStatement": ("recorded_on", "timing_date_time", "timing_period"),
}
# Read of a patient; a product or a device is a thing, not something that happened.
DATED = frozenset(_ABOUT)


class Head(Struct, frozen=True, rename="camel"):
    """The members that say whose, what and when; any of them may be malformed."""

    resource_type: Any = None
    id: Any = None
    meta: Any = None
    subject: Any = None
    patient: Any = None
    issued: Any = None
    effective_date_time: Any = None
    effective_instant: Any = None
    effective_period: Any = None
    authored_on: Any = None
    recorded_date: Any = None
    recorded_on: Any = None
    onset_date_time: Any = None
    onset_period: Any = None
    performed_date_time: Any = None
    performed_period: Any = None
    period: Any = None
    timing_date_time: Any = None
    timing_period: Any = None
    request: Any = None


class Known(Struct, frozen=True):
    """When it became known, as early and as late as its time can mean; None: it cannot be told."""

    by: By
    earliest: datetime | None = None
    latest: datetime | None = None

    def surely(self, at: datetime) -> bool:
        """Known at `at`, without any doubt."""
        return self.by == "timeless" or (self.latest is not None and self.latest <= at)

    def possibly(self, at: datetime) -> bool:
        """Not surely later than `at`."""
        return self.earliest is None or self.earliest <= at


_HEAD = msgspec.json.Decoder(Head)


def head_of(raw: bytes | msgspec.Raw) -> Head | None:
    """The head of a JSON object, or None if it is none."""
    try:
        return _HEAD.decode(raw)
    except BAD_INPUT:
        return None


def when_known(head: Head, *, updates: bool = True) -> Known:
    """By the first of the three that is there; one that is there and unreadable is no time.

    `updates` False: `meta.lastUpdated` is passed over, where it is the day an export was loaded.
    """
    if head.resource_type == "Observation" and head.issued is not None:
        return _known("issued", head.issued)
    updated = head.meta.get("lastUpdated") if isinstance(head.meta, dict) else None
    if updates and updated is not None:
        return _known("last-updated", updated)
    return about(head)


def about(head: Head) -> Known:
    """By the time of what it is about alone."""
    if head.resource_type not in DATED:
        return Known("timeless")
    for name in _ABOUT[head.resource_type]:
        value = getattr(head, name)
        if isinstance(value, dict) and name.endswith("period"):
            value = _of_period(value, head.resource_type)
        if value is not None:
            return _known("effective", value)
    return Known("no-time")


def moment_of(head: Head) -> datetime | None:
    """The instant an order was written or an administration began; None: it has no such time."""
    if head.resource_type == "MedicationAdministration":
        period = head.effective_period
        start = period.get("start") if isinstance(period, dict) else None
        text = head.effective_date_time or start
    else:
        text = head.authored_on
    return _exact(text) if isinstance(text, str) else None


def is_plausible(at: datetime) -> bool:
    """Whether intervals can be counted from it: not from year 1, but from shifted dates."""
    return _FIRST_YEAR <= at.year <= _LAST_YEAR


def _exact(text: str) -> datetime | None:
    at = instant(text)
    return at if at is not None and is_plausible(at) else None


def _of_period(period: dict[str, Any], kind: str) -> Any:
    """A value over a period is known at its end; what runs is known from its start."""
    if kind == "Observation":
        return period.get("end") or period.get("start")
    return period.get("start")


def _known(by: By, value: object) -> Known:
    found = bounds(value) if isinstance(value, str) else None
    return Known("no-time") if found is None else Known(by, *found)


def bounds(text: str) -> tuple[datetime, datetime] | None:
    """The earliest and the latest instant a FHIR dateTime may mean."""
    exact = _exact(text)
    if exact is not None:
        return exact, exact
    try:
        start, end = _local(text)
        return (start - _FIRST_ZONE, end + _LAST_ZONE) if is_plausible(start) else None
    except (ValueError, OverflowError):
        return None


def _local(text: str) -> tuple[datetime, datetime]:
    """Where a local time, a day, a month or a year begins and ends, as if it were UTC."""
    partial = _PARTIAL.fullmatch(text)
    if partial is None:
        parsed = datetime.fromisoformat(text)
        start = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
        return start, start + (timedelta() if "T" in text else timedelta(days=1))
    year, month = int(partial[1]), int(partial[2] or 1)
    last = (year + 1, 1) if partial[2] is None or month == 12 else (year, month + 1)
    return datetime(year, month, 1, tzinfo=UTC), datetime(*last, 1, tzinfo=UTC)
