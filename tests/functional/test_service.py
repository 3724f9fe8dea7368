"""What a deployment promises beside the cards: modes, health, one log line, no leak on a fault."""

import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from flask import Flask
from werkzeug.serving import make_server

from cds import log
from cds.app import create_app
from cds.config import ConfigError, Settings
from cds.demo.drugs import ORDERS
from cds.demo.sign import order_sign as demo_order_sign
from cds.demo.story import load
from fhir_mapping.codes import CodeSets
from knowledge.library import Library
from tests.conformance.checker import check_response
from tests.conftest import CALL, CheckedClient, State
from tests.functional.bodies import (
    FHIR_BASE,
    HOOK_INSTANCE,
    NOW,
    draft,
    fever,
    order_sign,
    vital,
    with_value,
)


STORIES = load()
CANARY = "Canaryname"


def assessment(answer: Any) -> Any:
    return answer.get_json()["extension"]["org.btce-cds.assessment"]


@pytest.mark.parametrize("protocol", ["us-label", "community-sop", "nhs-waht"])
@pytest.mark.parametrize("story", sorted(STORIES))
def test_every_demo_patient_is_answered_within_the_schema(
    client_for: Any, story: str, protocol: str
) -> None:
    for order in ORDERS.values():
        body = demo_order_sign(STORIES[story], order, now=NOW, hook_instance=HOOK_INSTANCE)
        response = client_for(protocol=protocol).call(body)
        assert response.status_code == 200
        assert assessment(response)["protocol"]["id"] == protocol


def test_silent_mode_evaluates_and_shows_nothing(client_for: Any) -> None:
    response = client_for(mode="silent").call(order_sign(*fever()))
    assert response.get_json()["cards"] == []
    assert assessment(response)["mode"] == "silent"
    assert assessment(response)["crs"]["assessed"] is True


def test_another_knowledge_than_the_approved_one_runs_silent(
    client_for: Any, library: Library
) -> None:
    body = order_sign(*fever())
    assert client_for(approved_knowledge="0" * 64).call(body).get_json()["cards"] == []
    assert client_for(approved_knowledge=library.sha256).call(body).get_json()["cards"]


def test_a_site_may_set_its_own_numbers(client_for: Any) -> None:
    low = order_sign(vital("8310-5", 38.6, "Cel"), vital("8480-6", 95, "mm[Hg]"))
    levels = [
        assessment(client_for(rules=rules).call(low))["crs"]["axes"]["hypotension"]["level"]
        for rules in ({}, {"systolic_below": 100})
    ]
    assert levels[0] != levels[1]


def test_the_fhir_server_must_be_the_sites_own_base(client: CheckedClient) -> None:
    for server in (FHIR_BASE, FHIR_BASE + "/"):
        assert client.call({**order_sign(), "fhirServer": server}).status_code == 200
    assert client.call({**order_sign(), "fhirServer": FHIR_BASE + "2"}).status_code == 400


def test_only_a_drug_outside_our_sets_gets_the_assessment_and_no_card(
    client: CheckedClient,
) -> None:
    response = client.call(order_sign(drafts=(draft("amoxicillin 500 mg capsule"),)))
    assert response.get_json()["cards"] == []


def test_an_answer_is_not_to_be_cached(client: CheckedClient) -> None:
    assert client.call(order_sign()).headers["Cache-Control"] == "no-store"


def test_health_and_about_say_what_runs_and_that_no_clinician_reviewed_it(
    client: CheckedClient, library: Library
) -> None:
    assert client.get("/livez").get_json() == {"status": "alive"}
    ready = client.get("/readyz").get_json()
    assert ready["status"] == "ready"
    assert ready["knowledge"]["sha256"] == library.sha256
    about = client.get("/about").get_json()
    assert about["notice"] == "not clinically reviewed"
    (site,) = about["sites"]
    assert (site["id"], site["protocol"], site["mode"]) == ("demo", "us-label", "live")
    assert (site["approved"], site["switchedOff"]) == (False, {"topics": [], "rules": []})
    assert len(about["sourceAttributes"]["attributes"]) == 13


