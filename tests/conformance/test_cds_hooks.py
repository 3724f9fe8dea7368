"""CDS Hooks 2.0, one test per statement; names follow the headings of the specification."""

import re
import time
from pathlib import Path
from typing import Any

import pytest

from cds.services import SERVICES
from tests.conftest import CALL, ORIGIN, CheckedClient
from tests.functional.bodies import HOOK_INSTANCE, bundle, draft, fever, order_sign, with_value


DEFINITION = Path(__file__).parents[2] / "docs/hooks/org.btce-cds.observation-create.md"
KEYS = {
    "patient",
    "vitals",
    "oxygen",
    "assessments",
    "labs",
    "administrations",
    "orders",
    "conditions",
    "procedures",
    "encounter",
}


@pytest.fixture
def services(client: CheckedClient) -> list[dict[str, Any]]:
    response = client.get("/cds-services")
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    listed: list[dict[str, Any]] = response.get_json()["services"]
    return listed


def test_discovery_answers_an_object_with_a_services_array(
    services: list[dict[str, Any]],
) -> None:
    assert [service["id"] for service in services] == list(SERVICES)


def test_discovery_each_service_has_hook_description_and_id(
    services: list[dict[str, Any]],
) -> None:
    for service in services:
        assert service["hook"] == SERVICES[service["id"]].hook
        for name in ("id", "title", "description"):
            assert service[name].strip()


def test_discovery_prefetch_is_an_object_of_strings(services: list[dict[str, Any]]) -> None:
    for service in services:
        assert set(service["prefetch"]) == KEYS
        assert all(isinstance(template, str) for template in service["prefetch"].values())


def test_discovery_has_only_members_that_2_0_defines(services: list[dict[str, Any]]) -> None:
    defined = {"hook", "title", "description", "id", "prefetch", "usageRequirements", "extension"}
    assert all(set(service) <= defined for service in services)


def test_discovery_is_available_whatever_the_client_accepts(client: CheckedClient) -> None:
    for accept in ("application/json", "*/*", "application/fhir+json", "text/html", ""):
        assert client.get("/cds-services", headers={"Accept": accept}).status_code == 200


def test_hook_names_of_our_own_are_reverse_domain_and_noun_verb(
    services: list[dict[str, Any]],
) -> None:
    standard = {"order-sign", "order-select", "patient-view"}
    (own,) = {service["hook"] for service in services} - standard
    assert re.fullmatch(r"org\.btce-cds\.[a-z]+-[a-z]+", own)


def test_the_definition_of_our_hook_has_what_a_definition_must_have() -> None:
    text = DEFINITION.read_text("utf-8").lower()
    for name in ("specificationversion", "hookversion", "hookmaturity"):
        assert re.search(rf"\| {name} \| \d", text), name
    assert "| field | optionality | prefetch token | type | description |" in text
    for field, optionality in (("patientid", "required"), ("observations", "required")):
        assert re.search(rf"\| `{field}` \| {optionality} \| (yes|no) \| ", text)
    for field in ("userid", "encounterid"):
        assert re.search(rf"\| `{field}` \| optional \| yes \| string \| ", text)
    changes = text.split("## change log")[1]
    (version,) = re.findall(r"\| hookversion \| (\S+) \|", text)
    assert f"| {version} |" in changes


def test_prefetch_tokens_are_root_members_that_the_hook_always_has(
    services: list[dict[str, Any]],
) -> None:
    for service in services:
        for template in service["prefetch"].values():
            assert set(re.findall(r"\{\{(.*?)\}\}", template)) == {"context.patientId"}


def test_prefetch_queries_stay_in_the_recommended_subset(services: list[dict[str, Any]]) -> None:
    for service in services:
        searches = {k: v for k, v in service["prefetch"].items() if k != "patient"}
        assert service["prefetch"]["patient"] == "Patient/{{context.patientId}}"
        for template in searches.values():
            names = [part.partition("=")[0] for part in template.partition("?")[2].split("&")]
            assert all(re.fullmatch(r"[a-z_-]+", name) for name in names), "no chain, no modifier"
            assert not {"_include", "_revinclude", "_has", "_filter"} & set(names)


def test_prefetch_sort_parameters_exist_in_r4(services: list[dict[str, Any]]) -> None:
    sorts = {
        "Observation": "-date",
        "MedicationAdministration": "-effective-time",
        "MedicationRequest": "-authoredon",
        "Condition": "-recorded-date",
        "Procedure": "-date",
        "Encounter": "-date",
    }
    for template in services[0]["prefetch"].values():
        kind, _, query = template.partition("?")
        if query:
            assert f"_sort={sorts[kind]}&_count=" in query


def test_calling_a_service_success_is_200_with_a_cards_array(client: CheckedClient) -> None:
    response = client.call(order_sign())
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    assert isinstance(response.get_json()["cards"], list)


def test_calling_a_service_guidance_becomes_cards(client: CheckedClient) -> None:
    cards = client.call(order_sign(*fever())).get_json()["cards"]
    assert cards
    assert "teclistamab" in cards[0]["summary"].lower()


