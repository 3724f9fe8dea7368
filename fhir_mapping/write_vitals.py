"""Vital signs charted at the bedside as FHIR R4 Observations: temperature, blood pressure, SpO2.

The codes and units are those of the vital signs profiles of FHIR R4 (US Core asks for both codes of
pulse oximetry). Checked as in `fhir_mapping.write`; what `fhir_mapping.read` would not use is
refused. It grades nothing.
"""

from decimal import Decimal
from typing import Literal

from fhir.resources.R4B.observation import Observation
from msgspec import Raw

from fhir_mapping.answers import CannotWrite, Resource, measured
from fhir_mapping.datatypes import Quantity
from fhir_mapping.units import UCUM, canonical
from fhir_mapping.write import Charting, charted


_LOINC = "http://loinc.org"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_PRESSURE = "mm[Hg]"
_WORDS = {
    "8310-5": "Body temperature",
    "85354-9": "Blood pressure panel with all children optional",
    "8480-6": "Systolic blood pressure",
    "8462-4": "Diastolic blood pressure",
    "59408-5": "Oxygen saturation in Arterial blood by Pulse oximetry",
    "2708-6": "Oxygen saturation in Arterial blood",
}


def temperature(by: Charting, value: Decimal, unit: Literal["Cel", "[degF]"]) -> Resource:
    """A body temperature, in the unit it was measured in."""
    return _vital_sign(by, ("8310-5",), measured("temperature", value, unit))


def blood_pressure(by: Charting, systolic: Decimal, diastolic: Decimal | None = None) -> Resource:
    """Both pressures in mm[Hg]; a diastolic pressure that was not charted is said to be unknown."""
    _readable("systolic", systolic)
    if diastolic is not None and diastolic >= systolic:
        raise CannotWrite(f"a diastolic pressure of {diastolic} is not below {systolic}")
    unknown = {"system": _ABSENT, "code": "unknown", "display": "Unknown"}
    parts = [
        {**_coded("8480-6"), **measured("pressure", systolic, _PRESSURE)},
        {
            **_coded("8462-4"),
            **(
                {"dataAbsentReason": {"coding": [unknown]}}
                if diastolic is None
                else measured("pressure", diastolic, _PRESSURE)
            ),
        },
    ]
    return _vital_sign(by, ("85354-9",), {"component": parts})


def saturation(by: Charting, percent: Decimal) -> Resource:
    """An oxygen saturation by pulse oximetry, in %."""
    return _vital_sign(by, ("59408-5", "2708-6"), measured("saturation", percent, "%"))


def _vital_sign(by: Charting, codes: tuple[str, ...], value: Resource) -> Resource:
    category = {"system": _CATEGORY, "code": "vital-signs", "display": "Vital Signs"}
    made = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [category]}],
        **_coded(*codes),
        **charted(by, "effectiveDateTime"),
        "performer": [{"reference": by.performer}],
        **value,
    }
    Observation.model_validate(made)
    return made


def _coded(*codes: str) -> Resource:
    coding = [{"system": _LOINC, "code": code, "display": _WORDS[code]} for code in codes]
    return {"code": {"coding": coding, "text": _WORDS[codes[0]]}}


def _readable(fact: str, value: Decimal) -> None:
    read = canonical(
        "pressure", Quantity(value=Raw(str(value).encode()), system=UCUM, code=_PRESSURE), fact
    )
    if isinstance(read, str):
        raise CannotWrite(read)
