"""What is charted at the bedside as FHIR R4: Observations of the project's CodeSystem, and the
QuestionnaireResponse with the same answers.

Built from plain values and checked through the models of fhir.resources (R4B; the fields used are
those of R4). What is sent is what was checked, not what the models print: they make floats of
decimals. Nothing that reads a request imports this module, as the models take time to load. It
grades nothing; it refuses what `fhir_mapping.read` could not read back.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from msgspec import Struct

from fhir_mapping.answers import (
    CannotWrite,
    Resource,
    chosen,
    coded,
    concept,
    measured,
    part,
    whole,
)
from fhir_mapping.definitions import Item, form, ice_items, questions
from knowledge.facts import ToxicityName


_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_PATIENT_ID = re.compile(r"[^/\s?#]+")
_PRACTITIONER = re.compile(r"(\S+/)?Practitioner(Role)?/[^/\s?#]+")
_ASSESSED = frozenset({"ice-total", "capd-total", "arousal", "seizure", "motor", "raised-icp"})
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Charting(Struct, frozen=True):
    """Who charted, about whom, when: `performer` and `encounter` are references, `at` has a zone.

    The performer is a Practitioner or a PractitionerRole: a grade by anyone else is not usable.
    """

    patient_id: str
    performer: str
    at: datetime
    encounter: str = ""


def ice(by: Charting, items: Mapping[str, int], total: int | None = None) -> Resource:
    """ICE total, with what was charted of its items (by code) as components.

    All five items make the total; with fewer the total must be given.
    """
    if not items.keys() <= ice_items().keys():
        raise CannotWrite("ICE: an item that is not one of the five")
    summed = sum(items.values())
    rest = sum(most for code, most in ice_items().items() if code not in items)
    if total is None and rest:
        raise CannotWrite("ICE needs a total or all five items")
    if total is not None and not summed <= total <= summed + rest:
        raise CannotWrite(f"an ICE total of {total} does not agree with its items")
    parts = [part(code, whole(code, value)) for code, value in items.items()]
    value = whole("ice-total", summed if total is None else total)
    return _observation(by, "ice-total", value, parts)


def capd(by: Charting, total: int) -> Resource:
    """CAPD total, 0 to 32."""
    return _observation(by, "capd-total", whole("capd-total", total))


def arousal(by: Charting, level: str) -> Resource:
    """Level of arousal, or `sedated`: not assessable."""
    return _observation(by, "arousal", chosen("arousal", level))


def seizure(
    by: Charting, kind: str, *, minutes: Decimal | None = None, count: int | None = None
) -> Resource:
    """A seizure or `none`, with its duration in minutes and how many there were."""
    value = chosen("seizure", kind)
    if kind == "none" and (minutes is not None or count is not None):
        raise CannotWrite("no seizure has no duration and no count")
    parts = []
    if minutes is not None:
        parts.append(part("seizure-duration", measured("duration", minutes, "min")))
    if count is not None:
        parts.append(part("seizure-count", whole("seizure-count", count)))
    return _observation(by, "seizure", value, parts)


def motor(by: Charting, finding: str) -> Resource:
    """Focal weakness or `none`."""
    return _observation(by, "motor", chosen("motor", finding))


def raised_icp(by: Charting, sign: str) -> Resource:
    """The most serious sign of raised intracranial pressure or cerebral edema, or `none`."""
    return _observation(by, "raised-icp", chosen("raised-icp", sign))


def oxygen_device(by: Charting, device: str, *, flow: Decimal | None = None) -> Resource:
    """What delivers oxygen: one of the form's SNOMED CT codes or text; flow in L/min."""
    coding = questions()["oxygen-device"].answers.get(device)
    if coding is None and not device.strip():
        raise CannotWrite("the oxygen device has no name")
    value = {"valueString": device.strip()} if coding is None else concept(coding)
    parts = [] if flow is None else [part("oxygen-flow", measured("flow", flow, "L/min"))]
    return _observation(by, "oxygen-device", value, parts)


def hypotension_support(by: Charting, level: str) -> Resource:
    """A clinician's statement of what the blood pressure needs."""
    return _observation(by, "hypotension-support", chosen("hypotension-support", level))


