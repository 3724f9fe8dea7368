"""A site's own codes and answers, read as the project's: only where its overlay says so."""

from pathlib import Path

import pytest
from msgspec import Raw

from fhir_mapping.codes import CodeSets, load_codes
from fhir_mapping.read import PatientInput, read
from knowledge.facts import Facts
from tests.builders import BASE, NOW, Json, as_bytes, bundle, concept, observation
from tests.unit.fhir_mapping.mapped import CODES, RULES


ROW, ANSWER = "urn:row", "urn:answer"
FILES = {
    "systems": f"systems: {{ROW: ['{ROW}'], ANSWER: ['{ANSWER}']}}",
    "observations": """
sets:
  - {fact: ice-total, system: ROW, codes: [{code: "10", display: ICE, evidence: build}]}
  - {fact: ice-orientation, system: ROW, codes: [{code: "11", display: O, evidence: build}]}
  - {fact: ice-naming, system: ROW, codes: [{code: "12", display: N, evidence: build}]}
  - {fact: ice-command, system: ROW, codes: [{code: "13", display: C, evidence: build}]}
  - {fact: ice-writing, system: ROW, codes: [{code: "14", display: W, evidence: build}]}
  - {fact: ice-attention, system: ROW, codes: [{code: "15", display: A, evidence: build}]}
  - {fact: arousal, system: ROW, codes: [{code: "20", display: LOC, evidence: build}]}
  - {fact: crs-grade, system: ROW, codes: [{code: "30", display: CRS, evidence: build}]}
  - {fact: attribution, system: ROW, codes: [{code: "40", display: Cause, evidence: build}]}
  - {fact: toxicity, system: ROW, codes: [{code: "41", display: Of, evidence: build}]}
  - fact: arousal
    use: exclude
    why: "a target, not a finding"
    system: ROW
    codes: [{code: "21", display: RASS goal, evidence: build}]
""",
    "values": """
values:
  - fact: arousal
    value: voice
    texts: [Rouses to voice]
    system: ANSWER
    codes: [{code: "3", display: Rouses to voice, evidence: build}]
  - {fact: arousal, value: alert, texts: [Alert and calm]}
  - {fact: crs-grade, value: "2", texts: [Grade 2]}
  - {fact: crs-grade, value: "3", texts: [Grade 3]}
  - {fact: attribution, value: other-cause, texts: [Infection]}
  - {fact: toxicity, value: crs, texts: [Cytokine release]}
""",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> CodeSets:
    folder: Path = tmp_path_factory.mktemp("overlay")
    for name, text in FILES.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load_codes(folder)


def facts(site: CodeSets, *resources: Json) -> Facts:
    data = PatientInput("p1", BASE, None, None, {"vitals": Raw(as_bytes(bundle(*resources)))})
    return read(data, now=NOW, rules=RULES, codes=site).facts


def row(code: str, value: Json) -> Json:
    return observation("o1", concept(ROW, code), value)


def answered(text: str = "", code: str = "") -> Json:
    coding = [{"system": ANSWER, "code": code}] if code else []
    return {"valueCodeableConcept": {"coding": coding, "text": text}}


@pytest.mark.parametrize(
    ("value", "levels"),
    [
        (answered(code="3"), [("voice",)]),
        (answered("Rouses  to Voice"), [("voice",)]),
        ({"valueString": "rouses to voice"}, [("voice",)]),
        ({"valueCodeableConcept": {"coding": [{"display": "Alert and calm"}]}}, [("alert",)]),
        ({"valueString": "does not rouse to voice"}, [()]),
    ],
)
def test_an_answer_of_the_site_is_one_of_the_project(
    site: CodeSets, value: Json, levels: list[tuple[str, ...]]
) -> None:
    found = facts(site, row("20", value)).arousal
    assert [one.levels for one in found] == levels
    assert [one.evidence.code for one in found] == ["20"] * len(levels)


def test_two_answers_at_once_are_both_possible(site: CodeSets) -> None:
    (found,) = facts(site, row("20", answered("Alert and calm", "3"))).arousal
    assert sorted(found.levels) == ["alert", "voice"]


def test_an_excluded_row_is_no_finding(site: CodeSets) -> None:
    assert facts(site, row("21", answered(code="3"))).arousal == ()


@pytest.mark.parametrize(("text", "grades"), [("Grade 2", [2]), ("Grade 9", [])])
def test_a_grade_in_words_is_a_grade(site: CodeSets, text: str, grades: list[int]) -> None:
    found = facts(site, row("30", {"valueString": text}))
    assert [one.grade for one in found.grades] == grades


def test_two_grades_in_one_answer_are_none(site: CodeSets) -> None:
    both: Json = {"coding": [{"display": "Grade 2"}, {"display": "Grade 3"}]}
    found = facts(site, row("30", {"valueCodeableConcept": both}))
    assert found.grades == ()
    assert "crs-grade" in {one.fact for one in found.missing}


def test_local_items_add_up_to_the_score(site: CodeSets) -> None:
    """4 + 3 + 1 + 1 + 0 = 9, as the scale adds."""
    items = {"11": 4, "12": 3, "13": 1, "14": 1, "15": 0}
    parts = [{"code": concept(ROW, code), "valueInteger": n} for code, n in items.items()]
    parts += [{"valueInteger": 1}, {"code": concept(ROW, "99"), "valueInteger": 1}]
    parts += [{"code": concept(ROW, "21"), "valueInteger": 1}]
    (found,) = facts(site, row("10", {"component": parts})).ice
    assert found.value == 9


def test_a_local_component_with_a_local_answer(site: CodeSets) -> None:
    part = {"code": concept(ROW, "41"), "valueString": "Cytokine release"}
    made = row("40", {"valueString": "Infection", "component": [part]})
    (found,) = facts(site, {**made, "performer": [{"reference": "Practitioner/1"}]}).attributions
    assert (found.toxicity, found.cause) == ("crs", "other-cause")


def test_without_the_overlay_they_say_nothing() -> None:
    found = facts(CODES, row("20", answered(code="3")), row("30", {"valueString": "Grade 2"}))
    assert (found.arousal, found.grades) == ((), ())
