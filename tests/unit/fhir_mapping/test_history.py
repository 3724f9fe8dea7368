"""Clinicians' grades, coded diagnoses and attributions."""

from datetime import timedelta

import pytest

from tests.builders import (
    ICD10CM,
    NOW,
    TOXICITY,
    Json,
    assessment,
    charted_grade,
    concept,
    hours_ago,
)
from tests.unit.fhir_mapping.mapped import RULES, facts_of, reasons


@pytest.mark.parametrize("toxicity", ["crs", "icans"])
@pytest.mark.parametrize("grade", [0, 1, 4])
def test_a_practitioners_grade(toxicity: str, grade: int) -> None:
    (charted,) = facts_of(charted_grade(toxicity, grade, at=hours_ago(24 * 90))).grades
    assert (charted.toxicity, charted.grade, charted.usable) == (toxicity, grade, True)


@pytest.mark.parametrize(
    ("members", "usable"),
    [
        ({"status": "final"}, True),
        ({"status": "amended"}, True),
        ({"status": "corrected"}, True),
        ({"status": "preliminary"}, False),
        ({"status": "unknown"}, False),
        ({"performer": [{"reference": "PractitionerRole/r"}]}, True),
        (
            {"performer": [{"reference": "https://ehr.example/fhir/Practitioner/d/_history/1"}]},
            True,
        ),
        ({"performer": [{"type": "Practitioner"}]}, True),
        ({"performer": [{"reference": "Patient/p1"}]}, False),
        ({"performer": [{"reference": "Device/d"}]}, False),
        ({"performer": [{"display": "Dr A"}]}, False),
        ({"performer": []}, False),
    ],
)
def test_which_grades_are_usable(members: Json, usable: bool) -> None:
    assert facts_of({**charted_grade("crs", 2), **members}).grades[0].usable is usable


@pytest.mark.parametrize(
    "value", [{"valueInteger": 5}, {"valueInteger": -1}, {"valueInteger": "2"}]
)
def test_a_grade_out_of_range_is_named(value: Json) -> None:
    facts = facts_of({**charted_grade("crs", 2), **value})
    assert facts.grades == ()
    assert "from 0 to 4" in reasons(facts)
    assert facts_of(charted_grade("crs", 2, at="2026-11-21")).grades == ()


def _condition(code: str, **members: object) -> Json:
    return {
        "resourceType": "Condition",
        "id": "c1",
        "code": concept(ICD10CM, code),
        "subject": {"reference": "Patient/p1"},
        "onsetDateTime": hours_ago(48),
        **members,
    }


@pytest.mark.parametrize(
    ("code", "toxicity", "low", "high", "contradictory"),
    [
        ("D89.831", "crs", 1, 1, False),
        ("D89.832", "crs", 2, 2, False),
        ("D89833", "crs", 3, 3, False),
        ("d89.834", "crs", 4, 4, False),
        ("D89.835", "crs", 1, 4, True),
        ("D89.839", "crs", 1, 4, False),
        ("G92.00", "icans", 1, 4, False),
        ("G92.01", "icans", 1, 1, False),
        ("G9202", "icans", 2, 2, False),
        ("G92.03", "icans", 3, 3, False),
        ("G92.04", "icans", 4, 4, False),
        ("G92.05", "icans", 1, 4, True),
    ],
)
def test_diagnoses(code: str, toxicity: str, low: int, high: int, contradictory: bool) -> None:
    (one,) = facts_of(_condition(code)).diagnoses
    assert (one.toxicity, one.at_least, one.at_most) == (toxicity, low, high)
    assert one.contradictory is contradictory


@pytest.mark.parametrize("code", ["G92.8", "R50.9", "D89"])
def test_other_codes_are_no_diagnosis(code: str) -> None:
    assert facts_of(_condition(code)).diagnoses == ()
    no_code = _condition(code)
    del no_code["code"]
    assert facts_of(no_code).diagnoses == ()


def _status(code: str) -> Json:
    return {"coding": [{"code": code}]}


