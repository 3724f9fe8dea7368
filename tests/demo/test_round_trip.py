"""Each story signed over a real socket; grades and dispositions expected from the sources.

ASTCT 2019 for the grades, the teclistamab label tables for what happens to the drug, the
community procedure for tocilizumab.
"""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from cds.demo.drugs import ORDERS
from cds.demo.server import bind
from cds.demo.sign import order_sign
from cds.demo.story import load
from knowledge.facts import BISPECIFICS


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
STORIES = load()
HOOK_INSTANCE = "00000000-0000-4000-8000-000000000001"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running demo with a fixed clock."""
    server = bind(0, state=tmp_path_factory.mktemp("demo"), clock=lambda: NOW)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def sign(base: str, story: str, order: str = "", protocol: str = "us-label") -> Json:
    """The hook response to the story's request."""
    chosen = ORDERS[order or STORIES[story].order]
    body = order_sign(STORIES[story], chosen, now=NOW, hook_instance=HOOK_INSTANCE)
    url = f"{base}/{protocol}/cds-services/btce-order-sign"
    with requests.Session() as session:
        session.trust_env = False
        reply = session.post(url, json=body, timeout=10)
    assert reply.status_code == 200, reply.text
    answer: Json = reply.json()
    return answer


def assess(base: str, story: str, order: str = "", protocol: str = "us-label") -> Json:
    """The assessment beside the cards."""
    found: Json = sign(base, story, order, protocol)["extension"]["org.btce-cds.assessment"]
    return found


def interval(state: Json) -> tuple[int, int]:
    """The grade as a pair."""
    return state["grade"]["atLeast"], state["grade"]["atMost"]


@pytest.mark.parametrize(
    ("story", "toxicity", "grade", "action"),
    [
        pytest.param("fever-only", "crs", (1, 1), "withhold", id="fever-alone-is-grade-1"),
        pytest.param(
            "masked-fever", "crs", (3, 3), "withhold", id="masked-fever-and-one-pressor-is-grade-3"
        ),
        pytest.param(
            "two-vasopressors",
            "crs",
            (4, 4),
            "discontinue-permanently",
            id="two-vasopressors-is-grade-4",
        ),
        pytest.param(
            "cannula-without-flow",
            "crs",
            (2, 3),
            "withhold",
            id="cannula-without-flow-is-grade-2-or-3",
        ),
        pytest.param("ice-two-awake", "icans", (3, 3), "withhold", id="ice-2-awake-is-grade-3"),
        pytest.param(
            "seizure-seven-minutes",
            "icans",
            (4, 4),
            "discontinue-permanently",
            id="seizure-over-5-minutes-is-grade-4",
        ),
        pytest.param("no-weight", "crs", (2, 3), "withhold", id="weight-does-not-change-the-grade"),
        pytest.param(
            "second-tocilizumab", "crs", (2, 2), "withhold", id="fever-and-3-litres-is-grade-2"
        ),
        pytest.param(
            "nothing-wrong", "crs", (0, 0), "no-toxicity", id="complete-normal-set-is-grade-0"
        ),
    ],
)
def test_story_is_graded_as_the_source_says(
    base: str, story: str, toxicity: str, grade: tuple[int, int], action: str
) -> None:
    found = assess(base, story)
    assert interval(found[toxicity]) == grade
    assert found["disposition"]["action"] == action


def test_temperature_in_the_wrong_unit_is_rejected_and_named(base: str) -> None:
    answer = sign(base, "wrong-unit")
    found = answer["extension"]["org.btce-cds.assessment"]
    assert found["disposition"]["action"] not in {"withhold", "no-toxicity"}
    assert not found["crs"]["assessed"] or found["crs"]["grade"]["atMost"] > 0
    assert "101.3" in str(answer["cards"])


def test_old_fever_holds_although_nothing_is_known_about_now(base: str) -> None:
    found = assess(base, "stale-vitals")
    assert found["crs"]["grade"]["atLeast"] == 0
    assert found["crs"]["grade"]["atMost"] >= 1
    assert found["disposition"]["action"] == "withhold"


