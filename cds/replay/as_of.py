"""What a record held at an earlier moment: resources known by then, without what came later.

Nothing is added to a resource, and nothing of it is judged. Two readings: of an export, written
long after, only what was surely known counts; of a saved request, everything but what is surely
later, because all of it was there when the request was sent.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct

from cds.replay.known import Head, Known, bounds
from fhir_mapping.bundles import BAD_INPUT, is_null


# Of a Patient whose last change came later, or at a time nobody knows: what does not change.
_LASTING = ("resourceType", "id", "identifier", "gender", "birthDate")
_ENDS: Mapping[str, str] = {
    "MedicationAdministration": "effectivePeriod",
    "Procedure": "performedPeriod",
    "Encounter": "period",
    "DeviceUseStatement": "timingPeriod",
}
_OVER: Mapping[str, tuple[frozenset[str], str]] = {
    "MedicationAdministration": (frozenset({"completed", "stopped", "on-hold"}), "in-progress"),
    "Procedure": (frozenset({"completed", "stopped", "on-hold"}), "in-progress"),
    "Encounter": (frozenset({"finished", "onleave"}), "in-progress"),
    "DeviceUseStatement": (frozenset({"completed", "stopped"}), "active"),
}
_ACTIVE = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
            "code": "active",
        }
    ]
}
_ABATED = frozenset({"abatementDateTime", "abatementPeriod"})
_ENCODER = msgspec.json.Encoder()
Members = dict[str, Raw]


class Item(Struct, frozen=True):
    """One resource of a patient: its JSON, its head, where it stands and when it became known.

    `grade`: a clinician's grade of a toxicity, by the code sets of the site.
    """

    raw: bytes
    head: Head
    known: Known
    file: int = 0
    line: int = 0
    grade: bool = False

    @property
    def type(self) -> str:
        """Its resource type; one that is no text is none."""
        kind = self.head.resource_type
        return kind if isinstance(kind, str) else ""


def then(item: Item, at: datetime, known_by: datetime | None = None) -> bytes | None:
    """The resource of an export as it surely was at `at`; None: it was not known by then.

    `known_by`: where more was known than had happened, as by who looks back at `at`.
    """
    if item.type == "Patient":
        return _patient_then(item, at)
    if not item.known.surely(known_by or at):
        return None
    return _unfinished(item, at) if item.known.by == "effective" else item.raw


def then_sent(item: Item, at: datetime) -> bytes | None:
    """The resource of a saved request; None: it is surely later than `at`."""
    return item.raw if item.type == "Patient" or item.known.possibly(at) else None


def value_then(value: Raw, keep: Callable[[Raw], bytes | None]) -> Raw:
    """A prefetch value with only what `keep` returns; what is no FHIR is left as it came."""
    opened = _opened(value)
    if opened is None:
        return value
    members, entries = opened
    if entries is None:
        kept = keep(value)
        return Raw(b"null") if kept is None else Raw(kept)
    left = [one for one in (_entry_then(entry, keep) for entry in entries) if one is not None]
    return Raw(_ENCODER.encode({**members, "entry": left}))


def resources_of(value: Raw) -> tuple[Raw, ...]:
    """The resources of a prefetch value, whatever they are."""
    opened = _opened(value)
    if opened is None:
        return ()
    _, entries = opened
    if entries is None:
        return (value,)
    return tuple(entry["resource"] for entry in entries if "resource" in entry)


def _opened(value: Raw) -> tuple[Members, list[Members] | None] | None:
    """The members, and the entries of a Bundle; None: nothing, or nothing that can be read."""
    if is_null(value):
        return None
    try:
        members = msgspec.json.decode(value, type=Members)
        if bytes(members.get("resourceType", b"")).strip() != b'"Bundle"':
            return members, None
        return members, msgspec.json.decode(members.get("entry", b"[]"), type=list[Members])
    except BAD_INPUT:
        return None


def _entry_then(entry: Members, keep: Callable[[Raw], bytes | None]) -> Members | None:
    resource = entry.get("resource")
    if resource is None:
        return entry
    kept = keep(resource)
    return None if kept is None else {**entry, "resource": Raw(kept)}


def _patient_then(item: Item, at: datetime) -> bytes:
    """The Patient; of one changed later, what lasts, and a death that had happened."""
    if item.known.by == "last-updated" and item.known.surely(at):
        return item.raw
    members = _members(item.raw)
    if not members:
        return item.raw
    kept = {name: members[name] for name in _LASTING if name in members}
    died = members.get("deceasedDateTime")
    if died is not None and _is_past(died, at):
        kept["deceasedDateTime"] = died
    return _ENCODER.encode(kept)


def _unfinished(item: Item, at: datetime) -> bytes:
    """Without an end that had not come yet: what is known by its own time tells its future too."""
    changes: dict[str, Any] = {}
    kind = item.type
    if kind == "Condition":
        return _unabated(item, at)
    name = _ENDS.get(kind)
    if name is None or b'"end"' not in item.raw:
        return item.raw
    members = _members(item.raw)
    try:
        period = msgspec.json.decode(members.get(name, b"{}"), type=Members)
        status = msgspec.json.decode(members.get("status", b'""'), type=str)
    except BAD_INPUT:
        return item.raw  # the mapping reports what is malformed
    if not members or "end" not in period or _is_past(period["end"], at):
        return item.raw
    over, running = _OVER[kind]
    changes[name] = {key: value for key, value in period.items() if key != "end"}
    if status in over:
        changes["status"] = running
    return _ENCODER.encode({**members, **changes})


def _unabated(item: Item, at: datetime) -> bytes:
    if b'"abatement' not in item.raw:
        return item.raw
    members = _members(item.raw)
    ended = _abated(members)
    if ended is None or _is_past(ended, at):
        return item.raw
    rest = {name: value for name, value in members.items() if name not in _ABATED}
    return _ENCODER.encode({**rest, "clinicalStatus": _ACTIVE})


def _abated(members: Members) -> Raw | None:
    """When it abated; None: not at all, or at no time that can be told."""
    period = members.get("abatementPeriod")
    if period is None:
        return members.get("abatementDateTime")
    try:
        return msgspec.json.decode(period, type=Members).get("start")
    except BAD_INPUT:
        return None


def _is_past(value: Raw, at: datetime) -> bool:
    """Whether a time is surely not later than `at`; a date is past when its day is over."""
    try:
        found = bounds(msgspec.json.decode(value, type=str))
    except BAD_INPUT:
        return False
    return found is not None and found[1] <= at


def _members(raw: bytes) -> Members:
    """The members of a resource; none of one that cannot be read, which the mapping reports."""
    try:
        return msgspec.json.decode(raw, type=Members)
    except BAD_INPUT:
        return {}
