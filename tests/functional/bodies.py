"""Hook requests to send: one patient two days after a teclistamab dose, signing the next one."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOOK_INSTANCE = "00000000-007b-9f33-e810-e841a57c502c"  # 8-4-4-4-12, of no RFC 4122 variant
FHIR_BASE = "http://127.0.0.1:9/fhir"
PATIENT = "p1"
Json = dict[str, Any]

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
VITAL = "http://terminology.hl7.org/CodeSystem/observation-category"


def at(hours_ago: float) -> str:
    """An instant before NOW as FHIR writes it."""
    return (NOW - timedelta(hours=hours_ago)).isoformat().replace("+00:00", "Z")


def subject(patient: str = PATIENT) -> Json:
    return {"reference": f"Patient/{patient}"}


def vital(
    code: str, value: float, unit: str, hours_ago: float = 0.5, patient: str = PATIENT
) -> Json:
    """One final vital sign."""
    return {
        "resourceType": "Observation",
        "id": f"o-{code}-{hours_ago}",
        "status": "final",
        "category": [{"coding": [{"system": VITAL, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": subject(patient),
        "effectiveDateTime": at(hours_ago),
        "valueQuantity": {
            "value": value,
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
    }


def bundle(*resources: Json) -> Json:
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": resource} for resource in resources],
    }


def draft(text: str = "teclistamab", patient: str = PATIENT, id: str = "d1") -> Json:  # noqa: A002
    return {
        "resourceType": "MedicationRequest",
        "id": id,
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": text},
        "subject": subject(patient),
    }


def given(hours_ago: float = 40) -> Json:
    return {
        "resourceType": "MedicationAdministration",
        "id": "a1",
        "status": "completed",
        "medicationCodeableConcept": {"text": "teclistamab"},
        "subject": subject(),
        "effectiveDateTime": at(hours_ago),
    }


def normal_vitals() -> list[Json]:
    return [
        vital("8310-5", 36.8, "Cel"),
        vital("8480-6", 124, "mm[Hg]"),
        vital("59408-5", 98, "%"),
    ]


def order_sign(*vitals: Json, drafts: tuple[Json, ...] = (draft(),)) -> Json:
    """A complete order-sign request with these vital signs (normal ones if none are given)."""
    return {
        "hook": "order-sign",
        "hookInstance": HOOK_INSTANCE,
        "context": {
            "userId": "Practitioner/1",
            "patientId": PATIENT,
            "encounterId": "e1",
            "draftOrders": bundle(*copy.deepcopy(drafts)),
        },
        "prefetch": {
            "patient": {
                "resourceType": "Patient",
                "id": PATIENT,
                "birthDate": "1960-01-01",
            },
            "vitals": bundle(*(vitals or normal_vitals())),
            "oxygen": bundle(),
            "assessments": bundle(),
            "labs": None,
            "administrations": bundle(given()),
            "orders": bundle(),
            "conditions": bundle(),
            "procedures": bundle(),
            "encounter": bundle(),
        },
    }


def without(body: Json, path: str) -> Json:
    """The body without the member at a dotted path."""
    changed = copy.deepcopy(body)
    *parents, last = path.split(".")
    target = changed
    for name in parents:
        target = target[name]
    del target[last]
    return changed


def with_value(body: Json, path: str, value: object) -> Json:
    """The body with another value at a dotted path."""
    changed = copy.deepcopy(body)
    *parents, last = path.split(".")
    target = changed
    for name in parents:
        target = target[name]
    target[last] = value
    return changed


def fever() -> list[Json]:
    """38.6 Cel, normal pressure and saturation: ASTCT grade 1 at least."""
    return [
        vital("8310-5", 38.6, "Cel"),
        vital("8480-6", 118, "mm[Hg]"),
        vital("59408-5", 97, "%"),
    ]
