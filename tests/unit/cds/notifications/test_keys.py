"""Keys: the same for what was told before, never the same for two different things."""

from typing import Any

import pytest

from cds.notifications.keys import event_key, mark, version_key
from cds.notifications.references import NOWHERE, Target
from cds.notifications.status import Event, Status


O1 = Target("Observation", "o1")
MOMENT = "2026-11-21T11:30:00Z"


def meta(**members: object) -> dict[str, Any]:
    return {"meta": members}


def test_a_version_is_named_by_its_number_and_the_time_it_was_written() -> None:
    assert version_key(O1, meta(versionId="3")) == "Observation/o1/_history/3"
    both = version_key(O1, meta(versionId="3", lastUpdated=MOMENT))
    assert both == f"Observation/o1/_history/3/{MOMENT}"


def test_a_server_that_never_counts_versions_is_told_apart_by_time() -> None:
    one = version_key(O1, meta(versionId="1", lastUpdated=MOMENT))
    assert one != version_key(O1, meta(versionId="1", lastUpdated="2026-11-21T11:30:01Z"))


def test_a_time_alone_names_a_version_only_with_fractions_of_a_second() -> None:
    assert version_key(O1, meta(lastUpdated=MOMENT)) == ""
    fine = "2026-11-21T11:30:00.123Z"
    assert version_key(O1, meta(lastUpdated=fine)) == f"Observation/o1/_history/{fine}"


def test_the_version_may_be_in_the_address_or_in_a_header() -> None:
    assert version_key(Target("Observation", "o1", "4"), {}) == "Observation/o1/_history/4"
    assert version_key(O1, {}, "5") == "Observation/o1/_history/5"


@pytest.mark.parametrize(
    "resource",
    [
        {},
        {"meta": None},
        {"meta": []},
        meta(versionId=3),
        meta(versionId="a b"),
        meta(versionId=""),
    ],
)
def test_without_a_version_there_is_no_key(resource: dict[str, Any]) -> None:
    assert version_key(O1, resource) == ""


def test_nothing_has_no_key() -> None:
    assert version_key(NOWHERE, meta(versionId="3")) == ""


def key(event: Event, status_id: str = "", **bundle: object) -> str:
    status = Status(id=status_id, type="event-notification", total=event.number, events=(event,))
    return event_key(event, 0, bundle, status)


def test_an_event_is_known_again_by_its_number_time_and_focus() -> None:
    event = Event(number=3, timestamp=MOMENT, focus="Observation/o1")
    assert key(event) == key(event, id="another-bundle", timestamp="2026-11-21T11:31:00Z")
    assert key(event).startswith("event/3/")


def test_a_number_used_again_after_a_restart_is_another_event() -> None:
    event = Event(number=3, timestamp=MOMENT, focus="Observation/o1")
    assert key(event) != key(Event(number=3, timestamp="2026-11-21T12:00:00Z", focus=event.focus))
    assert key(event) != key(Event(number=3, timestamp=MOMENT, focus="Observation/o2"))
    assert key(event) != key(Event(number=4, timestamp=MOMENT, focus="Observation/o1"))


def test_a_date_says_too_little_and_an_id_of_its_own_says_enough() -> None:
    event = Event(number=3, timestamp="2026-11-21", focus="Observation/o1")
    assert key(event) == ""
    assert key(event, status_id="r4-notification-status") == ""
    one = key(event, status_id="9e41ff6d-5be6-4e6a-8b85-abd4e7f58400")
    other = key(event, status_id="9e41ff6d-5be6-4e6a-8b85-abd4e7f58401")
    assert one
    assert other
    assert one != other


def test_an_event_without_a_time_is_named_by_its_notification() -> None:
    event = Event(number=3)
    assert key(event, timestamp=MOMENT) == key(event, timestamp=MOMENT)
    assert key(event, timestamp=MOMENT) != key(event, timestamp="2026-11-21T11:30:01Z")
    assert key(event) == ""


def test_two_events_of_one_notification_have_two_keys() -> None:
    events = (Event(), Event())
    status = Status(type="event-notification", events=events)
    bundle = {"timestamp": MOMENT}
    keys = {event_key(event, at, bundle, status) for at, event in enumerate(events)}
    assert len(keys) == 2
    assert mark(bundle, status)
    assert mark({}, status) == ""


def test_text_that_is_not_unicode_does_no_harm() -> None:
    assert key(Event(number=3, timestamp=MOMENT, focus="\ud800"))
