"""Answers of the Epic, Cerner and Meditech sandboxes as the prefetch of a teclistamab order.

Expected numbers were read by hand from the captures, oldest first.
"""

import copy
from typing import Any

import msgspec
import pytest

from tests.conftest import CheckedClient
from tests.functional.bodies import bundle
from tests.payloads.source import (
    ALL_TIME,
    Answer,
    Service,
    body_of,
    captures,
    load,
    order_sign,
    prefetch_of,
    teclistamab_given,
    utc,
)


pytestmark = pytest.mark.payloads
NOW = "2026-05-20T12:00:00Z"
BASES = {
    "epic": "https://fhir.epic.com/interconnect-fhir-oauth/api/FHIR/R4",
    "cerner": "https://fhir-open.cerner.com/r4/ec2458f2-1e24-41c8-b71b-0e701af7583d",
    "meditech": "https://greenfield-prod-apis.meditech.com/v2/uscore/STU6",
}
EPIC_1, EPIC_2 = "erXuFYUfucBZaryVksYEcMg3", "eAB3mDIBBcyUKviyzrxsnAw3"
EPIC_3, EPIC_4 = "eD.LxhDyX35TntF77l7etUA3", "eq081-VQEgP8drUUqCWzHfw3"
CERNER_1, CERNER_2, CERNER_3, CERNER_4 = "12724066", "12742399", "12752183", "12744580"
MEDITECH = "9bec5771-4796-5189-a54e-352c571a44c8"
PATIENTS = [
    *(("epic", patient) for patient in (EPIC_1, EPIC_2, EPIC_3, EPIC_4)),
    *(("cerner", patient) for patient in (CERNER_1, CERNER_2, CERNER_3, CERNER_4)),
    ("meditech", MEDITECH),
]
VITALS = [
    ("epic/observation-vital-signs-erXuFYUfucBZaryVksYEcMg3.json", "epic"),
    ("cerner/observation-vital-signs-12724066.json", "cerner"),
    ("meditech/observation-vital-signs-bundle.json", "meditech"),
]


def ask(
    service: Service, vendor: str, patient: str, now: str = NOW, rules: Any = ALL_TIME
) -> Answer:
    prefetch = prefetch_of(vendor, patient)
    return service.ask(order_sign(patient, prefetch, BASES[vendor]), utc(now), rules=rules)


def values(readings: Any) -> list[str]:
    """The numbers as the source system wrote them, oldest first."""
    return [one.evidence.value for one in readings]


@pytest.mark.parametrize(("vendor", "patient"), PATIENTS)
def test_a_patients_captures_are_answered_and_bound_to_the_patient(
    service: Service, vendor: str, patient: str
) -> None:
    answer = ask(service, vendor, patient)
    assert answer.status == 200
    assert answer.assessment["patient"] == f"Patient/{patient}"
    assert [order["ref"] for order in answer.assessment["orders"]] == ["MedicationRequest/d1"]
    assert not [one for one in answer.known.unreadable if "patient" in one.reason]


@pytest.mark.parametrize(
    ("vendor", "patient", "expected"),
    [
        ("epic", EPIC_1, ["37.2", "37.8", "37.1", "38.3", "36.6", "38", "37"]),
        ("epic", EPIC_2, ["37", *["37.2"] * 5, *["36.6"] * 6]),
        ("cerner", CERNER_1, ["36", "40.7", *["36.8"] * 6, "34", "33", "37"]),
        ("cerner", CERNER_2, ["38.2", "39", "36.8", "36.4", "37.8"]),
        ("cerner", CERNER_3, []),
        ("meditech", MEDITECH, ["37.1", "36.6"]),
    ],
)
def test_temperatures(service: Service, vendor: str, patient: str, expected: list[str]) -> None:
    assert values(ask(service, vendor, patient).known.temperatures) == expected


@pytest.mark.parametrize(
    ("vendor", "patient", "number", "newest"),
    [
        ("epic", EPIC_1, 90, "118"),
        ("epic", EPIC_2, 82, None),
        ("cerner", CERNER_1, 21, "111"),
        ("cerner", CERNER_2, 0, None),
        ("cerner", CERNER_3, 1, "120"),
        ("meditech", MEDITECH, 2, "150"),
    ],
)
def test_systolic_pressures_come_from_the_components(
    service: Service, vendor: str, patient: str, number: int, newest: str | None
) -> None:
    systolic = ask(service, vendor, patient).known.systolic
    assert len(systolic) == number
    if newest is not None:
        assert systolic[-1].evidence.value == newest
        assert systolic[-1].evidence.code == "8480-6"


