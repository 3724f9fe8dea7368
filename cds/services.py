"""The hook services this deployment offers: id, hook, words for an administrator, prefetch.

Templates use the query subset of CDS Hooks 2.0 only ("Prefetch query restrictions"): read, search
by reference and token, `_sort`, `_count`; tokens are root members of every hook's context.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import quote

import msgspec
from msgspec import Struct

from fhir_mapping.codes import Code, CodeSets


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
_OXYGEN_FACTS = frozenset({"oxygen-device", "oxygen-flow", "oxygen-fraction"})
_LOCAL_CODES = 50  # codes in one query, so that its URL stays short enough for any server
_OXYGEN = ",".join(
    (
        f"{_SNOMED}|16206004",
        f"{_SNOMED}|336589003",
        f"{_LOINC}|3151-8",
        f"{_LOINC}|19941-4",
        f"{_LOINC}|3150-0",
        f"{_LOINC}|19994-3",
        f"{_LOINC}|71835-3",
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


def services_of(codes: CodeSets) -> tuple[Service, ...]:
    """The services of a site: the same, and their prefetch asks for its own codes too."""
    prefetch = {**PREFETCH, **_local(codes)}
    return tuple(msgspec.structs.replace(one, prefetch=prefetch) for one in SERVICES.values())


def _local(codes: CodeSets) -> dict[str, str]:
    """Oxygen is asked for by code, so its rows join that query; other rows need not be filed under
    the category the rest is asked by, and get queries of their own."""
    oxygen: list[Code] = []
    other: list[Code] = []
    for code, fact in sorted(codes.local_observations.items(), key=str):
        (oxygen if fact in _OXYGEN_FACTS else other).append(code)
    found = {"oxygen": _by_code((_OXYGEN, *map(_token, oxygen)), 50)} if oxygen else {}
    for start in range(0, len(other), _LOCAL_CODES):
        some = other[start : start + _LOCAL_CODES]
        found[f"local-{start // _LOCAL_CODES + 1}"] = _by_code(map(_token, some), 200)
    return found


def _by_code(tokens: Iterable[str], count: int) -> str:
    return f"Observation?{_PATIENT}&code={','.join(tokens)}&_sort=-date&_count={count}"


def _token(code: Code) -> str:
    """`system|code`, its own commas and bars escaped as FHIR search has it, and URL encoded."""
    return "|".join(_escaped(part or "") for part in code)


def _escaped(text: str) -> str:
    for sign in "\\$,|":
        text = text.replace(sign, f"\\{sign}")
    return quote(text, safe=":/.-_~")
