"""The endpoint for notifications: who is answered how, and whom a resource wakes."""

from collections.abc import Callable

import pytest

from cds.body_limits import MAX_BYTES
from tests.conformance.notifications.bodies import observation
from tests.conformance.notifications.conftest import hospital, hospital_with
from tests.conformance.notifications.hospital import ABSENT, NORTH, SECRETS, SOUTH, Hospital


__all__ = ["hospital", "hospital_with"]  # fixtures
EVERYBODY = ("", "")


@pytest.mark.parametrize(
    ("site", "which"),
    [
        ("north", ABSENT),
        ("north", SOUTH),
        ("south", NORTH),
        ("deaf", NORTH),
        ("nowhere", NORTH),
        ("north", "12"),
        ("north", NORTH.upper()),
        ("north", f"{NORTH}0"),
        ("NORTH", NORTH),
    ],
)
def test_what_is_not_a_subscription_of_the_senders_own_site_is_404_alike(
    hospital: Hospital, site: str, which: str
) -> None:
    own = SECRETS["south" if site == "south" else "north"]
    headers = {"Authorization": f"Bearer {own}"}
    response = hospital.send(observation(), site=site, which=which, headers=headers)
    assert response.status_code == 404
    assert response.get_json(force=True)["issue"][0]["code"] == "not-found"
    assert hospital.rows() == []
    other = hospital.send(observation(), which=ABSENT)
    assert other.data == response.data


@pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH"])
@pytest.mark.parametrize("below", ["", "Observation/o1"])
def test_another_method_is_405(hospital: Hospital, method: str, below: str) -> None:
    response = hospital.send(method=method, below=below)
    assert response.status_code == 405
    assert {"DELETE", "POST", "PUT"} <= set(response.headers["Allow"].split(", "))
    assert hospital.rows() == []


def test_an_address_with_a_slash_at_its_end_is_the_same(hospital: Hospital) -> None:
    assert hospital.send(observation(), which=f"{NORTH}/").status_code == 200
    assert hospital.asked() == [("p1", "Observation/o1")]


@pytest.mark.parametrize(
    ("body", "headers", "status", "word"),
    [
        (b"not json", {}, 400, "unreadable"),
        (b"[]", {}, 400, "unreadable"),
        (b'{"a":1}', {}, 400, "unreadable"),
        (b'{"resourceType":"Bundle","entry":{}}', {}, 400, "unreadable"),
        (b'{"resourceType":"Observation","id":"a","id":"b"}', {}, 400, "unreadable"),
        (b" " + b"[" * 100 + b"]" * 100, {}, 400, "unreadable"),
        (b"<Observation/>", {"Content-Type": "application/fhir+xml"}, 415, "other-media"),
        (b"a=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "other-media"),
        (b"--x\r\n", {"Content-Type": "multipart/form-data; boundary=x"}, 415, "other-media"),
        (b"{}", {"Content-Type": "application/fhir+json; charset=utf-16"}, 415, "other-media"),
        (b"\x1f\x8b", {"Content-Encoding": "gzip"}, 415, "other-media"),
        (b"x" * (MAX_BYTES + 1), {}, 413, "too-large"),
    ],
)
def test_what_cannot_be_read_is_refused_and_everybody_of_the_subscription_is_read(
    hospital: Hospital, body: bytes, headers: dict[str, str], status: int, word: str
) -> None:
    response = hospital.send(body, headers=headers)
    assert response.status_code == status
    assert response.mimetype == "application/fhir+json"
    assert response.get_json(force=True)["resourceType"] == "OperationOutcome"
    assert hospital.asked() == [EVERYBODY]
    assert hospital.counted(word) == 1


@pytest.mark.parametrize(
    "kind",
    ["application/fhir+json", "application/json", "application/fhir+json; charset=utf-8",
     "application/fhir+json; fhirVersion=4.0", ""],
)  # fmt: skip
def test_every_spelling_of_fhir_json_is_taken(hospital: Hospital, kind: str) -> None:
    assert hospital.send(observation(), headers={"Content-Type": kind}).status_code == 200
    assert hospital.asked() == [("p1", "Observation/o1")]


@pytest.mark.parametrize("status", ["final", "corrected", "entered-in-error", "cancelled"])
def test_whatever_became_of_a_resource_its_patient_is_read(hospital: Hospital, status: str) -> None:
    hospital.send(observation("1"))
    hospital.send(observation("2", status=status), method="PUT", below="Observation/o1")
    assert hospital.asked() == [("p1", "Observation/o1")] * 2


def test_an_older_version_that_comes_late_is_one_more_reason_and_nothing_else(
    hospital: Hospital,
) -> None:
    for version in ("3", "2", "3", "2"):
        hospital.send(observation(version))
    assert hospital.asked() == [("p1", "Observation/o1")] * 2


def test_a_deleted_resource_is_named_and_read(hospital_with: Callable[..., Hospital]) -> None:
    hospital = hospital_with(patient="p1")
    hospital.send(method="DELETE", below="Observation/o1")
    hospital.send(method="DELETE", below="Observation/o1/_history/2")
    assert hospital.asked() == [("p1", "Observation/o1")] * 2


def test_a_resource_of_another_patient_wakes_both(hospital_with: Callable[..., Hospital]) -> None:
    hospital = hospital_with(patient="p1")
    hospital.send(observation(patient="p2"))
    assert sorted(hospital.asked()) == [("p1", "Observation/o1"), ("p2", "Observation/o1")]


def test_an_address_and_a_body_that_disagree_are_both_read(hospital: Hospital) -> None:
    hospital.send(observation(), method="PUT", below="Observation/o2")
    assert sorted(hospital.asked()) == [("", "Observation/o2"), ("p1", "Observation/o1")]


def test_too_many_at_once_are_everybody(hospital: Hospital) -> None:
    entry = [{"resource": observation() | {"id": f"o{number}"}} for number in range(501)]
    body = {"resourceType": "Bundle", "type": "transaction", "entry": entry}
    assert hospital.send(body).status_code == 200
    assert hospital.asked() == [EVERYBODY]
