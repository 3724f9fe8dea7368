"""Systolic and mean pressure in mm[Hg], from panels, their components and single values.

Averages over a day, standing values and first-encounter values are excluded by their codes. Of a
cuff and an arterial line at one time the lower counts. An arterial pressure under a code nobody
here knows is named; a low one leaves the pressure in doubt.
"""

from collections.abc import Iterator
from typing import NamedTuple

from fhir_mapping.bundles import Page
from fhir_mapping.codes import CodeSets, Concept
from fhir_mapping.datatypes import CodeableConcept, Component, Quantity
from fhir_mapping.pressure_sites import Measured, lower_of_both, unknown_axis, way_of
from fhir_mapping.readings import (
    Scope,
    UnusableFact,
    concept_text,
    lowest_last,
    reading,
    shown,
    unusable,
)
from fhir_mapping.record import Record, Seen
from fhir_mapping.resources import Observation
from fhir_mapping.times import latest
from fhir_mapping.units import FACT_LIMITS, canonical
from knowledge.facts import Reading


_HIDES: dict[str, UnusableFact] = {"systolic": "systolic", "mean-pressure": "mean-pressure"}


class Pressures(NamedTuple):
    """Both series, oldest first."""

    systolic: tuple[Reading, ...]
    mean: tuple[Reading, ...]


def read_pressures(record: Record, scope: Scope, codes: CodeSets) -> Pressures:
    """Every usable systolic and mean pressure in the window."""
    found: dict[str, list[Measured]] = {"systolic": [], "mean-pressure": []}
    for fact in ("pressure", "systolic", "mean-pressure"):
        for seen in record.observations.get(fact, ()):
            at = scope.time_of(seen, "blood-pressure")
            for concept, quantity, part in _values(seen, scope, codes):
                value = canonical("pressure", quantity, concept.fact)
                if at is None:
                    unusable(seen, _HIDES[concept.fact], scope, value, concept.code)
                elif isinstance(value, str):
                    scope.notes.rejected("blood-pressure", str(seen.place), value)
                    unusable(seen, _HIDES[concept.fact], scope, code=concept.code)
                else:
                    way = way_of(seen.observation, part)
                    one = reading(seen, quantity, value, at, code=concept.code, note=way)
                    found[concept.fact].append(Measured(one, way))
    for observation, page, index in record.unknown:
        _name_unknown(observation, observation, page, index, scope)
        for component in observation.component:
            _name_unknown(observation, component, page, index, scope)
    systolic, mean = (lowest_last(lower_of_both(found[fact])) for fact in _HIDES)
    return Pressures(systolic, mean)


def _values(
    seen: Seen, scope: Scope, codes: CodeSets
) -> Iterator[tuple[Concept, Quantity, CodeableConcept | None]]:
    observation = seen.observation
    if observation.value_quantity is not None and seen.concept.fact in FACT_LIMITS:
        yield seen.concept, observation.value_quantity, None
    for component in observation.component:
        if component.value_quantity is not None:
            concept = _pressure_concept(component.code, codes)
            if concept is not None:
                yield concept, component.value_quantity, component.code
            else:
                _name_unknown(observation, component, seen.page, seen.index, scope)


def _name_unknown(
    observation: Observation, part: Observation | Component, page: Page, index: int, scope: Scope
) -> None:
    """An arterial pressure whose code nobody here knows: not used, and not lost either."""
    quantity, code = part.value_quantity, part.code
    if quantity is None or code is None or not _may_be_pressure(quantity):
        return
    axis = unknown_axis(observation, code)
    if axis is not None:
        _name(Seen(observation, Concept(axis, ""), page, index), axis, quantity, code, scope)


def _may_be_pressure(quantity: Quantity) -> bool:
    unit = (quantity.code or quantity.unit or "").lower()
    return "hg" in unit or unit == "kpa"


def _name(
    seen: Seen, axis: UnusableFact, quantity: Quantity, code: CodeableConcept, scope: Scope
) -> None:
    observation = seen.observation
    moment = observation.effective_date_time or observation.effective_instant
    at = latest(moment, observation.effective_period, scope.now)
    if at is None or at < scope.since:
        return
    reason = f"{shown(concept_text(code))}: its code is not known here, so it is not used"
    scope.notes.rejected("blood-pressure", str(seen.place), reason)
    unusable(seen, axis, scope, canonical("pressure", quantity, axis))


def _pressure_concept(code: CodeableConcept | None, codes: CodeSets) -> Concept | None:
    """One component is one pressure: an excluded coding wins, as on the resource."""
    found: Concept | None = None
    for coding in code.coding if code is not None else ():
        concept = codes.observations.get((coding.system, coding.code))
        if concept is not None and concept.excluded:
            return None
        if concept is not None and concept.fact in FACT_LIMITS:
            found = found or concept
    return found
