"""Support a patient has anyway, from diagnoses; it lowers what is certain, never what is possible.

A diagnosis that names another cause is said and changes nothing: only a clinician attributes.
"""

from typing import Literal

from fhir_mapping.codes import CodeSets
from fhir_mapping.datatypes import CodeableConcept
from fhir_mapping.readings import Scope, concept_text, plain, shown
from fhir_mapping.record import Record
from fhir_mapping.resources import Condition
from fhir_mapping.times import instant
from knowledge.facts import Baseline, Evidence


_KINDS: dict[str, Literal["oxygen", "positive-pressure"]] = {
    "chronic-oxygen": "oxygen",
    "home-positive-pressure": "positive-pressure",
}
_NOT_NOW = frozenset({"inactive", "remission", "resolved", "refuted", "entered-in-error"})


def read_baselines(record: Record, scope: Scope, codes: CodeSets) -> tuple[Baseline, ...]:
    """Chronic oxygen and positive pressure at home, by active diagnoses."""
    found: list[Baseline] = []
    for condition, place in record.conditions:
        fact = _fact(condition, codes)
        said = _codes(condition.clinical_status) | _codes(condition.verification_status)
        if not fact or said & _NOT_NOW or condition.abatement_date_time:
            continue
        text = shown(concept_text(condition.code))
        if fact not in _KINDS:
            notice = f"charted: {text}; another cause is possible, the grade is not changed by it"
            scope.notes.notice("possible-other-cause", notice)
            continue
        ref = f"Condition/{condition.id}" if condition.id else str(place)
        since = instant(condition.onset_date_time or "")
        found.append(Baseline(_KINDS[fact], Evidence(ref, value=text, at=since), since))
    return tuple(sorted(found, key=lambda one: one.evidence.ref))


def _fact(condition: Condition, codes: CodeSets) -> str:
    if condition.code is None:
        return ""
    for coding in condition.code.coding:
        fact = codes.conditions.get((coding.system, _dotted(coding.code)))
        if fact is not None:
            return fact
    texts = (condition.code.text, *(coding.display for coding in condition.code.coding))
    found = (codes.condition_texts.get(plain(text)) for text in texts)
    return next((fact for fact in found if fact is not None), "")


def _codes(status: CodeableConcept | None) -> frozenset[str]:
    return frozenset(coding.code or "" for coding in status.coding) if status else frozenset()


def _dotted(code: str | None) -> str:
    """A code as it is printed: some exports drop the dot."""
    bare = (code or "").upper().replace(".", "")
    return f"{bare[:3]}.{bare[3:]}" if len(bare) > 3 else bare