def test_calling_a_service_without_prefetch_is_answered_and_says_what_is_missing(
    client: CheckedClient,
) -> None:
    body = order_sign()
    del body["prefetch"]
    answer = client.call(body).get_json()
    assert answer["cards"], "what could not be evaluated is never silence"
    assert answer["extension"]["org.btce-cds.assessment"]["crs"]["missing"]


def test_calling_a_service_answers_in_well_under_half_a_second(client: CheckedClient) -> None:
    body, seconds = order_sign(*fever()), []
    for _ in range(9):
        began = time.perf_counter()
        client.call(body)
        seconds.append(time.perf_counter() - began)
    assert sorted(seconds)[4] < 0.5


def test_calling_a_service_again_gives_the_current_guidance_and_not_the_former(
    client: CheckedClient,
) -> None:
    first = client.call(order_sign(*fever())).get_json()["cards"]
    again = client.call(with_value(order_sign(), "context.draftOrders", bundle(draft("aspirin"))))
    assert first
    assert again.get_json()["cards"] == [], "nothing is kept back from an earlier call"


def test_errors_of_an_unknown_service_are_404_and_of_a_missing_member_400(
    client: CheckedClient,
) -> None:
    json = {"Content-Type": "application/json"}
    unknown = client.post("/cds-services/none", data=b"{}", headers=json)
    assert unknown.status_code == 404
    body = order_sign()
    del body["context"]
    assert client.call(body).status_code == 400


def test_request_unknown_members_and_extensions_are_tolerated(client: CheckedClient) -> None:
    extension = {"com.epic.cdshooks.request.bpa-trigger-action": "23"}
    body = {**order_sign(), "extension": extension, "newMember": [1]}
    body["context"] = {**body["context"], "extension": extension}
    assert client.call(body).status_code == 200


def test_request_hook_instance_need_not_be_of_an_rfc_4122_variant(client: CheckedClient) -> None:
    for instance in (HOOK_INSTANCE, HOOK_INSTANCE.upper()):
        body = with_value(order_sign(), "hookInstance", instance)
        assert client.call(body).status_code == 200


def test_request_draft_order_ids_may_be_longer_than_fhir_allows(client: CheckedClient) -> None:
    cards = client.call(order_sign(*fever(), drafts=(draft(id="e" * 194),))).get_json()["cards"]
    assert cards


def test_request_re_signed_orders_are_answered_whatever_their_status(
    client: CheckedClient,
) -> None:
    active = {**draft(), "status": "active"}
    assert client.call(order_sign(*fever(), drafts=(active,))).get_json()["cards"]


@pytest.mark.parametrize("optional", ["encounterId"])
def test_request_optional_context_may_be_absent(client: CheckedClient, optional: str) -> None:
    body = order_sign()
    del body["context"][optional]
    assert client.call(body).status_code == 200


@pytest.mark.parametrize(
    "value",
    [
        None,
        bundle(),
        {
            **bundle(
                {
                    "resourceType": "OperationOutcome",
                    "issue": [{"severity": "warning", "code": "not-found"}],
                }
            ),
            "total": 0,
        },
        {
            "resourceType": "OperationOutcome",
            "issue": [{"severity": "error", "code": "processing"}],
        },
    ],
    ids=["null", "empty Bundle", "Bundle with a warning only", "OperationOutcome"],
)
def test_prefetch_every_state_of_a_key_is_answered(client: CheckedClient, value: object) -> None:
    for key in sorted(KEYS):
        assert client.call(with_value(order_sign(), f"prefetch.{key}", value)).status_code == 200


def test_card_uuids_are_stable_for_one_hook_instance_and_differ_between_two(
    client: CheckedClient,
) -> None:
    body = order_sign(*fever())
    other = with_value(body, "hookInstance", HOOK_INSTANCE.replace("0", "1", 1))
    uuids = [[c["uuid"] for c in client.call(b).get_json()["cards"]] for b in (body, body, other)]
    assert uuids[0] == uuids[1]
    assert not set(uuids[0]) & set(uuids[2])


def test_card_uuids_differ_though_an_order_is_drafted_twice(client: CheckedClient) -> None:
    response = client.call(order_sign(*fever(), drafts=(draft(), draft())))
    uuids = [card["uuid"] for card in response.get_json()["cards"]]
    assert len(set(uuids)) == len(uuids)


def test_errors_carry_an_operation_outcome(client: CheckedClient) -> None:
    response = client.call(b"x")
    assert response.mimetype == "application/fhir+json"
    assert response.get_json(force=True)["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("path", ["/cds-services", CALL])
def test_cors_preflight_is_answered_for_a_listed_origin(client: CheckedClient, path: str) -> None:
    response = client.options(path, headers={"Origin": ORIGIN})
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert "Content-Type" in response.headers["Access-Control-Allow-Headers"]


def test_cors_headers_are_on_answers_and_on_errors(client: CheckedClient) -> None:
    for body, status in ((order_sign(), 200), (b"x", 400)):
        response = client.call(body, Origin=ORIGIN)
        assert response.status_code == status
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_cors_another_origin_gets_no_permission(client: CheckedClient) -> None:
    response = client.call(order_sign(), Origin="https://elsewhere.example")
    assert "Access-Control-Allow-Origin" not in response.headers
