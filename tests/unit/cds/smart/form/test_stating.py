"""Answers become statements: one Observation for each answer, none for what was not answered."""

import json
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

from cds.smart.form.answers import Answers
from cds.smart.form.stating import RESPONSE, draft, is_draft, statements, with_response
from fhir_mapping import write
from fhir_mapping.write import Charting
from knowledge.facts import Facts
from tests.builders import NOW, bundle
from tests.unit.fhir_mapping.mapped import map_request


BY = Charting("p1", "Practitioner/d1", NOW)
FULL = {
    "ice-orientation": 4,
    "ice-naming": 2,
    "ice-command": 1,
    "ice-writing": 0,
    "ice-attention": 1,
}
EVERYTHING = Answers(
    ice=FULL,
    arousal="voice",
    seizure="brief",
    seizure_minutes=Decimal(2),
    seizure_count=1,
    motor="none",
    raised_icp="none",
    temperature=(Decimal("38.4"), "Cel"),
    systolic=Decimal(88),
    diastolic=Decimal(50),
    saturation=Decimal(92),
    oxygen_device="336623009",
    oxygen_flow=Decimal(3),
    hypotension_support="fluids",
    attribution={"crs": "btce", "icans": "undetermined"},
    grades={"crs": 2, "icans": 3},
)


def _facts(answers: Answers) -> Facts:
    return map_request({"stated": write.as_json(bundle(*draft(statements(answers, BY))))}).facts


def test_nothing_answered_states_nothing() -> None:
    assert statements(Answers(), BY) == ()
    assert with_response((), BY) == ()


def test_everything_answered_is_read_back_as_it_was_answered() -> None:
    facts = _facts(EVERYTHING)
    assert [one.value for one in facts.ice] == [8]
    assert [one.levels for one in facts.arousal] == [("voice",)]
    assert [one.levels for one in facts.seizure] == [("brief",)]
    assert [one.levels for one in facts.motor] == [("none",)]
    assert [one.levels for one in facts.raised_icp] == [("none",)]
    assert [one.value for one in facts.temperatures] == [Decimal("38.4")]
    assert [one.value for one in facts.systolic] == [Decimal(88)]
    assert [one.value for one in facts.saturations] == [Decimal(92)]
    assert [(one.levels, one.flow) for one in facts.oxygen] == [(("low-flow",), Decimal(3))]
    assert [one.levels for one in facts.support] == [("fluids",)]
    assert {(one.toxicity, one.cause) for one in facts.attributions} == {
        ("crs", "btce"),
        ("icans", "undetermined"),
    }
    assert {(one.toxicity, one.grade, one.usable) for one in facts.grades} == {
        ("crs", 2, True),
        ("icans", 3, True),
    }
    assert (facts.missing, facts.notices, facts.unreadable) == ((), (), ())


@pytest.mark.parametrize(
    ("answers", "kinds"),
    [
        (Answers(seizure="none"), ["seizure"]),
        (Answers(hypotension_support="none"), ["hypotension-support"]),
        (Answers(ice={"ice-command": 0}), ["ice-total"]),
        (Answers(capd=0), ["capd-total"]),
        (Answers(grades={"crs": 0}), ["crs-grade"]),
        (Answers(systolic=Decimal(88)), ["blood-pressure"]),
    ],
)
def test_one_answer_is_one_statement_and_nothing_is_added(
    answers: Answers, kinds: list[str]
) -> None:
    assert [kind for kind, _ in statements(answers, BY)] == kinds


@pytest.mark.parametrize(
    ("items", "low", "high"),
    [
        ({"ice-orientation": 4}, 4, 10),
        ({"ice-orientation": 0}, 0, 6),
        ({"ice-orientation": 2, "ice-naming": 3}, 5, 8),
        ({name: FULL[name] for name in list(FULL)[:4]}, 7, 8),
    ],
)
def test_an_ice_that_is_not_finished_has_no_total_and_leaves_the_possible_ones(
    items: dict[str, int], low: int, high: int
) -> None:
    ((_, made),) = statements(Answers(ice=items), BY)
    assert "valueInteger" not in made
    Observation.model_validate(json.loads(write.as_json(made)))
    facts = _facts(Answers(ice=items))
    assert facts.ice == ()
    (doubt,) = facts.ice_doubts
    assert doubt.levels == tuple(str(n) for n in range(low, high + 1))


def test_an_ice_that_could_not_be_performed_is_no_zero() -> None:
    facts = _facts(Answers(ice_not_performed="intubated"))
    assert facts.ice == ()
    assert [one.levels for one in facts.ice_doubts] == [()]


def test_the_response_holds_the_answers_and_neither_vital_signs_nor_what_was_not_performed() -> (
    None
):
    stated = with_response(statements(EVERYTHING, BY), BY)
    kind, response = stated[-1]
    assert kind == RESPONSE
    QuestionnaireResponse.model_validate(json.loads(write.as_json(response)))
    found = _answers(response["item"])
    assert ("ice-orientation", 4) in found
    assert ("seizure", "brief") in found
    assert ("oxygen-device", "336623009") in found
    assert ("icans-grade", 3) in found
    assert {value for link, value in found if link == "attribution"} == {"btce", "undetermined"}
    assert not any("temperature" in link for link, _ in found)


def _answers(items: list[dict[str, Any]]) -> set[tuple[str, Any]]:
    found: set[tuple[str, Any]] = set()
    for item in items:
        found |= _answers(item.get("item", []))
        for answer in item.get("answer", []):
            coding = answer.get("valueCoding")
            value = coding["code"] if coding else answer.get("valueInteger")
            found.add((item["linkId"], value))
    return found


@pytest.mark.parametrize(
    "answers", [Answers(saturation=Decimal(94)), Answers(ice_not_performed="asleep")]
)
def test_without_an_answer_to_a_question_of_the_form_there_is_no_response(
    answers: Answers,
) -> None:
    stated = statements(answers, BY)
    assert with_response(stated, BY) == stated


def test_a_draft_is_known_as_one_and_no_other_reference_is() -> None:
    ids = [one["id"] for one in draft(statements(EVERYTHING, BY))]
    assert len(set(ids)) == len(ids) == 14
    assert all(is_draft(f"Observation/{one}") for one in ids)
    assert not is_draft("Observation/9")
    assert not is_draft("Observation/stated-1")
