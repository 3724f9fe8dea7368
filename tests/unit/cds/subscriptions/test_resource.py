"""The resource that is sent: FHIR R4 Subscription, and the profile of Subscriptions R5 Backport 1.1
(https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-subscription.html).
"""

from datetime import timedelta, timezone
from typing import Any
from uuid import UUID

import msgspec
import pytest
from pydantic import ValidationError

from cds.store.rows import Content
from cds.subscriptions.resource import Address, build
from tests.unit.cds.subscriptions.ward import ADDRESS, NOW, SECRET, TOPIC, row, topic_row


GUIDE = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"


def test_the_r4_form_is_empty_without_a_payload() -> None:
    made = build(row(), ADDRESS, status="requested", ends_at=NOW)
    assert made == {
        "resourceType": "Subscription",
        "id": "7",
        "status": "requested",
        "reason": made["reason"],
        "criteria": "Observation?patient=Patient/p1",
        "end": "2026-11-21T12:00:00Z",
        "channel": {
            "type": "rest-hook",
            "endpoint": "http://127.0.0.1:9/events/north/s1",
            "header": [f"Authorization: Bearer {SECRET}"],
        },
    }
    assert "Not clinically reviewed" in made["reason"]


def test_the_r4_form_with_resources_names_their_media_type() -> None:
    made = build(row(content="full-resource"), ADDRESS, status="active", ends_at=NOW)
    assert made["channel"]["payload"] == "application/fhir+json"


def test_what_the_server_has_not_seen_has_no_id() -> None:
    assert "id" not in build(row(remote=""), ADDRESS, status="requested", ends_at=NOW)


@pytest.mark.parametrize("content", ["empty", "id-only", "full-resource"])
def test_the_topic_form_is_that_of_the_backport_profile(content: Content) -> None:
    made = build(topic_row(content=content), ADDRESS, status="requested", ends_at=NOW)
    assert made["meta"] == {"profile": [f"{GUIDE}/backport-subscription"]}
    assert made["criteria"] == TOPIC
    assert made["_criteria"]["extension"] == [
        {
            "url": f"{GUIDE}/backport-filter-criteria",
            "valueString": "Observation?patient=Patient/p1",
        }
    ]
    channel = made["channel"]
    assert channel["payload"] == "application/fhir+json"
    assert channel["_payload"]["extension"] == [
        {"url": f"{GUIDE}/backport-payload-content", "valueCode": content}
    ]
    extensions: dict[str, Any] = {one["url"]: one for one in channel["extension"]}
    heartbeat = extensions[f"{GUIDE}/backport-heartbeat-period"]
    assert heartbeat["valueUnsignedInt"] == 300
    assert extensions[f"{GUIDE}/backport-timeout"]["valueUnsignedInt"] > 0
    assert extensions[f"{GUIDE}/backport-max-count"]["valuePositiveInt"] > 0


def test_the_end_is_in_utc_wherever_the_time_is_from() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    made = build(row(), ADDRESS, status="requested", ends_at=there)
    assert made["end"] == "2026-11-21T12:00:00Z"


def test_what_is_not_a_subscription_is_not_sent() -> None:
    with pytest.raises(ValidationError):
        build(row(criteria=""), ADDRESS, status="requested", ends_at=NOW)


def test_an_id_is_the_same_for_the_same_wish_and_tells_nobody_the_patient() -> None:
    ids = {
        ADDRESS.new_id("rest-hook", "empty", "Observation?patient=Patient/p1"),
        ADDRESS.new_id("rest-hook", "empty", "Observation?patient=Patient/p2"),
        ADDRESS.new_id("topic", "empty", "Observation?patient=Patient/p1"),
        Address(url="x", site="south", secret=SECRET).new_id(
            "rest-hook", "empty", "Observation?patient=Patient/p1"
        ),
        Address(url="x", site="north", secret="another").new_id(
            "rest-hook", "empty", "Observation?patient=Patient/p1"
        ),
    }
    assert len(ids) == 5
    assert all(UUID(one).version == 4 for one in ids)
    again = ADDRESS.new_id("rest-hook", "empty", "Observation?patient=Patient/p1")
    assert again in ids


def test_the_secret_is_not_shown() -> None:
    assert SECRET not in f"{ADDRESS!r} {ADDRESS}"
    assert msgspec.structs.asdict(ADDRESS)["secret"] == SECRET
