"""A story and a time become FHIR R4 resources, grouped as the prefetch queries would return them.

No clock: `now` is an argument. Every resource belongs to the story's own patient.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, assert_never

from cds.demo import observations
from cds.demo.drugs import medication, quantity, route
from cds.demo.observations import Resource
from cds.demo.story import (
    Entry,
    Given,
    GradeCharted,
    Infusion,
    Neuro,
    Problem,
    Story,
    Support,
    Vitals,
    Weight,
)


PRACTITIONER = "Practitioner/demo-clinician"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CLINICAL_STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
CATEGORIES = {"vital-signs": "vitals", "therapy": "oxygen", "survey": "assessments"}


def instant(now: datetime, hours: float = 0) -> str:
    """A time as FHIR writes it, to the second, in UTC."""
    moment = now + timedelta(hours=hours)
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def encounter_id(story: Story) -> str:
    """The id of the story's one encounter."""
    return f"{story.id}-stay"


def patient(story: Story, now: datetime) -> Resource:
    """The Patient, born `age` years and half a year ago."""
    born = (now - timedelta(days=365.25 * (story.age + 0.5))).date()
    return {
        "resourceType": "Patient",
        "id": story.id,
        "name": [{"family": story.family, "given": [story.given]}],
        "gender": story.sex,
        "birthDate": born.isoformat(),
    }


def practitioner() -> Resource:
    """Who charts everything, and who is signed in at the EHR of the demo."""
    return {
        "resourceType": "Practitioner",
        "id": PRACTITIONER.partition("/")[2],
        "name": [{"family": "Sample", "given": ["Robin"]}],
    }


def encounter(story: Story, now: datetime) -> Resource:
    """The inpatient stay, begun before the first charted entry."""
    first = min(entry.at for entry in story.chart)
    return {
        "resourceType": "Encounter",
        "id": encounter_id(story),
        "status": "in-progress",
        "class": {"system": ACT_CODE, "code": "IMP", "display": "inpatient encounter"},
        "subject": {"reference": f"Patient/{story.id}"},
        "period": {"start": instant(now, first - 1)},
    }


def chart(story: Story, now: datetime) -> tuple[Resource, ...]:
    """Everything charted, newest first, with ids, subject and times."""
    charted = [
        (hours, resource)
        for entry in story.chart
        for hours in _times(entry)
        for resource in _resources(entry, now, hours)
    ]
    charted.sort(key=lambda pair: -pair[0])
    return tuple(
        {**resource, "id": f"{story.id}-{number}", "subject": _subject(story)}
        for number, (_, resource) in enumerate(charted, start=1)
    )


def _times(entry: Entry) -> tuple[float, ...]:
    # An infusion is one administration over a period, whatever its `until`.
    return (entry.at,) if isinstance(entry, Infusion) else entry.times()


def _subject(story: Story) -> Resource:
    return {"reference": f"Patient/{story.id}"}


def _resources(entry: Entry, now: datetime, hours: float) -> Iterator[Resource]:
    match entry:
        case Given():
            yield _given(entry, instant(now, hours))
        case Infusion():
            yield _infusion(entry, now)
        case Problem():
            yield _problem(entry, instant(now, hours))
        case _:
            for resource in _observed(entry):
                yield {
                    **resource,
                    "effectiveDateTime": instant(now, hours),
                    "performer": [{"reference": PRACTITIONER}],
                }


def _observed(entry: Vitals | Weight | Neuro | Support | GradeCharted) -> Iterator[Resource]:
    match entry:
        case Vitals():
            yield from observations.vitals(entry)
        case Weight():
            yield observations.weight(entry)
        case Neuro():
            yield from observations.neuro(entry)
        case Support():
            yield observations.support(entry)
        case GradeCharted():
            yield observations.grade(entry)
        case _:
            assert_never(entry)


def _given(entry: Given, at: str) -> Resource:
    return {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": medication(entry.drug),
        "effectiveDateTime": at,
        "dosage": {"route": route(entry.route), "dose": quantity(entry.mg, "mg")},
    }


def _infusion(entry: Infusion, now: datetime) -> Resource:
    period = {"start": instant(now, entry.at)}
    if entry.until is not None:
        period["end"] = instant(now, entry.until)
    return {
        "resourceType": "MedicationAdministration",
        "status": "in-progress" if entry.until is None else "completed",
        "medicationCodeableConcept": medication(entry.drug),
        "effectivePeriod": period,
        "dosage": {"route": route("IV"), "rateQuantity": quantity(entry.rate, "ug/kg/min")},
    }


def _problem(entry: Problem, at: str) -> Resource:
    return {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"system": CLINICAL_STATUS, "code": "active"}]},
        "code": {
            "coding": [{"system": ICD_10_CM, "code": entry.code, "display": entry.text}],
            "text": entry.text,
        },
        "onsetDateTime": at,
    }


def _key(resource: Resource) -> str:
    if resource["resourceType"] == "MedicationAdministration":
        return "administrations"
    if resource["resourceType"] == "Condition":
        return "conditions"
    return CATEGORIES[resource["category"][0]["coding"][0]["code"]]


SEARCHES = (
    "vitals",
    "oxygen",
    "assessments",
    "labs",
    "administrations",
    "orders",
    "conditions",
    "procedures",
    "encounter",
)


def prefetch(story: Story, now: datetime) -> dict[str, Any]:
    """All prefetch keys: the patient, and a searchset Bundle per search, empty if none found."""
    found: dict[str, list[Resource]] = {key: [] for key in SEARCHES}
    found["encounter"].append(encounter(story, now))
    for resource in chart(story, now):
        found[_key(resource)].append(resource)
    answers: dict[str, Any] = {key: _bundle(items) for key, items in found.items()}
    return {"patient": patient(story, now), **answers}


def _bundle(resources: list[Resource]) -> Resource:
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(resources)}
    if resources:
        bundle["entry"] = [
            {"resource": resource, "search": {"mode": "match"}} for resource in resources
        ]
    return bundle
