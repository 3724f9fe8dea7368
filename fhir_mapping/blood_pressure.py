"""Systolic and mean pressure in mm[Hg], from panels, their components and single values.

Averages over a day, standing values and first-encounter values are excluded by their codes.
"""

from collections.abc import Iterator
from typing import NamedTuple

from fhir_mapping.codes import CodeSets, Concept
from fhir_mapping.datatypes import CodeableConcept, Quantity
from fhir_mapping.readings import Scope, UnusableFact, lowest_last, reading, unusable
from fhir_mapping.record import Record, Seen
from fhir_mapping.units import FACT_LIMITS, canonical
from knowledge.facts import Reading


_HIDES: dict[str, UnusableFact] = {"systolic": "systolic", "mean-pressure": "mean-pressure"}


class Pressures(NamedTuple):
    """Both series, oldest first."""

    systolic: tuple[Reading, ...]
    mean: tuple[Reading, ...]


def read_pressures(record: Record, scope: Scope, codes: CodeSets) -> Pressures:
    """Every usable systolic and mean pressure in the window."""
    found: dict[str, list[Reading]] = {"systolic": [], "mean-pressure": []}
    for fact in ("pressure", "systolic", "mean-pressure"):
        for seen in record.observations.get(fact, ()):
            at = scope.time_of(seen, "blood-pressure")
            for concept, quantity in _values(seen, codes):
                value = canonical("pressure", quantity, concept.fact)
                if at is None:
                    unusable(seen, _HIDES[concept.fact], scope, value, concept.code)
                elif isinstance(value, str):
                    scope.notes.rejected("blood-pressure", str(seen.place), value)
                    unusable(seen, _HIDES[concept.fact], scope, code=concept.code)
                else:
                    one = reading(seen, quantity, value, at, code=concept.code)
                    found[concept.fact].append(one)
    return Pressures(lowest_last(found["systolic"]), lowest_last(found["mean-pressure"]))


def _values(seen: Seen, codes: CodeSets) -> Iterator[tuple[Concept, Quantity]]:
    observation = seen.observation
    if observation.value_quantity is not None and seen.concept.fact in FACT_LIMITS:
        yield seen.concept, observation.value_quantity
    for component in observation.component:
        if component.value_quantity is not None:
            concept = _pressure_concept(component.code, codes)
            if concept is not None:
                yield concept, component.value_quantity


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
