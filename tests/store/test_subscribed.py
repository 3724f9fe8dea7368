"""Our subscriptions: found by the id in their endpoint, and what was heard is never overwritten."""

import threading
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cds.store import Store, StoreRefused
from cds.store.rows import SubscriptionRow
from cds.store.subscribed import Subscribed
from tests.store.rows import NOW, uuid


LATER = NOW + timedelta(minutes=1)
replace = msgspec.structs.replace


def one(name: str = "a", **changes: Any) -> SubscriptionRow:
    """A requested rest-hook of site north for patient p1, of which nothing was heard."""
    fields: dict[str, Any] = {
        "id": uuid(name),
        "site": "north",
        "criteria": "Observation?patient=p1",
        "kind": "rest-hook",
        "content": "id-only",
        "status": "requested",
        "heard_at": NOW,
        "patient": "p1",
    }
    return SubscriptionRow(**(fields | changes))


@pytest.fixture
def subscribed(store: Store) -> Subscribed:
    return Subscribed(store)


def test_one_that_was_added_is_found_by_its_id_with_all_its_members(
    subscribed: Subscribed,
) -> None:
    whole = one(
        "whole",
        remote="r1",
        heartbeat_seconds=60,
        ends_at=LATER,
        last_event=3_000_000_000,
        gap_from=5,
        gap_at=NOW,
        missing="5-6,9",
    )
    subscribed.add(one())
    subscribed.add(whole)

    assert subscribed.get(uuid("a")) == one()
    assert subscribed.get(uuid("whole")) == whole
    assert subscribed.get(uuid("nobody")) is None


def test_an_id_is_given_once(subscribed: Subscribed) -> None:
    subscribed.add(one())
    with pytest.raises(StoreRefused):
        subscribed.add(one(site="south"))

    assert subscribed.get(uuid("a")) == one()


def test_a_site_sees_its_own_by_patient_and_criteria(subscribed: Subscribed) -> None:
    whole_site = one("d", patient="", criteria="MedicationAdministration?")
    mine = [one("b", patient="p2"), one("c", criteria="Condition?patient=p1"), one("a"), whole_site]
    for row in (*mine, one("e", site="south")):
        subscribed.add(row)

    found = subscribed.of_site("north")

    assert found == (whole_site, mine[1], mine[2], mine[0])


def test_what_was_heard_is_written_and_given_back(subscribed: Subscribed) -> None:
    subscribed.add(one())

    after = subscribed.heard(
        uuid("a"), lambda row: replace(row, status="active", last_event=1, heard_at=LATER)
    )

    assert after == one(status="active", last_event=1, heard_at=LATER)
    assert subscribed.get(uuid("a")) == after
    assert subscribed.heard(uuid("nobody"), lambda row: row) is None


def test_many_who_hear_at_once_all_count(subscribed: Subscribed) -> None:
    subscribed.add(one(last_event=0))

    def hear() -> None:
        for _ in range(10):
            subscribed.heard(uuid("a"), lambda row: replace(row, last_event=row.last_event + 1))

    threads = [threading.Thread(target=hear) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = subscribed.get(uuid("a"))
    assert found is not None
    assert found.last_event == 40


def test_a_change_overwrites_nothing_that_was_heard_meanwhile(subscribed: Subscribed) -> None:
    subscribed.add(one())
    read_before = subscribed.get(uuid("a"))
    assert read_before is not None
    gap: dict[str, Any] = {
        "last_event": 9,
        "gap_from": 4,
        "gap_at": LATER,
        "heard_at": LATER,
        "missing": "4-8",
    }
    subscribed.heard(uuid("a"), lambda row: replace(row, **gap))

    assert subscribed.change(replace(read_before, remote="r9", status="active", ends_at=LATER))

    assert subscribed.get(uuid("a")) == one(remote="r9", status="active", ends_at=LATER, **gap)


def test_one_that_is_gone_can_be_neither_changed_nor_removed_again(subscribed: Subscribed) -> None:
    subscribed.add(one())

    assert subscribed.remove(uuid("a"))
    assert not subscribed.remove(uuid("a"))
    assert not subscribed.change(one())
    assert subscribed.of_site("north") == ()
