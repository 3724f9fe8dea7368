"""References as servers write them, and those that lead elsewhere or nowhere."""

import pytest

from cds.notifications.references import ELSEWHERE, NOWHERE, Target, patients_of, resolve


BASE = "https://ehr.example/fhir/r4"


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("Observation/12", Target("Observation", "12")),
        ("Observation/12/_history/3", Target("Observation", "12", "3")),
        ("Observation/Observation/12", Target("Observation", "12")),
        (f"{BASE}/Observation/12", Target("Observation", "12")),
        (f"{BASE}/Observation/Observation/12/_history/3", Target("Observation", "12", "3")),
        ("https://EHR.example:443/fhir/r4/Observation/12", Target("Observation", "12")),
        ("Patient/eSynthetic.One-A3", Target("Patient", "eSynthetic.One-A3")),
    ],
)
def test_a_reference_to_this_server_is_read_by_its_last_two_segments(
    text: str, target: Target
) -> None:
    assert resolve(text, BASE) == target
    assert target


@pytest.mark.parametrize(
    "text",
    [
        "https://other.example/fhir/r4/Observation/12",
        "http://ehr.example/fhir/r4/Observation/12",
        "https://ehr.example:8443/fhir/r4/Observation/12",
        "https://ehr.example/fhir/r4evil/Observation/12",
        "https://ehr.example/fhir/other/Observation/12",
        "https://ehr.example@evil.example/fhir/r4/Observation/12",
        "https://ehr.example/fhir/r4/../admin/Observation/12",
        "https://ehr.example/fhir/r4/%2e%2e/Observation/12",
        "https://ehr.example\\.evil.example/fhir/r4/Observation/12",
        "ftp://ehr.example/fhir/r4/Observation/12",
    ],
)
def test_a_reference_to_another_server_is_never_one_to_ours(text: str) -> None:
    assert resolve(text, BASE) == ELSEWHERE
    assert not ELSEWHERE


def test_without_a_known_base_every_absolute_reference_is_elsewhere() -> None:
    assert resolve(f"{BASE}/Observation/12", None) == ELSEWHERE
    assert resolve("Observation/12", None) == Target("Observation", "12")


@pytest.mark.parametrize(
    "text",
    [
        *("", "Observation", "Observation/", "/Observation/12", "observation/12", "#o1", "12"),
        *("urn:uuid:9e41ff6d-5be6-4e6a-8b85-abd4e7f58400", "Observation/12?x=1", "Observation/a b"),
        *("Observation/..", "Observation/.", "Observation/%2e%2e", "Observation/1\n", "a" * 3000),
        *("Observation/" + "1" * 65, "Observation//12", "//evil.example/Observation/12"),
        *("Observation/\ud800", "Observation/\x00", "Observation?patient=1", None, 12, ["x"], {}),
    ],
)
def test_what_is_no_reference_leads_nowhere(text: object) -> None:
    assert resolve(text, BASE) == NOWHERE


@pytest.mark.parametrize(
    ("resource", "patients"),
    [
        ({"resourceType": "Patient", "id": "p1"}, ("p1",)),
        ({"resourceType": "Observation", "subject": {"reference": "Patient/p1"}}, ("p1",)),
        ({"resourceType": "Observation", "subject": {"reference": f"{BASE}/Patient/p1"}}, ("p1",)),
        ({"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/p1"}}, ("p1",)),
        (
            {
                "resourceType": "Device",
                "patient": {"reference": "Patient/p1"},
                "subject": {"reference": "Patient/p2"},
            },
            ("p2", "p1"),
        ),
        ({"resourceType": "Observation", "subject": {"reference": "Group/g1"}}, ()),
        ({"resourceType": "Observation", "subject": {"reference": "#p1"}}, ()),
        ({"resourceType": "Observation", "subject": {"display": "A name"}}, ()),
        ({"resourceType": "Observation", "subject": "Patient/p1"}, ()),
        (
            {
                "resourceType": "Observation",
                "subject": {"reference": "https://other.example/fhir/Patient/p1"},
            },
            (),
        ),
        ({}, ()),
    ],
)
def test_the_patient_of_a_resource_is_one_of_this_server(
    resource: dict[str, object], patients: tuple[str, ...]
) -> None:
    assert patients_of(resource, BASE) == patients
