"""What is shown beside an ICANS grade and never enters it: other consciousness scales, sedatives,
and coded conditions that ICANS excludes or that lower an ICE of their own.

GCS, AVPU and RASS are not translated into arousal; nothing here is a level of any axis.
"""

import re
from decimal import Decimal
from typing import Literal

from fhir_mapping.codes import CodeSets
from fhir_mapping.datatypes import CodeableConcept, Coding
from fhir_mapping.medications import name_of, words_of
from fhir_mapping.readings import (
    Scope,
    concept_text,
    concept_texts,
    plain,
    plain_number,
    reference_to,
    shown,
    value_codes,
)
from fhir_mapping.record import Record, Seen
from fhir_mapping.times import read_when
from knowledge.facts import Background, Consciousness, Evidence, Sedative


_SCALES: dict[str, Literal["GCS", "AVPU", "RASS"]] = {"gcs": "GCS", "avpu": "AVPU", "rass": "RASS"}
# LOINC of the total and its parts, with the best value of each.
_BEST = {
    "9269-2": Decimal(15),
    "9267-6": Decimal(4),
    "9270-0": Decimal(5),
    "9268-4": Decimal(6),
}
_RASS_MOST = 4
_ALERT = frozenset({"248234008", "a", "alert"})
_NOT_ALERT = frozenset({"300202002", "450847001", "422768004", "255373000", "v", "p", "u"})
_NOT_ALERT_TEXT = frozenset({"voice", "verbal", "pain", "unresponsive"})
_NOT_SO = frozenset({"refuted", "entered-in-error"})
_OVER = frozenset({"inactive", "remission", "resolved"})
_NOT_GIVEN = frozenset({"not-done", "entered-in-error"})
_WORD = re.compile(r"[a-z]+")


def read_consciousness(record: Record, scope: Scope) -> tuple[Consciousness, ...]:
    """GCS, AVPU and RASS as charted, oldest first."""
    found = []
    for fact, scale in _SCALES.items():
        for seen in record.observations.get(fact, ()):
            at = scope.time_of(seen, fact)
            value, depressed = _value(seen, scale)
            if at is None or not value:
                continue
            ref = reference_to(seen.observation)
            evidence = Evidence(ref, seen.concept.code, value, "", at, f"{scale}: not graded")
            found.append(Consciousness(at, scale, value, depressed, evidence))
    return tuple(sorted(found, key=lambda one: (one.at, one.scale, one.evidence.ref)))


def _value(seen: Seen, scale: str) -> tuple[str, bool | None]:
    """The value as text, and whether it is below the best of its scale."""
    observation = seen.observation
    number = plain_number(observation)
    if number is not None:
        text = f"{number:f}" if abs(number.adjusted()) <= 2 else ""
        if scale == "GCS":
            best = _BEST[seen.concept.code]
            return text, number < best if 0 < number <= best else None
        rass = scale == "RASS" and -_RASS_MOST - 1 <= number <= _RASS_MOST
        return text, number < 0 if rass else None
    words = {plain(word) for word in value_codes(observation)}
    text = concept_text(observation.value_codeable_concept) or observation.value_string or ""
    text = shown(text or ", ".join(sorted(words)))
    if scale != "AVPU":
        return text, None
    words.add(plain(text))
    if words & _ALERT:
        return text, False
    return text, True if words & (_NOT_ALERT | _NOT_ALERT_TEXT) else None


def read_sedatives(record: Record, scope: Scope, codes: CodeSets) -> tuple[Sedative, ...]:
    """Sedatives that were given, by a word of the medicine's name; oldest first."""
    found = []
    for resource, place in record.administrations:
        name = name_of(resource, record.medications)
        words = _WORD.findall(f"{name} {words_of(resource, record.medications)}".lower())
        agents = [word for word in words if word in codes.sedatives]
        if resource.status in _NOT_GIVEN or not agents:
            continue
        when = read_when(resource.effective_date_time, resource.effective_period, scope.now)
        if when.start is None or (when.end is not None and when.end < scope.since):
            continue
        ref = f"MedicationAdministration/{resource.id}" if resource.id else str(place)
        end = when.end
        if end is None and resource.status != "in-progress":
            end = when.start
        evidence = Evidence(ref, agents[0], "", "", when.start, shown(name))
        found.append(Sedative(agents[0], when.start, end, evidence))
    return tuple(sorted(found, key=lambda one: (one.start, one.evidence.ref)))


def read_background(record: Record, codes: CodeSets) -> tuple[Background, ...]:
    """Conditions a reader of the ICANS grade must know of; one that is over is left out."""
    found = []
    for condition, place in record.conditions:
        status = {c.code for c in _codings(condition.clinical_status)}
        certainty = {c.code for c in _codings(condition.verification_status)}
        if status & _OVER or certainty & _NOT_SO:
            continue
        pairs = [(c.system, c.code) for c in _codings(condition.code)]
        kind = next((codes.background[pair] for pair in pairs if pair in codes.background), None)
        ref = f"Condition/{condition.id}" if condition.id else str(place)
        if kind is not None:
            code = next(code for system, code in pairs if (system, code) in codes.background)
            found.append(Background(kind, Evidence(ref, code or "")))
            continue
        for text in concept_texts(condition.code):
            if plain(text) in codes.background_texts:
                evidence = Evidence(ref, value=shown(text), note="read from text")
                found.append(Background(codes.background_texts[plain(text)], evidence))
                break
    return tuple(found)


def _codings(concept: CodeableConcept | None) -> tuple[Coding, ...]:
    return concept.coding if concept is not None else ()
