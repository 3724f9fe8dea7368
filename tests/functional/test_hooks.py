"""The other hooks run through the same pipeline: order-select, patient-view, new observations."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cds.services import OBSERVATION, ORDER_SELECT, PATIENT_VIEW, PREFETCH, SERVICES
from fhir_mapping.codes import load_codes
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


ROWS = "urn:oid:1.2.840.114350.1.13.99999.2.7.2.707679"


def overlay(folder: Path, rows: dict[str, list[str]]) -> Path:
    """A site's code folder; `rows`: codes of its own by the fact they are."""
    sets = "".join(
        f"  - fact: {fact}\n    system: ROWS\n    codes:\n"
        + "".join(
            f"      - {{code: {json.dumps(one)}, display: row, evidence: build}}\n" for one in codes
        )
        for fact, codes in rows.items()
    )
    (folder / "systems.yaml").write_text(f"systems:\n  ROWS: ['{ROWS}']\n", encoding="utf-8")
    (folder / "observations.yaml").write_text(f"sets:\n{sets}", encoding="utf-8")
    return folder


def offered(client_for: Any, folder: Path) -> dict[str, str]:
    """The prefetch of the first service of a site with these codes; all services have the same."""
    listed = client_for(code_overlay=folder).get("/cds-services").get_json()["services"]
    assert len({json.dumps(one["prefetch"]) for one in listed}) == 1
    found: dict[str, str] = listed[0]["prefetch"]
    return found


def test_the_oxygen_query_of_a_site_asks_for_its_own_rows_too(
    client_for: Any, tmp_path: Path
) -> None:
    rows = {"oxygen-device": ["301570"], "oxygen-flow": ["301030"], "oxygen-fraction": ["7"]}
    prefetch = offered(client_for, overlay(tmp_path, rows))
    standard = PREFETCH["oxygen"]
    codes = f",{ROWS}|301030,{ROWS}|301570,{ROWS}|7"
    assert prefetch["oxygen"] == standard.replace("&_sort", f"{codes}&_sort")
    assert {**prefetch, "oxygen": standard} == dict(PREFETCH)


def test_other_rows_of_a_site_are_asked_for_by_code_whatever_their_category(
    client_for: Any, tmp_path: Path
) -> None:
    prefetch = offered(client_for, overlay(tmp_path, {"arousal": ["30427"], "temperature": ["6"]}))
    assert prefetch["local-1"] == (
        "Observation?patient={{context.patientId}}"
        f"&code={ROWS}|30427,{ROWS}|6&_sort=-date&_count=200"
    )
    assert {key: prefetch[key] for key in PREFETCH} == dict(PREFETCH)


def test_many_rows_are_asked_for_in_several_queries(client_for: Any, tmp_path: Path) -> None:
    codes = [str(number) for number in range(1000, 1051)]
    prefetch = offered(client_for, overlay(tmp_path, {"arousal": codes}))
    asked = [prefetch[key].count(ROWS) for key in ("local-1", "local-2")]
    assert asked == [50, 1]


def test_a_row_cannot_break_out_of_its_query(client_for: Any, tmp_path: Path) -> None:
    """FHIR search escapes the comma and the bar; RFC 3986 the rest."""
    prefetch = offered(client_for, overlay(tmp_path, {"arousal": ["a,b|c&_count=1 {{x}}"]}))
    assert f"{ROWS}|a%5C%2Cb%5C%7Cc%26_count%3D1%20%7B%7Bx%7D%7D&_sort" in prefetch["local-1"]


def test_a_row_a_site_excludes_is_not_asked_for(client_for: Any, tmp_path: Path) -> None:
    folder = overlay(tmp_path, {"temperature": ["9107"]})
    path = folder / "observations.yaml"
    text = path.read_text("utf-8").replace("system:", "use: exclude\n    why: skin\n    system:")
    path.write_text(text, encoding="utf-8")
    assert offered(client_for, folder) == dict(PREFETCH)


def test_standard_oxygen_codes_that_are_read_are_asked_for() -> None:
    oxygen = {
        code
        for code, concept in load_codes().observations.items()
        if concept.fact in {"oxygen-device", "oxygen-flow", "oxygen-fraction"}
        and (code[0] or "").startswith("http")
    }
    asked = PREFETCH["oxygen"].partition("code=")[2].partition("&")[0].split(",")
    assert set(asked) == {f"{system}|{code}" for system, code in oxygen}
