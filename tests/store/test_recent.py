"""Who was decided on lately, and the last decision before a time; on both databases."""

from datetime import timedelta
from typing import Any

import pytest

from cds.store import Store, StoreDown, open_store
from cds.store.recent import Decided, Recent
from tests.store.rows import NOW, decision


HOUR = timedelta(hours=1)
LONG = NOW - timedelta(days=14)


@pytest.fixture
def recent(store: Store) -> Recent:
    made: dict[str, dict[str, Any]] = {
        "old": {"evaluated_at": NOW - 20 * 24 * HOUR},
        "first": {"evaluated_at": NOW - 5 * HOUR, "assessment": "first"},
        "second": {"evaluated_at": NOW - 2 * HOUR, "assessment": "second"},
        "failed": {"evaluated_at": NOW - HOUR, "cannot_evaluate": True},
        "new": {"evaluated_at": NOW - HOUR / 2, "assessment": "new"},
        "p2": {"patient": "p2", "evaluated_at": NOW - 3 * HOUR, "assessment": "of p2"},
        "p3": {"patient": "p3", "evaluated_at": NOW - 30 * 24 * HOUR},
        "elsewhere": {"patient": "p4", "site": "south"},
    }
    for name, changes in made.items():
        store.record(decision(name, cards=(), **changes))
    return Recent(store)


def test_patients_are_those_of_the_site_and_the_time_each_once(recent: Recent) -> None:
    assert recent.patients("north", LONG) == ("p1", "p2")
    assert recent.patients("south", LONG) == ("p4",)
    assert recent.patients("north", NOW + HOUR) == ()


def test_of_each_patient_the_newest_decision_that_is_old_enough_is_found(recent: Recent) -> None:
    found = recent.before("north", ["p1", "p2", "p3", "p4"], LONG, NOW - HOUR)
    assert found == {
        "p1": Decided("p1", NOW - 2 * HOUR, "second"),
        "p2": Decided("p2", NOW - 3 * HOUR, "of p2"),
    }


def test_the_bounds_of_the_time_are_within(recent: Recent) -> None:
    exact = recent.before("north", ["p1"], NOW - 5 * HOUR, NOW - 5 * HOUR)
    assert exact["p1"].assessment == "first"


def test_only_those_asked_for_are_found(recent: Recent) -> None:
    assert set(recent.before("north", ["p2"], LONG, NOW)) == {"p2"}
    assert recent.before("north", [], LONG, NOW) == {}


def test_a_store_that_is_down_says_so() -> None:
    gone = Recent(open_store("sqlite:////nowhere/at/all.db"))
    with pytest.raises(StoreDown):
        gone.patients("north", LONG)
    with pytest.raises(StoreDown):
        gone.before("north", ["p1"], LONG, NOW)
