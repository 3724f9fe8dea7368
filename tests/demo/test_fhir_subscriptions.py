"""Subscriptions against a subscriber that really listens: R4's own form and the topic form.

http://hl7.org/fhir/R4/subscription.html and
http://hl7.org/fhir/uv/subscriptions-backport/STU1.1/.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds.demo.fhir import Quirks
from cds.demo.fhir.subscription_form import BACKPORT, TOPIC
from tests.demo.fhir_sandbox import (
    FHIR_JSON,
    NOW,
    Client,
    Heard,
    Json,
    Subscriber,
    observation,
    patient,
    ref,
    served,
    until,
)


@pytest.fixture
def fhir() -> Iterator[Client]:
    with served() as client:
        client.store.load([patient("p1"), patient("p2")], now=NOW)
        yield client


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    with Subscriber() as one:
        yield one


def plain(url: str, **members: Any) -> Json:
    """A Subscription of R4's own form; `payload` and `header` belong to the channel."""
    channel = {"type": "rest-hook", "endpoint": url}
    channel |= {name: members.pop(name) for name in ("payload", "header") if name in members}
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "test",
        "criteria": "Observation?patient=Patient/p1&category=vital-signs",
        "channel": channel,
        **members,
    }


def topical(url: str, content: str, *filters: str) -> Json:
    """A Subscription of the topic form."""

    def extension(name: str, **value: str) -> Json:
        return {"url": f"{BACKPORT}backport-{name}", **value}

    wanted = [extension("filter-criteria", valueString=one) for one in filters]
    return {
        **plain(url, payload=FHIR_JSON),
        "criteria": TOPIC,
        **({"_criteria": {"extension": wanted}} if wanted else {}),
        "channel": {
            "type": "rest-hook",
            "endpoint": url,
            "header": ["Authorization: Bearer made-up"],
            "payload": FHIR_JSON,
            "_payload": {"extension": [extension("payload-content", valueCode=content)]},
        },
    }


def status_of(fhir: Client, made: Json) -> str:
    found: str = fhir.get(ref(made)).json()["status"]
    return found


def parameters(resource: Json) -> Json:
    """A status by the names of its parameters; events as a list of such."""
    found: Json = {"notification-event": []}
    for one in resource["parameter"]:
        if one["name"] == "notification-event":
            parts = {part["name"]: _value(part) for part in one["part"]}
            found["notification-event"].append(parts)
        else:
            found[one["name"]] = _value(one)
    return found


def _value(one: Json) -> Any:
    return next(value for name, value in one.items() if name.startswith("value"))


def notification(heard: Heard) -> tuple[Json, Json]:
    """The Bundle, and the status in it."""
    bundle: Json = json.loads(heard.body)
    assert bundle["type"] == "history"
    assert bundle["entry"][0]["resource"]["resourceType"] == "Parameters"
    return bundle, parameters(bundle["entry"][0]["resource"])


def test_without_payload_each_matching_write_is_an_empty_post(
    fhir: Client, subscriber: Subscriber
) -> None:
    made = fhir.create(plain(subscriber.url, header=["Authorization: Bearer made-up"]))
    assert made["status"] == "requested"
    assert status_of(fhir, made) == "active"
    fhir.create(observation("", of="Patient/p2"))
    first = fhir.create(observation(""))
    fhir.create({**observation(""), "category": [{"coding": [{"code": "survey"}]}]})
    fhir.put({**observation(first["id"]), "status": "amended"})
    fhir.ask("DELETE", ref(first))  # R4: nothing is told of a delete
    fhir.create(observation("", code="9279-1"))
    heard = subscriber.wait_for(3)
    until(lambda: len(subscriber.heard) == 3)
    for one in heard:
        assert (one.method, one.path, one.body) == ("POST", "/told", b"")
        assert one.headers["authorization"] == "Bearer made-up"


def test_with_payload_each_write_is_an_update_below_the_endpoint(
    fhir: Client, subscriber: Subscriber
) -> None:
    fhir.create(plain(subscriber.url, payload=FHIR_JSON))
    sent = json.dumps(observation("d1")).replace(
        '"status"', '"valueQuantity":{"value":38.50},"status"'
    )
    fhir.ask("PUT", "Observation/d1", sent.encode())
    (heard,) = subscriber.wait_for(1)
    assert (heard.method, heard.path) == ("PUT", "/told/Observation/d1")
    assert heard.headers["content-type"] == FHIR_JSON
    assert b'"value":38.50' in heard.body
    assert json.loads(heard.body)["meta"]["versionId"] == "1"


