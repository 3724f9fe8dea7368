"""The page: structure, hardening headers, and what is shown when the service fails."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import requests
import responses
from flask import Flask
from flask.testing import FlaskClient

from cds.demo.bench import PROTOCOLS, Bench
from cds.demo.drugs import ORDERS, REGIMENS
from cds.demo.hook_call import Hospital
from cds.demo.story import load
from cds.demo.workbench import create_workbench
from knowledge.facts import BISPECIFICS
from tests.demo.workbench_room import Reading


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BASE = "http://127.0.0.1:9"
HOOKS = f"{BASE}/us-label/cds-services"
SIGN = f"{HOOKS}/btce-order-sign"
STORIES = load()
NOTHING = {"resourceType": "Bundle", "type": "searchset", "total": 0}
IDS = ("btce-patient-view", "btce-order-select", "btce-order-sign")
DISCOVERY = {
    "services": [
        {"id": id_, "prefetch": {"vitals": "Observation?patient={{context.patientId}}"}}
        for id_ in IDS
    ]
}
SUGGESTION = {
    "label": "Put on hold",
    "uuid": "11111111-1111-4111-8111-111111111111",
    "actions": [
        {
            "type": "update",
            "description": "Set on-hold",
            "resource": {"resourceType": "MedicationRequest", "id": "draft-1", "status": "on-hold"},
        }
    ],
}
CARD = {
    "summary": "Hold <b>teclistamab</b>",
    "indicator": "warning",
    "uuid": "22222222-2222-4222-8222-222222222222",
    "source": {"label": "A source"},
    "detail": "first line\n\nTitle\n- an \\*item\\*",
    "suggestions": [SUGGESTION],
    "overrideReasons": [{"code": "held", "system": "urn:r", "display": "Already held"}],
}


@pytest.fixture
def service() -> Iterator[responses.RequestsMock]:
    """A FHIR server without data, and a service that says what it needs; no hook answers yet."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as found:
        found.get(re.compile(rf"{BASE}/open/fhir/.*"), json=NOTHING)
        found.get(HOOKS, json=DISCOVERY)
        found.post(f"{HOOKS}/btce-patient-view", json={"cards": []})
        yield found


@pytest.fixture
def client() -> FlaskClient:
    """The page alone."""
    hospital = Hospital(
        base=BASE,
        fhir=f"{BASE}/fhir",
        doors={"plain": f"{BASE}/open/fhir"},
        clock=lambda: NOW,
        began=NOW,
    )
    bench = Bench(
        stories=STORIES,
        hospital=hospital,
        zones=dict.fromkeys(PROTOCOLS, ZoneInfo("UTC")),
        sites={protocol: f"demo-{protocol}" for protocol in PROTOCOLS},
    )
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(create_workbench(bench))
    return app.test_client()


def opened(client: FlaskClient, story: str = "fever-only") -> str:
    """The address of a new visit."""
    where = client.get(f"/?patient={story}").headers["Location"]
    return str(where)


def page_of(client: FlaskClient, where: str) -> str:
    return client.get(where.partition("#")[0]).get_data(as_text=True)


def signed(client: FlaskClient) -> str:
    where = opened(client)
    client.post(f"{where}/sign", data={"order": "teclistamab"})
    return page_of(client, where)


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize("name", STORIES)
def test_page_shows_the_story_and_says_it_is_a_demonstration(
    client: FlaskClient, name: str
) -> None:
    page = page_of(client, opened(client, name))
    assert STORIES[name].story in page
    assert "Synthetic patients. Demonstration only. Knowledge not clinically reviewed." in page


@pytest.mark.usefixtures("service")
def test_no_page_has_the_patient_in_its_address(client: FlaskClient) -> None:
    assert re.fullmatch(r"/visits/[0-9a-f]{32}", opened(client))


