"""What is understood of a request: by hand-made bodies, each with one oddity."""

from typing import Any

import msgspec
import pytest

from cds.body_limits import MAX_BYTES
from cds.errors import TooLarge
from cds.notifications.errors import UnreadableNotification
from cds.notifications.model import Change, Notification
from cds.notifications.parse import MAX_CHANGES, Sent, parse
from cds.store.rows import SubscriptionRow
from tests.conformance.notifications.hospital import subscription


BASE = "https://ehr.example/fhir"
MOMENT = "2026-11-21T11:30:00Z"
ROW: SubscriptionRow = subscription()
Json = dict[str, Any]


def read(body: object, base: str | None = BASE, **sent: str) -> Notification:
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return parse(Sent(body=data, **sent), ROW, base)


def whom(notification: Notification) -> list[tuple[tuple[str, ...], str]]:
    return [(change.patients, change.ref) for change in notification.changes]


def status(*events: Json, kind: str = "event-notification", **members: object) -> Json:
    return {
        "resourceType": "SubscriptionStatus",
        "type": kind,
        "status": "active",
        "notificationEvent": list(events),
        **members,
    }


def bundle(*resources: Json, **members: object) -> Json:
    entry = [{"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "history", "entry": entry, **members}


def event(number: object = 1, focus: str = "", **members: object) -> Json:
    made: Json = {"eventNumber": number, **members}
    return made | ({"focus": {"reference": focus}} if focus else {})


def observation(which: str = "o1", patient: str = "Patient/p1") -> Json:
    return {"resourceType": "Observation", "id": which, "subject": {"reference": patient}}


@pytest.mark.parametrize("number", [7, "7", " 7 ", "007"])
def test_a_counter_is_a_number_or_a_string(number: object) -> None:
    found = read(bundle(status(event(number), eventsSinceSubscriptionStart=number)))
    assert (found.numbers, found.total) == ((7,), 7)


@pytest.mark.parametrize(
    "number", [None, "", "x", -1, "-1", 1.5, True, [], "1e3", "9" * 30, 10**30]
)
def test_what_is_no_counter_counts_nothing_and_the_event_is_read(number: object) -> None:
    found = read(bundle(status(event(number, "Observation/o1"))))
    assert (found.numbers, found.total) == ((), None)
    assert whom(found) == [((), "Observation/o1")]


def test_events_out_of_order_are_taken_in_the_order_of_their_numbers() -> None:
    found = read(bundle(status(*(event(n, f"Observation/o{n}") for n in (3, 1, 2)))))
    assert found.numbers == (1, 2, 3)
    assert [ref for _, ref in whom(found)] == ["Observation/o1", "Observation/o2", "Observation/o3"]


def test_each_event_of_a_full_resource_bundle_names_its_own_patient() -> None:
    found = read(
        bundle(
            status(event(1, "Observation/o1"), event(2, f"{BASE}/Observation/o2")),
            observation("o2", "Patient/p2"),
            observation("o1", f"{BASE}/Patient/p1"),
        )
    )
    assert whom(found) == [(("p1",), "Observation/o1"), (("p2",), "Observation/o2")]


def test_a_patient_of_a_resource_that_no_event_points_to_is_read_too() -> None:
    found = read(
        bundle(status(event(1, "Observation/o1")), observation(), observation("o9", "Patient/p9"))
    )
    assert whom(found) == [(("p1",), "Observation/o1"), (("p9",), "Observation/o9")]


def test_two_patients_in_the_context_tell_neither() -> None:
    context = [{"reference": "Patient/p1"}, {"reference": "Patient/p2"}]
    found = read(bundle(status(event(1, "Observation/o1", additionalContext=context))))
    assert whom(found) == [((), "Observation/o1")]


def test_the_status_may_be_any_entry_of_the_bundle() -> None:
    found = read(bundle(observation(), status(event(1, "Observation/o1"))))
    assert (found.kind, whom(found)) == ("event", [(("p1",), "Observation/o1")])


@pytest.mark.parametrize("kind", ["", "event", "something-new"])
def test_a_type_that_is_not_known_is_read_rather_than_dropped(kind: str) -> None:
    found = read(bundle(status(kind=kind)))
    assert (found.kind, found.changes) == ("event", (Change(),))


@pytest.mark.parametrize("kind", ["handshake", "heartbeat", "query-status", "query-event"])
def test_what_is_no_event_asks_for_nothing_unless_it_brings_one(kind: str) -> None:
    assert read(bundle(status(kind=kind))).changes == ()
    assert whom(read(bundle(status(event(1, "Patient/p1"), kind=kind)))) == [
        (("p1",), "Patient/p1")
    ]


def test_a_resource_without_an_id_is_known_by_its_patient() -> None:
    body = observation()
    del body["id"]
    assert whom(read(body)) == [(("p1",), "")]


def test_a_subject_on_another_server_is_nobody_here() -> None:
    found = read(observation("o1", "https://other.example/fhir/Patient/p1"))
    assert whom(found) == [((), "Observation/o1")]


def test_a_site_without_a_known_base_reads_relative_references_alone() -> None:
    assert whom(read(observation(), base=None)) == [(("p1",), "Observation/o1")]
    found = read(bundle(status(event(1, f"{BASE}/Observation/o1"))), base=None)
    assert found.changes[0].foreign


def test_an_entry_without_a_resource_is_known_by_its_url_or_its_request() -> None:
    entry = [
        {"fullUrl": f"{BASE}/Observation/o1"},
        {"request": {"method": "PUT", "url": "Observation/o2"}},
        {"fullUrl": "urn:uuid:9e41ff6d-5be6-4e6a-8b85-abd4e7f58400"},
        "not an entry",
    ]
    found = read({"resourceType": "Bundle", "type": "transaction", "entry": entry})
    assert whom(found) == [((), "Observation/o1"), ((), "Observation/o2"), ((), "")]


@pytest.mark.parametrize("body", [{"resourceType": "Bundle"}, bundle()])
def test_a_bundle_of_nothing_is_everybody(body: Json) -> None:
    assert read(body).changes == (Change(),)


def test_more_than_can_be_named_is_everybody_and_is_counted_all_the_same() -> None:
    events = [event(n, f"Observation/o{n}") for n in range(1, MAX_CHANGES + 2)]
    found = read(bundle(status(*events)))
    assert found.changes == (Change(),)
    assert len(found.numbers) == MAX_CHANGES + 1


@pytest.mark.parametrize(
    ("named", "remote", "another"),
    [
        ("Subscription/s1", "s1", False),
        ("Subscription/s1", "Subscription/s1", False),
        (f"{BASE}/Subscription/s1/_history/2", "Subscription/s1/_history/1", False),
        ("Subscription/Subscription/s1", "s1", False),
        ("s1", "s1", False),
        ("Subscription/s2", "s1", True),
        ("", "s1", False),
        ("Subscription/s2", "", False),
    ],
)
def test_a_notification_may_name_another_subscription(
    named: str, remote: str, another: bool
) -> None:
    row = msgspec.structs.replace(ROW, remote=remote)
    body = bundle(status(event(1), subscription={"reference": named}))
    assert parse(Sent(body=msgspec.json.encode(body)), row, BASE).of_another == another


def test_a_status_that_is_not_one_is_none() -> None:
    assert read(bundle(status() | {"status": "entered-in-error"})).status is None
    assert read(bundle(status() | {"status": "off"})).status == "off"


def test_errors_are_counted() -> None:
    assert read(bundle(status(error=[{"text": "x"}, {}]))).errors == 2


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b'{"resourceType":1}', b'{"x":1}', b"{"])
def test_what_is_no_resource_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableNotification):
        read(body)


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(TooLarge):
        read(b" " * MAX_BYTES + b"{}")