def attribution(by: Charting, toxicity: ToxicityName, cause: str) -> Resource:
    """A clinician's statement of what causes the findings of one toxicity."""
    parts = [part("toxicity", chosen("toxicity", toxicity))]
    return _observation(by, "attribution", chosen("attribution", cause), parts)


def grade(by: Charting, toxicity: ToxicityName, value: int) -> Resource:
    """A clinician's grade, 0 to 4."""
    code = f"{toxicity}-grade"
    return _observation(by, code, whole(code, value))


def not_performed(by: Charting, question: str, reason: str) -> Resource:
    """An assessment that was not made, and why: never a zero, never normal."""
    if question not in _ASSESSED or not reason.strip():
        raise CannotWrite(f"{question}: not an assessment, or no reason")
    coding = {"system": _ABSENT, "code": "not-performed", "display": "Not Performed"}
    absent = {"coding": [coding], "text": reason.strip()}
    return _observation(by, question, {"dataAbsentReason": absent})


def questionnaire_response(by: Charting, observations: Iterable[Resource]) -> Resource:
    """The answers of Observations built here, under the headings of the form.

    What was not performed has no answer.
    """
    answered = [_answers(one) for one in observations]
    if any(one.pop("subject") != _subject(by) for one in answered):
        raise CannotWrite("an answer is about another patient")
    made = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{form().url}|{form().version}",
        "status": "completed",
        **charted(by, "authored"),
        "author": {"reference": by.performer},
        "item": [made for item in form().item for made in _response_items(item, answered)],
    }
    if not made["item"]:
        raise CannotWrite("nothing was answered")
    QuestionnaireResponse.model_validate(made)
    return made


def as_json(resource: Resource) -> bytes:
    """The resource as it is sent; decimals as they were charted."""
    return _ENCODER.encode(resource)


def _observation(
    by: Charting, code: str, value: Resource, parts: Sequence[Resource] = ()
) -> Resource:
    category = {"system": _CATEGORY, "code": "survey", "display": "Survey"}
    made = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [category]}],
        **coded(code),
        **charted(by, "effectiveDateTime"),
        "performer": [{"reference": by.performer}],
        **value,
        **({"component": list(parts)} if parts else {}),
    }
    Observation.model_validate(made)
    return made


def charted(by: Charting, when: str) -> Resource:
    """Patient, encounter, and the time under the member `when`. Raises `CannotWrite`."""
    if by.at.tzinfo is None:
        raise CannotWrite("the time has no zone")
    if not _PATIENT_ID.fullmatch(by.patient_id) or not _PRACTITIONER.fullmatch(by.performer):
        raise CannotWrite("the patient needs an id, and the author must be a practitioner")
    made: Resource = {
        "subject": _subject(by),
        when: by.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }
    return {**made, "encounter": {"reference": by.encounter}} if by.encounter else made


def _subject(by: Charting) -> Resource:
    return {"reference": f"Patient/{by.patient_id}"}


def _answers(observation: Resource) -> Resource:
    """Answers by linkId, and `subject`."""
    links = {item.code[0].code: link for link, item in questions().items()}
    found: Resource = {"subject": observation["subject"]}
    for one in (observation, *observation.get("component", ())):
        link = links[one["code"]["coding"][0]["code"]]
        for name in ("valueInteger", "valueString", "valueQuantity"):
            if name in one:
                found[link] = {name: one[name]}
        if "valueCodeableConcept" in one:
            found[link] = {"valueCoding": one["valueCodeableConcept"]["coding"][0]}
    return found


def _response_items(item: Item, answered: Sequence[Resource]) -> Iterator[Resource]:
    head = {"linkId": item.link_id, "text": item.text}
    if item.type == "group":
        for share in [[one] for one in answered] if item.repeats else [answered]:
            inner = [made for child in item.item for made in _response_items(child, share)]
            if inner:
                yield {**head, "item": inner}
        return
    found = [one[item.link_id] for one in answered if item.link_id in one]
    if len(found) > 1:
        raise CannotWrite(f"{item.text}: answered twice")
    if found:
        yield {**head, "answer": found}
