"""Charted entries as FHIR R4 Observations, coded the way EHRs code them.

Shapes only: it never decides what a value means.
"""

from collections.abc import Iterator
from typing import Any

from cds.demo.drugs import SNOMED, quantity
from cds.demo.story import GradeCharted, Neuro, Support, Vitals, Weight


LOINC = "http://loinc.org"
PROJECT = "https://btce-cds.org/fhir/CodeSystem/toxicity-assessment"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
DEVICES: dict[str, tuple[str, str]] = {
    "room-air": ("722742002", "Breathing room air"),
    "nasal-cannula": ("336623009", "Oxygen nasal cannula"),
    "high-flow": ("426854004", "High flow oxygen nasal cannula"),
    "mask": ("336602003", "Oxygen mask"),
    "cpap": ("47545007", "Continuous positive airway pressure ventilation treatment"),
}
Resource = dict[str, Any]


def _concept(system: str, code: str, display: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def _observation(category: str, code: Resource, **value: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": CATEGORY, "code": category}]}],
        "code": code,
        **value,
    }


def _vital(loinc: str, display: str, **value: Any) -> Resource:
    return _observation("vital-signs", _concept(LOINC, loinc, display), **value)


def _assessment(code: str, display: str, **value: Any) -> Resource:
    return _observation("survey", _concept(PROJECT, code, display), **value)


def vitals(entry: Vitals) -> Iterator[Resource]:
    """Temperature, blood pressure panel, saturation, oxygen device and flow, where charted."""
    if entry.temperature is not None:
        value = quantity(entry.temperature, entry.unit)
        yield _vital("8310-5", "Body temperature", valueQuantity=value)
    if entry.pressure is not None:
        systolic, diastolic = entry.pressure
        parts = (
            ("8480-6", "Systolic blood pressure", systolic),
            ("8462-4", "Diastolic blood pressure", diastolic),
        )
        component = [
            {"code": _concept(LOINC, code, text), "valueQuantity": quantity(number, "mm[Hg]")}
            for code, text, number in parts
        ]
        yield _vital("85354-9", "Blood pressure", component=component)
    if entry.spo2 is not None:
        saturation = _vital(
            "59408-5", "Oxygen saturation (SpO2)", valueQuantity=quantity(entry.spo2, "%")
        )
        saturation["code"]["coding"].append({"system": LOINC, "code": "2708-6"})
        yield saturation
    if entry.device is not None:
        value = _concept(SNOMED, *DEVICES[entry.device])
        question = _concept(SNOMED, "16206004", "Oxygen delivery")
        yield _observation("therapy", question, valueCodeableConcept=value)
    if entry.flow is not None:
        question = _concept(LOINC, "3151-8", "Inhaled oxygen flow rate")
        flow = quantity(entry.flow, "L/min")
        yield _observation("therapy", question, valueQuantity=flow)


def weight(entry: Weight) -> Resource:
    """Body weight in kg."""
    return _vital("29463-7", "Body weight", valueQuantity=quantity(entry.kg, "kg"))


def neuro(entry: Neuro) -> Iterator[Resource]:
    """ICE total, arousal and seizure, where charted."""
    if entry.ice is not None:
        yield _assessment("ice-total", "ICE score", valueInteger=entry.ice)
    if entry.arousal is not None:
        yield _assessment(
            "arousal",
            "Arousal",
            valueCodeableConcept=_concept(PROJECT, entry.arousal, entry.arousal),
        )
    if entry.seizure is not None:
        seizure = _assessment(
            "seizure",
            "Seizure",
            valueCodeableConcept=_concept(PROJECT, entry.seizure, entry.seizure),
        )
        if entry.minutes is not None:
            duration = _concept(PROJECT, "seizure-duration", "Seizure duration")
            seizure["component"] = [
                {"code": duration, "valueQuantity": quantity(entry.minutes, "min")}
            ]
        yield seizure


def support(entry: Support) -> Resource:
    """A clinician's statement of hypotension support."""
    value = _concept(PROJECT, entry.level, entry.level)
    return _assessment("hypotension-support", "Hypotension support", valueCodeableConcept=value)


def grade(entry: GradeCharted) -> Resource:
    """A clinician's grade."""
    display = f"{entry.toxicity.upper()} grade"
    return _assessment(f"{entry.toxicity}-grade", display, valueInteger=entry.grade)
