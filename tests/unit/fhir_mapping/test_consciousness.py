"""Scales, sedatives and conditions that are shown beside an ICANS grade and never enter it."""

import pytest

from tests.builders import (
    ICD10CM,
    LOINC,
    SNOMED,
    Json,
    administration,
    concept,
    hours_ago,
    observation,
)
from tests.unit.fhir_mapping.mapped import facts_of


RASS = "457441000124102"


def _scale(system: str, code: str, value: Json, at: str | None = None) -> Json:
    return observation("c", concept(system, code), value, at=at)


@pytest.mark.parametrize(
    ("made", "shown", "depressed"),
    [
        pytest.param(_scale(LOINC, "9269-2", {"valueInteger": 9}), "9", True, id="GCS 9"),
        pytest.param(_scale(LOINC, "9269-2", {"valueInteger": 15}), "15", False, id="GCS 15"),
        pytest.param(_scale(LOINC, "9269-2", {"valueInteger": 40}), "40", None, id="no GCS"),
        pytest.param(
            _scale(LOINC, "9270-0", {"valueString": "No Response-ETT"}),
            "No Response-ETT",
            None,
            id="a verbal score in words is shown as it is",
        ),
        pytest.param(_scale(LOINC, "9268-4", {"valueInteger": 5}), "5", True, id="motor 5 of 6"),
        pytest.param(_scale(SNOMED, RASS, {"valueInteger": -3}), "-3", True, id="RASS -3"),
        pytest.param(_scale(SNOMED, RASS, {"valueInteger": 2}), "2", False, id="RASS +2"),
        pytest.param(_scale(SNOMED, RASS, {"valueInteger": -9}), "-9", None, id="no RASS"),
        pytest.param(
            _scale(LOINC, "67775-7", {"valueCodeableConcept": concept(SNOMED, "300202002")}),
            "300202002",
            True,
            id="AVPU voice by code",
        ),
        pytest.param(
            _scale(LOINC, "67775-7", {"valueCodeableConcept": concept(SNOMED, "248234008", "A")}),
            "A",
            False,
            id="AVPU alert by code",
        ),
        pytest.param(
            _scale(LOINC, "67775-7", {"valueString": "Pain"}), "Pain", True, id="AVPU pain as text"
        ),
        pytest.param(
            _scale(LOINC, "67775-7", {"valueString": "C"}), "C", None, id="new confusion, ACVPU"
        ),
    ],
)
def test_a_scale_is_read_and_is_no_arousal(made: Json, shown: str, depressed: bool | None) -> None:
    facts = facts_of(made)
    assert [(one.value, one.depressed) for one in facts.consciousness] == [(shown, depressed)]
    assert facts.consciousness[0].evidence.note.endswith("not graded")
    assert facts.arousal == ()
    assert facts.ice == ()


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(_scale(LOINC, "9269-2", {}), id="no value"),
        pytest.param(_scale(LOINC, "9269-2", {"valueInteger": 10**9}), id="no number of a scale"),
        pytest.param(_scale(LOINC, "9269-2", {"valueInteger": 9}, hours_ago(2000)), id="long ago"),
    ],
)
def test_a_scale_that_says_nothing_now(made: Json) -> None:
    assert facts_of(made).consciousness == ()


def _given(name: str, **more: str) -> Json:
    return administration({"text": name}, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "end"),
    [
        pytest.param(_given("Propofol 10 mg/mL", at=hours_ago(5), status="in-progress"), None),
        pytest.param(_given("propofol", at=hours_ago(5), until=hours_ago(2)), 2),
        pytest.param(_given("midazolam 2 mg IV", at=hours_ago(5)), 5),
    ],
    ids=["running", "over", "one dose"],
)
def test_a_sedative(made: Json, end: float | None) -> None:
    (one,) = facts_of(made).sedatives
    expected = None if end is None else facts_of(made).evaluated_at.timestamp() - end * 3600
    assert (None if one.end is None else one.end.timestamp()) == expected


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(_given("fospropofol disodium"), id="part of a word"),
        pytest.param(_given("propofol", status="not-done"), id="not given"),
        pytest.param(_given("propofol", at="2026-11-21"), id="no time"),
        pytest.param(_given("propofol", at=hours_ago(2000), until=hours_ago(1999)), id="long ago"),
        pytest.param(_given("teclistamab"), id="another drug"),
    ],
)
def test_no_sedative(made: Json) -> None:
    assert facts_of(made).sedatives == ()