def test_meditech_saturations_weight_in_grams_age_and_ward(service: Service) -> None:
    facts = ask(service, "meditech", MEDITECH).known
    assert values(facts.saturations) == ["89", "91", "95", "95", "94", "95", "94", "94"]
    assert [str(one.value) for one in facts.weights] == ["85.728958"]
    assert facts.age_years == 67, "born 1958-06-14"
    assert facts.in_hospital is True, "one inpatient encounter is in progress"


def test_meditech_laboratory_value_entered_in_error_is_nowhere(service: Service) -> None:
    answer = ask(service, "meditech", MEDITECH)
    labs = body_of("ehr-sandbox-captures/meditech/observation-lab-bundle.json")
    assert labs["entry"][4]["resource"]["status"] == "entered-in-error"
    assert labs["entry"][4]["resource"]["id"] not in msgspec.json.encode(answer.body).decode()
    assert answer.reasons("prefetch.labs.entry[4]") == []


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_reading_that_its_sender_withdrew_is_dropped(service: Service, status: str) -> None:
    vitals = copy.deepcopy(body_of(f"ehr-sandbox-captures/{VITALS[2][0]}"))
    vitals["entry"][10]["resource"]["status"] = status  # the one of 37.1
    answer = service.ask(order_sign(MEDITECH, {"vitals": vitals}), utc(NOW), rules=ALL_TIME)
    assert values(answer.known.temperatures) == ["36.6"]


@pytest.mark.parametrize(
    ("vendor", "patient", "now", "at", "reason"),
    [
        ("cerner", CERNER_1, "2099-07-08T00:00:00Z", 0, "28 Cel is outside 30-43: not used"),
        ("cerner", CERNER_1, NOW, 0, "in the future: not used"),
        ("epic", EPIC_2, NOW, 88, "12 Cel is outside 30-43: not used"),
        ("epic", EPIC_1, NOW, 84, "1 mm[Hg] is outside 40-260: not used"),
    ],
    ids=["28 degC", "dated 2099", "12 degC", "systolic 1"],
)
def test_what_cannot_be_is_named_by_its_place(
    service: Service, vendor: str, patient: str, now: str, at: int, reason: str
) -> None:
    answer = ask(service, vendor, patient, now)
    (said,) = answer.reasons(f"prefetch.vitals.entry[{at}]")
    assert reason in said
    assert any(reason in one.reason for one in answer.known.missing)
    assert reason in msgspec.json.encode(answer.body).decode(), "the caller must see it too"


def test_cerner_corrected_temperature_counts_as_settled(service: Service) -> None:
    facts = ask(service, "cerner", CERNER_1).known
    (one,) = [one for one in facts.temperatures if one.evidence.value == "40.7"]
    assert one.preliminary is False


def test_cerner_numbers_without_a_unit_are_evidence_for_nothing(service: Service) -> None:
    vitals = body_of("ehr-sandbox-captures/cerner/observation-vital-signs-12742399.json")
    bare = {
        f"Observation/{entry['resource']['id']}"
        for entry in vitals["entry"]
        if set(entry["resource"].get("valueQuantity", {})) == {"value"}
    }
    assert len(bare) == 15
    facts = ask(service, "cerner", CERNER_2).known
    used = {one.evidence.ref for one in (*facts.weights, *facts.temperatures)}
    assert not used & bare


def test_cerner_temperature_without_its_unit_is_named_and_not_guessed(service: Service) -> None:
    vitals = copy.deepcopy(body_of(f"ehr-sandbox-captures/{VITALS[1][0]}"))
    vitals["entry"][9]["resource"]["valueQuantity"] = {"value": 37}
    answer = service.ask(order_sign(CERNER_1, {"vitals": vitals}), utc(NOW), rules=ALL_TIME)
    assert "37" not in values(answer.known.temperatures)
    (said,) = answer.reasons("prefetch.vitals.entry[9]")
    assert "without a unit" in said


def test_cerner_pages_with_more_behind_them_are_not_complete(service: Service) -> None:
    facts = ask(service, "cerner", CERNER_1).known
    assert {"vitals", "labs", "orders", "encounter"}.isdisjoint(facts.answered)
    assert {"patient", "procedures"} <= facts.answered
    assert {"vitals", "labs", "orders", "encounter"} <= {one.fact for one in facts.missing}
    assert "partial-page" in {one.code for one in facts.notices}


