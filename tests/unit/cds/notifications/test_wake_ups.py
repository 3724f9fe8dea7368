"""Rows of the inbox: one for each patient, and never none."""

from datetime import UTC, datetime
from itertools import count

import pytest

from cds.notifications.counting import Count, Counted
from cds.notifications.model import Change, Notification
from cds.notifications.wake_ups import catch_up, everybody, wake_ups
from cds.store.rows import WakeUp
from tests.conformance.notifications.hospital import NORTH, subscription


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SITE, PATIENT = subscription(), subscription(patient="p7")


def made(*changes: Change, patient: bool = False) -> list[tuple[str, str, str]]:
    numbers = count(1)
    found = wake_ups(
        Notification(kind="event", changes=changes),
        PATIENT if patient else SITE,
        now=NOW,
        fresh=lambda: str(next(numbers)),
    )
    assert all((one.site, one.source, one.received_at) == ("north", NORTH, NOW) for one in found)
    return [(one.event, one.patient, one.ref) for one in found]


def test_a_change_of_two_patients_makes_two_rows_with_two_keys() -> None:
    change = Change(key="k", patients=("p1", "p2"), ref="Device/d1")
    assert made(change) == [("k", "p1", "Device/d1"), ("k/1", "p2", "Device/d1")]


def test_the_patient_of_the_subscription_is_read_whatever_came() -> None:
    assert made(Change(key="k"), patient=True) == [("k", "p7", "")]
    assert made(Change(key="k", patients=("p7",)), patient=True) == [("k", "p7", "")]
    both = made(Change(key="k", patients=("p1",)), patient=True)
    assert both == [("k", "p1", ""), ("k/1", "p7", "")]


def test_a_change_that_names_nobody_is_for_whoever_reads_its_resource_or_everybody() -> None:
    assert made(Change(key="k", ref="Observation/o1")) == [("k", "", "Observation/o1")]
    assert made(Change(key="k")) == [("k", "", "")]


def test_without_a_key_each_gets_a_new_one() -> None:
    assert [key for key, _, _ in made(Change(), Change(), Change(key="k"))] == [
        "new/1",
        "new/2",
        "k",
    ]


@pytest.mark.parametrize(
    ("counted", "event"),
    [
        (Counted(Count(5, ((2, 2), (4, 4))), gaps=((2, 2), (4, 4))), "gap/2-4/m"),
        (Counted(Count(1), restarted=True), "restart/m"),
        (Counted(Count(3, ((1, 2),)), gaps=((1, 2),), restarted=True), "restart/m"),
    ],
)
def test_what_did_not_come_is_caught_up_once(counted: Counted, event: str) -> None:
    wanted = WakeUp(site="north", source=NORTH, event=event, received_at=NOW, patient="p7")
    assert catch_up(counted, PATIENT, mark="m", now=NOW) == (wanted,)


def test_nothing_missing_is_nothing_to_catch_up() -> None:
    assert catch_up(Counted(Count(5, ((2, 2),))), SITE, mark="m", now=NOW) == ()
    assert everybody(SITE, "x", NOW).patient == ""