def test_an_unknown_protocol_is_refused_at_start(
    settings: Settings, library: Library, codes: CodeSets, client_for: Any
) -> None:
    with pytest.raises(ConfigError, match="no protocol is called no-such"):
        client_for(protocol="no-such")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Everything any logger of the process writes, through the service's own formatter."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    stream = io.StringIO()
    log.configure(stream)
    yield stream
    root.handlers = before
    root.setLevel(level)


def test_one_line_a_request_with_allowed_fields_and_no_trace_of_the_patient(
    client: CheckedClient, lines: io.StringIO
) -> None:
    body = json.dumps(order_sign(*fever())).replace("p1", CANARY).replace("38.6", "39.17")
    extra = {
        "fhirServer": FHIR_BASE,
        "fhirAuthorization": {
            "access_token": CANARY,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": CANARY,
            "subject": CANARY,
        },
    }
    answer = client.call({**json.loads(body), **extra}, X_Request_Id=CANARY)
    client.call(body.replace("order-sign", CANARY).encode())
    client.call(body[:-1].encode())
    client.call(with_value(json.loads(body), "prefetch.patient.id", "p2"))
    client.post(f"/cds-services/{CANARY}?name={CANARY}")
    client.get(f"/{CANARY}")
    written = lines.getvalue()
    assert CANARY not in written
    assert "39.17" not in written
    records = [json.loads(line) for line in written.splitlines()]
    assert [record["status"] for record in records] == [200, 400, 400, 400, 404, 404]
    allowed = log.ALLOWED_FIELDS | {"time", "level", "event"}
    assert all(set(record) <= allowed for record in records)
    topics = [card["source"]["topic"]["code"] for card in answer.get_json()["cards"]]
    assert records[0]["topics"] == topics
    assert records[0]["service"] == "btce-order-sign"
    assert records[3]["code"] == "another-patient"
    assert records[3]["level"] == "warning"


def test_a_library_that_logs_request_data_is_muted(lines: io.StringIO) -> None:
    logging.getLogger("other.library").warning("patient %s", CANARY)
    assert json.loads(lines.getvalue())["logger"] == "other.library"
    assert CANARY not in lines.getvalue()


def test_a_fault_of_ours_is_500_without_a_trace_and_without_values(
    settings: Settings, library: Library, codes: CodeSets, state: State, lines: io.StringIO
) -> None:
    def broken() -> Any:
        raise RuntimeError(CANARY)

    app: Flask = create_app(settings, library=library, codes=codes, clock=broken, **state)
    response = app.test_client().post(CALL, json=order_sign())
    assert response.status_code == 500
    issue = response.get_json(force=True)["issue"][0]
    assert issue["details"]["text"] == "internal fault"
    assert CANARY not in response.text + lines.getvalue()
    fault = json.loads(lines.getvalue().splitlines()[0])
    assert fault["error"] == "RuntimeError"
    assert fault["at"].startswith("test_service.py:")


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_over_a_real_socket(address: str) -> None:
    with requests.Session() as session:
        session.trust_env = False
        listed = session.get(f"{address}/cds-services", timeout=10)
        assert listed.json()["services"][0]["id"] == "btce-order-sign"
        answer = session.post(address + CALL, json=order_sign(*fever()), timeout=10)
        assert answer.status_code == 200
        check_response(answer.json())
        assert session.post(address + CALL, json=[], timeout=10).status_code == 400


def test_an_order_for_a_patient_recorded_as_deceased_gets_a_card(client: CheckedClient) -> None:
    body = with_value(order_sign(), "prefetch.patient.deceasedBoolean", True)
    cards = client.call(body).get_json()["cards"]
    assert any("recorded as deceased" in card["detail"] for card in cards)
