"""The request every candidate answers: one febrile patient after teclistamab, many vital signs.

Builds JSON only; knows nothing of the service. The resources are US-Core-like and whole (metadata,
several codings, reference ranges, about 1.6 kB each), because skipping what is not needed is part
of the work. Values are spread over four days and end shortly before `now`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec


Json = dict[str, Any]

PATIENT = "bench-1"
SPAN = timedelta(days=4)
LATEST = timedelta(minutes=20)  # the newest set of vital signs is this old
DISTINCT_TIMES = 4800  # over all requests of one kind: more than a cache of times would keep
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
VITALS = ("temperature", "heart-rate", "respiratory-rate", "blood-pressure", "pulse-oximetry")

# LOINC codes as in US Core vital signs: (code, display), main code first.
CODES: Mapping[str, Sequence[tuple[str, str]]] = {
    "temperature": (("8310-5", "Body temperature"), ("8331-1", "Oral temperature")),
    "heart-rate": (("8867-4", "Heart rate"),),
    "respiratory-rate": (("9279-1", "Respiratory rate"),),
    "blood-pressure": (("85354-9", "Blood pressure panel with all children optional"),),
    "pulse-oximetry": (
        ("2708-6", "Oxygen saturation in Arterial blood"),
        ("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
    ),
}


def requests(observations: int, *, hook: str, now: datetime) -> Iterator[bytes]:
    """Many requests with that many vital signs, each a second older than the one before.

    Sent in turn, no two in a row are the same: what a service remembers of one does not help.
    """
    sets = -(-observations // len(VITALS))
    for number in range(DISTINCT_TIMES // sets):
        yield request(observations, hook=hook, now=now - timedelta(seconds=number), number=number)


def request(observations: int, *, hook: str, now: datetime, number: int = 0) -> bytes:
    """One hook request with that many vital-sign Observations, as the EHR would send it."""
    context: Json = {"userId": "Practitioner/nurse-1", "patientId": PATIENT}
    if hook == "order-sign":
        context["draftOrders"] = bundle([_draft()])
    body = {
        "hook": hook,
        "hookInstance": f"6f1f6a0e-6f5c-4d0c-9d57-{number:012x}",
        "context": context,
        "prefetch": _prefetch(observations, now),
    }
    return msgspec.json.encode(body)


def bundle(resources: Sequence[Json]) -> Json:
    """A searchset Bundle, the newest resource first as the prefetch templates ask."""
    entries = [{"resource": r, "search": {"mode": "match"}} for r in resources]
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(entries),
        "entry": entries,
    }


def vital_signs(count: int, now: datetime) -> Iterator[Json]:
    """Newest first: sets of temperature, heart rate, respiration, pressure and saturation."""
    sets = -(-count // len(VITALS))
    step = SPAN / max(sets, 1)
    for number in range(count):
        at = now - LATEST - step * (number // len(VITALS))
        yield _vital_sign(number, VITALS[number % len(VITALS)], at)


def _vital_sign(number: int, kind: str, at: datetime) -> Json:
    recent = number < 4 * len(VITALS)  # fever and low saturation in the last few sets only
    wave = number % 7
    values: Mapping[str, Json] = {
        "temperature": _quantity((38.6 if recent else 36.6) + wave / 10, "Cel", "degrees C"),
        "heart-rate": _quantity((108 if recent else 72) + wave, "/min", "beats/minute"),
        "respiratory-rate": _quantity(16 + wave, "/min", "breaths/minute"),
        "pulse-oximetry": _quantity((90 if recent else 96) + wave % 3, "%", "%"),
    }
    resource = _observation(f"vs-{number}", kind, at)
    if kind == "blood-pressure":
        resource["component"] = [
            _component("8480-6", "Systolic blood pressure", 112 + wave),
            _component("8462-4", "Diastolic blood pressure", 68 + wave),
        ]
    else:
        resource["valueQuantity"] = values[kind]
        resource["referenceRange"] = [_reference_range(values[kind])]
    return resource


def _observation(ref: str, kind: str, at: datetime) -> Json:
    when = _stamp(at)
    display = CODES[kind][0][1]
    return {
        "resourceType": "Observation",
        "id": ref,
        "meta": {
            "versionId": "1",
            "lastUpdated": when,
            "source": "urn:oid:2.16.840.1.113883.3.72.5.20",
            "profile": [f"{US_CORE}/us-core-vital-signs", f"{US_CORE}/us-core-{kind}"],
        },
        "identifier": [
            {"use": "official", "system": "urn:oid:2.16.840.1.113883.3.72.5.20.1", "value": ref}
        ],
        "status": "final",
        "category": [_category()],
        "code": {
            "coding": [
                *({"system": LOINC, "code": c, "display": d} for c, d in CODES[kind]),
                {
                    "system": "urn:oid:2.16.840.1.113883.3.72.5.20.2",
                    "code": f"FLOW-{kind.upper()}",
                    "display": f"{display} (flowsheet)",
                },
            ],
            "text": display,
        },
        "subject": {"reference": f"Patient/{PATIENT}", "display": "Bench, Patient"},
        "encounter": {"reference": "Encounter/e1", "display": "Inpatient stay"},
        "effectiveDateTime": when,
        "issued": when,
        "performer": [{"reference": "Practitioner/nurse-1", "display": "Bench Nurse, RN"}],
        "device": {"reference": "Device/monitor-7", "display": "Bedside monitor, bay 7"},
    }


def _category() -> Json:
    return {
        "coding": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                "code": "vital-signs",
                "display": "Vital Signs",
            }
        ],
        "text": "Vital Signs",
    }


def _quantity(value: float, code: str, unit: str) -> Json:
    return {"value": round(value, 1), "unit": unit, "system": UCUM, "code": code}


def _component(code: str, display: str, value: int) -> Json:
    return {
        "code": {"coding": [{"system": LOINC, "code": code, "display": display}], "text": display},
        "valueQuantity": _quantity(value, "mm[Hg]", "mmHg"),
    }


def _reference_range(quantity: Json) -> Json:
    low, high = quantity["value"] - 1, quantity["value"] + 1
    return {
        "low": {**quantity, "value": round(low, 1)},
        "high": {**quantity, "value": round(high, 1)},
        "text": "As configured for the unit",
    }


def _prefetch(observations: int, now: datetime) -> Json:
    return {
        "patient": {
            "resourceType": "Patient",
            "id": PATIENT,
            "gender": "female",
            "birthDate": "1957-03-02",
        },
        "vitals": bundle(list(vital_signs(observations, now))),
        "oxygen": bundle([]),
        "assessments": bundle([]),
        "labs": bundle([]),
        "administrations": bundle([_administration(now - timedelta(hours=30))]),
        "orders": bundle([]),
        "conditions": bundle([]),
        "procedures": bundle([]),
        "encounter": bundle([_encounter(now)]),
    }


def _teclistamab() -> Json:
    display = "1.7 ML teclistamab-cqyv 90 MG/ML Injection [Tecvayli]"
    coding = {"system": RXNORM, "code": "2619444", "display": display}
    return {"coding": [coding], "text": "teclistamab"}


def _draft() -> Json:
    return {
        "resourceType": "MedicationRequest",
        "id": "d1",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": _teclistamab(),
        "subject": {"reference": f"Patient/{PATIENT}"},
    }


def _administration(at: datetime) -> Json:
    return {
        "resourceType": "MedicationAdministration",
        "id": "a1",
        "status": "completed",
        "medicationCodeableConcept": _teclistamab(),
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": _stamp(at),
    }


def _encounter(now: datetime) -> Json:
    return {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "in-progress",
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "IMP",
            "display": "inpatient encounter",
        },
        "subject": {"reference": f"Patient/{PATIENT}"},
        "period": {"start": _stamp(now - SPAN)},
    }


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
