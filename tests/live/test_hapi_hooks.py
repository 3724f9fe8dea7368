"""Subscriptions of HAPI FHIR: what it sends to a receiver, classic rest-hook and by topic.

FHIR R4 "Subscription"; Subscriptions R5 Backport 1.1. The receiver here only keeps what arrives.
"""

import json
import time
from typing import Any

import pytest

from tests.live.fhir import Fhir, Json, new_id
from tests.live.receiver import Received, Receiver
from tests.live.test_hapi_fhir import vital


pytestmark = pytest.mark.live

SECONDS = 20.0
SECRET = "Bearer of-this-test"
BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic."
R4B = "http://hl7.org/fhir/4.3/StructureDefinition/extension-SubscriptionTopic."
TOPIC = "https://btce-cds.org/fhir/test-topic"
TOPIC_SECONDS = 90.0  # HAPI looks for new topics once a minute; the one of docker/hapi at once


def subscription(receiver: Receiver, patient: str, **channel: Any) -> Json:
    """A classic one for this patient's Observations."""
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "test",
        "criteria": f"Observation?patient=Patient/{patient}",
        "channel": {
            "type": "rest-hook",
            "endpoint": f"{receiver.url}/events/demo/s1",
            "header": [f"Authorization: {SECRET}"],
            **channel,
        },
    }


def activated(fhir: Fhir, resource: Json) -> str:
    """Create it and wait for `active`; its id."""
    made: str = fhir.post(resource)["id"]
    deadline = time.monotonic() + SECONDS
    while fhir.get(f"Subscription/{made}")["status"] != "active":
        assert time.monotonic() < deadline, "still not active"
        time.sleep(0.1)
    return made


def test_without_a_payload_an_empty_post_arrives_with_the_header(
    fhir: Fhir, receiver: Receiver
) -> None:
    patient = new_id("p")
    made = activated(fhir, subscription(receiver, patient))
    fhir.put(vital(patient, "8310-5", 1, 39))
    (one,) = receiver.await_where(lambda _: True, SECONDS)
    assert (one.method, one.path, one.body) == ("POST", "/events/demo/s1", b"")
    assert one.authorization == SECRET
    fhir.send("DELETE", f"Subscription/{made}")


def test_with_a_payload_the_resource_is_put_below_the_endpoint(
    fhir: Fhir, receiver: Receiver
) -> None:
    patient = new_id("p")
    made = activated(fhir, subscription(receiver, patient, payload="application/fhir+json"))
    stored = fhir.put(vital(patient, "8310-5", 1, 39))
    (one,) = receiver.await_where(lambda _: True, SECONDS)
    assert (one.method, one.path) == ("PUT", f"/events/demo/s1/Observation/{stored['id']}")
    assert one.authorization == SECRET
    assert one.content_type.startswith("application/fhir+json")
    assert json.loads(one.body)["valueQuantity"]["value"] == 39
    fhir.send("DELETE", f"Subscription/{made}")


def test_only_what_matches_the_criteria_is_sent_and_every_update_is(
    fhir: Fhir, receiver: Receiver
) -> None:
    patient = new_id("p")
    made = activated(fhir, subscription(receiver, patient, payload="application/fhir+json"))
    fhir.put(vital(new_id("p"), "8310-5", 1, 41))
    first = vital(patient, "8310-5", 2, 39)
    fhir.put(first)
    fhir.put({**first, "status": "entered-in-error"})
    corrected = receiver.await_where(lambda one: b"entered-in-error" in one.body, SECONDS)
    assert corrected
    assert {one.path for one in receiver.received} == {f"/events/demo/s1/Observation/{first['id']}"}
    fhir.send("DELETE", f"Subscription/{made}")


def test_delivery_that_was_refused_is_tried_again(fhir: Fhir, receiver: Receiver) -> None:
    patient = new_id("p")
    receiver.statuses = [503]
    made = activated(fhir, subscription(receiver, patient, payload="application/fhir+json"))
    fhir.put(vital(patient, "8310-5", 1, 39))
    assert receiver.await_where(lambda _: len(receiver.received) >= 2, SECONDS)
    fhir.send("DELETE", f"Subscription/{made}")