def test_a_refuted_diagnosis_is_none_and_a_doubtful_one_has_no_lower_bound() -> None:
    assert facts_of(_condition("D89.832", verificationStatus=_status("refuted"))).diagnoses == ()
    (one,) = facts_of(_condition("D89.832", verificationStatus=_status("provisional"))).diagnoses
    assert (one.at_least, one.at_most) == (0, 2)


@pytest.mark.parametrize(
    ("members", "onset", "abated"),
    [
        ({}, 48, None),
        ({"abatementDateTime": hours_ago(5)}, 48, 5),
        ({"abatementPeriod": {"end": hours_ago(5)}}, 48, 5),
        ({"abatementDateTime": hours_ago(-5)}, 48, None),
        ({"abatementDateTime": "2026-11-21"}, 48, None),
        ({"abatementDateTime": "2026-11-19"}, 48, 24),
        ({"abatementDateTime": "soon"}, 48, None),
        (
            {"onsetDateTime": None, "onsetPeriod": {"start": hours_ago(9), "end": hours_ago(2)}},
            9,
            2,
        ),
        ({"onsetDateTime": "2026-11-20"}, None, None),
        ({"onsetDateTime": None}, None, None),
        ({"onsetDateTime": None, "onsetPeriod": {}, "abatementPeriod": {}}, None, None),
    ],
)
def test_onset_and_abatement(members: Json, onset: float | None, abated: float | None) -> None:
    (one,) = facts_of(_condition("D89.832", **members)).diagnoses
    hours = [
        None if at is None else (NOW - at).total_seconds() / 3600 for at in (one.onset, one.abated)
    ]
    assert hours == [onset, abated]


def test_an_onset_that_is_a_date_is_a_whole_day_anywhere() -> None:
    (one,) = facts_of(_condition("D89.832", onsetDateTime="2026-11-19")).diagnoses
    assert one.day is not None
    assert [(NOW - at).total_seconds() / 3600 for at in one.day] == [74, 24]
    (today,) = facts_of(_condition("D89.832", onsetDateTime="2026-11-21")).diagnoses
    assert today.day is not None
    assert today.day[1] == NOW
    facts = facts_of(_condition("D89.832", onsetDateTime="2026-12-01"))
    assert facts.diagnoses == ()
    assert "in the future" in reasons(facts)


@pytest.mark.parametrize("end", ["2026-11-21", hours_ago(-5), "soon"])
def test_an_end_that_cannot_be_told_is_named(end: str) -> None:
    assert "diagnosis-end" in reasons(facts_of(_condition("D89.832", abatementDateTime=end)))


def test_onset_that_is_a_date_or_in_the_future_is_named() -> None:
    assert "diagnosis-onset" in reasons(facts_of(_condition("D89.832", onsetDateTime="2026-11-20")))
    facts = facts_of(_condition("D89.832", onsetDateTime=hours_ago(-5)))
    assert facts.diagnoses == ()
    assert "in the future" in reasons(facts)


def _recorded(text: str, **members: object) -> Json:
    return _condition("D89.832", onsetDateTime=None, recordedDate=text, **members)


@pytest.mark.parametrize(
    ("made", "last"),
    [
        pytest.param(_recorded(hours_ago(9)), 9, id="at a time"),
        pytest.param(_recorded("2026-11-19"), 24, id="on a date: it is over then everywhere"),
        pytest.param(_recorded("2026-11-21"), 0, id="today"),
        pytest.param(_recorded(hours_ago(-0.05)), 0, id="by a clock a little ahead"),
        pytest.param({**_recorded(hours_ago(9)), "onsetDateTime": "soon"}, 9, id="onset unusable"),
    ],
)
def test_when_it_was_recorded_bounds_an_onset_that_is_not_charted(made: Json, last: float) -> None:
    facts = facts_of(made)
    (one,) = facts.diagnoses
    assert one.onset is None
    assert one.day is not None
    assert (NOW - one.day[1]).total_seconds() / 3600 == last
    assert one.day[1] - one.day[0] == timedelta(days=RULES.icans_lookback_days)
    assert one.evidence.note.startswith("recorded ")
    assert "began when it was recorded or before" in reasons(facts)