def test_a_sedative_without_an_id_is_named_by_its_place() -> None:
    made = _given("propofol")
    del made["id"]
    assert facts_of(made).sedatives[0].evidence.ref.startswith("prefetch")


def _condition(system: str, code: str, **members: object) -> Json:
    return {
        "resourceType": "Condition",
        "id": "c1",
        "code": concept(system, code),
        "subject": {"reference": "Patient/p1"},
        **members,
    }


@pytest.mark.parametrize(
    ("system", "code", "kind"),
    [
        (SNOMED, "1386000", "haemorrhage"),
        (SNOMED, "87486003", "speech"),
        (ICD10CM, "R47.01", "speech"),
        (SNOMED, "128613002", "seizure-disorder"),
    ],
)
def test_a_condition_to_know_of(system: str, code: str, kind: str) -> None:
    (one,) = facts_of(_condition(system, code)).background
    assert (one.kind, one.evidence.code) == (kind, code)


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(_condition(SNOMED, "91175000"), id="a seizure says nothing of its kind"),
        pytest.param(
            _condition(SNOMED, "1386000", clinicalStatus=concept("urn:s", "resolved")), id="over"
        ),
        pytest.param(
            _condition(SNOMED, "1386000", verificationStatus=concept("urn:v", "refuted")),
            id="refuted",
        ),
    ],
)
def test_a_condition_that_says_nothing_here(made: Json) -> None:
    assert facts_of(made).background == ()


def test_a_condition_without_an_id_is_named_by_its_place() -> None:
    made = _condition(SNOMED, "1386000")
    del made["id"]
    assert facts_of(made).background[0].evidence.ref.startswith("prefetch")


def test_a_sedative_among_the_ingredients_of_a_mixture() -> None:
    made = administration({})
    del made["medicationCodeableConcept"]
    parts = [{"itemCodeableConcept": {"text": name}} for name in ("norepinephrine", "propofol")]
    mix = {"resourceType": "Medication", "id": "mix", "ingredient": parts}
    given = {**made, "medicationReference": {"reference": "#mix"}, "contained": [mix]}
    assert [one.agent for one in facts_of(given).sedatives] == ["propofol"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Intracranial haemorrhage", "haemorrhage"),
        ("Subdural  Hematoma", "haemorrhage"),
        ("Acute ischemic stroke", "stroke"),
        ("Cerebral infarction", "stroke"),
        ("Epilepsy", "seizure-disorder"),
        ("PNES", "functional-seizure"),
        ("Functional seizures", "functional-seizure"),
    ],
)
def test_a_condition_to_know_of_by_its_whole_text(text: str, kind: str) -> None:
    for code in ({"text": text}, {"coding": [{"system": "urn:local", "display": text}]}):
        (one,) = facts_of({**_condition(SNOMED, "1"), "code": code}).background
        assert (one.kind, one.evidence.value, one.evidence.note) == (kind, text, "read from text")


@pytest.mark.parametrize(
    "code",
    [
        pytest.param({"text": "No stroke"}, id="a part of a text says nothing"),
        pytest.param({"text": "Family history of epilepsy"}, id="of somebody else"),
        pytest.param({}, id="no text"),
        pytest.param(None, id="no code"),
    ],
)
def test_other_texts_say_nothing_here(code: Json | None) -> None:
    assert facts_of({**_condition(SNOMED, "1"), "code": code}).background == ()
