"""The CodeSystem and the Questionnaire: valid, complete, and the same codes the mapping reads."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from fhir.resources.R4B.codesystem import CodeSystem
from fhir.resources.R4B.questionnaire import Questionnaire

from fhir_mapping.codes import HERE
from fhir_mapping.definitions import CODE_SYSTEM, QUESTIONNAIRE, form, ice_items, questions
from knowledge.facts import Attribution, ToxicityName
from knowledge.library import load
from tests.builders import SNOMED, TOXICITY, concept, observation
from tests.unit.fhir_mapping.mapped import CODES, facts_of, numbers


SYSTEM: dict[str, Any] = json.loads(CODE_SYSTEM.read_text("utf-8"))
FORM: dict[str, Any] = json.loads(QUESTIONNAIRE.read_text("utf-8"))
KINDS = {one["code"]: one["property"][0]["valueString"] for one in SYSTEM["concept"]}
DISPLAYS = {one["code"]: one["display"] for one in SYSTEM["concept"]}
ICANS, CRS = load().icans, load().crs
CAUSES = get_args(Attribution.__annotations__["cause"])
TOXICITIES = get_args(ToxicityName)
COMPONENTS = {*ice_items(), "seizure-duration", "seizure-count", "toxicity"}


def _of_kind(kind: str) -> set[str]:
    return {code for code, one in KINDS.items() if one == kind}


def test_both_are_valid_fhir() -> None:
    assert CodeSystem.model_validate(SYSTEM).url == TOXICITY
    assert Questionnaire.model_validate(FORM).subjectType == ["Patient"]


def test_every_concept_has_a_code_of_its_own_words_and_a_kind() -> None:
    assert SYSTEM["content"] == "complete"
    assert SYSTEM["count"] == len(SYSTEM["concept"]) == len(KINDS)
    assert all(one["display"] and one["definition"].endswith(".") for one in SYSTEM["concept"])
    assert set(KINDS.values()) == {"question", "component", "answer"}
    assert len(set(DISPLAYS.values())) == len(DISPLAYS)


def test_the_questions_and_components_are_the_codes_the_mapping_reads() -> None:
    read = {code for system, code in CODES.observations if system == TOXICITY}
    assert _of_kind("component") == COMPONENTS
    assert read == _of_kind("question") | COMPONENTS


def test_the_answers_are_those_the_mapping_reads() -> None:
    axes = (ICANS.arousal, ICANS.seizure, ICANS.motor, ICANS.raised_icp, CRS.hypotension)
    states = {state for axis in axes for state in axis.levels}
    assert _of_kind("answer") == states | {*CAUSES, *TOXICITIES, "sedated"}


def test_every_question_and_component_is_asked_under_its_own_code() -> None:
    asked = set(questions())
    assert asked == _of_kind("question") | _of_kind("component") | {"oxygen-flow"}
    for link, item in questions().items():
        (coding,) = item.code
        if link == "oxygen-flow":
            assert (coding.system, coding.code) == ("http://loinc.org", "3151-8")
        else:
            assert (coding.system, coding.code) == (TOXICITY, link)
            assert item.text == coding.display == DISPLAYS[link]


def test_headings_are_no_codes() -> None:
    assert all(item.link_id.startswith("group-") and not item.code for item in form().item)


# The states as the scales and the facts have them, and `sedated`, which is no level.
@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("arousal", {*ICANS.arousal.levels, "sedated"}),
        ("seizure", set(ICANS.seizure.levels)),
        ("motor", set(ICANS.motor.levels)),
        ("raised-icp", set(ICANS.raised_icp.levels)),
        ("hypotension-support", set(CRS.hypotension.levels)),
        ("attribution", set(CAUSES)),
        ("toxicity", set(TOXICITIES)),
    ],
)
def test_a_question_offers_every_state_of_its_axis(question: str, answers: set[str]) -> None:
    offered = questions()[question].answers
    assert set(offered) == answers
    for code, coding in offered.items():
        assert (coding.system, coding.display) == (TOXICITY, DISPLAYS[str(code)])


def test_the_answers_a_site_can_map_to_are_those_of_the_form() -> None:
    files = yaml.safe_load((HERE / "values.yaml").read_text("utf-8"))
    allowed = {one["fact"]: set(one["values"]) for one in files["allowed"]}
    assert len(allowed) > 10
    for question, values in allowed.items():
        item = questions()[question]
        if item.type == "integer":
            low, high = item.limits
            assert values == {str(value) for value in range(low, high + 1)}, question
        else:
            assert values == set(item.answers), question


def test_drowsy_is_said_in_plain_words() -> None:
    assert DISPLAYS["spontaneous"] == "drowsy, wakes by itself"


def test_no_display_repeats_its_code() -> None:
    assert [code for code, words in DISPLAYS.items() if "-" in code and code in words] == []


@pytest.mark.parametrize(
    ("question", "limits"),
    [
        ("ice-total", (0, 10)),
        ("ice-orientation", (0, 4)),
        ("ice-naming", (0, 3)),
        ("ice-command", (0, 1)),
        ("ice-writing", (0, 1)),
        ("ice-attention", (0, 1)),
        ("capd-total", (0, 32)),
        ("seizure-count", (1, 1000)),
        ("crs-grade", (0, 4)),
        ("icans-grade", (0, 4)),
    ],
)
def test_a_whole_number_has_the_limits_of_its_scale(question: str, limits: tuple[int, int]) -> None:
    assert questions()[question].type == "integer"
    assert questions()[question].limits == limits


@pytest.mark.parametrize(("question", "field"), [("ice-total", "ice"), ("capd-total", "capd")])
def test_the_mapping_reads_up_to_the_limit_and_not_beyond(question: str, field: str) -> None:
    low, high = questions()[question].limits

    def read(value: int) -> list[object]:
        made = observation("o1", concept(TOXICITY, question), {"valueInteger": value})
        return list(numbers(getattr(facts_of(made), field)))

    assert [read(low), read(high), read(low - 1), read(high + 1)] == [[low], [high], [], []]


def test_every_device_offered_is_one_the_mapping_places() -> None:
    codings = questions()["oxygen-device"].answers.values()
    tiers = [CODES.devices[coding.system, coding.code] for coding in codings]
    assert {coding.system for coding in codings} == {SNOMED}
    assert "unplaced" not in tiers
    assert len(set(tiers)) == 7  # room air, cannula, blow-by, high flow, mask, pressure, trachea


def test_both_files_are_shipped() -> None:
    root = Path(__file__).parents[3]
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["fhir_mapping"]
    shipped = {found for one in patterns for found in (root / "fhir_mapping").glob(one)}
    assert {CODE_SYSTEM, QUESTIONNAIRE} <= shipped


def test_reading_a_request_loads_no_models() -> None:
    script = "import sys, fhir_mapping.read; sys.exit('fhir' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], check=False)  # noqa: S603 -- fixed
    assert done.returncode == 0