@pytest.mark.usefixtures("service")
def test_page_has_one_h1_labelled_controls_and_no_inline_script_or_style(
    client: FlaskClient,
) -> None:
    page = page_of(client, opened(client))
    reading = Reading(page)
    assert reading.tags.count("h1") == 1
    controls = re.findall(
        r"<(?:select|input)\b(?![^>]*type=\"hidden\")[^>]*\bid=\"([^\"]+)\"", page
    )
    assert set(controls) == set(re.findall(r'<label[^>]*\bfor="([^"]+)"', page))
    assert len(controls) > 15
    assert len(reading.ids) == len(set(reading.ids))
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert " style=" not in page
    assert "<style" not in page
    assert re.findall(r"\son[a-z]+=", page) == []


@pytest.mark.usefixtures("service")
def test_page_offers_ten_bispecifics_their_treatment_and_regimens(client: FlaskClient) -> None:
    page = page_of(client, opened(client))
    wanted = {*BISPECIFICS, "tocilizumab", "anakinra", "dexamethasone", *REGIMENS, *PROTOCOLS}
    assert len(BISPECIFICS) == 10
    assert wanted <= {*ORDERS, *REGIMENS, *PROTOCOLS}
    for choice in wanted:
        assert f'<option value="{choice}"' in page


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize(
    "path", ["", "/workbench/workbench.css", "/assets/uswds/css/uswds.min.css"]
)
def test_every_answer_forbids_foreign_content(client: FlaskClient, path: str) -> None:
    with client.get(path or opened(client)) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Security-Policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            "font-src 'self'; connect-src 'self'; form-action 'self'; "
            f"base-uri 'none'; frame-ancestors 'none'; frame-src {BASE}"
        )


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize(
    ("step", "form"),
    [
        ("sign", {"order": "water"}),
        ("select", {"order": "water"}),
        ("sign", {"protocol": "../x"}),
        ("sign", {"ehr": "other"}),
        ("sign", {"fault": "other"}),
        ("remove", {"draft": "draft-9"}),
        ("accept", {"hook": "order-sign", "card": "0", "suggestion": "0"}),
        ("override", {"hook": "patient-view", "card": "7"}),
    ],
)
def test_what_the_page_did_not_offer_is_refused(
    client: FlaskClient, step: str, form: dict[str, str]
) -> None:
    assert client.post(f"{opened(client)}/{step}", data=form).status_code == 400


@pytest.mark.usefixtures("service")
def test_an_unknown_patient_step_or_visit_is_not_found(client: FlaskClient) -> None:
    assert client.get("/?patient=nobody").status_code == 404
    assert client.post(f"{opened(client)}/dance").status_code == 404
    gone = client.get(f"/visits/{'0' * 32}")
    assert gone.status_code == 404
    assert "not kept any more" in gone.get_data(as_text=True)


def test_card_is_shown_with_its_word_source_and_suggestion(
    client: FlaskClient, service: responses.RequestsMock
) -> None:
    service.post(SIGN, json={"cards": [CARD]})
    page = signed(client)
    assert "Hold &lt;b&gt;teclistamab&lt;/b&gt;" in page
    assert '<p class="indicator">warning</p>' in page
    assert "Source: A source" in page
    assert '<button class="usa-button" type="submit">Put on hold</button>' in page
    assert "update: Set on-hold" in page
    assert "<li>an *item*</li>" in page
    assert '<option value="held">Already held</option>' in page


def test_no_card_is_said_and_the_wire_is_one_click_away(
    client: FlaskClient, service: responses.RequestsMock
) -> None:
    assessment = {"org.btce-cds.assessment": {"schema": "btce-cds/assessment/1"}}
    service.post(SIGN, json={"cards": [], "extension": assessment})
    page = signed(client)
    assert "No card: evaluated, nothing to say." in page
    for part in ("Explanation", "Assessment", "Response", "Request"):
        assert f"<summary>{part}</summary>" in page


OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "the words of it"}]}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "belongs to another patient"),
        (401, "did not accept the token"),
        (403, "may not ask this"),
        (404, "has no such hook service"),
        (405, "does not take this method"),
        (412, "needs data that were neither sent nor could be read"),
        (413, "larger than the service reads"),
        (415, "not sent as plain JSON"),
        (418, "refused the request"),
        (429, "Too many requests"),
        (500, "A fault in the service"),
        (502, "A fault in the service or before it"),
        (503, "its store is down"),
    ],
)
def test_each_refusal_says_what_it_means_and_what_to_do(
    client: FlaskClient, service: responses.RequestsMock, status: int, said: str
) -> None:
    service.post(SIGN, json=OUTCOME, status=status)
    text = Reading(signed(client)).text("answer")
    assert f"HTTP {status}" in text
    assert "Not evaluated." in text
    assert said in text
    assert "What to do: " in text
    assert "the words of it" in text
    assert "evaluated, nothing to say." not in text


@pytest.mark.parametrize(
    ("status", "text"),
    [(200, "<html>"), (200, "{}"), (302, '{"cards": []}'), (412, '{"cards": []}')],
)
def test_failure_is_never_shown_as_silence(
    client: FlaskClient, service: responses.RequestsMock, status: int, text: str
) -> None:
    service.post(SIGN, body=text, status=status, headers={"Location": "/elsewhere"})
    page = Reading(signed(client)).text("answer")
    assert "Not evaluated." in page
    assert "evaluated, nothing to say." not in page


@pytest.mark.parametrize("problem", [requests.ReadTimeout(), requests.ConnectionError()])
def test_a_service_that_does_not_answer_is_said(
    client: FlaskClient, service: responses.RequestsMock, problem: Exception
) -> None:
    service.post(SIGN, body=problem)
    text = Reading(signed(client)).text("answer")
    assert "did not answer in time" in text
    assert type(problem).__name__ in text


def test_without_discovery_nothing_is_sent(
    client: FlaskClient, service: responses.RequestsMock
) -> None:
    service.replace(responses.GET, HOOKS, status=503)
    text = Reading(signed(client)).text("answer")
    assert "does not say what it needs, so nothing was sent" in text
    assert all(one.request.method == "GET" for one in service.calls)


def test_a_query_that_fails_leaves_its_key_out_and_is_named(
    client: FlaskClient, service: responses.RequestsMock
) -> None:
    service.replace(responses.GET, re.compile(rf"{BASE}/open/fhir/.*"), status=500)
    service.post(SIGN, json={"cards": []})
    text = Reading(signed(client)).text("answer")
    assert "HTTP 500: the key is left out" in text
    sent = next(one.request.body for one in service.calls if one.request.url == SIGN)
    assert isinstance(sent, bytes)
    assert b'"prefetch":{}' in sent


def test_feedback_that_is_not_taken_is_said(
    client: FlaskClient, service: responses.RequestsMock
) -> None:
    service.post(SIGN, json={"cards": [CARD]})
    service.post(f"{SIGN}/feedback", json=OUTCOME, status=503)
    where = opened(client)
    client.post(f"{where}/sign", data={"order": "teclistamab"})
    client.post(f"{where}/accept", data={"hook": "order-sign", "card": "0", "suggestion": "0"})
    text = Reading(page_of(client, where)).text("answer")
    assert "not taken : The service cannot keep what was sent" in text
    assert "the words of it" in text


def test_a_suggestion_about_an_order_that_is_gone_is_not_applied(
    client: FlaskClient, service: responses.RequestsMock
) -> None:
    service.post(SIGN, json={"cards": [CARD]})
    where = opened(client)
    client.post(f"{where}/sign", data={"order": "teclistamab"})
    client.post(f"{where}/remove", data={"draft": "draft-1"})
    client.post(f"{where}/accept", data={"hook": "order-sign", "card": "0", "suggestion": "0"})
    text = Reading(page_of(client, where)).text("message")
    assert "Not applied: the order it is about is not among the unsigned orders any more" in text
    assert not any(str(one.request.url).endswith("/feedback") for one in service.calls)
