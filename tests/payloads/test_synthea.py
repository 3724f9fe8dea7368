"""Synthea transaction bundles, whose resources point at each other by urn:uuid."""

import pytest

from tests.functional.bodies import Json, bundle
from tests.payloads.source import (
    ALL_TIME,
    Answer,
    Service,
    load,
    order_sign,
    teclistamab_given,
    utc,
)


pytestmark = pytest.mark.payloads
PEOPLE = {
    "Clemente_Kreiger": "Clemente_Kreiger_1484a42d-0eaf-4654-9cbf-6b050a5cd73b",
    "Darin_Skiles": "Darin_Skiles_31c343e9-5d7f-444e-9be4-56b1a6ec6146",
    "Jackson_Bode": "Jackson_Bode_8da884f0-080a-4417-ba44-24fb6bde0851",
    "Louis_Maggio": "Louis_Maggio_2e275d4b-855a-4eb2-9021-5410aa8acd4f",
}
# Blood pressure panels (55284-4, systolic in a component) counted in each file, and the newest.
PRESSURES = {
    "Clemente_Kreiger": (3, "122.45876888709122"),
    "Darin_Skiles": (7, "110.40429540262555"),
    "Jackson_Bode": (10, "109.82850756604732"),
    "Louis_Maggio": (5, "106.15610383944654"),
}
BODE_TEMPERATURE_AT = "2018-03-05T09:13:12+00:00"


def record(name: str) -> tuple[str, Json]:
    """The patient's id and the whole bundle."""
    content = load(f"synthea-smart-r4/{PEOPLE[name]}.json")
    people = [
        entry["resource"]["id"]
        for entry in content["entry"]
        if entry["resource"]["resourceType"] == "Patient"
    ]
    return people[0], content


def ask(service: Service, name: str, now: str, **extra: Json) -> Answer:
    patient, content = record(name)
    prefetch = {"vitals": content, "administrations": bundle(), **extra}
    return service.ask(order_sign(patient, prefetch), utc(now), rules=ALL_TIME)


@pytest.mark.parametrize("name", PEOPLE)
def test_references_by_urn_uuid_lead_to_the_patient(service: Service, name: str) -> None:
    answer = ask(service, name, "2021-06-01T00:00:00Z")
    number, newest = PRESSURES[name]
    assert len(answer.known.systolic) == number
    assert answer.known.systolic[-1].evidence.value == newest
    assert not [one for one in answer.known.unreadable if "patient" in one.reason]
    assert answer.known.age_years is not None


@pytest.mark.parametrize("name", PEOPLE)
def test_the_record_of_someone_else_is_refused_by_place(service: Service, name: str) -> None:
    _, content = record(name)
    answer = service.ask(order_sign("someone-else", {"vitals": content}), utc("2021-06-01T00:00Z"))
    assert answer.status == 400
    assert answer.body["issue"][0]["expression"][0].startswith("prefetch.vitals.entry[")


def test_a_patient_without_a_bispecific_is_not_exposed(service: Service) -> None:
    answer = ask(service, "Clemente_Kreiger", "2018-09-17T16:00:00Z")
    for scale in ("crs", "icans"):
        assert answer.assessment[scale]["assessed"] is False
        assert answer.assessment[scale]["reason"] == "not-exposed"
        assert "grade" not in answer.assessment[scale]
    assert answer.known.doses == ()


def test_37_98786358479914_is_read_from_an_oral_code_alone_and_is_no_fever(
    service: Service,
) -> None:
    patient, content = record("Jackson_Bode")
    given = bundle(teclistamab_given(patient, "2018-03-04T09:13:12+00:00"))
    body = order_sign(patient, {"vitals": content, "administrations": given})
    answer = service.ask(body, utc("2018-03-05T10:00:00Z"))
    (temperature,) = answer.known.temperatures
    assert temperature.evidence.value == "37.98786358479914"
    assert temperature.evidence.code == "8331-1"
    assert temperature.at == utc(BODE_TEMPERATURE_AT)
    assert str(temperature.value) == "37.99"
    assert [one.ingredient for one in answer.known.doses] == ["teclistamab"]
    crs = answer.assessment["crs"]
    assert crs.get("grade", {"atLeast": 0})["atLeast"] == 0
    assert "fever" not in crs["axes"]["fever"]["level"].split("-or-")
    assert crs.get("event") is None


def test_a_stopped_order_for_paracetamol_is_neither_active_nor_given(service: Service) -> None:
    answer = ask(service, "Jackson_Bode", "2018-12-03T10:00:00Z")
    assert answer.known.active_orders == ()
    assert answer.known.masking == ()


def test_seizure_disorder_of_long_standing_is_no_icans(service: Service) -> None:
    answer = ask(service, "Louis_Maggio", "2020-10-09T20:00:00Z")
    assert answer.known.seizure == ()
    assert answer.known.diagnoses == ()
    assert answer.assessment["icans"]["assessed"] is False