def test_a_server_may_post_the_resource_instead(subscriber: Subscriber) -> None:
    with served(quirks=Quirks(posts_resource=True)) as fhir:
        fhir.create(plain(subscriber.url, payload=FHIR_JSON))
        made = fhir.create(observation(""))
        (heard,) = subscriber.wait_for(1)
    assert (heard.method, heard.path) == ("POST", "/told")
    assert json.loads(heard.body)["id"] == made["id"]


def test_notifications_leave_in_the_order_of_the_writes(
    fhir: Client, subscriber: Subscriber
) -> None:
    fhir.create(plain(subscriber.url, payload=FHIR_JSON))
    made = [fhir.create(observation(""))["id"] for _ in range(20)]
    heard = subscriber.wait_for(20)
    assert [json.loads(one.body)["id"] for one in heard] == made


def test_writes_of_a_transaction_are_told_and_those_of_a_failed_one_are_not(
    fhir: Client, subscriber: Subscriber
) -> None:
    fhir.create(plain(subscriber.url, payload=FHIR_JSON))
    request = {"method": "POST", "url": "Observation"}
    good = {"resource": observation(""), "request": request}
    bad = {"resource": {"resourceType": "Observation"}, "request": request}
    bundle = {"resourceType": "Bundle", "type": "transaction"}
    assert fhir.ask("POST", "", {**bundle, "entry": [good, bad]}).status_code == 422
    answer = fhir.ask("POST", "", {**bundle, "entry": [good, good]}).json()
    expected = [one["resource"]["id"] for one in answer["entry"]]
    assert [json.loads(one.body)["id"] for one in subscriber.wait_for(2)] == expected


def test_a_failure_is_tried_again_once_and_then_sets_the_status_to_error(
    fhir: Client, subscriber: Subscriber
) -> None:
    answers = iter([500, 200, 503, 503])
    subscriber.status = lambda _: next(answers)
    made = fhir.create(plain(subscriber.url))
    fhir.create(observation(""))
    subscriber.wait_for(2)
    assert status_of(fhir, made) == "active"
    fhir.create(observation(""))
    until(lambda: status_of(fhir, made) == "error")
    assert "503" in fhir.get(ref(made)).json()["error"]
    fhir.create(observation(""))
    assert len(subscriber.heard) == 4


def test_a_redirect_is_not_followed_and_counts_as_a_failure(
    fhir: Client, subscriber: Subscriber
) -> None:
    subscriber.status = lambda _: 302
    made = fhir.create(plain(subscriber.url))
    fhir.create(observation(""))
    until(lambda: status_of(fhir, made) == "error")
    assert [one.path for one in subscriber.heard] == ["/told", "/told"]


@pytest.mark.parametrize("criteria", ["Observation", "Observation?"])
def test_criteria_without_a_condition_mean_every_resource_of_the_type(
    fhir: Client, subscriber: Subscriber, criteria: str
) -> None:
    fhir.create(plain(subscriber.url, criteria=criteria, payload=FHIR_JSON))
    fhir.create(patient(""))
    made = fhir.create(observation("", of="Patient/p2"))
    (heard,) = subscriber.wait_for(1)
    assert json.loads(heard.body)["id"] == made["id"]


def test_an_endpoint_that_is_not_there_sets_the_status_to_error(fhir: Client) -> None:
    with Subscriber() as gone:
        url = gone.url
    made = fhir.create(plain(url))
    fhir.create(observation(""))
    until(lambda: status_of(fhir, made) == "error")


def test_a_subscription_in_error_is_served_again_when_its_client_asks(
    fhir: Client, subscriber: Subscriber
) -> None:
    answers = iter([500, 500])
    subscriber.status = lambda _: next(answers, 200)
    made = fhir.create(plain(subscriber.url))
    fhir.create(observation(""))
    until(lambda: status_of(fhir, made) == "error")
    assert fhir.put({**made, "status": "active"}).status_code == 200
    assert status_of(fhir, made) == "active"
    assert "error" not in fhir.get(ref(made)).json()
    fhir.create(observation(""))
    subscriber.wait_for(3)