@pytest.mark.parametrize("protocol", ["community-sop", "nhs-waht"])
def test_tocilizumab_without_a_weight_cannot_be_evaluated(base: str, protocol: str) -> None:
    found = assess(base, "no-weight", protocol=protocol)["tocilizumab"]
    assert found["status"] == "cannot-evaluate"
    assert "doseMg" not in found


def test_second_tocilizumab_is_blocked_until_eight_hours_have_passed(base: str) -> None:
    found = assess(base, "second-tocilizumab", protocol="community-sop")["tocilizumab"]
    assert found["status"] == "blocked"
    assert datetime.fromisoformat(found["earliest"]) == NOW + timedelta(hours=3)


def test_fifty_hours_at_grade_3_meet_the_permanent_row_after_resolution(base: str) -> None:
    found = assess(base, "resolved-long-grade-three")
    event = found["crs"]["event"]
    assert event["maxGrade"]["atLeast"] == 3
    assert event["hoursAtGrade3"]["atLeast"] >= 48
    assert found["crs"]["acting"] == {"atLeast": 0, "atMost": 0}
    assert found["disposition"]["action"] == "discontinue-permanently"
    assert found["disposition"]["confirmed"] is False


def test_nothing_wrong_gives_information_only(base: str) -> None:
    answer = sign(base, "nothing-wrong")
    assert {card["indicator"] for card in answer["cards"]} <= {"info"}


@pytest.mark.parametrize("protocol", ["us-label", "community-sop", "nhs-waht"])
def test_every_protocol_is_a_site_with_its_own_discovery(base: str, protocol: str) -> None:
    with requests.Session() as session:
        session.trust_env = False
        reply = session.get(f"{base}/{protocol}/cds-services", timeout=10)
    assert "btce-order-sign" in [service["id"] for service in reply.json()["services"]]
    assert assess(base, "fever-only", protocol=protocol)["protocol"]["id"] == protocol


def test_the_page_signs_through_its_own_server(base: str) -> None:
    form = {"order": "teclistamab", "protocol": "us-label"}
    with requests.Session() as session:
        session.trust_env = False
        opened = session.get(f"{base}/?patient=cannula-without-flow", timeout=20)
        page = session.post(f"{opened.url}/sign", data=form, timeout=20)
    assert page.status_code == 200
    assert "Answer to order-sign under us-label" in page.text
    assert "HTTP 200" in page.text
    assert 'class="card ' in page.text


def test_another_host_name_is_refused(base: str) -> None:
    with requests.Session() as session:
        session.trust_env = False
        reply = session.get(f"{base}/", headers={"Host": "elsewhere.example"}, timeout=10)
    assert reply.status_code == 400


@pytest.mark.parametrize("order", sorted(set(ORDERS) & BISPECIFICS))
def test_every_bispecific_is_evaluated(base: str, order: str) -> None:
    found = assess(base, "nothing-wrong", order)
    assert [one["ingredient"] for one in found["orders"]] == [order]
    assert found["disposition"]["action"] == "no-toxicity"


def test_subcutaneous_tocilizumab_is_no_crs_route(base: str) -> None:
    found = assess(base, "fever-only", "tocilizumab-sc")["tocilizumab"]
    assert found["status"] == "blocked"
    assert "not-a-crs-route" in found["reasons"]


def test_the_service_answers_at_the_address_of_the_demo(base: str) -> None:
    with requests.Session() as session:
        session.trust_env = False
        services = session.get(f"{base}/cds-services", timeout=10).json()["services"]
        assert services[0]["id"] == "btce-order-sign"
        story = STORIES["cannula-without-flow"]
        body = order_sign(story, ORDERS["teclistamab"], now=NOW, hook_instance=HOOK_INSTANCE)
        reply = session.post(f"{base}/cds-services/btce-order-sign", json=body, timeout=10)
        assert reply.status_code == 200
        assert reply.json() == sign(base, "cannula-without-flow")
        assert session.get(f"{base}/livez", timeout=10).status_code == 200
