"""Requests as Epic, Oracle Health, the CDS Hooks sandbox and HL7's examples send them.

One file a request in clients/: where its shape is documented, the service, the request, and what
must be concluded at 2026-11-21T12:00Z: members of the assessment by their path, and how the
summaries of the cards begin (null: which cards there are is not what the example is about).
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from cds.services import SERVICES
from tests.conformance.checker import EXTENSION
from tests.functional.bodies import Json


FOLDER = Path(__file__).with_name("clients")
FILES = {path.stem: json.loads(path.read_bytes()) for path in sorted(FOLDER.glob("*.json"))}


def ask(client_for: Any, recorded: Json) -> TestResponse:
    """Without authentication only a loopback FHIR base may be configured, so none is."""
    headers = {"Content-Type": "application/json"}
    data = json.dumps(recorded["request"]).encode()
    address = f"/cds-services/{recorded['service']}"
    response: TestResponse = client_for(fhir_base=None).post(address, data=data, headers=headers)
    return response


def member(value: Any, path: str) -> Any:
    """A member by its path; None if there is none."""
    for step in path.split("."):
        if isinstance(value, list):
            value = value[int(step)] if int(step) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            return None
    return value


@pytest.mark.parametrize("name", FILES)
def test_a_clients_request_is_answered_with_the_expected_conclusion(
    client_for: Any, name: str
) -> None:
    recorded = FILES[name]
    response = ask(client_for, recorded)
    assert response.status_code == 200
    answer = response.get_json()
    assessment = answer["extension"][EXTENSION]
    expected = recorded["expected"]
    assert {path: member(assessment, path) for path in expected} == expected
    if recorded["summaries"] is not None:
        summaries = [card["summary"] for card in answer["cards"]]
        starts = recorded["summaries"]
        assert len(summaries) >= len(starts)
        assert bool(summaries) == bool(starts)
        for summary, start in zip(summaries, starts, strict=False):
            assert summary.startswith(start)


@pytest.mark.parametrize("name", FILES)
def test_each_request_names_its_source_and_is_of_the_hook_of_its_service(name: str) -> None:
    recorded = FILES[name]
    assert re.search(r"https?://|repository|The same", recorded["source"])
    assert recorded["request"]["hook"] == SERVICES[recorded["service"]].hook


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("epic")])
def test_epics_requests_have_what_is_epics_own(name: str) -> None:
    request = FILES[name]["request"]
    assert "com.epic.cdshooks.request.bpa-trigger-action" in request["extension"]
    assert "/" not in request["fhirAuthorization"]["scope"], "API names, not SMART scopes"
    for entry in request["context"].get("draftOrders", {}).get("entry", []):
        assert len(entry["resource"]["id"]) == 194


def test_epics_hold_is_one_action_on_the_order_as_it_was_sent(client_for: Any) -> None:
    recorded = FILES["epic-order-sign"]
    card = ask(client_for, recorded).get_json()["cards"][0]
    drafted = recorded["request"]["context"]["draftOrders"]["entry"][0]["resource"]
    (action,) = card["suggestions"][0]["actions"]
    assert action["resource"] == {**drafted, "status": "on-hold"}
    assert card["selectionBehavior"] == "any"


def test_templates_survive_a_client_that_collapses_repeated_parameters() -> None:
    """The CDS Hooks sandbox joins the values of a parameter that comes twice with a comma."""
    for service in SERVICES.values():
        for template in service.prefetch.values():
            names = [part.partition("=")[0] for part in template.partition("?")[2].split("&")]
            assert len(set(names)) == len(names)
