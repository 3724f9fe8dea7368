"""What Inferno's Da Vinci CRD server suite checks of discovery, calls and cards, a test a check.

Source: https://github.com/inferno-framework/davinci-crd-test-kit, lib/davinci_crd_test_kit
(discovery_*_test.rb, service_call_test.rb, cards_validation.rb, suggestion_actions_validation.rb);
our own words and code. It is the one public suite for CDS Hooks services. Names that end in crd: a
rule of that guide and not of CDS Hooks. Two of those are not kept, on purpose: `systemActions` on
order-sign (nothing here may bypass a person) and a create beside each delete (a stopped drug is not
replaced). TLS is the reverse proxy's.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds.services import SERVICES
from tests.builders import (
    Json,
    bp,
    bundle,
    charted_grade,
    draft_order,
    hook_request,
    hours_ago,
    patient,
    quantity,
    spo2,
    teclistamab,
    temp,
    weight,
)
from tests.conftest import CheckedClient


APP = "https://app.example/launch"
# Header and claims as the suite signs them; here nobody verifies (auth is off on loopback).
TOKEN = "eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6ImsifQ.eyJpc3MiOiJpbmZlcm5vIn0.c2ln"


def requests() -> dict[str, Json]:
    """Requests whose cards have every element that ours can have."""
    ill: dict[str, Json | None] = {
        "patient": patient(),
        "vitals": bundle(temp(38.6), bp(120, 70), spo2(97), weight(70)),
        "administrations": bundle(teclistamab(at=hours_ago(40))),
    }
    worst: dict[str, Json | None] = {
        **ill,
        "assessments": bundle(charted_grade("crs", 4, at=hours_ago(1))),
    }
    drug = draft_order()
    toci = draft_order("tocilizumab", dose=quantity(1200, "mg"), route="IV", resource_id="d2")
    return {
        "hold": hook_request(ill, drafts=[drug]),
        "select": hook_request(ill, drafts=[drug], hook="order-select"),
        "stop for ever": hook_request(worst, drafts=[drug]),
        "too much tocilizumab": hook_request(ill, drafts=[toci]),
        "open chart": hook_request(ill, hook="patient-view"),
        "nothing known": hook_request({}, drafts=[drug]),
        "not our drug": hook_request(ill, drafts=[draft_order("amoxicillin 500 mg capsule")]),
    }


SENT = requests()
ID_OF = {service.hook: service.id for service in SERVICES.values()}


@pytest.fixture
def answers(client_for: Any) -> dict[str, Any]:
    """What the service says to each request, sent as the suite sends it."""
    client: CheckedClient = client_for(fhir_base=None, smart_url=APP)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    found = {}
    for name, body in SENT.items():
        path = f"/cds-services/{ID_OF[body['hook']]}"
        response = client.post(path, data=json.dumps(body).encode(), headers=headers)
        assert response.status_code == 200
        found[name] = json.loads(response.data)
    return found


@pytest.fixture
def cards(answers: dict[str, Any]) -> list[Any]:
    """All cards; enough of them to check something."""
    found = [card for answer in answers.values() for card in answer["cards"]]
    assert len(found) >= 6
    return found


def actions(cards: list[Any]) -> Iterator[Any]:
    for card in cards:
        for suggestion in card.get("suggestions", []):
            yield from suggestion["actions"]


@pytest.fixture
def services(client: CheckedClient) -> list[Any]:
    response = client.get("/cds-services", headers={"Accept": "application/json"})
    assert response.status_code == 200
    found: list[Any] = json.loads(response.data)["services"]
    return found


def filled(value: Any, kind: type) -> bool:
    """Of the JSON type, and not blank."""
    return isinstance(value, kind) and bool(value.strip() if isinstance(value, str) else value)


def test_discovery_answers_exactly_200_and_json_that_lists_services(services: list[Any]) -> None:
    assert isinstance(services, list)
    assert services


@pytest.mark.parametrize("member", ["hook", "description", "id"])
def test_discovery_each_service_has_the_required_strings(services: list[Any], member: str) -> None:
    assert all(filled(service[member], str) for service in services)


def test_call_the_first_service_of_each_hook_answers_it(
    services: list[Any], answers: dict[str, Any]
) -> None:
    first: dict[str, str] = {}
    for service in services:
        first.setdefault(service["hook"], service["id"])
    assert {hook: first[hook] for hook in {body["hook"] for body in SENT.values()}} == {
        hook: ID_OF[hook] for hook in {body["hook"] for body in SENT.values()}
    }
    assert set(answers) == set(SENT)


def test_response_has_a_cards_array(answers: dict[str, Any]) -> None:
    assert all(isinstance(answer["cards"], list) for answer in answers.values())


@pytest.mark.parametrize(
    ("member", "kind"), [("summary", str), ("indicator", str), ("source", dict)]
)
def test_card_has_the_required_members(cards: list[Any], member: str, kind: type) -> None:
    assert all(filled(card[member], kind) for card in cards)


def test_card_summary_is_shorter_than_140_characters(cards: list[Any]) -> None:
    assert max(len(card["summary"]) for card in cards) < 140


def test_card_indicator_is_one_of_three(cards: list[Any]) -> None:
    assert {card["indicator"] for card in cards} <= {"info", "warning", "critical"}


def test_source_has_a_label(cards: list[Any]) -> None:
    assert all(filled(card["source"]["label"], str) for card in cards)


@pytest.mark.parametrize("member", ["code", "system"])
def test_source_has_a_topic_with_code_and_system_crd(cards: list[Any], member: str) -> None:
    assert all(filled(card["source"]["topic"][member], str) for card in cards)


@pytest.mark.parametrize(
    ("member", "kind"),
    [
        ("uuid", str),
        ("detail", str),
        ("suggestions", list),
        ("overrideReasons", list),
        ("links", list),
    ],
)
def test_card_optional_members_are_typed_and_not_blank(
    cards: list[Any], member: str, kind: type
) -> None:
    present = [card[member] for card in cards if member in card]
    assert present, "the requests bring such a card"
    assert all(filled(value, kind) for value in present)


def test_card_with_suggestions_has_a_selection_behavior(cards: list[Any]) -> None:
    offering = [card for card in cards if "suggestions" in card]
    assert offering
    assert all(card["selectionBehavior"] in {"at-most-one", "any"} for card in offering)


def test_suggestion_has_a_label_and_actions_that_are_not_empty(cards: list[Any]) -> None:
    for card in cards:
        for suggestion in card.get("suggestions", []):
            assert filled(suggestion["label"], str)
            assert filled(suggestion["actions"], list)


def test_action_has_a_type_and_a_description(cards: list[Any]) -> None:
    found = list(actions(cards))
    assert {action["type"] for action in found} >= {"update", "delete"}
    assert {action["type"] for action in found} <= {"create", "update", "delete"}
    assert all(filled(action["description"], str) for action in found)


def test_action_that_creates_or_updates_carries_a_readable_fhir_resource(cards: list[Any]) -> None:
    carried = [one["resource"] for one in actions(cards) if one["type"] != "delete"]
    assert carried
    for resource in carried:
        read = get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        assert read.get_resource_type() == resource["resourceType"]


def test_action_that_deletes_names_type_and_id(cards: list[Any]) -> None:
    deleted = [action["resourceId"] for action in actions(cards) if action["type"] == "delete"]
    assert deleted == ["MedicationRequest/d1"]


def test_action_that_updates_or_deletes_is_about_a_drafted_order_crd(
    answers: dict[str, Any],
) -> None:
    for name, answer in answers.items():
        entries = SENT[name]["context"].get("draftOrders", {"entry": []})["entry"]
        drafted = {f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in entries}
        for action in actions(answer["cards"]):
            if action["type"] == "update":
                resource = action["resource"]
                assert f"{resource['resourceType']}/{resource['id']}" in drafted
            if action["type"] == "delete":
                assert action["resourceId"] in drafted


@pytest.mark.parametrize("member", ["code", "system", "display"])
def test_override_reason_is_a_whole_coding(cards: list[Any], member: str) -> None:
    reasons = [reason for card in cards for reason in card.get("overrideReasons", [])]
    assert reasons
    assert all(filled(reason[member], str) for reason in reasons)


def test_link_has_a_label_a_known_type_and_an_address_with_a_host(cards: list[Any]) -> None:
    links = [link for card in cards for link in card.get("links", [])]
    assert links
    for link in links:
        assert filled(link["label"], str)
        assert link["type"] in {"absolute", "smart"}
        assert urlsplit(link["url"]).scheme in {"http", "https"}
        assert urlsplit(link["url"]).hostname
        assert link["type"] == "smart" or "appContext" not in link
