"""From an Observation to a reading or a charted state: time, status, number and evidence.

Shared by the modules that read one axis each; it does not know what a value means.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple, TypeVar

from fhir_mapping.datatypes import CodeableConcept, Component, Quantity
from fhir_mapping.notes import Notes
from fhir_mapping.record import Seen
from fhir_mapping.resources import Observation
from fhir_mapping.times import instant, latest, read_when
from fhir_mapping.units import Kind, canonical, number, recorded_unit
from knowledge.facts import Bolus, Charted, Evidence, Masking, Reading, Unusable


# Anything else (preliminary, registered, unknown, nothing) can raise a grade, never resolve one.
_SETTLED = frozenset({"final", "amended", "corrected"})
_SHOWN = 60  # characters of a text from the record that are repeated in a reason
UnusableFact = Literal["temperature", "systolic", "mean-pressure", "saturation", "oxygen-device"]
Timed = TypeVar("Timed", Reading, Charted, Bolus, Masking)


class Scope(NamedTuple):
    """The evaluation time, the start of the window, and where to note what is not used."""

    now: datetime
    since: datetime
    notes: Notes

    def time_of(self, seen: Seen, fact: str) -> datetime | None:
        """When it was observed; None if that is unknown (noted) or before the window."""
        observation = seen.observation
        moment = observation.effective_date_time or observation.effective_instant
        at = instant(moment) if moment is not None else None
        if at is not None and self.since <= at <= self.now:
            return at
        when = read_when(moment, observation.effective_period, self.now)
        if when.problem:
            self.notes.rejected(fact, str(seen.place), f"{fact}: {when.problem}")
            return None
        at = when.end or when.start
        return at if at is not None and at >= self.since else None


def unusable(
    seen: Seen, fact: UnusableFact, scope: Scope, value: Decimal | str = "", code: str = ""
) -> None:
    """Keeps a rejected value in mind: the present may be what it would have said.

    One from before the window or from the future says nothing about now.
    """
    observation = seen.observation
    moment = observation.effective_date_time or observation.effective_instant
    at = latest(moment, observation.effective_period, scope.now)
    if at is None or at < scope.since:
        return
    evidence = Evidence(reference_to(observation), code or seen.concept.code, at=at)
    known = value if isinstance(value, Decimal) else None
    scope.notes.unusable(Unusable(fact, at, evidence, known))


def reference_to(observation: Observation) -> str:
    """How the evidence names the resource."""
    return f"Observation/{observation.id}" if observation.id else "Observation"


def is_preliminary(observation: Observation) -> bool:
    """True unless the status says the value is settled."""
    return observation.status not in _SETTLED


def reading(
    seen: Seen, quantity: Quantity, value: Decimal, at: datetime, *, code: str = "", note: str = ""
) -> Reading:
    """One number with the evidence as recorded."""
    observation = seen.observation
    evidence = Evidence(
        reference_to(observation),
        code or seen.concept.code,
        str(quantity.value, "utf-8"),
        recorded_unit(quantity),
        at,
        note,
    )
    return Reading(at, value, evidence, observation.status not in _SETTLED)


def number_series(
    items: Iterable[Seen],
    fact: str,
    kind: Kind,
    scope: Scope,
    accept: Callable[[Seen], str] | None = None,
    as_used: Callable[[Seen, Decimal], tuple[Decimal, str]] | None = None,
    hides: UnusableFact | None = None,
) -> tuple[Reading, ...]:
    """Readings of one fact whose value is the Observation's own number, oldest first.

    `accept` answers why an Observation is not used, or nothing; `as_used` the value and
    what to show beside it.
    `hides`: the fact a rejected value leaves in doubt. Of values at one time the highest is last.
    """
    found: list[Reading] = []
    for seen in items:
        at = scope.time_of(seen, fact)
        refused = accept(seen) if accept is not None else ""
        quantity = seen.observation.value_quantity
        if at is None:
            if hides is not None and quantity is not None and not refused:
                unusable(seen, hides, scope, canonical(kind, quantity))
            continue
        if refused or quantity is None:
            scope.notes.rejected(fact, str(seen.place), refused or f"{fact} without a value")
            continue
        value = canonical(kind, quantity)
        if isinstance(value, str):
            scope.notes.rejected(fact, str(seen.place), value)
            if hides is not None:
                unusable(seen, hides, scope)
            continue
        value, note = as_used(seen, value) if as_used is not None else (value, "")
        found.append(reading(seen, quantity, value, at, note=note))
    return highest_last(found)


def in_order(items: Iterable[Timed]) -> tuple[Timed, ...]:
    """Oldest first; of one time by name, in whatever order they came."""
    return tuple(sorted(items, key=lambda one: (one.at, one.evidence.ref)))


def highest_last(items: Iterable[Reading]) -> tuple[Reading, ...]:
    """Oldest first; of values at one time the highest last, in whatever order they came."""
    return tuple(sorted(items, key=lambda one: (one.at, one.value, one.evidence.ref)))


def lowest_last(items: Iterable[Reading]) -> tuple[Reading, ...]:
    """Oldest first; of values at one time the lowest last, in whatever order they came."""
    return tuple(sorted(items, key=lambda one: (one.at, -one.value, one.evidence.ref)))


def value_codes(observation: Observation | Component) -> tuple[str, ...]:
    """The codes of a coded value, or its text as one word where there is no code."""
    concept = observation.value_codeable_concept
    if concept is None:
        return (plain(observation.value_string),) if observation.value_string else ()
    codes = tuple(coding.code for coding in concept.coding if coding.code)
    return codes or ((plain(concept.text),) if concept.text else ())


def plain(text: str | None) -> str:
    """Lower case, single spaces: the only form in which texts are compared."""
    return " ".join((text or "").lower().split())


def shown(text: str) -> str:
    """A text of the record, short enough to repeat in a reason."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def concept_text(concept: CodeableConcept | None) -> str:
    """Every word a concept has, for matching and for showing."""
    return " ".join(concept_texts(concept))


def concept_texts(concept: CodeableConcept | None) -> tuple[str, ...]:
    """The text of a concept and the displays of its codings, each for itself."""
    if concept is None:
        return ()
    parts = (concept.text, *(coding.display for coding in concept.coding))
    return tuple(part for part in parts if part)


def plain_number(observation: Observation | Component) -> Decimal | None:
    """`valueInteger`, or a `valueQuantity` that counts: no unit, `1` or an annotation."""
    value = number(observation.value_integer)
    quantity = observation.value_quantity
    if value is not None or quantity is None or quantity.comparator:
        return value
    unit = recorded_unit(quantity)
    return number(quantity.value) if unit in {"", "1"} or unit.startswith("{") else None
