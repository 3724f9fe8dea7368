"""Procedures that are facts: fluid resuscitation, and ventilation or an airway with its reason."""

from datetime import datetime

from fhir_mapping.codes import CodeSets
from fhir_mapping.oxygen_device import LEVELS
from fhir_mapping.readings import Scope, concept_text
from fhir_mapping.record import Record
from fhir_mapping.resources import Procedure
from fhir_mapping.times import read_when
from knowledge.facts import Bolus, Charted, Evidence


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


def read_procedures(
    record: Record, scope: Scope, codes: CodeSets
) -> tuple[tuple[Bolus, ...], tuple[Charted, ...]]:
    """Boluses, and positive pressure on the oxygen axis, each oldest first."""
    boluses: list[Bolus] = []
    charted: list[Charted] = []
    for procedure, place in record.procedures:
        fact, code = _fact(procedure, codes)
        if not fact or procedure.status not in _HAPPENED:
            continue
        period = procedure.performed_period
        when = read_when(procedure.performed_date_time, period, scope.now)
        if when.start is None:
            scope.notes.rejected("procedures", str(place), f"{fact}: {when.problem}")
            continue
        ref = f"Procedure/{procedure.id}" if procedure.id else str(place)
        evidence = Evidence(ref, code, concept_text(procedure.code)[:60], "", when.start)
        if fact == "fluid-resuscitation":
            if when.start >= scope.since:
                boluses.append(Bolus(when.start, evidence))
            continue
        levels = _levels(procedure, scope)
        for at in _moments(procedure, when.start, when.end, scope.now):
            if at >= scope.since:
                charted.append(Charted(at, levels, evidence))
    boluses.sort(key=lambda one: one.at)
    charted.sort(key=lambda one: one.at)
    return tuple(boluses), tuple(charted)


def _fact(procedure: Procedure, codes: CodeSets) -> tuple[str, str]:
    for coding in procedure.code.coding if procedure.code is not None else ():
        fact = codes.procedures.get((coding.system, coding.code))
        if fact is not None:
            return fact, coding.code or ""
    return "", ""


def _levels(procedure: Procedure, scope: Scope) -> tuple[str, ...]:
    reasons = " ".join(concept_text(reason) for reason in procedure.reason_code).lower()
    other = next((reason for reason in _OTHER_REASONS if reason in reasons), None)
    if other is None:
        return ("positive-pressure",)
    text = f"ventilation or airway for {other}: by itself no sign of hypoxia"
    scope.notes.missing("oxygen-device", text)
    return LEVELS


def _moments(
    procedure: Procedure, start: datetime, end: datetime | None, now: datetime
) -> tuple[datetime, ...]:
    """A ventilation in progress is a state now; one that ended was a state until then."""
    if procedure.performed_period is None:
        return (start,)
    if end is not None:
        return (start, end)
    return (start, now) if procedure.status == "in-progress" else (start,)