def test_nothing_is_sent_once_the_subscription_is_deleted(fhir: Fhir, receiver: Receiver) -> None:
    patient = new_id("p")
    made = activated(fhir, subscription(receiver, patient))
    assert fhir.send("DELETE", f"Subscription/{made}").status_code in {200, 204}
    time.sleep(2.0)
    fhir.put(vital(patient, "8310-5", 1, 39))
    assert receiver.await_where(lambda _: True, 2.0) == []


# --- by topic -------------------------------------------------------------------------------------


def topic() -> Json:
    """The SubscriptionTopic as R4 has it: a Basic with the cross-version extensions."""
    kind = {"system": "http://hl7.org/fhir/fhir-types", "code": "SubscriptionTopic"}
    resource = {"url": "resource", "valueUri": "Observation"}
    trigger = [
        resource,
        {"url": "supportedInteraction", "valueCode": "create"},
        {"url": "supportedInteraction", "valueCode": "update"},
    ]
    by_patient = [resource, {"url": "filterParameter", "valueString": "patient"}]
    return {
        "resourceType": "Basic",
        "id": "btce-test-topic",
        "code": {"coding": [kind]},
        "extension": [
            {"url": f"{R5}url", "valueUri": TOPIC},
            {"url": f"{R4B}resourceTrigger", "extension": trigger},
            {"url": f"{R4B}canFilterBy", "extension": by_patient},
        ],
        "modifierExtension": [{"url": f"{R5}status", "valueCode": "active"}],
    }


def topic_subscription(receiver: Receiver, patient: str, content: str) -> Json:
    made = subscription(receiver, patient, payload="application/fhir+json")
    wanted = {"url": f"{BACKPORT}backport-payload-content", "valueCode": content}
    search = {"url": f"{BACKPORT}backport-filter-criteria", "valueString": made["criteria"]}
    return {
        **made,
        "meta": {"profile": [f"{BACKPORT}backport-subscription"]},
        "criteria": TOPIC,
        "_criteria": {"extension": [search]},
        "channel": {**made["channel"], "_payload": {"extension": [wanted]}},
    }


def is_event(one: Received) -> bool:
    return one.body.startswith(b"{") and b"event-notification" in one.body


def parameters(bundle: Json) -> dict[str, Any]:
    """The first entry's parameters by name."""
    found: dict[str, Any] = {
        one["name"]: one for one in bundle["entry"][0]["resource"]["parameter"]
    }
    return found


@pytest.mark.parametrize("content", ["empty", "id-only", "full-resource"])
def test_by_topic_a_history_bundle_arrives_with_what_the_payload_content_says(
    fhir: Fhir, receiver: Receiver, content: str
) -> None:
    fhir.put(topic())
    patient = new_id("p")
    made = activated(fhir, topic_subscription(receiver, patient, content))
    deadline = time.monotonic() + TOPIC_SECONDS
    found: list[Received] = []
    while not found and time.monotonic() < deadline:
        fhir.put(vital(patient, "8310-5", 1, 39))
        found = receiver.await_where(is_event, 5.0)
    fhir.send("DELETE", f"Subscription/{made}")
    assert found
    one, bundle = found[0], json.loads(found[0].body)
    assert (one.method, one.path, one.authorization) == ("POST", "/events/demo/s1", SECRET)
    assert bundle["type"] == "history"
    said = parameters(bundle)
    assert said["subscription"]["valueReference"]["reference"].endswith(f"Subscription/{made}")
    assert said["topic"]["valueCanonical"] == TOPIC
    assert said["type"]["valueCode"] == "event-notification"
    assert int(said["events-since-subscription-start"]["valueString"]) >= 1
    focus = [part for part in said["notification-event"]["part"] if part["name"] == "focus"]
    bodies = [entry.get("resource") for entry in bundle["entry"][1:]]
    expected = {"empty": (0, []), "id-only": (1, [None])}
    if content == "full-resource":
        assert len(focus) == 1
        assert [body["resourceType"] for body in bodies] == ["Observation"]
    else:
        assert (len(focus), bodies) == expected[content]
