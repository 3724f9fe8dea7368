"""Small functions that make FHIR R4 resources and hook requests as plain dicts, for tests.

Times are texts as FHIR writes them, or `hours_ago(4)`; the evaluation time is `NOW`.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any


Json = dict[str, Any]
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BASE = "https://ehr.example/fhir"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
TOXICITY = "https://btce-cds.org/fhir/CodeSystem/toxicity-assessment"


def hours_ago(hours: float) -> str:
    """A FHIR dateTime that long before `NOW`."""
    return (NOW - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def concept(system: str, code: str, text: str = "") -> Json:
    """A CodeableConcept with one coding, and text if there is any."""
    made: Json = {"coding": [{"system": system, "code": code}]}
    return {**made, "text": text} if text else made


def quantity(value: float, unit: str) -> Json:
    """A Quantity with a UCUM code."""
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def patient(
    patient_id: str = "p1", *, birth_date: str = "1960-05-17", gender: str = "male"
) -> Json:
    """The patient."""
    return {
        "resourceType": "Patient",
        "id": patient_id,
        "birthDate": birth_date,
        "gender": gender,
    }


def observation(
    resource_id: str, code: Json, value: Json, *, at: str | None = None, status: str = "final"
) -> Json:
    """Any Observation; `value` holds the value[x], component or dataAbsentReason members."""
    return {
        "resourceType": "Observation",
        "id": resource_id,
        "status": status,
        "code": code,
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": at or hours_ago(1),
        **value,
    }


def temp(
    value: float, unit: str = "Cel", *, at: str | None = None, resource_id: str = "t1"
) -> Json:
    """A body temperature."""
    number = {"valueQuantity": quantity(value, unit)}
    return observation(resource_id, concept(LOINC, "8310-5"), number, at=at)


def bp(
    systolic: float,
    diastolic: float,
    *,
    mean: float | None = None,
    at: str | None = None,
    resource_id: str = "bp1",
) -> Json:
    """A blood pressure panel, with a mean pressure if given."""
    values = {"8480-6": systolic, "8462-4": diastolic, "8478-0": mean}
    parts = [
        {"code": concept(LOINC, code), "valueQuantity": quantity(value, "mm[Hg]")}
        for code, value in values.items()
        if value is not None
    ]
    return observation(resource_id, concept(LOINC, "85354-9"), {"component": parts}, at=at)


def spo2(
    value: float,
    *,
    flow: float | None = None,
    unit: str = "%",
    at: str | None = None,
    resource_id: str = "s1",
) -> Json:
    """A pulse oximetry reading, with the oxygen flow as a component if given."""
    made: Json = {"valueQuantity": quantity(value, unit)}
    if flow is not None:
        part = {"code": concept(LOINC, "3151-8"), "valueQuantity": quantity(flow, "L/min")}
        made["component"] = [part]
    return observation(resource_id, concept(LOINC, "59408-5"), made, at=at)


def oxygen_device(text: str, *, at: str | None = None, resource_id: str = "ox1") -> Json:
    """What delivers oxygen, as free text."""
    return observation(
        resource_id, concept(TOXICITY, "oxygen-device"), {"valueString": text}, at=at
    )


def oxygen_flow(value: float, *, at: str | None = None, resource_id: str = "fl1") -> Json:
    """An oxygen flow of its own."""
    number = {"valueQuantity": quantity(value, "L/min")}
    return observation(resource_id, concept(LOINC, "3151-8"), number, at=at)


def assessment(
    code: str, value: str | int, *, at: str | None = None, resource_id: str | None = None
) -> Json:
    """An Observation of the project's CodeSystem: a word or a number."""
    made: Json = (
        {"valueInteger": value}
        if isinstance(value, int)
        else {"valueCodeableConcept": concept(TOXICITY, value)}
    )
    return observation(resource_id or f"{code}-1", concept(TOXICITY, code), made, at=at)


def ice(total: int, *, at: str | None = None, resource_id: str = "ice1") -> Json:
    """An ICE total."""
    return assessment("ice-total", total, at=at, resource_id=resource_id)


def arousal(level: str, *, at: str | None = None, resource_id: str = "ar1") -> Json:
    """A level of arousal."""
    return assessment("arousal", level, at=at, resource_id=resource_id)


def charted_grade(
    toxicity: str, grade: int, *, at: str | None = None, status: str = "final"
) -> Json:
    """A practitioner's grade."""
    made = assessment(f"{toxicity}-grade", grade, at=at)
    return {**made, "status": status, "performer": [{"reference": "Practitioner/d1"}]}


def weight(
    value: float, unit: str = "kg", *, at: str | None = None, resource_id: str = "w1"
) -> Json:
    """A measured weight."""
    number = {"valueQuantity": quantity(value, unit)}
    return observation(resource_id, concept(LOINC, "29463-7"), number, at=at)


