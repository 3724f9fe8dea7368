"""Resources as Oracle Health's sandbox sends them; pure, one departure a function.

Each takes a resource as the sandbox keeps it and gives another; a unit is left out, never changed.
Sources: `vendors`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from zlib import crc32

from cds.demo.fhir.codings import (
    BLOOD_PRESSURE,
    LOINC,
    RXNORM,
    Codings,
    codes_of,
    codings_of,
    label_of,
    made_up,
    observation_recoded,
    recoded,
    without,
)
from cds.demo.fhir.elements import member, values
from cds.demo.fhir.quirks import Shape
from cds.demo.fhir.resource_json import Resource


_TENANT = "https://fhir.cerner.com/ec2458f2-1e24-41c8-b71b-0e701af7583d"
CODE_SET = f"{_TENANT}/codeSet/72"
SYNONYM = f"{_TENANT}/synonym"
_DILUENT = "Sodium Chloride 0.9%"
_LOCAL = 2_000_000_000  # made-up codes are above this
# Code and label in the sandbox, by LOINC.
_EVENTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "8310-5": ("703558", "Temperature Oral"),
        "59408-5": ("703498", "Oxygen Saturation"),
        "8480-6": ("703501", "Systolic Blood Pressure"),
        "8462-4": ("703516", "Diastolic Blood Pressure"),
    }
)


def proprietary_codings(resource: Resource) -> Resource:
    """The system's own code first, marked as what the user chose.

    Of a blood pressure only its parts have one, and each part is coded as the panel as well.
    """
    parts = [_part(one) for one in values(resource, "component")]
    if parts and resource.get("resourceType") == "Observation":
        resource = {**resource, "component": parts}

    def change(codings: Codings) -> Codings:
        pressure = BLOOD_PRESSURE in codes_of(codings, LOINC)
        return codings if pressure else [_event(codings), *codings]

    return observation_recoded(resource, change)


def drug_synonyms(resource: Resource) -> Resource:
    """The system's own name of a drug behind RxNorm, marked as what the user chose."""
    concept = resource.get("medicationCodeableConcept")
    codings = codings_of(concept)
    if not codes_of(codings, RXNORM):
        return resource
    own = {"system": SYNONYM, "code": made_up(codings, _LOCAL), "userSelected": True}
    return {**resource, "medicationCodeableConcept": recoded(concept, [*codings, own])}


def contained_infusion(resource: Resource) -> Resource:
    """The drug of an infusion is an ingredient of a contained Medication, beside its diluent."""
    concept = resource.get("medicationCodeableConcept")
    if concept is None or member(resource.get("dosage"), "rateQuantity") is None:
        return resource
    mixed = {
        "resourceType": "Medication",
        "id": "mix",
        "ingredient": [
            {"itemCodeableConcept": concept},
            {"itemCodeableConcept": {"text": _DILUENT}},
        ],
    }
    named = {"reference": "#mix", "display": f"{label_of(concept)} + {_DILUENT}"}
    rest = without(resource, "medicationCodeableConcept")
    return {**rest, "contained": [mixed], "medicationReference": named}


def bare_values(every: int) -> Shape:
    """One of `every` measurements has a number without a unit: by its id, always the same one."""

    def shape(resource: Resource) -> Resource:
        if resource.get("resourceType") != "Observation":
            return resource
        if crc32(str(resource.get("id")).encode()) % every:
            return resource
        parts = [_bare(one) for one in values(resource, "component")]
        return {**_bare(resource), **({"component": parts} if parts else {})}

    return shape


def _bare(item: Any) -> Any:
    value = member(member(item, "valueQuantity"), "value")
    return item if value is None else {**item, "valueQuantity": {"value": value}}


def _part(component: Any) -> Any:
    codings = codings_of(member(component, "code"))
    if not {"8480-6", "8462-4"} & set(codes_of(codings, LOINC)):
        return component
    panel = {"system": LOINC, "code": BLOOD_PRESSURE}
    return {**component, "code": recoded(component["code"], [_event(codings), *codings, panel])}


def _event(codings: Codings) -> Resource:
    known = [_EVENTS[code] for code in codes_of(codings, LOINC) if code in _EVENTS]
    code, label = known[0] if known else (made_up(codings, _LOCAL), label_of({"coding": codings}))
    shown = {"display": label} if label else {}
    return {"system": CODE_SET, "code": code, **shown, "userSelected": True}