@pytest.mark.parametrize("how", ["off", "deleted", "ended"])
def test_what_is_off_deleted_or_ended_is_not_told(subscriber: Subscriber, how: str) -> None:
    now = [NOW]
    with Subscriber() as other, served(clock=lambda: now[0]) as fhir:
        end = (NOW + timedelta(hours=1)).isoformat()
        made = fhir.create(plain(subscriber.url, end=end))
        fhir.create(plain(other.url))
        if how == "off":
            assert fhir.put({**made, "status": "off"}).json()["status"] == "off"
        elif how == "deleted":
            fhir.ask("DELETE", ref(made))
        else:
            now[0] = NOW + timedelta(hours=2)
        fhir.create(observation(""))
        other.wait_for(1)
        assert subscriber.heard == []
        if how == "ended":
            assert status_of(fhir, made) == "off"


@pytest.mark.parametrize(
    "change",
    [
        {"criteria": "Observation?shoe-size=41"},
        {"criteria": "Nonsense?x=1"},
        {"criteria": "Observation?date=yesterday"},
        {"criteria": "http://example.org/fhir/SubscriptionTopic/other"},
        {"criteria": TOPIC},  # without its content
        {"status": "error"},
        {"channel": {"type": "websocket"}},
        {"channel": {"type": "rest-hook"}},
        {"channel": {"type": "rest-hook", "endpoint": "http://192.0.2.1/x"}},
        {"channel": {"type": "rest-hook", "endpoint": "http://example.org/x"}},
        {"channel": {"type": "rest-hook", "endpoint": "http://127.0.0.1@192.0.2.1/"}},
        {"channel": {"type": "rest-hook", "endpoint": "file:///etc/passwd"}},
        {"header": ["Host: other"]},
        {"header": ["no colon"]},
        {"header": ["A: b\r\nC: d"]},
        {"payload": "application/fhir+xml"},
    ],
)
def test_a_subscription_that_cannot_be_served_is_refused(fhir: Client, change: Json) -> None:
    answer = fhir.ask("POST", "Subscription", plain("http://127.0.0.1:1/x", **change))
    assert answer.status_code == 422
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert fhir.ids("Subscription") == []


def test_topic_form_begins_with_a_handshake(fhir: Client, subscriber: Subscriber) -> None:
    made = fhir.create(topical(subscriber.url, "id-only", "Observation?patient=Patient/p1"))
    assert made["status"] == "requested"
    (heard,) = subscriber.wait_for(1)
    until(lambda: status_of(fhir, made) == "active")
    _, status = notification(heard)
    assert (heard.method, heard.path) == ("POST", "/told")
    assert heard.headers["content-type"] == FHIR_JSON
    assert heard.headers["authorization"] == "Bearer made-up"
    assert status["type"] == "handshake"
    assert status["status"] == "requested"
    assert status["events-since-subscription-start"] == "0"
    assert status["subscription"] == {"reference": f"{fhir.base}/{ref(made)}"}


def test_topic_form_stays_in_error_when_the_handshake_is_refused(
    fhir: Client, subscriber: Subscriber
) -> None:
    subscriber.status = lambda _: 401
    made = fhir.create(topical(subscriber.url, "empty"))
    until(lambda: status_of(fhir, made) == "error")
    fhir.create(observation(""))
    assert len(subscriber.heard) == 2  # the handshake and its one retry


@pytest.mark.parametrize("content", ["empty", "id-only", "full-resource"])
def test_event_notifications_carry_what_was_asked_for(
    fhir: Client, subscriber: Subscriber, content: str
) -> None:
    made = fhir.create(topical(subscriber.url, content, "Observation?patient=Patient/p1"))
    until(lambda: status_of(fhir, made) == "active")
    fhir.create(observation("", of="Patient/p2"))
    first = fhir.create(observation(""))
    fhir.put({**observation(first["id"]), "status": "amended"})
    fhir.create(patient(""))
    heard = subscriber.wait_for(3)[1:]
    for number, one in enumerate(heard, start=1):
        bundle, status = notification(one)
        assert status["type"] == "event-notification"
        assert status["status"] == "active"
        assert status["events-since-subscription-start"] == str(number)
        (event,) = status["notification-event"]
        assert event["event-number"] == str(number)
        full = f"{fhir.base}/{ref(first)}"
        if content == "empty":
            assert "focus" not in event
            assert "topic" not in status
            assert len(bundle["entry"]) == 1
            continue
        assert event["focus"] == {"reference": full}
        assert status["topic"] == TOPIC
        (told,) = bundle["entry"][1:]
        assert told["fullUrl"] == full
        assert told["request"]["method"] == ("POST" if number == 1 else "PUT")
        assert told["response"]["status"] == ("201" if number == 1 else "200")
        assert ("resource" in told) is (content == "full-resource")
        if content == "full-resource":
            assert told["resource"]["meta"]["versionId"] == str(number)


