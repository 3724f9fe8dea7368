"""What is wrong with a subscription: of its row, the server's resource, and `$status`."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from cds.store.rows import SubscriptionRow
from cds.subscriptions.inspect import problem_of
from cds.subscriptions.outcome import PROBLEMS, Outcome
from cds.subscriptions.remote import Remote, Said, read_remote
from cds.subscriptions.resource import build
from tests.unit.cds.subscriptions.ward import ADDRESS, NOW, SECRET, row, topic_row


def remote_of(of: SubscriptionRow, **changes: Any) -> Remote:
    """What a server has that keeps what it was sent."""
    sent = build(of, ADDRESS, status="active", ends_at=NOW + timedelta(days=10))
    found = read_remote(Raw(msgspec.json.encode(sent)))
    assert found is not None
    return msgspec.structs.replace(found, **changes)


def problem(of: SubscriptionRow, said: Said | None = None, **changes: Any) -> str | None:
    return problem_of(of, remote_of(of, **changes), said, address=ADDRESS, now=NOW)


@pytest.mark.parametrize("of", [row(), row(content="full-resource"), topic_row()])
def test_what_was_asked_for_and_is_active_is_in_order(of: SubscriptionRow) -> None:
    assert problem(of) is None
    assert problem(of, Said("active", 0)) is None


def test_what_the_server_does_not_have() -> None:
    for of, expected in ((row(), "missing"), (row(remote=""), "not-created")):
        assert problem_of(of, None, None, address=ADDRESS, now=NOW) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint": "http://127.0.0.1:9/events/north/s2"},
        {"endpoint": ""},
        {"headers": ("Authorization: Bearer another",)},
        {"headers": (f"authorization: bearer {SECRET}x",)},
        {"criteria": "Observation?patient=Patient/p2"},
        {"payload": "application/fhir+json"},
    ],
)
def test_what_is_not_as_asked_for_is_changed(changes: dict[str, Any]) -> None:
    assert problem(row(), **changes) == "changed"


@pytest.mark.parametrize(
    "changes",
    [
        {"criteria": "http://example.org/another"},
        {"filters": ()},
        {"filters": ("Observation?patient=Patient/p2",)},
        {"filters": ("Observation?patient=Patient/p1", "Observation?code=x")},
        {"content": "full-resource"},
    ],
)
def test_a_topic_that_is_not_as_asked_for_is_changed(changes: dict[str, Any]) -> None:
    assert problem(topic_row(), **changes) == "changed"


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": ()},
        {"headers": ("Authorization: ***",)},
        {"headers": ("Authorization: Bearer ****",)},
        {"headers": ("Authorization:",)},
        {"criteria": "Observation?patient=Patient%2Fp1"},
        {"end": None},
    ],
)
def test_what_a_server_writes_otherwise_or_hides_is_not_changed(changes: dict[str, Any]) -> None:
    assert problem(row(), **changes) is None


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        ("error", None, "error"),
        ("off", None, "off"),
        ("active", Said("error", None), "error"),
        ("active", Said("off", 3), "off"),
        ("error", Said("active", 0), None),
    ],
)
def test_the_newer_word_on_the_status_counts(
    status: str, said: Said | None, expected: str | None
) -> None:
    assert problem(topic_row(), said, status=status) == expected


@pytest.mark.parametrize(("minutes", "expected"), [(9, None), (11, "requested")])
def test_a_server_has_ten_minutes_to_take_it_up(minutes: int, expected: str | None) -> None:
    of = topic_row(heard_at=NOW - timedelta(minutes=minutes))
    assert problem(of, status="requested") == expected


@pytest.mark.parametrize(
    ("end", "expected"),
    [(-1, "ended"), (0, "ended"), (71, "ends-soon"), (73, None)],
)
def test_the_end_is_the_one_the_server_names(end: int, expected: str | None) -> None:
    assert problem(row(), end=NOW + timedelta(hours=end)) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(300, None), (329, None), (331, "silent"), (9999, "silent")]
)
def test_silence_is_longer_than_the_heartbeat_and_a_moment(
    seconds: int, expected: str | None
) -> None:
    heard_at = NOW - timedelta(seconds=seconds)
    assert problem(topic_row(heard_at=heard_at)) == expected
    assert problem(row(heard_at=heard_at)) is None, "R4 knows no heartbeat"


@pytest.mark.parametrize(
    ("last", "events", "expected"),
    [
        (-1, 0, None),
        (-1, 1, "undelivered"),
        (4, 4, None),
        (4, 5, "undelivered"),
        (4, 2, None),
        (4, None, None),
    ],
)
def test_more_events_than_came_are_undelivered(
    last: int, events: int | None, expected: str | None
) -> None:
    assert problem(topic_row(last_event=last), Said("active", events)) == expected


def test_an_event_of_this_moment_may_still_be_on_its_way() -> None:
    of = topic_row(heard_at=NOW - timedelta(seconds=20))
    assert problem(of, Said("active", 1)) is None


@pytest.mark.parametrize(("seconds", "expected"), [(10, None), (30, "gap")])
def test_a_gap_is_given_a_moment_to_close(seconds: int, expected: str | None) -> None:
    of = topic_row(last_event=5, gap_from=4, missing="4", gap_at=NOW - timedelta(seconds=seconds))
    assert problem(of) == expected


def test_every_problem_has_words_and_no_line_names_a_patient() -> None:
    for one in PROBLEMS:
        text = str(Outcome(id="s1", type="Observation", problem=one))
        assert PROBLEMS[one] in text
        assert "p1" not in text