def administration(
    medicine: Json,
    *,
    at: str | None = None,
    until: str | None = None,
    status: str = "completed",
    dose: Json | None = None,
    rate: Json | None = None,
    route: str = "",
    resource_id: str = "ma1",
) -> Json:
    """A MedicationAdministration; with `until` over a period, else at one moment."""
    start = at or hours_ago(24)
    dosage: Json = {}
    if dose is not None:
        dosage["dose"] = dose
    if rate is not None:
        dosage["rateQuantity"] = rate
    if route:
        dosage["route"] = {"text": route}
    when: Json = {"effectiveDateTime": start}
    if until is not None or status == "in-progress":
        when = {"effectivePeriod": {"start": start, **({"end": until} if until else {})}}
    return {
        "resourceType": "MedicationAdministration",
        "id": resource_id,
        "status": status,
        "medicationCodeableConcept": medicine,
        "subject": {"reference": "Patient/p1"},
        **when,
        **({"dosage": dosage} if dosage else {}),
    }


def teclistamab(*, at: str | None = None, resource_id: str = "tec1") -> Json:
    """A dose of teclistamab, by product code."""
    medicine = concept(RXNORM, "2619444", "teclistamab-cqyv")
    dose = quantity(120, "mg")
    return administration(medicine, at=at, dose=dose, route="subcutaneous", resource_id=resource_id)


def tocilizumab(*, at: str | None = None, mg: float = 560, resource_id: str = "toci1") -> Json:
    """An intravenous dose of tocilizumab."""
    medicine = concept(RXNORM, "612865", "tocilizumab")
    dose = quantity(mg, "mg")
    return administration(medicine, at=at, dose=dose, route="IV", resource_id=resource_id)


def norepinephrine(*, at: str | None = None, resource_id: str = "nor1") -> Json:
    """A norepinephrine infusion that is running."""
    medicine = concept(RXNORM, "7512", "norepinephrine")
    return administration(
        medicine,
        at=at or hours_ago(2),
        status="in-progress",
        rate=quantity(0.1, "ug/kg/min"),
        route="IV",
        resource_id=resource_id,
    )


def acetaminophen(*, at: str | None = None, resource_id: str = "apap1") -> Json:
    """A dose of acetaminophen by mouth."""
    medicine = concept(RXNORM, "161", "acetaminophen")
    return administration(medicine, at=at, route="oral", resource_id=resource_id)


def dexamethasone(*, at: str | None = None, resource_id: str = "dex1") -> Json:
    """A dose of dexamethasone into a vein."""
    medicine = concept(RXNORM, "3264", "dexamethasone")
    return administration(medicine, at=at, route="IV", resource_id=resource_id)


def draft_order(
    name: str = "teclistamab",
    *,
    dose: Json | None = None,
    route: str = "",
    resource_id: str = "d1",
    resource_type: str = "MedicationRequest",
) -> Json:
    """A draft order by name."""
    made: Json = {
        "resourceType": resource_type,
        "id": resource_id,
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/p1"},
    }
    if resource_type == "ServiceRequest":
        return {**made, "code": {"text": name}}
    instruction: Json = {}
    if dose is not None:
        instruction["doseAndRate"] = [{"doseQuantity": dose}]
    if route:
        instruction["route"] = {"text": route}
    made["medicationCodeableConcept"] = {"text": name}
    return {**made, "dosageInstruction": [instruction]} if instruction else made


def bundle(*resources: Json, base: str = BASE, more: bool = False) -> Json:
    """A searchset, with a `next` link if there is more."""
    entries = [
        {"fullUrl": f"{base}/{one['resourceType']}/{one.get('id', 'x')}", "resource": one}
        for one in resources
    ]
    links = [{"relation": "next", "url": f"{base}?page=2"}] if more else []
    return {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}


def hook_request(
    prefetch: Mapping[str, Json | None] | None = None,
    *,
    drafts: Iterable[Json] = (),
    hook: str = "order-sign",
) -> Json:
    """A CDS Hooks request for patient p1."""
    context: Json = {"userId": "Practitioner/d1", "patientId": "p1"}
    if hook in {"order-sign", "order-select"}:
        context["draftOrders"] = bundle(*drafts)
    if hook == "order-select":
        context["selections"] = [f"{one['resourceType']}/{one['id']}" for one in drafts]
    made: Json = {
        "hook": hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "fhirServer": BASE,
        "context": context,
    }
    return made if prefetch is None else {**made, "prefetch": dict(prefetch)}


def as_bytes(value: object) -> bytes:
    """JSON as it comes over the wire."""
    return json.dumps(value).encode()
