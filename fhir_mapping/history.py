"""What clinicians charted about the toxicity itself: grades and attributions.

A grade is usable when it is settled and a practitioner made it; only a practitioner can name
another cause.
"""

from typing import Literal

from fhir_mapping.datatypes import Reference
from fhir_mapping.readings import Scope, is_preliminary, plain_number, reference_to, value_codes
from fhir_mapping.record import Record, Seen
from knowledge.facts import Attribution, ChartedGrade, Evidence, ToxicityName


_GRADES: dict[str, ToxicityName] = {"crs-grade": "crs", "icans-grade": "icans"}
_HIGHEST_GRADE = 4
_PRACTITIONERS = frozenset({"Practitioner", "PractitionerRole"})
_CAUSES: dict[str, Literal["btce", "other-cause", "undetermined"]] = {
    "btce": "btce",
    "other-cause": "other-cause",
    "undetermined": "undetermined",
}
_TOXICITIES: dict[str, ToxicityName] = {"crs": "crs", "icans": "icans"}


def read_grades(record: Record, scope: Scope) -> tuple[ChartedGrade, ...]:
    """Clinicians' grades 0 to 4, oldest first; of any age, as recurrence looks back."""
    found: list[ChartedGrade] = []
    for fact, toxicity in _GRADES.items():
        for seen in record.observations.get(fact, ()):
            at = scope.time_of(seen, fact)
            if at is None:
                continue
            grade = plain_number(seen.observation)
            if grade is None or not 0 <= grade <= _HIGHEST_GRADE or grade != int(grade):
                reason = f"{fact}: not a whole number from 0 to 4"
                scope.notes.rejected(fact, str(seen.place), reason)
                continue
            settled = not is_preliminary(seen.observation)
            usable = settled and _by_any_practitioner(seen)
            ref = reference_to(seen.observation)
            evidence = Evidence(ref, seen.concept.code, str(int(grade)), "", at)
            found.append(ChartedGrade(toxicity, int(grade), at, usable, evidence))
    return tuple(sorted(found, key=lambda one: (one.at, one.grade, one.evidence.ref)))


def _by_any_practitioner(seen: Seen) -> bool:
    return any(map(_by_practitioner, seen.observation.performer))


def _by_practitioner(performer: Reference) -> bool:
    parts = (performer.reference or "").partition("/_history/")[0].split("/")
    named = parts[-2] if len(parts) > 1 else performer.type
    return named in _PRACTITIONERS


def read_attributions(record: Record, scope: Scope) -> tuple[Attribution, ...]:
    """Clinicians' statements about the cause of one toxicity, oldest first."""
    found: list[Attribution] = []
    for seen in record.observations.get("attribution", ()):
        at = scope.time_of(seen, "attribution")
        if at is None:
            continue
        causes = [_CAUSES[code] for code in value_codes(seen.observation) if code in _CAUSES]
        toxicities = _toxicities(seen)
        reason = ""
        if len(causes) != 1 or not toxicities or is_preliminary(seen.observation):
            reason = "attribution without a settled cause and toxicity: not used"
        elif causes[0] == "other-cause" and not _by_any_practitioner(seen):
            reason = "attribution to another cause without a practitioner: not used"
        if reason:
            scope.notes.rejected("attribution", str(seen.place), reason)
            continue
        ref = reference_to(seen.observation)
        evidence = Evidence(ref, seen.concept.code, causes[0], "", at)
        found.extend(Attribution(toxicity, causes[0], at, evidence) for toxicity in toxicities)
    return tuple(sorted(found, key=lambda one: (one.at, one.cause, one.toxicity, one.evidence.ref)))


def _toxicities(seen: Seen) -> list[ToxicityName]:
    found: list[ToxicityName] = []
    for component in seen.observation.component:
        names = {coding.code for coding in component.code.coding} if component.code else set()
        if "toxicity" in names:
            said = value_codes(component)
            found.extend(_TOXICITIES[code] for code in said if code in _TOXICITIES)
    return found
