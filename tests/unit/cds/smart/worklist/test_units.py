"""Where a patient is: only what an encounter that goes on says, and never more than text."""

import pytest
from msgspec import Raw

from cds.smart.worklist.units import chosen, units_of
from tests.builders import Json, as_bytes, bundle


def encounter(*stays: Json, status: str = "in-progress") -> Raw:
    made = {"resourceType": "Encounter", "id": "e1", "status": status, "location": list(stays)}
    return Raw(as_bytes(bundle(made)))


def stay(display: str, reference: str = "", status: str = "active") -> Json:
    return {"location": {"display": display, "reference": reference}, "status": status}


def test_the_places_of_a_stay_that_goes_on_are_found_once_each() -> None:
    found = units_of(encounter(stay("Ward 3", "Location/3"), stay("Bed 7"), stay("Bed 7")))
    assert [one.name for one in found] == ["Bed 7", "Ward 3"]
    assert all(len(one.key) == 16 and int(one.key, 16) >= 0 for one in found)


@pytest.mark.parametrize("status", ["finished", "cancelled", "planned", ""])
def test_a_stay_that_is_over_or_has_not_begun_says_nothing(status: str) -> None:
    assert units_of(encounter(stay("Ward 3"), status=status)) == ()


@pytest.mark.parametrize("status", ["planned", "reserved", "completed"])
def test_a_place_the_patient_is_not_in_now_is_left_out(status: str) -> None:
    assert units_of(encounter(stay("Ward 3", status=status))) == ()


@pytest.mark.parametrize("raw", [None, Raw(b"null"), Raw(b"nonsense"), Raw(b'{"entry": 5}')])
def test_what_cannot_be_read_is_not_known(raw: Raw | None) -> None:
    assert units_of(raw) == ()


def test_the_same_place_is_the_same_unit_whatever_it_is_called() -> None:
    one, other = (
        encounter(stay("Ward 3", "Location/3")),
        encounter(stay("ward three", "Location/3")),
    )
    assert units_of(one)[0].key == units_of(other)[0].key


def test_only_a_unit_that_is_there_can_be_chosen() -> None:
    units = units_of(encounter(stay("Ward 3")))
    assert chosen(units[0].key, units) == units[0]
    assert chosen("Ward 3", units) is None
    assert chosen("", units) is None
