"""What the newest decision that knows of a toxicity remembers is what the next one is given."""

from datetime import timedelta
from decimal import Decimal

import pytest

from cds.store import Store
from cds.store.earlier import earlier_events
from cds.store.recording import as_text
from knowledge.earlier import EarlierEvent
from tests.store.rows import NOW, decision


EVENT = EarlierEvent(
    "crs",
    onset=NOW - timedelta(days=3),
    last_abnormal=NOW - timedelta(days=2),
    at_least=2,
    at_most=3,
    hours=((Decimal("1.50"), Decimal("2.25")),),
    agents=("teclistamab",),
    basis=("assessments", "vitals"),
)
SCORED = EarlierEvent("icans", EVENT.onset, EVENT.last_abnormal, 1, 1, basis=("assessments",))


def known(store: Store, site: str = "north", patient: str = "p1") -> tuple[EarlierEvent, ...]:
    return earlier_events(store, site, patient, NOW + timedelta(hours=1))


def test_nobody_was_seen_before(store: Store) -> None:
    assert known(store) == ()


def test_what_was_remembered_comes_back_as_it_was(store: Store) -> None:
    store.record(decision(crs_events=as_text((EVENT,)), icans_events=as_text((SCORED,))))
    assert known(store) == (EVENT, SCORED)


def test_a_newer_decision_that_found_none_replaces_it(store: Store) -> None:
    store.record(decision("old", crs_events=as_text((EVENT,))))
    store.record(decision("new", evaluated_at=NOW + timedelta(minutes=1), crs_events=as_text(())))
    assert known(store) == ()


def test_a_newer_decision_that_could_read_nothing_does_not(store: Store) -> None:
    store.record(decision("old", crs_events=as_text((EVENT,))))
    store.record(decision("new", evaluated_at=NOW + timedelta(minutes=1), crs_events=as_text(None)))
    assert known(store) == (EVENT,)


def test_each_toxicity_is_as_the_newest_decision_about_it_says(store: Store) -> None:
    store.record(decision("old", crs_events=as_text((EVENT,)), icans_events=as_text((SCORED,))))
    later = NOW + timedelta(minutes=1)
    store.record(decision("new", evaluated_at=later, icans_events=as_text(())))
    assert known(store) == (EVENT,)


def test_the_order_in_which_decisions_arrive_does_not_matter(store: Store) -> None:
    """A decision that waited in the spool is older than one that is there already."""
    store.record(decision("new", evaluated_at=NOW + timedelta(minutes=1), crs_events=as_text(())))
    store.record(decision("old", crs_events=as_text((EVENT,))))
    assert known(store) == ()


@pytest.mark.parametrize(
    ("site", "patient"), [("south", "p1"), ("north", "p2")], ids=["another site", "another patient"]
)
def test_nothing_of_anybody_else_is_given(store: Store, site: str, patient: str) -> None:
    store.record(decision(crs_events=as_text((EVENT,))))
    assert known(store, site, patient) == ()


def test_a_decision_of_the_same_moment_or_later_tells_nothing(store: Store) -> None:
    store.record(decision(crs_events=as_text((EVENT,))))
    assert earlier_events(store, "north", "p1", NOW) == ()
