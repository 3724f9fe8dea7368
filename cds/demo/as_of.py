"""What a record held at an earlier hour: of a fetched Bundle, everything charted by then.

The sandbox server holds a whole story. Its times of charting are the clinical ones, so what is
later than the hour is left out, and what was still going on has no end yet. Judges nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Raw


Resource = dict[str, Any]
_STARTS: Mapping[str, tuple[str, ...]] = {
    "Observation": ("effectiveDateTime", "effectiveInstant", "effectivePeriod", "issued"),
    "MedicationAdministration": ("effectiveDateTime", "effectivePeriod"),
    "MedicationRequest": ("authoredOn",),
    "ServiceRequest": ("authoredOn",),
    "Condition": ("onsetDateTime", "onsetPeriod", "recordedDate"),
    "Procedure": ("performedDateTime", "performedPeriod"),
    "Encounter": ("period",),
    "Flag": ("period",),
}
_PERIODS = ("effectivePeriod", "performedPeriod", "onsetPeriod", "period")
_ENDS = ("abatementDateTime",)
_RUNNING = {"MedicationAdministration": "in-progress", "Procedure": "in-progress"}


def as_of(value: Resource, at: datetime) -> Resource:
    """A prefetch value as it was at `at`; a Bundle that was a search result stays one."""
    if value.get("resourceType") != "Bundle":
        return value
    entries = [
        {**entry, "resource": _then(entry["resource"], at)} if "resource" in entry else entry
        for entry in value.get("entry", [])
        if "resource" not in entry or _was_there(entry["resource"], at)
    ]
    found = {name: member for name, member in value.items() if name != "entry"}
    if "total" in found:
        found["total"] = Raw(str(sum(map(_is_match, entries))).encode())
    return {**found, "entry": entries} if entries else found


def _is_match(entry: Resource) -> bool:
    return entry.get("search", {}).get("mode", "match") == "match"


def _was_there(resource: Resource, at: datetime) -> bool:
    start = _start(resource)
    return start is None or start <= at


def _start(resource: Resource) -> datetime | None:
    for name in _STARTS.get(str(resource.get("resourceType")), ()):
        value = resource.get(name)
        found = _moment(value.get("start") if isinstance(value, dict) else value)
        if found is not None:
            return found
    return None


def _then(resource: Resource, at: datetime) -> Resource:
    """The resource without an end that had not come yet."""
    found = dict(resource)
    for name in _PERIODS:
        period = found.get(name)
        end = _moment(period.get("end")) if isinstance(period, dict) else None
        if period is not None and end is not None and end > at:
            found[name] = {key: value for key, value in period.items() if key != "end"}
            running = _RUNNING.get(str(found.get("resourceType")))
            if running is not None:
                found["status"] = running
    for name in _ENDS:
        end = _moment(found.get(name))
        if end is not None and end > at:
            del found[name]
    return found


def _moment(text: object) -> datetime | None:
    """A time to the second with its zone; a date alone says too little to leave anything out."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
