"""What is acknowledged is on the disk; what could not be kept is not acknowledged."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from cds.notifications.intake import Intake
from cds.notifications.model import Change, Notification
from cds.store.errors import StoreDown
from cds.store.rows import WakeUp
from tests.conformance.notifications.bodies import notification, observation
from tests.conformance.notifications.conftest import hospital, hospital_with
from tests.conformance.notifications.hospital import Hospital
from tests.functional.test_notifications_counts import reasons


__all__ = ["hospital", "hospital_with"]  # fixtures


@contextmanager
def locked(hospital: Hospital) -> Iterator[None]:
    """Another writer holds the database."""
    holder = sqlite3.connect(hospital.store.engine.url.database or "", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()


@pytest.mark.parametrize("body", [None, observation(), notification(1), b"not json"])
def test_while_the_store_is_down_nothing_is_acknowledged(hospital: Hospital, body: object) -> None:
    with locked(hospital):
        response = hospital.send(body)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert hospital.rows() == []
    assert hospital.heard().last_event == -1
    hospital.send(body)
    assert len(hospital.rows()) == 1


class Failing:
    """A store of which one part fails."""

    def __init__(self, hospital: Hospital, *, put: bool = False, heard: bool = False) -> None:
        self._hospital, self._put, self._heard = hospital, put, heard
        self.did: list[str] = []

    def put(self, wake_ups: Sequence[WakeUp]) -> int:
        """Keep, or not."""
        self.did.append("put")
        if self._put:
            raise StoreDown("full")
        return self._hospital.inbox.put(wake_ups)

    def get(self, which: str) -> Any:
        """Ask."""
        return self._hospital.subscribed.get(which)

    def heard(self, which: str, counted: Any) -> Any:
        """Count, or not."""
        self.did.append("heard")
        if self._heard:
            raise StoreDown("locked")
        return self._hospital.subscribed.heard(which, counted)


def intake(failing: Failing) -> Intake:
    return Intake(failing, failing, lambda: "fresh")


EVENT = Notification(
    kind="event", changes=(Change(key="event/5/x", ref="Observation/o1"),), numbers=(5,), total=5
)


def test_what_is_to_be_read_and_the_catch_up_are_kept_before_anything_is_counted(
    hospital: Hospital,
) -> None:
    failing = Failing(hospital, heard=True)
    with pytest.raises(StoreDown):
        intake(failing).take(EVENT, hospital.heard(), hospital.now)
    assert failing.did == ["put", "heard"]
    assert reasons(hospital) == ["event/5", "gap/1-4"]
    assert hospital.heard().last_event == -1
    # The server sends it again: nothing new to read, and now it is counted.
    working = Failing(hospital)
    taken = intake(working).take(EVENT, hospital.heard(), hospital.now)
    assert taken.new == 0
    assert (hospital.heard().last_event, hospital.heard().missing) == (5, "1-4")


def test_nothing_is_counted_of_what_could_not_be_kept(hospital: Hospital) -> None:
    with pytest.raises(StoreDown):
        intake(Failing(hospital, put=True)).take(EVENT, hospital.heard(), hospital.now)
    assert hospital.heard().last_event == -1


def test_a_wake_up_is_on_the_disk_when_the_answer_comes(hospital: Hospital) -> None:
    hospital.send(observation())
    other = sqlite3.connect(f"file:{hospital.store.engine.url.database}?mode=ro", uri=True)
    assert other.execute("SELECT patient FROM inbox").fetchall() == [("p1",)]
    other.close()
