"""Neurology charted with the project's CodeSystem: ICE, CAPD, arousal, seizure, motor, raised ICP.

Not performed is never zero, and an ICE whose items contradict its total is not used.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal

from fhir_mapping.datatypes import Component
from fhir_mapping.readings import (
    Scope,
    in_order,
    is_preliminary,
    plain_number,
    reference_to,
    shown,
    value_codes,
)
from fhir_mapping.record import Record, Seen
from fhir_mapping.resources import Observation
from fhir_mapping.units import canonical
from knowledge.facts import Charted, Evidence, Reading


ICE_ITEMS = {
    "ice-orientation": 4,
    "ice-naming": 3,
    "ice-command": 1,
    "ice-writing": 1,
    "ice-attention": 1,
}
_ICE_MAX = 10
_CAPD_MAX = 32
_MOST_SEIZURES = 1000  # a larger count is a slip of the pen
_SEIZURE_MINUTES = Decimal(5)
_SYSTEM = "https://btce-cds.org/fhir/CodeSystem/toxicity-assessment"
AROUSAL = ("alert", "spontaneous", "voice", "tactile", "vigorous", "unarousable")
SEIZURE = ("none", "brief", "nonconvulsive-resolved", "prolonged", "repetitive")
MOTOR = ("none", "focal-weakness")
RAISED_ICP = (
    "none",
    "focal-edema",
    "diffuse-edema",
    "posturing",
    "cn6-palsy",
    "papilledema",
    "cushing-triad",
)


def read_ice(record: Record, scope: Scope) -> tuple[Reading, ...]:
    """ICE totals 0 to 10, oldest first: charted, or the sum of all five items."""
    found: list[Reading] = []
    loose: dict[datetime, dict[str, tuple[Seen, Decimal]]] = {}
    charted_at: set[datetime] = set()
    for seen in record.observations.get("ice-total", ()):
        at = scope.time_of(seen, "ice")
        if at is None:
            continue
        charted_at.add(at)
        value = _ice_total(seen, at, scope)
        if value is not None:
            found.append(_score(seen, value, at))
    for item in ICE_ITEMS:
        for seen in record.observations.get(item, ()):
            at = scope.time_of(seen, "ice")
            value = _ice_item(seen, item, scope) if at is not None else None
            if at is not None and value is not None:
                loose.setdefault(at, {})[item] = (seen, value)
    for at, items in loose.items():
        if at in charted_at:
            continue
        first = next(iter(items.values()))[0]
        if len(items) == len(ICE_ITEMS):
            found.append(_score(first, sum((value for _, value in items.values()), Decimal(0)), at))
        else:
            reason = f"ICE: {len(items)} of 5 items charted and no total"
            scope.notes.rejected("ice", str(first.place), reason)
    return in_order(found)


def _ice_total(seen: Seen, at: datetime, scope: Scope) -> Decimal | None:
    observation = seen.observation
    items = _ice_components(observation)
    total = plain_number(observation)
    problem = ""
    if total is not None and not _is_score(total, _ICE_MAX):
        problem = f"ICE total {str(total)[:12]} is not a whole number from 0 to 10"
    elif any(value is None or not _is_score(value, ICE_ITEMS[name]) for name, value in items):
        problem = "an ICE item is not a whole number within its range"
    elif len({name for name, _ in items}) != len(items):
        problem = "an ICE item is charted twice"
    elif len(items) == len(ICE_ITEMS):
        summed = sum((value for _, value in items if value is not None), Decimal(0))
        if total is not None and total != summed:
            problem = f"ICE total {total} is not the sum of its items, {summed}"
        total = summed
    elif total is None:
        problem = f"ICE: {len(items)} of 5 items charted and no total"
        if observation.data_absent_reason is not None or not items:
            absent = observation.data_absent_reason is not None
            problem = "ICE not performed" if absent else "ICE without a value"
    elif sum((value for _, value in items if value is not None), Decimal(0)) > total:
        problem = f"ICE total {total} is less than its items"
    if problem:
        scope.notes.rejected("ice", str(seen.place), f"{problem}: not used")
        return None
    return total


def _ice_components(observation: Observation) -> list[tuple[str, Decimal | None]]:
    """Items with a value; an item that was not performed is not there."""
    found: list[tuple[str, Decimal | None]] = []
    for component in observation.component:
        name = _local_code(component)
        if name in ICE_ITEMS and component.data_absent_reason is None:
            found.append((name, plain_number(component)))
    return found


def _ice_item(seen: Seen, item: str, scope: Scope) -> Decimal | None:
    if seen.observation.data_absent_reason is not None:
        return None
    value = plain_number(seen.observation)
    if value is None or not _is_score(value, ICE_ITEMS[item]):
        reason = f"{item} is not a whole number from 0 to {ICE_ITEMS[item]}: not used"
        scope.notes.rejected("ice", str(seen.place), reason)
        return None
    return value


def read_capd(record: Record, scope: Scope) -> tuple[Reading, ...]:
    """CAPD totals, 0 to 32."""
    found: list[Reading] = []
    for seen in record.observations.get("capd-total", ()):
        at = scope.time_of(seen, "capd")
        value = plain_number(seen.observation)
        if at is None:
            continue
        if value is None or not _is_score(value, _CAPD_MAX):
            absent = seen.observation.data_absent_reason is not None
            reason = "CAPD not performed" if absent else "CAPD total is not a number from 0 to 32"
            scope.notes.rejected("capd", str(seen.place), f"{reason}: not used")
            continue
        found.append(_score(seen, value, at))
    return in_order(found)


def read_words(
    record: Record,
    fact: str,
    levels: Iterable[str],
    scope: Scope,
    *,
    empty: str = "",
    refine: Callable[[Seen, tuple[str, ...]], tuple[str, ...]] | None = None,
) -> tuple[Charted, ...]:
    """A coded state of one axis, oldest first; not performed, or `empty`: not assessable."""
    allowed = frozenset(levels)
    found: list[Charted] = []
    for seen in record.observations.get(fact, ()):
        at = scope.time_of(seen, fact)
        if at is None:
            continue
        observation = seen.observation
        codes = value_codes(observation)
        states = tuple(code for code in codes if code in allowed)
        if not states and empty not in codes and observation.data_absent_reason is None:
            said = shown(", ".join(codes)) if codes else "no value"
            scope.notes.rejected(fact, str(seen.place), f"{fact}: {said} is not a known state")
            continue
        if refine is not None:
            states = refine(seen, states)
        evidence = _evidence(seen, at, ", ".join(codes) or "not performed")
        found.append(Charted(at, states, evidence, is_preliminary(observation)))
    return in_order(found)


def read_seizures(record: Record, scope: Scope) -> tuple[Charted, ...]:
    """Seizures: five minutes or more is prolonged, more than one may be repetitive."""

    def refine(seen: Seen, levels: tuple[str, ...]) -> tuple[str, ...]:
        return _brief_levels(seen, scope) if levels == ("brief",) else levels

    return read_words(record, "seizure", SEIZURE, scope, refine=refine)


def read_seizure_counts(record: Record, scope: Scope) -> tuple[Reading, ...]:
    """How many seizures an entry stands for, where it says so."""
    found = []
    for seen in record.observations.get("seizure", ()):
        at = scope.time_of(seen, "seizure")
        for component in seen.observation.component if at is not None else ():
            count = plain_number(component) if _local_code(component) == "seizure-count" else None
            if at is not None and count is not None and _is_score(count, _MOST_SEIZURES):
                found.append(_score(seen, count, at))
    return in_order(found)


def _brief_levels(seen: Seen, scope: Scope) -> tuple[str, ...]:
    count: Decimal | None = None
    for component in seen.observation.component:
        name = _local_code(component)
        if name == "seizure-count":
            count = plain_number(component)
        if name == "seizure-duration" and component.value_quantity is not None:
            minutes = canonical("duration", component.value_quantity)
            if isinstance(minutes, str):
                scope.notes.rejected("seizure-duration", str(seen.place), minutes)
                return ("brief", "prolonged")
            if minutes == _SEIZURE_MINUTES:
                text = "seizure of exactly 5 minutes: counted as prolonged"
                scope.notes.notice("seizure-five-minutes", text)
            if minutes >= _SEIZURE_MINUTES:
                return ("prolonged",)
    if count is not None and count > 1:
        text = "more than one seizure: whether consciousness returned between them is not charted"
        scope.notes.missing("seizure", text)
        return ("brief", "repetitive")
    return ("brief",)


def _local_code(component: Component) -> str:
    """The project code of a component, or nothing."""
    for coding in component.code.coding if component.code is not None else ():
        if coding.system == _SYSTEM and coding.code:
            return coding.code
    return ""


def _is_score(value: Decimal, most: int) -> bool:
    return 0 <= value <= most and value == value.to_integral_value()


def _evidence(seen: Seen, at: datetime, value: str) -> Evidence:
    return Evidence(reference_to(seen.observation), seen.concept.code, shown(value), "", at)


def _score(seen: Seen, value: Decimal, at: datetime) -> Reading:
    whole = Decimal(int(value))
    evidence = _evidence(seen, at, str(whole))
    return Reading(at, whole, evidence, is_preliminary(seen.observation))
