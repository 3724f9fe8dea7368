"""The page: structure, hardening headers, and what is shown when the service fails."""

from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
import responses
from flask import Flask
from flask.testing import FlaskClient

from cds.demo.drugs import ORDERS
from cds.demo.story import load
from cds.demo.workbench import PROTOCOLS, create_workbench


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BASE = "http://127.0.0.1:9"
URL = f"{BASE}/us-label/cds-services/btce-order-sign"
STORIES = load()
CARD = {
    "summary": "Hold <b>teclistamab</b>",
    "indicator": "warning",
    "source": {"label": "A source"},
    "detail": "first line\nsecond line",
    "suggestions": [
        {"label": "Put on hold", "actions": [{"type": "update", "description": "Set on-hold"}]}
    ],
}
CHOICE = {"patient": "fever-only", "order": "teclistamab", "protocol": "us-label"}


class Outline(HTMLParser):
    """Collects tags, ids and label targets of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.labels: list[str] = []
        self.controls: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one tag."""
        given = dict(attrs)
        self.tags.append(tag)
        if given.get("id"):
            self.ids.append(given["id"] or "")
        if tag == "label":
            self.labels.append(given.get("for") or "")
        if tag == "select":
            self.controls.append(given.get("id") or "")


@pytest.fixture
def client() -> FlaskClient:
    """The page alone, without a service behind it."""
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(
        create_workbench(STORIES, clock=lambda: NOW, base=BASE, fhir=f"{BASE}/fhir")
    )
    return app.test_client()


def signed(client: FlaskClient) -> str:
    return client.post("/sign", data=CHOICE).get_data(as_text=True)


@pytest.mark.parametrize("name", STORIES)
def test_page_shows_the_story_and_says_it_is_a_demonstration(
    client: FlaskClient, name: str
) -> None:
    page = client.get(f"/?patient={name}").get_data(as_text=True)
    assert STORIES[name].story in page
    assert "Synthetic patients. Demonstration only. Knowledge not clinically reviewed." in page


def test_page_has_one_h1_labelled_controls_and_no_script(client: FlaskClient) -> None:
    outline = Outline(client.get("/").get_data(as_text=True))
    assert outline.tags.count("h1") == 1
    assert outline.controls == outline.labels
    assert len(outline.ids) == len(set(outline.ids))
    assert "script" not in outline.tags


def test_page_offers_every_order_and_protocol(client: FlaskClient) -> None:
    page = client.get("/").get_data(as_text=True)
    for choice in [*ORDERS, *PROTOCOLS]:
        assert f'<option value="{choice}"' in page


@pytest.mark.parametrize("path", ["/", "/workbench/workbench.css"])
def test_every_answer_forbids_foreign_content(client: FlaskClient, path: str) -> None:
    with client.get(path) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Security-Policy"] == (
            "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
            f"base-uri 'none'; frame-ancestors 'none'; frame-src {BASE}"
        )


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [("patient", "nobody", 404), ("order", "water", 400), ("protocol", "../x", 400)],
)
def test_unknown_choice_is_refused(
    client: FlaskClient, field: str, value: str, status: int
) -> None:
    assert client.post("/sign", data={**CHOICE, field: value}).status_code == status


@responses.activate
def test_card_is_shown_with_word_source_and_disabled_suggestion(client: FlaskClient) -> None:
    responses.post(URL, json={"cards": [CARD]})
    page = signed(client)
    assert "Hold &lt;b&gt;teclistamab&lt;/b&gt;" in page
    assert '<p class="indicator">warning</p>' in page
    assert "first line\nsecond line" in page
    assert "Source: A source" in page
    assert '<button type="button" disabled>Put on hold</button>' in page
    assert "update: Set on-hold" in page


@responses.activate
def test_no_card_is_said_and_the_wire_is_one_click_away(client: FlaskClient) -> None:
    assessment = {"org.btce-cds.assessment": {"schema": "btce-cds/assessment/1"}}
    responses.post(URL, json={"cards": [], "extension": assessment})
    page = signed(client)
    assert "No card: evaluated, nothing to say." in page
    for part in ("Assessment", "Response", "Request"):
        assert f"<summary>{part}</summary>" in page


@responses.activate
@pytest.mark.parametrize(
    ("status", "text"),
    [(500, "{}"), (412, '{"cards": []}'), (200, "<html>"), (200, "{}"), (302, '{"cards": []}')],
)
def test_failure_is_never_shown_as_silence(client: FlaskClient, status: int, text: str) -> None:
    responses.post(URL, body=text, status=status, headers={"Location": "/elsewhere"})
    page = signed(client)
    assert "This order was not evaluated." in page
    assert "nothing to say" not in page


@responses.activate
def test_unreachable_service_is_said(client: FlaskClient) -> None:
    page = signed(client)
    assert "The service did not answer" in page