def test_an_onset_that_is_charted_is_not_bounded_by_its_record() -> None:
    (one,) = facts_of(_condition("D89.832", recordedDate=hours_ago(1))).diagnoses
    assert (one.onset, one.day) == (NOW - timedelta(hours=48), None)
    assert one.evidence.note == ""


@pytest.mark.parametrize("text", [hours_ago(-5), "2026-12-01", "soon", "2026-11-20T10:00:00"])
def test_a_record_whose_time_says_nothing_is_named(text: str) -> None:
    facts = facts_of(_recorded(text))
    assert [(one.onset, one.day) for one in facts.diagnoses] == [(None, None)]
    assert "recorded cannot be told" in reasons(facts)


ENDED = {"abatementDateTime": hours_ago(5)}


@pytest.mark.parametrize(
    ("status", "members", "abated", "named"),
    [
        pytest.param("resolved", {}, None, True, id="resolved, nobody charted when"),
        pytest.param("inactive", {}, None, True, id="inactive"),
        pytest.param("remission", {}, None, True, id="in remission"),
        pytest.param("active", {}, None, False, id="active"),
        pytest.param("recurrence", {}, None, False, id="recurring"),
        pytest.param("resolved", ENDED, 5, False, id="with its end"),
        pytest.param("resolved", {"abatementDateTime": "soon"}, None, False, id="no usable end"),
        pytest.param("active", ENDED, None, False, id="both said"),
        pytest.param("relapse", ENDED, None, False, id="relapsed"),
    ],
)
def test_what_the_clinical_status_says_of_the_end(
    status: str, members: Json, abated: float | None, named: bool
) -> None:
    facts = facts_of(_condition("D89.832", clinicalStatus=_status(status), **members))
    (one,) = facts.diagnoses
    assert one.abated == (None if abated is None else NOW - timedelta(hours=abated))
    assert ("when it ended is not charted" in reasons(facts)) is named


def test_active_and_ended_is_a_contradiction_that_is_shown() -> None:
    made = _condition("D89.832", clinicalStatus=_status("active"), abatementDateTime=hours_ago(5))
    facts = facts_of(made)
    assert [one.code for one in facts.notices] == ["diagnosis-active-and-ended"]
    assert "which holds cannot be told" in reasons(facts)


DOCTOR: Json = {"performer": [{"reference": "Practitioner/d"}]}


def _attribution(cause: str, *toxicities: str, **members: object) -> Json:
    parts = [
        {"code": concept(TOXICITY, "toxicity"), "valueCodeableConcept": concept(TOXICITY, one)}
        for one in toxicities
    ]
    return {**assessment("attribution", cause), "component": [*parts, {}], **DOCTOR, **members}


@pytest.mark.parametrize("cause", ["btce", "other-cause", "undetermined"])
def test_attribution(cause: str) -> None:
    facts = facts_of(_attribution(cause, "crs"))
    assert [(one.toxicity, one.cause) for one in facts.attributions] == [("crs", cause)]
    assert len(facts_of(_attribution(cause, "crs", "icans")).attributions) == 2


def test_only_another_cause_needs_a_practitioner() -> None:
    made = _attribution("undetermined", "crs", performer=[])
    assert [one.cause for one in facts_of(made).attributions] == ["undetermined"]


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(_attribution("other-cause"), id="no toxicity"),
        pytest.param(_attribution("other-cause", "hlh"), id="another toxicity"),
        pytest.param(_attribution("sepsis", "crs"), id="an unknown cause"),
        pytest.param(_attribution("btce", "crs", status="preliminary"), id="preliminary"),
        pytest.param(_attribution("other-cause", "crs", performer=[]), id="by nobody"),
        pytest.param(
            _attribution("other-cause", "crs", performer=[{"reference": "Device/d"}]),
            id="by a device",
        ),
        pytest.param(_attribution("btce", "crs", effectiveDateTime="2026"), id="no time"),
    ],
)
def test_attribution_refused_and_named(made: Json) -> None:
    facts = facts_of(made)
    assert facts.attributions == ()
    assert facts.missing[0].fact == "attribution"
