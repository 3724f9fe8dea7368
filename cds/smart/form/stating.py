"""What answers state: Observations to be written, the QuestionnaireResponse, and their draft.

Only what was answered becomes a statement. It grades nothing, reads nothing and sends nothing.
"""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from cds.smart.form.answers import Answers
from fhir_mapping import write, write_vitals
from fhir_mapping.answers import Resource
from fhir_mapping.definitions import ice_items
from fhir_mapping.write import Charting


Statement: TypeAlias = tuple[str, Resource]
RESPONSE = "questionnaire-response"
VITAL_SIGNS = frozenset({"temperature", "blood-pressure", "saturation"})
_DRAFT_ID = "btce-cds-stated-"


def statements(answers: Answers, by: Charting) -> tuple[Statement, ...]:
    """An Observation for each thing answered, by its code; empty where nothing was.

    Raises `CannotWrite` for what would not be read back.
    """
    return (*_vital_signs(answers, by), *_neurology(answers, by), *_support(answers, by))


def with_response(stated: Sequence[Statement], by: Charting) -> tuple[Statement, ...]:
    """The same, and the QuestionnaireResponse with those that answer one of its questions."""
    asked = [
        one for kind, one in stated if kind not in VITAL_SIGNS and "dataAbsentReason" not in one
    ]
    if not asked:
        return tuple(stated)
    return (*stated, (RESPONSE, write.questionnaire_response(by, asked)))


def draft(stated: Sequence[Statement]) -> tuple[Resource, ...]:
    """The Observations with ids, as if they were charted already."""
    return tuple({**one, "id": f"{_DRAFT_ID}{n}"} for n, (_, one) in enumerate(stated, start=1))


def is_draft(ref: str) -> bool:
    """Whether a reference is to something that is stated now and not yet on the server."""
    return ref.startswith(f"Observation/{_DRAFT_ID}")


def _vital_signs(answers: Answers, by: Charting) -> Iterator[Statement]:
    if answers.temperature is not None:
        value, unit = answers.temperature
        fahrenheit = unit == "[degF]"
        made = write_vitals.temperature(by, value, "[degF]" if fahrenheit else "Cel")
        yield "temperature", made
    if answers.systolic is not None:
        made = write_vitals.blood_pressure(by, answers.systolic, answers.diastolic)
        yield "blood-pressure", made
    if answers.saturation is not None:
        yield "saturation", write_vitals.saturation(by, answers.saturation)


def _neurology(answers: Answers, by: Charting) -> Iterator[Statement]:
    if answers.ice:
        yield "ice-total", _ice(answers.ice, by)
    elif answers.ice_not_performed:
        yield "ice-total", write.not_performed(by, "ice-total", answers.ice_not_performed)
    if answers.capd is not None:
        yield "capd-total", write.capd(by, answers.capd)
    if answers.arousal:
        yield "arousal", write.arousal(by, answers.arousal)
    if answers.seizure:
        minutes, count = answers.seizure_minutes, answers.seizure_count
        made = write.seizure(by, answers.seizure, minutes=minutes, count=count)
        yield "seizure", made
    if answers.motor:
        yield "motor", write.motor(by, answers.motor)
    if answers.raised_icp:
        yield "raised-icp", write.raised_icp(by, answers.raised_icp)


def _support(answers: Answers, by: Charting) -> Iterator[Statement]:
    if answers.oxygen_device:
        made = write.oxygen_device(by, answers.oxygen_device, flow=answers.oxygen_flow)
        yield "oxygen-device", made
    if answers.hypotension_support:
        made = write.hypotension_support(by, answers.hypotension_support)
        yield "hypotension-support", made
    for toxicity, cause in answers.attribution.items():
        yield "attribution", write.attribution(by, toxicity, cause)
    for toxicity, grade in answers.grades.items():
        yield f"{toxicity}-grade", write.grade(by, toxicity, grade)


def _ice(items: dict[str, int], by: Charting) -> Resource:
    """With all five items their total; with fewer the items alone, as nobody knows the total."""
    if items.keys() == ice_items().keys():
        return write.ice(by, items)
    made = write.ice(by, items, total=sum(items.values()))
    return {name: value for name, value in made.items() if name != "valueInteger"}
