"""ICE and CAPD, charted with the project's CodeSystem.

Not performed is never zero. An ICE that contradicts itself, or whose items are not all there, is no
reading: it is kept as a doubt, because a newer one leaves open what the older one said.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from fhir_mapping.datatypes import Component
from fhir_mapping.readings import (
    Scope,
    in_order,
    is_preliminary,
    plain_number,
    reference_to,
    shown,
)
from fhir_mapping.record import Record, Seen
from knowledge.facts import Charted, Evidence, Reading


ICE_ITEMS = {
    "ice-orientation": 4,
    "ice-naming": 3,
    "ice-command": 1,
    "ice-writing": 1,
    "ice-attention": 1,
}
SYSTEM = "https://btce-cds.org/fhir/CodeSystem/toxicity-assessment"
_ICE_MAX = 10
_CAPD_MAX = 32


class Ice(NamedTuple):
    """Totals that are certain, and assessments that allow several or none; oldest first."""

    totals: tuple[Reading, ...]
    doubts: tuple[Charted, ...]


class Score(NamedTuple):
    """The totals one assessment allows: one is certain, none is not usable; and what is wrong."""

    allowed: tuple[int, ...]
    problem: str = ""


def read_ice(record: Record, scope: Scope) -> Ice:
    """ICE totals 0 to 10: charted, or the sum of all five items; anything else is a doubt."""
    found: dict[datetime, list[tuple[Seen, Score]]] = {}
    for seen in record.observations.get("ice-total", ()):
        at = scope.time_of(seen, "ice")
        if at is not None:
            found.setdefault(at, []).append((seen, _score_of(seen)))
    for at, items in _loose(record, scope).items():
        if at not in found:
            parts = [(name, plain_number(seen.observation)) for name, seen in items]
            found[at] = [(items[0][1], _from_items(None, parts, absent=False))]
    totals: list[Reading] = []
    doubts: list[Charted] = []
    for at, assessments in found.items():
        for seen, score in assessments:
            if score.problem:
                scope.notes.rejected("ice", str(seen.place), score.problem)
        for preliminary in (True, False):
            same = [one for one in assessments if is_preliminary(one[0].observation) is preliminary]
            _settle(same, at, scope, totals, doubts)
    return Ice(in_order(totals), in_order(doubts))


def _settle(
    assessments: list[tuple[Seen, Score]],
    at: datetime,
    scope: Scope,
    totals: list[Reading],
    doubts: list[Charted],
) -> None:
    """One reading for one time: usable totals outrank unusable ones; two that differ are none."""
    assessments = sorted(assessments, key=lambda one: reference_to(one[0].observation))
    certain = [one for one in assessments if len(one[1].allowed) == 1]
    values = sorted({one[1].allowed[0] for one in certain})
    if len(values) == 1:
        totals.append(score(certain[0][0], values[0], at))
    elif values:
        said = " and ".join(map(str, values))
        problem = f"ICE totals {said} charted at one time"
        scope.notes.missing("ice", problem)
        doubts.append(_doubt(certain[0][0], at, Score(tuple(values), problem)))
    elif assessments:
        widest = max(assessments, key=lambda one: len(one[1].allowed) or _ICE_MAX + 2)
        doubts.append(_doubt(widest[0], at, widest[1]))


def _doubt(seen: Seen, at: datetime, found: Score) -> Charted:
    observation = seen.observation
    span = f"{found.allowed[0]}-{found.allowed[-1]}" if found.allowed else "not usable"
    evidence = Evidence(
        reference_to(observation), seen.concept.code, span, "", at, shown(found.problem)
    )
    return Charted(at, tuple(map(str, found.allowed)), evidence, is_preliminary(observation))


def _loose(record: Record, scope: Scope) -> dict[datetime, list[tuple[str, Seen]]]:
    """Items that are Observations of their own, by time; one not performed is not there."""
    found: dict[datetime, list[tuple[str, Seen]]] = {}
    for item in ICE_ITEMS:
        for seen in record.observations.get(item, ()):
            at = scope.time_of(seen, "ice")
            if at is not None and seen.observation.data_absent_reason is None:
                found.setdefault(at, []).append((item, seen))
    return found


def _score_of(seen: Seen) -> Score:
    observation = seen.observation
    items = [
        (name, plain_number(component))
        for component in observation.component
        if (name := local_code(component)) in ICE_ITEMS and component.data_absent_reason is None
    ]
    total = plain_number(observation)
    absent = observation.data_absent_reason is not None
    return _from_items(total, items, absent=absent)


def _from_items(
    total: Decimal | None, items: list[tuple[str, Decimal | None]], *, absent: bool
) -> Score:
    """What a total, if any, and the items charted beside it allow."""
    if total is not None and not is_score(total, _ICE_MAX):
        return Score(
            (), f"ICE total {str(total)[:12]} is not a whole number from 0 to 10: not used"
        )
    for name, value in items:
        if value is None or not is_score(value, ICE_ITEMS[name]):
            problem = f"{name} is not a whole number within its range 0 to {ICE_ITEMS[name]}"
            return Score((), f"{problem}: not used")
    if len({name for name, _ in items}) != len(items):
        return Score((), "an ICE item is charted twice: not used")
    low = sum(int(value) for _, value in items if value is not None)
    high = low + sum(most for name, most in ICE_ITEMS.items() if name not in dict(items))
    if total is not None:
        if low <= total <= high:
            return Score((int(total),))
        if low == high:
            return Score((), f"ICE total {total} is not the sum of its items, {low}: not used")
        return Score(
            (), f"ICE total {total} is less than its items or more than they allow: not used"
        )
    if absent or not items:
        said = "ICE not performed" if absent else "ICE without a value"
        return Score((), f"{said}: not used")
    if low == high:
        return Score((low,))
    problem = f"ICE: {len(items)} of 5 items charted and no total: {low} to {high} is possible"
    return Score(tuple(range(low, high + 1)), problem)


def read_capd(record: Record, scope: Scope) -> tuple[Reading, ...]:
    """CAPD totals, 0 to 32."""
    found: list[Reading] = []
    for seen in record.observations.get("capd-total", ()):
        at = scope.time_of(seen, "capd")
        value = plain_number(seen.observation)
        if at is None:
            continue
        if value is None or not is_score(value, _CAPD_MAX):
            absent = seen.observation.data_absent_reason is not None
            reason = "CAPD not performed" if absent else "CAPD total is not a number from 0 to 32"
            scope.notes.rejected("capd", str(seen.place), f"{reason}: not used")
            continue
        found.append(score(seen, int(value), at))
    return worst_last(found)


def worst_last(found: Iterable[Reading]) -> tuple[Reading, ...]:
    """Oldest first; of counts at one time the highest last, in whatever order they came."""
    return tuple(sorted(found, key=lambda one: (one.at, one.value, one.evidence.ref)))


def local_code(component: Component) -> str:
    """The project code of a component, or nothing."""
    for coding in component.code.coding if component.code is not None else ():
        if coding.system == SYSTEM and coding.code:
            return coding.code
    return ""


def is_score(value: Decimal, most: int) -> bool:
    """Whether a number is a whole one from 0 to `most`."""
    return 0 <= value <= most and value == value.to_integral_value()


def score(seen: Seen, value: int, at: datetime) -> Reading:
    """A whole number as a reading, with its evidence."""
    evidence = Evidence(reference_to(seen.observation), seen.concept.code, str(value), "", at)
    return Reading(at, Decimal(value), evidence, is_preliminary(seen.observation))
