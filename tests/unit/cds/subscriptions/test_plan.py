"""Which subscriptions a cohort needs, and how the shape of those there is found again."""

from datetime import timedelta
from typing import Any

import pytest

from cds.subscriptions import Shape
from cds.subscriptions.plan import shape_of, wanted, wish
from tests.unit.cds.subscriptions.ward import ADDRESS, NOW, TOPIC, TOPICAL, row


def criteria(patients: tuple[str, ...], shape: Shape) -> list[str]:
    return [one.criteria for one in wanted(patients, shape, ADDRESS, NOW)]


def test_each_patient_gets_four_and_the_site_one() -> None:
    assert criteria(("p1",), Shape()) == [
        "MedicationAdministration?",
        "Observation?patient=Patient/p1",
        "MedicationAdministration?patient=Patient/p1",
        "Condition?patient=Patient/p1",
        "Procedure?patient=Patient/p1",
    ]


def test_a_topic_is_never_asked_for_without_a_filter() -> None:
    assert criteria((), TOPICAL) == []
    assert criteria(("p1",), TOPICAL) == [f"{TOPIC} Observation?patient=Patient/p1"]


@pytest.mark.parametrize("patient", ["a&code=x", "a,b", "a/b", "", "a b", "ä", "a?b", "a#b"])
def test_an_id_that_would_change_the_query_is_left_to_polling(patient: str) -> None:
    assert criteria((patient,), Shape()) == ["MedicationAdministration?"]


def test_a_row_is_kept_before_the_server_hears_of_it() -> None:
    made = next(wanted((), Shape(), ADDRESS, NOW))
    assert (made.remote, made.status, made.last_event, made.heard_at) == ("", "requested", -1, NOW)
    assert made.ends_at is not None
    assert NOW + timedelta(days=2) < made.ends_at < NOW + timedelta(days=60)


@pytest.mark.parametrize(
    "members",
    [
        {"content": "id-only"},
        {"kind": "topic"},
        {"topic": TOPIC},
        {"kind": "topic", "topic": f"{TOPIC} x"},
        {"types": ()},
        {"types": ("Patient",)},
    ],
)
def test_parts_that_do_not_fit_are_refused(members: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^--"):
        Shape(**members)


@pytest.mark.parametrize(
    "shape",
    [Shape(), Shape(content="full-resource"), TOPICAL, Shape(types=("Observation", "Condition"))],
)
def test_the_shape_is_found_again_from_the_rows(shape: Shape) -> None:
    assert shape_of(wanted(("p1", "p2"), shape, ADDRESS, NOW)) == shape


def test_without_rows_there_is_no_shape_and_with_a_new_one_that_counts() -> None:
    assert shape_of(()) is None
    old = wanted(("p1",), Shape(), ADDRESS, NOW)
    new = wanted(("p1",), TOPICAL, ADDRESS, NOW + timedelta(days=1))
    assert shape_of((*old, *new)) == TOPICAL


def test_the_same_wish_is_known_whatever_its_id_and_state() -> None:
    assert wish(row()) == wish(row(id="other", remote="", status="off"))
    assert wish(row()) != wish(row(patient="p2"))
