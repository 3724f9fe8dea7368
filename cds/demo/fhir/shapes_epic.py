"""Resources as Epic's sandbox sends them; pure, one departure a function.

Each takes a resource as the sandbox keeps it and gives another; no value is changed. Sources:
`vendors`.
"""

from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType

from cds.demo.fhir.codings import (
    BLOOD_PRESSURE,
    LOINC,
    RXNORM,
    Codings,
    categories_of,
    codes_of,
    codings_of,
    label_of,
    made_up,
    observation_recoded,
    without,
)
from cds.demo.fhir.elements import values
from cds.demo.fhir.resource_json import Resource, number


FLOWSHEET_ROW = "urn:oid:1.2.840.114350.1.13.0.1.7.2.707679"
FLOWSHEET_ID = "http://open.epic.com/FHIR/StructureDefinition/observation-flowsheet-id"
LOINC_ALIAS = "urn:oid:1.2.246.537.6.96"
MEDICATION_IDS = "rx-"
_LOCAL = 3_040_000_000  # made-up rows are above this
# Row and label in the sandbox, by LOINC.
_ROWS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {BLOOD_PRESSURE: ("5", "BP"), "8310-5": ("6", "Temp"), "29463-7": ("14", "Weight")}
)


def flowsheet_codings(resource: Resource) -> Resource:
    """The flowsheet row first; then aliases of LOINC, LOINC, and the panel of all vital signs."""
    vital = "vital-signs" in categories_of(resource)

    def change(codings: Codings) -> Codings:
        codes = codes_of(codings, LOINC)
        pressure = BLOOD_PRESSURE in codes
        aliases = ["8462-4", "8480-6"] if pressure else codes
        more = (["55284-4"] if pressure else []) + (["8716-3"] if vital else [])
        return [
            *_flowsheet(codings),
            *({"system": LOINC_ALIAS, "code": code} for code in aliases),
            *codings,
            *({"system": LOINC, "code": code} for code in more),
        ]

    return observation_recoded(resource, change)


def flowsheet_alone(resource: Resource) -> Resource:
    """A row that nobody has mapped: its local codes and nothing else."""
    return observation_recoded(resource, _flowsheet)


def smart_data(resource: Resource) -> Resource:
    """An assessment as SmartData: another category, and its value as text in a component."""
    if resource.get("resourceType") != "Observation" or "survey" not in categories_of(resource):
        return resource
    text = _text(resource)
    if not text:
        return resource
    part = {"code": resource.get("code"), "valueString": text}
    return {
        **without(resource, "valueInteger", "valueCodeableConcept"),
        "category": [{"coding": [{"code": "smartdata", "display": "SmartData"}]}],
        "component": [*values(resource, "component"), part],
    }


def medication_reference(resource: Resource) -> Resource:
    """The drug is a resource of its own, of which only the name is here."""
    concept = resource.get("medicationCodeableConcept")
    codes = codes_of(codings_of(concept), RXNORM)
    if not codes:
        return resource
    named = {"reference": f"Medication/{MEDICATION_IDS}{codes[0]}", "display": label_of(concept)}
    return {**without(resource, "medicationCodeableConcept"), "medicationReference": named}


def _flowsheet(codings: Codings) -> Codings:
    known = [_ROWS[code] for code in codes_of(codings, LOINC) if code in _ROWS]
    row, label = known[0] if known else (made_up(codings, _LOCAL), label_of({"coding": codings}))
    opaque = "t" + sha256(row.encode()).hexdigest()[:16]
    both = ({"system": FLOWSHEET_ROW, "code": row}, {"system": FLOWSHEET_ID, "code": opaque})
    return [{**one, **({"display": label} if label else {})} for one in both]


def _text(resource: Resource) -> str:
    whole = number(resource.get("valueInteger"))
    return label_of(resource.get("valueCodeableConcept")) if whole is None else str(whole)
