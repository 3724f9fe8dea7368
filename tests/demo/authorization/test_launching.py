"""`_services/smart/Launch`, as the public CDS Hooks sandbox and the demo's own pages call it."""

from typing import Any

import pytest

from tests.demo.authorization.hospital import DOCTOR, EHR, LAUNCH_URL, Ward, said, ward
from tests.demo.fhir_sandbox import Json


PATH = "/fhir/_services/smart/Launch"


@pytest.fixture
def server() -> Ward:
    return ward()


def launched(server: Ward, body: Any) -> Json:
    """The token response after the launch this body makes."""
    answer = server.http.post(PATH, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    code = said(server.authorize(launch=answer.json["launch_id"], scope=EHR))["code"]
    found = server.redeem(code).json
    assert found is not None
    return dict(found)


def test_the_cds_hooks_sandbox_gets_a_launch_id(server: Ward) -> None:
    """Its body, and a header with the token it does not have."""
    body = {"launchUrl": LAUNCH_URL, "parameters": {"patient": "p1", "appContext": '{"a":1}'}}
    answer = server.http.post(PATH, json=body, headers={"Authorization": "Bearer undefined"})
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["launch_id"]


def test_the_app_gets_what_the_launch_was_made_with(server: Ward) -> None:
    body = {"launchUrl": LAUNCH_URL, "parameters": {"patient": "p2", "appContext": '{"a":1}'}}
    found = launched(server, body)
    assert (found["patient"], found["appContext"]) == ("p2", '{"a":1}')
    assert found["encounter"] == "e2", "the one encounter in progress"


def test_the_other_spelling_and_references_are_understood(server: Ward) -> None:
    parameters = {"patient": "Patient/p1", "encounter": "e1", "user": DOCTOR}
    body = {"launch_url": LAUNCH_URL, "redirect_uri": "x", "parameters": parameters}
    found = launched(server, body)
    assert (found["patient"], found["encounter"]) == ("p1", "e1")
    assert "appContext" not in found


def test_two_encounters_in_progress_are_none(server: Ward) -> None:
    stay = {"resourceType": "Encounter", "id": "e3", "status": "in-progress", "class": {}}
    server.store.load([stay | {"subject": {"reference": "Patient/p1"}}], now=server.clock.now)
    assert "encounter" not in launched(server, {"parameters": {"patient": "p1"}})


def test_a_launch_needs_no_patient(server: Ward) -> None:
    answer = server.http.post(PATH, json={"launchUrl": LAUNCH_URL})
    assert answer.json is not None
    scope = "launch user/*.rs"
    code = said(server.authorize(launch=answer.json["launch_id"], scope=scope))["code"]
    found = server.redeem(code).json
    assert found is not None
    assert "patient" not in found


def test_ids_are_opaque_and_differ(server: Ward) -> None:
    ids = [server.http.post(PATH, json={}).json["launch_id"] for _ in range(20)]  # type: ignore[index]
    assert len(set(ids)) == 20
    assert all(len(one) >= 40 for one in ids)


@pytest.mark.parametrize(
    "body",
    [
        {"parameters": {"patient": "p9"}},
        {"parameters": {"patient": "../x"}},
        {"parameters": {"patient": 7}},
        {"parameters": {"patient": "p1", "encounter": "e9"}},
        {"parameters": {"patient": "p1", "appContext": {"a": 1}}},
        {"parameters": {"patient": "p1", "user": "Practitioner/dr9"}},
        {"parameters": []},
        {"launchUrl": "https://evil.example/launch", "parameters": {"patient": "p1"}},
        {"launchUrl": "http://[::1", "parameters": {"patient": "p1"}},
        [],
        "text",
    ],
    ids=str,
)
def test_a_launch_that_cannot_be_is_refused(server: Ward, body: object) -> None:
    answer = server.http.post(PATH, json=body)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json.keys() == {"error"}
    assert "evil" not in answer.text


def test_a_form_of_another_site_makes_no_launch(server: Ward) -> None:
    """A foreign page can send forms and plain text without being asked for it first."""
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        assert server.http.post(PATH, data="{}", content_type=kind).status_code == 403


def test_another_machine_makes_no_launch(server: Ward) -> None:
    answer = server.http.post(PATH, json={}, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert answer.status_code == 403