def test_cerner_paracetamol_is_two_orders_and_no_administration(service: Service) -> None:
    facts = ask(service, "cerner", CERNER_1).known
    assert [one.ingredient for one in facts.active_orders] == ["acetaminophen"] * 2
    assert facts.masking == ()


def test_cerner_fever_of_39_degrees_two_days_after_a_dose_withholds(service: Service) -> None:
    prefetch = prefetch_of("cerner", CERNER_2)
    given = teclistamab_given(CERNER_2, "2025-07-28T13:00:00Z")
    body = order_sign(CERNER_2, {**prefetch, "administrations": bundle(given)}, BASES["cerner"])
    answer = service.ask(body, utc("2025-07-30T13:50:00Z"))
    assert values(answer.known.temperatures)[:2] == ["38.2", "39"]
    crs = answer.assessment["crs"]
    assert crs["grade"]["atLeast"] == 1
    assert crs["grade"]["atMost"] > 1, "pressure and oxygen were not sent: unknown, not normal"
    assert answer.assessment["disposition"]["action"] == "withhold"


@pytest.mark.parametrize(
    "path",
    [
        "cerner/error-404-on-nonexistent-patient-id.json",
        "cerner/error-request-unsupported-resource-type.json",
        "cerner/error-search-with-unsupported-param.json",
        "epic/error-404-on-nonexistent-patient-id.json",
        "epic/error-request-unsupported-resource-type.json",
        "epic/error-search-with-unsupported-param.json",
    ],
)
@pytest.mark.parametrize("query", ["vitals", "administrations", "patient"])
def test_an_error_instead_of_data_is_not_an_answer(service: Service, path: str, query: str) -> None:
    prefetch = {"oxygen": bundle(), query: body_of(f"ehr-sandbox-captures/{path}")}
    answer = service.ask(order_sign("p1", prefetch), utc(NOW))
    assert answer.known.answered == {"oxygen"}
    assert len(answer.reasons(f"prefetch.{query}")) == 1
    at = {one["at"] for one in answer.assessment["unreadable"]}
    assert f"prefetch.{query}" in at, "the caller must see it too"
    assert answer.assessment["crs"]["assessed"] is False


@pytest.mark.parametrize(("path", "vendor"), VITALS)
def test_vitals_of_someone_else_are_refused_by_place(
    service: Service, path: str, vendor: str
) -> None:
    vitals = body_of(f"ehr-sandbox-captures/{path}")
    body = order_sign("someone-else", {"vitals": vitals}, BASES[vendor])
    answer = service.ask(body, utc(NOW))
    assert answer.status == 400
    assert answer.body["issue"][0]["expression"] == ["prefetch.vitals.entry[0]"]


@pytest.mark.parametrize("path", [path for path, _ in VITALS])
def test_vitals_from_another_server_are_refused(client: CheckedClient, path: str) -> None:
    vitals = body_of(f"ehr-sandbox-captures/{path}")
    patient = vitals["entry"][0]["resource"]["subject"]["reference"].partition("/")[2]
    body = order_sign(patient, {"vitals": vitals})
    response = client.call(body)  # a site with a base of its own
    assert response.status_code == 400
    place = response.get_json(force=True)["issue"][0]["expression"][0]
    assert place.startswith("prefetch.vitals.entry[")


@pytest.mark.parametrize("vendor", BASES)
def test_the_bases_written_here_are_those_of_the_captures(vendor: str) -> None:
    found = {
        content["_request"]["url"].partition("?")[0].replace(":443/", "/")
        for name, content in captures(vendor)
        if name.startswith("observation")
    }
    assert found
    assert all(url.startswith(f"{BASES[vendor]}/Observation") for url in found), found


@pytest.mark.parametrize(
    "path",
    [
        "ehr-sandbox-captures/meditech/error-unauth-patient-read-2026-04-27.json",
        "ehr-sandbox-captures/cerner/error-token-empty-scopes-v1-syntax-2026-05-02.json",
        "ehr-sandbox-captures/epic/observation-lab.json",
        "ehr-sandbox-captures/epic/procedure.json",
    ],
)
def test_a_refused_or_withheld_answer_is_no_answer(service: Service, path: str) -> None:
    """Sent for the administrations, it must not read as "no bispecific was given"."""
    sent = body_of(path) if path.endswith(("lab.json", "procedure.json")) else load(path)
    answer = service.ask(order_sign("p1", {"administrations": sent}), utc(NOW))
    assert "administrations" not in answer.known.answered
    assert any(one.at.startswith("prefetch.administrations") for one in answer.known.unreadable)
