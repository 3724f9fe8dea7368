"""The hook services this deployment offers: id, hook, words for an administrator, prefetch.

Templates use the query subset of CDS Hooks 2.0 only ("Prefetch query restrictions"): read, search
by reference and token, `_sort`, `_count`; tokens are root members of every hook's context.
"""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct


class Service(Struct, frozen=True, omit_defaults=True):
    """One entry of the discovery answer."""

    id: str
    hook: str
    title: str
    description: str
    prefetch: dict[str, str] = {}


_PATIENT = "patient={{context.patientId}}"
_SNOMED = "http://snomed.info/sct"
_LOINC = "http://loinc.org"
# How oxygen is given, its flow and concentration (inhaled and at the ventilator), and the device in
# the project's own CodeSystem.
_OXYGEN = ",".join(
    (
        f"{_SNOMED}|16206004",
        f"{_LOINC}|3151-8",
        f"{_LOINC}|19941-4",
        f"{_LOINC}|3150-0",
        f"{_LOINC}|19994-3",
        "https://btce-cds.org/fhir/CodeSystem/toxicity-assessment|oxygen-device",
    )
)

# Newest first, so that a page reaching past the window is complete for that window. The sort
# parameters are R4's own: MedicationAdministration, MedicationRequest and Condition have no `date`.
PREFETCH: Mapping[str, str] = MappingProxyType(
    {
        "patient": "Patient/{{context.patientId}}",
        "vitals": f"Observation?{_PATIENT}&category=vital-signs&_sort=-date&_count=200",
        "oxygen": f"Observation?{_PATIENT}&code={_OXYGEN}&_sort=-date&_count=50",
        "assessments": f"Observation?{_PATIENT}&category=survey&_sort=-date&_count=100",
        "labs": f"Observation?{_PATIENT}&category=laboratory&_sort=-date&_count=100",
        "administrations": (
            f"MedicationAdministration?{_PATIENT}&_sort=-effective-time&_count=200"
        ),
        "orders": f"MedicationRequest?{_PATIENT}&status=active&_sort=-authoredon&_count=100",
        "conditions": f"Condition?{_PATIENT}&_sort=-recorded-date&_count=100",
        "procedures": f"Procedure?{_PATIENT}&_sort=-date&_count=50",
        "encounter": f"Encounter?{_PATIENT}&_sort=-date&_count=1",
    }
)

ORDER_SIGN = Service(
    id="btce-order-sign",
    hook="order-sign",
    title="CRS and ICANS check for bispecific T-cell engagers",
    description=(
        "Grades cytokine release syndrome and ICANS from the chart when a bispecific T-cell"
        " engager, tocilizumab, anakinra, a corticosteroid or an antipyretic is signed, and shows"
        " what the label or the site protocol says. Not clinically reviewed."
    ),
    prefetch=dict(PREFETCH),
)

ORDER_SELECT = Service(
    id="btce-order-select",
    hook="order-select",
    title="CRS and ICANS check while ordering",
    description=(
        "The same check earlier, for the orders being selected: conditions of the next dose and the"
        " REMS programme before the order is written out. Not clinically reviewed."
    ),
    prefetch=dict(PREFETCH),
)

PATIENT_VIEW = Service(
    id="btce-patient-view",
    hook="patient-view",
    title="CRS and ICANS on opening the chart",
    description=(
        "One card for an open CRS or ICANS event after a bispecific T-cell engager, or for"
        " conditions of its next dose; nothing otherwise. Not clinically reviewed."
    ),
    prefetch=dict(PREFETCH),
)

OBSERVATION = Service(
    id="btce-observation",
    hook="org.btce-cds.observation-create",
    title="CRS and ICANS when new observations arrive",
    description=(
        "Grades again with the observations the request brings; the hook is defined in"
        " docs/hooks/org.btce-cds.observation-create.md. Not clinically reviewed."
    ),
    prefetch=dict(PREFETCH),
)

# One id a hook: some clients keep one service per id.
SERVICES: Mapping[str, Service] = MappingProxyType(
    {one.id: one for one in (ORDER_SIGN, ORDER_SELECT, PATIENT_VIEW, OBSERVATION)}
)
