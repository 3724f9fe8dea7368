"""Coded diagnoses as problem lists hold them, without an onset or an end: one row, one sentence.

DESIGN 6: a diagnosis code gives history and a maximum only, never what acts or is confirmed.
"""

import pytest

from tests.builders import ICD10CM, Json, concept, hours_ago
from tests.spec.bedside import bedside, condition, crs, fever, grade, missing, notices


def coded(status: str = "active", code: str = "D89.833", **members: object) -> Json:
    said = {"coding": [{"code": status}]}
    return condition(concept(ICD10CM, code), clinicalStatus=said, **members)


RECORDED = {"recordedDate": hours_ago(5)}


@pytest.mark.parametrize(
    ("made", "is_open"),
    [
        pytest.param(coded(**RECORDED), True, id="recorded five hours ago and active: open"),
        pytest.param(coded(recordedDate="2026-11-20"), True, id="recorded yesterday: open"),
        pytest.param(coded(recordedDate=hours_ago(90 * 24)), False, id="recorded long ago"),
        pytest.param(coded(), False, id="no time at all says nothing"),
        pytest.param(
            coded(onsetDateTime=hours_ago(20), abatementDateTime=hours_ago(9)),
            True,
            id="active and ended at once: the end is not used",
        ),
        pytest.param(
            coded("resolved", onsetDateTime=hours_ago(20), abatementDateTime=hours_ago(9)),
            False,
            id="resolved, with its end: over",
        ),
    ],
)
def test_whether_an_event_is_open_without_fever(made: Json, is_open: bool) -> None:
    found = bedside(made, t=fever(36.8))
    assert found.event_open is is_open
    acting = crs(found).acting
    assert acting is None or acting.at_least == 0


def test_a_recorded_diagnosis_lifts_the_maximum_of_the_event_and_not_its_grade() -> None:
    found = bedside(coded(recordedDate=hours_ago(0.5)))
    assert grade(found) == (1, 1)
    event = crs(found).event
    assert event is not None
    assert event.max_grade.at_least == 3


def test_what_is_not_charted_and_what_contradicts_is_named() -> None:
    assert "began when it was recorded or before" in missing(bedside(coded(**RECORDED)))
    over = bedside(coded("resolved", onsetDateTime=hours_ago(20)))
    assert "when it ended is not charted" in missing(over)
    both = bedside(coded(onsetDateTime=hours_ago(20), abatementDateTime=hours_ago(9)))
    assert "diagnosis-active-and-ended" in notices(both)
