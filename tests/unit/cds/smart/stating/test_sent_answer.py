"""What is believed of a FHIR server's answer to a create."""

import json
from typing import Any

import pytest
from msgspec import Raw

from cds.smart.stating.sent_answer import SYSTEM, belongs, head_of, is_named, named, ref_of


BASE = "https://ehr.example/fhir"


def body(**members: Any) -> bytes:
    return json.dumps({"resourceType": "Observation", **members}).encode()


@pytest.mark.parametrize(
    "location",
    [
        "https://ehr.example/fhir/Observation/12",
        "https://ehr.example/fhir/Observation/12/_history/1",
        "Observation/12",
        "/fhir/Observation/12/_history/3/",
    ],
)
def test_the_location_says_where_it_is(location: str) -> None:
    assert ref_of(location, None, "Observation") == "Observation/12"


@pytest.mark.parametrize("location", ["", "Patient/12", "Observation/", "Observation/a b", "12"])
def test_without_a_location_of_its_kind_the_resource_sent_back_says_it(location: str) -> None:
    head = head_of(body(id="7"), "Observation")

    assert ref_of(location, head, "Observation") == "Observation/7"
    assert ref_of(location, None, "Observation") == ""


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html></html>",
        b"null",
        b"[]",
        b"\xff{}",
        b'{"resourceType":"OperationOutcome","id":"1"}',
        b'{"resourceType":"Observation","id":5}',
        b'{"id":"1"}',
        b"[" * 5000,
    ],
)
def test_what_is_no_such_resource_says_nothing(answer: bytes) -> None:
    assert head_of(answer, "Observation") is None


@pytest.mark.parametrize("id_", ["", "../Patient/2", "a/b", "x" * 65, "a b"])
def test_an_id_that_is_none_is_not_used(id_: str) -> None:
    head = head_of(body(id=id_), "Observation")

    assert ref_of("", head, "Observation") == ""


@pytest.mark.parametrize(
    ("reference", "ours"),
    [
        ("Patient/p1", True),
        ("Patient/p1/_history/2", True),
        (f"{BASE}/Patient/p1", True),
        ("Patient/p2", False),
        ("Patient/p11", False),
        ("Group/p1", False),
        ("https://other.example/fhir/Patient/p1", False),
        ("", False),
    ],
)
def test_whose_it_is_follows_from_its_subject(reference: str, ours: bool) -> None:
    head = head_of(body(subject={"reference": reference}), "Observation")

    assert head is not None
    assert belongs(head, "p1", BASE) is ours


def test_an_observation_has_a_list_of_identifiers_and_a_form_has_one() -> None:
    one = {"system": SYSTEM, "value": "v"}

    assert named({"resourceType": "Observation"}, "v")["identifier"] == [one]
    assert named({"resourceType": "QuestionnaireResponse"}, "v")["identifier"] == one


@pytest.mark.parametrize(
    ("identifier", "found"),
    [
        ([{"system": "other", "value": "v"}, {"system": SYSTEM, "value": "v"}], True),
        ({"system": SYSTEM, "value": "v"}, True),
        ([{"system": SYSTEM, "value": "w"}], False),
        ([{"value": "v"}], False),
        (["v"], False),
        ("v", False),
        (None, False),
    ],
)
def test_a_statement_is_known_by_system_and_value(identifier: Any, found: bool) -> None:
    assert is_named(Raw(body(identifier=identifier)), "v") is found
