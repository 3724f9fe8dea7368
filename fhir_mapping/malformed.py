"""Observations that cannot be decoded: each is named by its place; here, what it may have said.

What is still legible of one (status, code, time) limits the doubt it leaves; what is not makes it
wider. The same for an entry of a vital-sign, oxygen or assessment answer that is no resource.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, NamedTuple, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from fhir_mapping.bundles import BAD_INPUT, Page, Place
from fhir_mapping.codes import CodeSets
from fhir_mapping.datatypes import CodeableConcept, Period
from fhir_mapping.readings import Scope, UnusableFact, in_order
from fhir_mapping.record import DROPPED
from fhir_mapping.times import latest
from knowledge.facts import Charted, Evidence, Unusable


_VITAL: dict[str, tuple[UnusableFact, ...]] = {
    "temperature": ("temperature",),
    "pressure": ("systolic", "mean-pressure"),
    "systolic": ("systolic",),
    "mean-pressure": ("mean-pressure",),
    "saturation": ("saturation",),
    "saturation-room-air": ("saturation",),
    "oxygen-device": ("oxygen-device",),
    "oxygen-flow": ("oxygen-device",),
    "oxygen-fraction": ("oxygen-device",),
}
_NEURO = ("arousal", "seizure", "motor", "raised-icp")
_ASKED = frozenset({"vitals", "oxygen", "assessments"})
_NOTE = "malformed: not used"
_Status = Annotated[str, Meta(max_length=64)]


class _Partly(Struct, rename="camel"):
    status: _Status | None = None


class _Coded(Struct):
    code: CodeableConcept


class _Components(Struct):
    component: tuple[_Coded, ...] = ()


class _Timed(Struct, rename="camel"):
    effective_date_time: str | None = None
    effective_instant: str | None = None
    effective_period: Period | None = None


T = TypeVar("T", _Partly, _Coded, _Components, _Timed)


class Lost(NamedTuple):
    """What malformed Observations may have said of an assessment: by axis, without a level."""

    charted: dict[str, list[Charted]]

    def among(self, axis: str, series: tuple[Charted, ...]) -> tuple[Charted, ...]:
        """The series of the axis with what was lost of it, oldest first."""
        lost = self.charted[axis]
        return in_order((*series, *lost)) if lost else series


def read_malformed(pages: Iterable[Page], scope: Scope, codes: CodeSets) -> Lost:
    """Notes the doubt each leaves in a vital sign, and returns that in an assessment."""
    found: dict[str, list[Charted]] = {"ice": [], **{name: [] for name in _NEURO}}
    for page in pages:
        for place, ref, raw in _unread(page):
            at = _time(raw, scope)
            if at is None or at < scope.since or _dropped(raw):
                continue
            for fact in _facts(raw, codes):
                for name in _VITAL.get(fact, ()):
                    evidence = Evidence(ref, name, at=at, note=_NOTE)
                    scope.notes.unusable(Unusable(name, at, evidence))
                axis = "ice" if fact.startswith("ice-") else fact
                if axis in found:
                    evidence = Evidence(ref, axis, "not usable", "", at, _NOTE)
                    found[axis].append(Charted(at, (), evidence))
                    scope.notes.missing(axis, f"{place} {_NOTE}")
    return Lost(found)


def _unread(page: Page) -> Iterator[tuple[Place, str, Raw]]:
    known = set()
    for one in page.strangers:
        known.add(one.place.index)
        if one.head.resource_type == "Observation" and not one.nested:
            ref = f"Observation/{one.head.id}" if one.head.id else "Observation"
            yield one.place, ref, one.raw
    if page.name in _ASKED:
        for index, entry in enumerate(page.entries):
            if entry.resource is None and index not in known:
                yield page.place(index), "Observation", Raw()


def _legible(raw: Raw, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(raw, type=kind)
    except BAD_INPUT:
        return None


def _dropped(raw: Raw) -> bool:
    found = _legible(raw, _Partly)
    return found is not None and found.status in DROPPED


def _time(raw: Raw, scope: Scope) -> datetime | None:
    """The latest time it can mean, now where none is legible; None: the future."""
    found = _legible(raw, _Timed)
    if found is None:
        return scope.now
    moment = found.effective_date_time or found.effective_instant
    return latest(moment, found.effective_period, scope.now)


def _facts(raw: Raw, codes: CodeSets) -> tuple[str, ...]:
    """What its codes name; everything where they are not legible, nothing if they are others."""
    code, parts = _legible(raw, _Coded), _legible(raw, _Components)
    named = [] if code is None else [code]
    concepts = [
        codes.observations.get((coding.system, coding.code))
        for part in (*named, *(() if parts is None else parts.component))
        for coding in part.code.coding
    ]
    known = [one for one in concepts if one is not None]
    if not known and (code is None or parts is None):
        return (*_VITAL, "ice-total", *_NEURO)
    return tuple(dict.fromkeys(one.fact for one in known if not one.excluded))