def test_status_and_events_operations(fhir: Client, subscriber: Subscriber) -> None:
    made = fhir.create(topical(subscriber.url, "id-only"))
    until(lambda: status_of(fhir, made) == "active")
    watched = [fhir.create(observation("")) for _ in range(5)]

    found = fhir.bundle(f"{ref(made)}/$status")
    assert found["type"] == "searchset"
    status = parameters(found["entry"][0]["resource"])
    assert (status["type"], status["status"]) == ("query-status", "active")
    assert status["events-since-subscription-start"] == "5"
    assert fhir.bundle(f"Subscription/$status?id={made['id']}")["total"] == 1
    assert fhir.bundle("Subscription/$status?status=error,off")["total"] == 0
    assert fhir.get("Subscription/none/$status").status_code == 404

    path = f"{ref(made)}/$events"
    bundle = fhir.bundle(f"{path}?eventsSinceNumber=2&eventsUntilNumber=4")
    status = parameters(bundle["entry"][0]["resource"])
    assert bundle["type"] == "history"
    assert status["type"] == "query-event"
    numbers = [one["event-number"] for one in status["notification-event"]]
    assert numbers == ["2", "3", "4"]
    assert [one["fullUrl"].rpartition("/")[2] for one in bundle["entry"][1:]] == [
        one["id"] for one in watched[1:4]
    ]
    whole = fhir.bundle(f"{path}?content=full-resource")
    assert [one["resource"]["id"] for one in whole["entry"][1:]] == [one["id"] for one in watched]
    asked = {
        "resourceType": "Parameters",
        "parameter": [{"name": "eventsSinceNumber", "valueString": "5"}],
    }
    posted = fhir.ask("POST", path, asked).json()
    assert len(posted["entry"]) == 2
    assert fhir.get(f"{path}?eventsSinceNumber=x").status_code == 400
    assert fhir.get(f"{path}?content=some").status_code == 400


def test_status_of_a_subscription_without_a_topic_names_none(
    fhir: Client, subscriber: Subscriber
) -> None:
    made = fhir.create(plain(subscriber.url))
    found = fhir.bundle(f"{ref(made)}/$status")
    status = parameters(found["entry"][0]["resource"])
    assert (status["status"], "topic" in status) == ("active", False)
    assert fhir.get(f"{ref(made)}/$events").status_code == 404


def test_counting_goes_on_after_the_client_asks_again(fhir: Client, subscriber: Subscriber) -> None:
    made = fhir.create(topical(subscriber.url, "empty"))
    until(lambda: status_of(fhir, made) == "active")
    fhir.create(observation(""))
    subscriber.wait_for(2)
    fhir.put(made)
    until(lambda: status_of(fhir, made) == "active")
    fhir.create(observation(""))
    heard = subscriber.wait_for(4)
    kinds = [notification(one)[1] for one in heard]
    assert [one["type"] for one in kinds] == [
        "handshake",
        "event-notification",
        "handshake",
        "event-notification",
    ]
    assert [one["events-since-subscription-start"] for one in kinds] == ["0", "1", "1", "2"]


def test_what_is_sent_can_be_read_by_fhir_resources(fhir: Client, subscriber: Subscriber) -> None:
    made = fhir.create(topical(subscriber.url, "full-resource"))
    until(lambda: status_of(fhir, made) == "active")
    fhir.create(observation(""))
    for one in subscriber.wait_for(2):
        get_fhir_model_class("Bundle").model_validate_json(one.body)
    for path in (f"{ref(made)}/$status", f"{ref(made)}/$events"):
        get_fhir_model_class("Bundle").model_validate_json(fhir.get(path).content)
