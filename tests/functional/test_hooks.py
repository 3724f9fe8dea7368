"""The other hooks run through the same pipeline: order-select, patient-view, new observations."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cds.services import OBSERVATION, ORDER_SELECT, PATIENT_VIEW, SERVICES
from tests.conftest import CheckedClient
from tests.functional.bodies import Json, bundle, draft, fever, normal_vitals, order_sign, vital


DEFINITION = Path(__file__).parents[2] / "docs/hooks/org.btce-cds.observation-create.md"


def ask(client: CheckedClient, service: str, body: Json) -> Any:
    headers = {"Content-Type": "application/json"}
    return client.post(f"/cds-services/{service}", data=json.dumps(body), headers=headers)


def select(*vitals: Json, drafts: tuple[Json, ...], selections: list[str]) -> Json:
    body = order_sign(*vitals, drafts=drafts)
    body["hook"] = "order-select"
    body["context"]["selections"] = selections
    return body


def view(*vitals: Json) -> Json:
    body = order_sign(*vitals)
    body["hook"] = "patient-view"
    del body["context"]["draftOrders"]
    return body


def arrived(*observations: Json) -> Json:
    body = view()
    body["hook"] = OBSERVATION.hook
    body["context"] = {"patientId": "p1", "observations": bundle(*observations)}
    return body


def test_each_service_has_an_id_of_its_own_and_the_same_prefetch(client: CheckedClient) -> None:
    listed = client.get("/cds-services").get_json()["services"]
    assert [(one["id"], one["hook"]) for one in listed] == [
        ("btce-order-sign", "order-sign"),
        ("btce-order-select", "order-select"),
        ("btce-patient-view", "patient-view"),
        ("btce-observation", "org.btce-cds.observation-create"),
    ]
    assert len({json.dumps(one["prefetch"]) for one in listed}) == 1


def test_order_select_answers_the_selected_order_alone(client: CheckedClient) -> None:
    drafts = (draft(), draft("acetaminophen 650 mg", id="d2"))
    chosen = select(*fever(), drafts=drafts, selections=["MedicationRequest/d1"])
    cards = ask(client, ORDER_SELECT.id, chosen).get_json()["cards"]
    assert any(card["summary"].startswith("Hold teclistamab") for card in cards)
    other = select(*fever(), drafts=drafts, selections=["MedicationRequest/d2"])
    cards = ask(client, ORDER_SELECT.id, other).get_json()["cards"]
    assert not any(card["summary"].startswith("Hold teclistamab") for card in cards)


def test_order_select_needs_selections(client: CheckedClient) -> None:
    body = select(drafts=(draft(),), selections=[])
    del body["context"]["selections"]
    reply = ask(client, ORDER_SELECT.id, body)
    assert reply.status_code == 400
    assert reply.get_json()["issue"][0]["expression"] == ["context.selections"]


def test_patient_view_shows_an_open_event_and_stays_quiet_otherwise(client: CheckedClient) -> None:
    (card,) = ask(client, PATIENT_VIEW.id, view(*fever())).get_json()["cards"]
    assert "CRS grade" in card["summary"]
    quiet = ask(client, PATIENT_VIEW.id, view(*normal_vitals())).get_json()
    assert quiet["cards"] == []
    assert quiet["extension"]["org.btce-cds.assessment"]["crs"]["assessed"] is True


def test_epics_trigger_extension_is_tolerated(client: CheckedClient) -> None:
    body = {**view(*fever()), "extension": {"com.epic.cdshooks.request.bpa-trigger-action": "18"}}
    assert ask(client, PATIENT_VIEW.id, body).status_code == 200


def test_observations_that_arrive_are_graded_with_the_rest(client: CheckedClient) -> None:
    quiet = ask(client, OBSERVATION.id, arrived()).get_json()
    assert quiet["cards"] == []
    (card,) = ask(client, OBSERVATION.id, arrived(vital("8310-5", 39.1, "Cel", 0.1))).get_json()[
        "cards"
    ]
    assert "CRS" in card["summary"]


def test_an_observation_of_another_patient_stops_the_answer(client: CheckedClient) -> None:
    other = arrived(vital("8310-5", 39.1, "Cel", 0.1, patient="p2"))
    reply = ask(client, OBSERVATION.id, other)
    assert reply.status_code == 400
    assert "cards" not in reply.get_json()


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_service_answers_its_own_hook_only(client: CheckedClient, service: str) -> None:
    body = order_sign()
    body["hook"] = "encounter-start"
    reply = ask(client, service, body)
    assert reply.status_code == 400
    assert reply.get_json()["issue"][0]["expression"] == ["hook"]


def test_the_published_example_of_the_hook_is_answered(client: CheckedClient) -> None:
    example = json.loads(re.findall(r"```json\n(.*?)```", DEFINITION.read_text("utf-8"), re.S)[0])
    reply = ask(client, OBSERVATION.id, example)
    assert reply.status_code == 200
    assert reply.get_json()["extension"]["org.btce-cds.assessment"]["patient"] == "Patient/p1"
