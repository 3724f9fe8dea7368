"""What a server has and says, as R4 and the Backport guide write it, and as servers do."""

import json
from typing import Any

import pytest
from msgspec import Raw

from cds.subscriptions.remote import Said, read_events, read_listing, read_remote, read_status


BASE = "https://ehr.example.org/fhir"


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value).encode())


def parameters(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(parts)}


def bundle(*resources: Any) -> dict[str, Any]:
    entries = [{"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries}


STATUS = parameters(
    {"name": "subscription", "valueReference": {"reference": f"{BASE}/Subscription/7"}},
    {"name": "status", "valueCode": "active"},
    {"name": "type", "valueCode": "query-status"},
    {"name": "events-since-subscription-start", "valueString": "4"},
)


@pytest.mark.parametrize(
    "answer",
    [
        bundle(STATUS),
        STATUS,
        bundle(
            {
                "resourceType": "SubscriptionStatus",
                "status": "active",
                "type": "query-status",
                "subscription": {"reference": "Subscription/7"},
                "eventsSinceSubscriptionStart": "4",
            }
        ),
    ],
)
def test_a_status_is_read_in_every_form(answer: Any) -> None:
    assert read_status(raw(answer), "7", BASE) == Said("active", 4)


def test_the_status_of_another_subscription_says_nothing() -> None:
    assert read_status(raw(bundle(STATUS)), "8", BASE) == Said(None, None)
    there = parameters(
        {
            "name": "subscription",
            "valueReference": {"reference": "https://x.example/Subscription/7"},
        },
        {"name": "status", "valueCode": "error"},
        {"name": "type", "valueCode": "query-status"},
    )
    assert read_status(raw(bundle(there)), "7", BASE) == Said(None, None)


def event(number: int, focus: str | None) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"name": "event-number", "valueString": str(number)}]
    if focus is not None:
        parts.append({"name": "focus", "valueReference": {"reference": focus}})
    return {"name": "notification-event", "part": parts}


@pytest.mark.parametrize(
    ("events", "refs"),
    [
        (("Observation/1", f"{BASE}/Observation/2"), ("Observation/1", "Observation/2")),
        (("Observation/1", "Observation/1/_history/2"), ("Observation/1",)),
        (("Observation/1", None), ()),
        (("Observation/1", "https://x.example/Observation/2"), ()),
        (("Observation/1", "urn:uuid:9"), ()),
        ((), ()),
    ],
)
def test_what_lost_events_were_about_is_known_for_all_or_for_none(
    events: tuple[str | None, ...], refs: tuple[str, ...]
) -> None:
    parts = [event(number, focus) for number, focus in enumerate(events, 1)]
    status = parameters({"name": "type", "valueCode": "query-event"}, *parts)
    answer = {**bundle(status, {"resourceType": "Observation", "id": "1"}), "type": "history"}
    assert read_events(raw(answer), BASE) == refs


def test_a_subscription_is_read_with_what_matters() -> None:
    found = read_remote(
        raw(
            {
                "resourceType": "Subscription",
                "id": "7",
                "meta": {"versionId": "3"},
                "status": "error",
                "end": "2026-12-01T00:00:00.123+01:00",
                "criteria": "Observation?patient=1",
                "channel": {"endpoint": "https://cds.example.org/x", "header": ["A: b", 3]},
            }
        )
    )
    assert found is not None
    assert (found.id, found.version, found.status, found.headers) == ("7", "3", "error", ("A: b",))
    assert found.end is not None
    assert found.end.utcoffset() is not None


@pytest.mark.parametrize(
    "value",
    [
        {"resourceType": "Basic", "id": "7"},
        {"resourceType": "Subscription"},
        {"resourceType": "Subscription", "id": 7},
        [],
        None,
        "x",
    ],
)
def test_what_is_no_subscription_is_none(value: Any) -> None:
    assert read_remote(raw(value)) is None


@pytest.mark.parametrize(
    "members",
    [
        {"status": "entered-in-error"},
        {"status": 1},
        {"channel": "x"},
        {"channel": {"header": "A: b", "endpoint": 3}},
        {"end": "soon"},
        {"end": "2026-12-01"},
        {"_criteria": [], "criteria": None},
        {"meta": []},
    ],
)
def test_members_of_other_kinds_do_not_break_the_reading(members: dict[str, Any]) -> None:
    found = read_remote(raw({"resourceType": "Subscription", "id": "7", **members}))
    assert found is not None
    assert (found.headers, found.end) == ((), None)


def test_a_listing_gives_the_subscriptions_and_nothing_else() -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": []}
    listing = bundle({"resourceType": "Subscription", "id": "7"}, outcome, None, 3)
    assert [one.id for one in read_listing(raw(listing))] == ["7"]
    assert list(read_listing(None)) == []
    assert list(read_listing(raw({"entry": {}}))) == []
