"""Pressed twice, pressed on an old page, pressed with nonsense: what a tired user does to it."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import responses
from flask.testing import FlaskClient

from cds.demo.visit import Visit, Visits
from tests.demo.test_workbench import BASE, CARD, HOOKS, SIGN, client, opened, page_of, service
from tests.demo.workbench_room import Reading


__all__ = ["client", "service"]
TOCILIZUMAB = {
    "resourceType": "MedicationRequest",
    "status": "draft",
    "intent": "order",
    "medicationCodeableConcept": {"text": "tocilizumab"},
    "subject": {"reference": "Patient/fever-only"},
}
CREATE = {
    "label": "Order tocilizumab",
    "uuid": "33333333-3333-4333-8333-333333333333",
    "actions": [{"type": "create", "description": "Add the order", "resource": TOCILIZUMAB}],
}
APPLIED = {"hook": "order-sign", "card": "0", "suggestion": "0"}


def seen(page: str) -> str:
    """What a form of this page says of its age; every one says the same."""
    (found,) = set(re.findall(r'name="seen" value="(\d+)"', page))
    return str(found)


def drafts(page: str) -> int:
    return page.count('<li class="draft')


def message(page: str) -> str:
    return Reading(page).text("message")


@pytest.fixture
def signed(client: FlaskClient, service: responses.RequestsMock) -> str:
    """A visit with a card that offers to order tocilizumab."""
    service.post(SIGN, json={"cards": [{**CARD, "suggestions": [CREATE]}]})
    service.post(f"{SIGN}/feedback", json={})
    where = opened(client)
    client.post(f"{where}/sign", data={"order": "teclistamab"})
    return where


@pytest.mark.usefixtures("service")
def test_every_form_that_changes_a_visit_says_of_which_page_it_is(
    client: FlaskClient, signed: str
) -> None:
    page = page_of(client, signed)
    forms = re.findall(r'<form method="post" action="/visits/[^>]*>\s*(<input[^>]*>)', page)
    assert len(forms) >= 6
    assert {re.search(r'name="([a-z]+)"', one)[1] for one in forms} == {"seen"}  # type: ignore[index]


def test_an_order_that_is_added_by_a_double_click_is_there_once(
    client: FlaskClient, service: responses.RequestsMock
) -> None:
    service.post(f"{HOOKS}/btce-order-select", json={"cards": []})
    where = opened(client)
    form = {"order": "teclistamab", "seen": seen(page_of(client, where))}
    for _ in range(2):
        assert client.post(f"{where}/select", data=form).status_code == 303
    page = page_of(client, where)
    assert drafts(page) == 1
    assert "pressed twice: nothing was done now" in message(page)
    client.post(f"{where}/select", data={**form, "seen": seen(page)})
    assert drafts(page_of(client, where)) == 2


def test_a_page_before_the_newest_answer_changes_no_order(client: FlaskClient, signed: str) -> None:
    old = seen(page_of(client, signed))
    client.post(f"{signed}/sign", data={"seen": old})
    for step, form in (("accept", APPLIED), ("remove", {"draft": "draft-1"}), ("file", {})):
        reply = client.post(f"{signed}/{step}", data={**form, "seen": old})
        assert reply.status_code == 303, step
        page = page_of(client, signed)
        assert "older than this visit" in message(page)
        assert drafts(page) == 1, step


def test_a_suggestion_is_carried_out_and_told_once(
    client: FlaskClient, signed: str, service: responses.RequestsMock
) -> None:
    for _ in range(2):
        page = page_of(client, signed)
        client.post(f"{signed}/accept", data={**APPLIED, "seen": seen(page)})
    page = page_of(client, signed)
    assert drafts(page) == 2
    assert "Applied before" in message(page)
    assert "Order tocilizumab (applied)" in Reading(page).text("answer")
    told = [one for one in service.calls if str(one.request.url).endswith("/feedback")]
    assert len(told) == 1
    client.post(f"{signed}/sign", data={"seen": seen(page)})
    assert ">Order tocilizumab</button>" in page_of(client, signed)


def test_an_observation_that_is_posted_by_a_double_click_is_charted_once(
    client: FlaskClient, service: responses.RequestsMock
) -> None:
    service.post(f"{BASE}/open/fhir/Observation", status=201, json={})
    where = opened(client)
    form = {"ice": "9", "seen": seen(page_of(client, where))}
    for _ in range(2):
        client.post(f"{where}/observe", data=form)
    posted = [one for one in service.calls if one.request.method == "POST"]
    assert sum("/Observation" in str(one.request.url) for one in posted) == 1


@pytest.mark.parametrize("number", ["9" * 5000, "\N{SUPERSCRIPT TWO}", "-1", "1.0", ""])
@pytest.mark.parametrize("name", ["card", "suggestion"])
def test_a_place_that_is_no_place_is_refused(
    client: FlaskClient, signed: str, name: str, number: str
) -> None:
    reply = client.post(f"{signed}/accept", data={**APPLIED, name: number})
    assert reply.status_code == 400


def test_a_press_in_a_visit_that_is_over_says_so(client: FlaskClient) -> None:
    reply = client.post(f"/visits/{'0' * 32}/sign", data={"order": "teclistamab"})
    assert reply.status_code == 404
    assert "not kept any more" in reply.get_data(as_text=True)


def test_an_answer_is_shown_under_the_protocol_that_was_asked(
    client: FlaskClient, signed: str
) -> None:
    wrong = {"protocol": "nhs-waht", "clock": "story", "hour": "soon"}
    client.post(f"{signed}/settings", data=wrong)
    text = Reading(page_of(client, signed)).text("answer")
    assert "enter 0 or less" in message(page_of(client, signed))
    assert "Answer to order-sign under us-label" in text
    assert "--protocol us-label" in text
    assert "nhs-waht" not in text


def test_an_older_answer_keeps_its_protocol_beside_a_newer_one(
    client: FlaskClient, signed: str, service: responses.RequestsMock
) -> None:
    other = f"{BASE}/nhs-waht/cds-services"
    service.get(other, json={"services": [{"id": "btce-order-select"}]})
    service.post(f"{other}/btce-order-select", json={"cards": []})
    client.post(f"{signed}/select", data={"order": "anakinra", "protocol": "nhs-waht"})
    assert "under nhs-waht" in Reading(page_of(client, signed)).text("answer-heading")
    page = page_of(client, f"{signed}?show=order-sign")
    assert "under us-label" in Reading(page).text("answer-heading")


def test_of_several_orders_only_what_was_not_taken_stays_unsigned(
    client: FlaskClient, signed: str, service: responses.RequestsMock
) -> None:
    client.post(f"{signed}/accept", data=APPLIED)
    url = f"{BASE}/open/fhir/MedicationRequest"
    service.post(url, status=201, json={})
    service.post(url, status=422, json={})
    client.post(f"{signed}/file")
    page = page_of(client, signed)
    (left,) = re.findall(r'<li class="draft.*?</li>', page, re.DOTALL)
    assert "tocilizumab" in left
    assert "tocilizumab: the FHIR server refused it, HTTP 422" in message(page)


def test_filing_without_an_order_says_that_there_is_none(client: FlaskClient, signed: str) -> None:
    client.post(f"{signed}/remove", data={"draft": "draft-1"})
    client.post(f"{signed}/file")
    assert "no unsigned orders" in message(page_of(client, signed))


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 400, "json": {}},
        {"status": 200, "json": {"else": "where"}},
        {"body": requests.ConnectionError()},
    ],
)
@pytest.mark.usefixtures("service")
def test_an_app_that_gets_no_launch_is_not_opened_and_the_page_says_so(
    client: FlaskClient, service: responses.RequestsMock, answer: dict[str, object]
) -> None:
    service.post(f"{BASE}/fhir/_services/smart/Launch", **answer)
    form = {"patient": "fever-only", "app": f"{BASE}/us-label/smart/launch", "context": "x"}
    reply = client.post("/launch", data=form)
    assert reply.status_code == 502
    page = reply.get_data(as_text=True)
    assert "The app was not opened." in page
    assert "<iframe" not in page


def test_what_two_threads_do_to_one_visit_is_all_kept() -> None:
    visits = Visits()
    began = visits.begin(Visit(id="", story="s", protocol="us-label", chosen="x"))

    def counted(_: int) -> None:
        visits.change(began.id, lambda visit: visit.but(made=visit.made + 1))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(counted, range(200)))
    found = visits.get(began.id)
    assert found is not None
    assert found.made == 200


def test_a_visit_that_was_forgotten_is_not_changed() -> None:
    visits = Visits(most=1)
    old = visits.begin(Visit(id="", story="s", protocol="us-label", chosen="x"))
    visits.begin(Visit(id="", story="s", protocol="us-label", chosen="x"))
    assert visits.change(old.id, lambda visit: visit) is None
