"""Procedures that are facts: fluid resuscitation, and ventilation or an airway with its reason."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from fhir_mapping.bundles import Place
from fhir_mapping.codes import CodeSets
from fhir_mapping.datatypes import CodeableConcept, Reference
from fhir_mapping.oxygen_device import LEVELS
from fhir_mapping.readings import Scope, concept_text, in_order
from fhir_mapping.record import Record
from fhir_mapping.resources import Procedure
from fhir_mapping.times import read_when
from knowledge.facts import Baseline, Bolus, Charted, Evidence


_HAPPENED = frozenset({"in-progress", "completed", "stopped", "on-hold"})
# ASTCT grades positive pressure given for hypoxia; these reasons are not hypoxia.
_OTHER_REASONS = (
    "airway protection",
    "sleep apnea",
    "sleep apnoea",
    "surgery",
    "anesthesia",
    "anaesthesia",
    "seizure",
)
_JUST_BEFORE = timedelta(seconds=1)
_HYPOXIA = ("hypox", "respiratory failure", "desaturation")


class Procedures(NamedTuple):
    """Boluses, states on the oxygen axis, and airways for another reason; each oldest first."""

    boluses: tuple[Bolus, ...]
    oxygen: tuple[Charted, ...]
    airways: tuple[Baseline, ...]


def read_procedures(record: Record, scope: Scope, codes: CodeSets) -> Procedures:
    """What procedures say in the window."""
    boluses: list[Bolus] = []
    charted: list[Charted] = []
    airways: list[Baseline] = []
    for procedure, place in record.procedures:
        fact, code = _fact(procedure, codes)
        if not fact or procedure.status not in _HAPPENED:
            continue
        when = read_when(procedure.performed_date_time, procedure.performed_period, scope.now)
        if when.start is None:
            scope.notes.rejected("procedures", str(place), f"{fact}: {when.problem}")
            continue
        evidence = _evidence(procedure, place, code, when.start)
        if fact == "fluid-resuscitation":
            boluses.append(Bolus(when.start, evidence))
        elif fact == "airway-removed":
            charted.append(Charted(when.start, LEVELS, evidence))
        else:
            other = other_reason(procedure.reason_code, procedure.reason_reference, scope)
            charted.extend(_ventilated(procedure, when.start, when.end, other, evidence, scope.now))
            if other:
                airways.append(Baseline("positive-pressure", evidence, when.start, when.end))
    return Procedures(
        in_order(b for b in boluses if b.at >= scope.since),
        in_order(c for c in charted if c.at >= scope.since),
        tuple(sorted(airways, key=lambda one: one.evidence.ref)),
    )


def _evidence(procedure: Procedure, place: Place, code: str, at: datetime) -> Evidence:
    ref = f"Procedure/{procedure.id}" if procedure.id else str(place)
    return Evidence(ref, code, concept_text(procedure.code)[:60], "", at)


def _fact(procedure: Procedure, codes: CodeSets) -> tuple[str, str]:
    for coding in procedure.code.coding if procedure.code is not None else ():
        fact = codes.procedures.get((coding.system, coding.code))
        if fact is not None:
            return fact, coding.code or ""
    return "", ""


def other_reason(
    coded: Iterable[CodeableConcept], references: Iterable[Reference], scope: Scope
) -> str:
    """A reason that is not hypoxia; empty where none is given or hypoxia is given beside it."""
    texts = [concept_text(reason) for reason in coded]
    texts += [reference.display or "" for reference in references]
    reasons = " ".join(texts).lower()
    other = next((reason for reason in _OTHER_REASONS if reason in reasons), "")
    if not other or any(word in reasons for word in _HYPOXIA):
        return ""
    text = f"ventilation or airway for {other}: by itself no sign of hypoxia"
    scope.notes.missing("oxygen-device", text)
    scope.notes.notice("airway-for-another-reason", text)
    return other


def _ventilated(
    procedure: Procedure,
    start: datetime,
    end: datetime | None,
    other: str,
    evidence: Evidence,
    now: datetime,
) -> Iterator[Charted]:
    """In progress it is a state now; one that ended says nothing about the oxygen after its end."""
    levels = LEVELS if other else ("positive-pressure",)
    yield Charted(start, levels, evidence)
    if end is not None:
        yield Charted(max(start, end - _JUST_BEFORE), levels, evidence)
        yield Charted(end, LEVELS, evidence)
    elif procedure.performed_period is not None and procedure.status == "in-progress":
        yield Charted(now, levels, evidence)
