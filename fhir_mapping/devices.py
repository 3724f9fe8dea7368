"""Oxygen and ventilation devices in use: each DeviceUseStatement with its Device, as an interval.

In use means until charted as ended. A device that is not found or not known is named and says
nothing about oxygen: most devices of a patient give none.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from fhir_mapping.bundles import BAD_INPUT, read_head
from fhir_mapping.codes import CodeSets
from fhir_mapping.datatypes import Period
from fhir_mapping.oxygen_device import concept_tiers
from fhir_mapping.procedures import other_reason
from fhir_mapping.readings import Scope
from fhir_mapping.record import Record
from fhir_mapping.resources import Device, DeviceUseStatement
from fhir_mapping.times import latest, read_when
from knowledge.facts import Baseline, Evidence, Unusable


_DEVICE = msgspec.json.Decoder(Device)
_NEVER = frozenset({"entered-in-error", "intended"})
_ENDED = frozenset({"completed", "stopped", "on-hold"})
_ACTIVE = "active"
_POSITIVE: Final = "positive-pressure"
LEAST = timedelta(seconds=1)  # how long a use lasted of which no end is charted


class Use(NamedTuple):
    """One device from `start` to `end`, which None leaves open: in use now.

    `other`: positive pressure for a reason that is not hypoxia.
    """

    start: datetime
    end: datetime | None
    tiers: tuple[str, ...]
    other: bool
    evidence: Evidence


class DeviceUses(NamedTuple):
    """Devices of a known tier, and ventilation or an airway for another reason than hypoxia."""

    uses: tuple[Use, ...]
    airways: tuple[Baseline, ...]


def read_device_uses(record: Record, scope: Scope, codes: CodeSets) -> DeviceUses:
    """What statements say about oxygen devices, oldest first."""
    uses: list[Use] = []
    for statement, place in record.device_uses:
        if statement.status in _NEVER:
            continue
        words, tiers, problem = _named(statement, record, codes)
        if not tiers:
            scope.notes.unreadable(str(place), problem)
            continue
        ref = f"DeviceUseStatement/{statement.id}" if statement.id else str(place)
        span = _span(statement, scope.now)
        if isinstance(span, str):
            scope.notes.rejected("oxygen-device", str(place), f"{words}: {span}")
            _leave_open(statement, Evidence(ref, value=words), scope)
            continue
        other = _POSITIVE in tiers and bool(
            other_reason(statement.reason_code, statement.reason_reference, scope)
        )
        start, end = span
        uses.append(Use(start, end, tiers, other, Evidence(ref, value=words, at=start)))
    uses.sort(key=lambda one: (one.start, one.evidence.ref))
    return DeviceUses(tuple(uses), tuple(_airways(uses)))


def _airways(uses: Iterable[Use]) -> Iterable[Baseline]:
    return (Baseline(_POSITIVE, u.evidence, u.start, u.end) for u in uses if u.other)


def _named(
    statement: DeviceUseStatement, record: Record, codes: CodeSets
) -> tuple[str, tuple[str, ...], str]:
    """The device in words, its tiers, and why there are none."""
    device = _device(statement, record)
    if device is not None and device.status == "entered-in-error":
        return "", (), "device in use: its Device was entered in error"
    display = statement.device.display if statement.device is not None else None
    names = [*(one.name for one in device.device_name), display] if device else [display]
    words, tiers = concept_tiers(device.type if device else None, names, codes)
    if words:
        return words, tiers, f"device in use not recognised: {words}"
    why = "its Device is not in the request" if device is None else "its Device has no type or name"
    return "", (), f"device in use not recognised: {why}"


def _device(statement: DeviceUseStatement, record: Record) -> Device | None:
    target = (statement.device.reference if statement.device is not None else None) or ""
    if target.startswith("#"):
        return _contained(statement.contained, target[1:])
    return record.devices.get(target.partition("/_history/")[0])


def _contained(contained: tuple[Raw, ...], local_id: str) -> Device | None:
    for raw in contained:
        head = read_head(raw)
        if head is not None and head.resource_type == "Device" and head.id == local_id:
            try:
                return _DEVICE.decode(raw)
            except BAD_INPUT:
                return None
    return None


def _timing(statement: DeviceUseStatement) -> tuple[str | None, Period | None]:
    """A moment or a period; of several moments the one named last."""
    timing = statement.timing_timing
    if timing is None:
        return statement.timing_date_time, statement.timing_period
    period = timing.repeat.bounds_period if timing.repeat is not None else None
    return (timing.event[-1] if timing.event and period is None else None), period


def _span(statement: DeviceUseStatement, now: datetime) -> tuple[datetime, datetime | None] | str:
    """From when to when it was in use, or why that cannot be told."""
    moment, period = _timing(statement)
    active = statement.status == _ACTIVE
    if not active and statement.status not in _ENDED:
        return "a device use whose status is not known"
    if active and moment is None and period is None:
        return now, None
    when = read_when(moment, period, now)
    start = when.start
    if start is None and active and (period is None or not period.end):
        start = latest(moment, period, now)  # a start that is a date is over with that date
    if start is None:
        return when.problem
    if when.end is None:
        return min(start, now), None if active else start + LEAST
    return start, max(when.end, start + LEAST)


def _leave_open(statement: DeviceUseStatement, evidence: Evidence, scope: Scope) -> None:
    """A use at a time that cannot be told may be now."""
    moment, period = _timing(statement)
    if moment is None and period is None:
        return
    at = latest(moment, period, scope.now)
    if at is not None and at >= scope.since:
        scope.notes.unusable(Unusable("oxygen-device", at, evidence))
