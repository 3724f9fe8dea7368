"""From FHIR resources to the decision: a febrile inpatient 30 hours after teclistamab.

Each keyword of `bedside` replaces one part of the chart; None takes it away.
"""

from zoneinfo import ZoneInfo

from knowledge.assemble import Context
from knowledge.assessment import ToxicityState
from knowledge.decide import decide
from knowledge.decision import Decision
from knowledge.library import load
from tests.builders import (
    Json,
    bp,
    bundle,
    draft_order,
    hours_ago,
    oxygen_device,
    patient,
    spo2,
    teclistamab,
    temp,
)
from tests.unit.fhir_mapping.mapped import map_request


LIBRARY = load()
QUERIES = ("oxygen", "assessments", "administrations", "orders", "conditions", "procedures")


def fever(value: float = 38.6, hours: float = 1, name: str = "t0") -> Json:
    return temp(value, at=hours_ago(hours), resource_id=name)


def pressure(systolic: float = 122, hours: float = 1, name: str = "bp0") -> Json:
    return bp(systolic, 50, at=hours_ago(hours), resource_id=name)


def saturation(value: float = 97, hours: float = 1, name: str = "s0") -> Json:
    return spo2(value, at=hours_ago(hours), resource_id=name)


def on(device: str = "room air", hours: float = 1, name: str = "o0") -> Json:
    return oxygen_device(device, at=hours_ago(hours), resource_id=name)


def encounter(kind: str) -> Json:
    return {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "in-progress",
        "class": {"code": kind},
        "subject": {"reference": "Patient/p1"},
    }


def condition(code: Json, **members: object) -> Json:
    return {
        "resourceType": "Condition",
        "id": "c1",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": code,
        "subject": {"reference": "Patient/p1"},
        **members,
    }


def procedure(code: Json, hours: float = 1.5, **members: object) -> Json:
    return {
        "resourceType": "Procedure",
        "id": "pr1",
        "status": "completed",
        "code": code,
        "subject": {"reference": "Patient/p1"},
        "performedDateTime": hours_ago(hours),
        **members,
    }


def bedside(
    *more: Json,
    t: Json | None = fever(),  # noqa: B008 - resources are not changed
    p: Json | None = pressure(),  # noqa: B008
    s: Json | None = saturation(),  # noqa: B008
    o: Json | None = on(),  # noqa: B008
    ward: str = "IMP",
    birth: str = "1960-05-17",
    protocol: str = "us-label",
    dosed: float = 30,
    unanswered: str = "",
) -> Decision:
    """The decision on the drafted teclistamab."""
    dose = teclistamab(at=hours_ago(dosed), resource_id="dose0")
    usual = [one for one in (t, p, s, o) if one is not None]
    facts = map_request(
        {
            "patient": patient(birth_date=birth),
            "encounter": encounter(ward),
            "vitals": bundle(*usual, dose, *more),
            **{name: bundle() for name in QUERIES if name != unanswered},
        },
        drafts=bundle(draft_order()),
    ).facts
    context = Context("demo", "live", protocol, "0", LIBRARY.rules, ZoneInfo("UTC"))
    return decide(facts, LIBRARY, context)


def crs(found: Decision) -> ToxicityState:
    return found.assessment.crs


def grade(found: Decision) -> tuple[int, int] | None:
    """At least and at most; None where CRS was not assessed."""
    state = crs(found)
    return None if state.grade is None else (state.grade.at_least, state.grade.at_most)


def notices(found: Decision) -> set[str]:
    return {one.code for one in found.assessment.notices}


def missing(found: Decision) -> str:
    """Everything named as missing, in one text."""
    named = (*crs(found).missing, *found.missing)
    return "\n".join(f"{one.fact}: {one.reason}" for one in named)


def level(found: Decision, axis: str) -> str:
    return crs(found).axes[axis].level
