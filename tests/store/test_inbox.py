"""Wake-ups: kept once, one patient at a time, done together with the decision they led to."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from cds.store import Store, StoreDown, StoreRefused, open_store
from cds.store.inbox import Inbox, Waiting
from tests.store.rows import NOW, decision, uuid
from tests.store.wake_ups import PAUSE, drained, wake


LATER = NOW + PAUSE


@pytest.fixture
def inbox(store: Store) -> Iterator[Inbox]:
    opened = Inbox(store)
    yield opened
    opened.close()


def test_a_wake_up_is_new_once_however_often_it_comes(inbox: Inbox) -> None:
    assert inbox.put([wake("e1"), wake("e1"), wake("e2")]) == 2
    assert inbox.put([wake("e2"), wake("e3")]) == 1
    assert inbox.put([wake("e1", received_at=LATER)]) == 0
    assert inbox.put([]) == 0
    assert inbox.waiting(LATER) == Waiting(3, NOW)


def test_the_same_event_of_another_site_or_source_is_another_one(inbox: Inbox) -> None:
    assert inbox.put([wake(), wake(site="south"), wake(source="s2")]) == 3


def test_a_wake_up_that_was_put_is_seen_by_everybody(inbox: Inbox, migrated: str) -> None:
    inbox.put([wake()])

    other = open_store(migrated)
    assert Inbox(other).waiting(NOW).count == 1
    other.close()


def test_all_that_waits_for_a_patient_is_one_claim(inbox: Inbox) -> None:
    early = NOW - timedelta(minutes=1)
    inbox.put([wake("e1", ref="Observation/1"), wake("e2", ref="Observation/2")])
    inbox.put([wake("e3", ref="Observation/1", received_at=early), wake("e4")])

    with inbox.claim(NOW) as claim:
        assert claim is not None
        assert (claim.site, claim.patient, claim.attempts) == ("north", "p1", 0)
        assert claim.refs == ("Observation/1", "Observation/2")
        assert len(claim.ids) == 4
        assert claim.oldest_received == early


def test_nobody_else_gets_a_patient_that_is_being_read(inbox: Inbox) -> None:
    inbox.put([wake("e1", "p1"), wake("e2", "p2")])

    with inbox.claim(NOW) as first, inbox.claim(NOW) as second, inbox.claim(NOW) as third:
        assert first is not None
        assert second is not None
        assert {first.patient, second.patient} == {"p1", "p2"}
        assert third is None


def test_a_patient_that_was_read_is_nobody_elses_until_the_block_ends(inbox: Inbox) -> None:
    inbox.put([wake("e1")])
    with inbox.claim(NOW) as claim:
        assert claim is not None
        claim.finish(None, now=NOW, not_before=NOW)
        inbox.put([wake("e2")])
        with inbox.claim(NOW) as other:
            assert other is None

    assert drained(inbox) == [("north", "p1")]


def test_a_patient_that_was_read_is_nobodys_until_the_next_turn_is_due(inbox: Inbox) -> None:
    inbox.put([wake("e1")])
    with inbox.claim(NOW) as claim:
        assert claim is not None
        claim.finish(None, now=NOW, not_before=LATER)
        inbox.put([wake("e2")])
        assert drained(inbox, LATER - timedelta(seconds=1)) == []

    assert drained(inbox, LATER) == [("north", "p1")]


def test_a_site_that_was_not_there_before_has_its_turn_though_another_has_more_to_do(
    inbox: Inbox,
) -> None:
    inbox.put([wake(f"e{n}", f"p{n}") for n in range(100)])
    first = drained(inbox, most=3)
    inbox.put([wake("e", "q", site="south")])

    assert {site for site, _ in first} == {"north"}
    assert ("south", "q") in drained(inbox, NOW + timedelta(seconds=2), most=2)


def test_who_waits_longest_is_first(inbox: Inbox) -> None:
    for minutes, patient in ((1, "late"), (3, "first"), (2, "second")):
        inbox.put([wake(patient, patient, received_at=NOW - timedelta(minutes=minutes))])

    assert [patient for _, patient in drained(inbox)] == ["first", "second", "late"]


def test_a_patient_who_was_read_long_ago_is_not_taken_for_one_who_waits(inbox: Inbox) -> None:
    inbox.put([wake("e1", "before")])
    drained(inbox)
    soon = NOW + timedelta(hours=1)
    inbox.put([wake("e2", "other", received_at=soon)])
    inbox.put([wake("e3", "before", received_at=soon + timedelta(seconds=1))])

    found = drained(inbox, soon + PAUSE)

    assert [patient for _, patient in found] == ["other", "before"]


def test_however_many_wake_ups_come_a_patient_is_read_once_before_its_next_turn(
    inbox: Inbox,
) -> None:
    for number in range(20):
        inbox.put([wake(f"before {number}")])
    claims = drained(inbox)
    for number in range(20):
        inbox.put([wake(f"after {number}")])
    almost = LATER - timedelta(milliseconds=1)

    assert claims == [("north", "p1")]
    assert drained(inbox, almost) == []
    assert drained(inbox, LATER) == [("north", "p1")]
    assert inbox.waiting(LATER) == Waiting(0, None)


def test_a_wake_up_that_comes_while_the_patient_is_read_makes_another_turn(inbox: Inbox) -> None:
    inbox.put([wake("e1")])
    with inbox.claim(NOW) as claim:
        assert claim is not None
        inbox.put([wake("e2")])
        claim.finish(None, now=NOW, not_before=LATER)

    assert inbox.waiting(NOW).count == 1
    with inbox.claim(LATER) as again:
        assert again is not None
        assert again.patient == "p1"
        assert len(again.ids) == 1


def test_putting_does_not_wait_for_a_patient_that_is_being_read(inbox: Inbox) -> None:
    inbox.put([wake("e1")])
    with inbox.claim(NOW):
        began = time.monotonic()
        assert inbox.put([wake("e2"), wake("e3", "p2")]) == 2
        assert time.monotonic() - began < 0.4  # who waits for a lock waits longer, and gives up


def test_the_decision_and_done_are_kept_together(inbox: Inbox, store: Store) -> None:
    inbox.put([wake("e1"), wake("e2")])
    with inbox.claim(NOW) as claim:
        assert claim is not None
        claim.finish(decision(), now=LATER, not_before=LATER)

    assert [row.id for row in store.decisions()] == [uuid("decision")]
    assert inbox.waiting(LATER) == Waiting(0, None)
    with store.engine.connect() as connection:
        done = connection.execute(text("SELECT decision, done_at FROM inbox")).all()
    assert [row.decision for row in done] == [uuid("decision")] * 2
    assert None not in [row.done_at for row in done]


def test_a_decision_the_store_refuses_leaves_the_wake_ups_waiting(
    inbox: Inbox, store: Store
) -> None:
    inbox.put([wake()])
    with inbox.claim(NOW) as claim:
        assert claim is not None
        with pytest.raises(StoreRefused):
            claim.finish(decision(protocol="\ud800"), now=NOW, not_before=LATER)
        claim.postpone(LATER)

    assert list(store.decisions()) == []
    assert drained(inbox, NOW) == []
    with inbox.claim(LATER) as again:
        assert again is not None
        assert again.attempts == 1


def test_a_claim_that_ends_without_a_word_leaves_everything_as_it_was(inbox: Inbox) -> None:
    inbox.put([wake()])
    with inbox.claim(NOW):
        pass
    with pytest.raises(ZeroDivisionError), inbox.claim(NOW):
        raise ZeroDivisionError

    with inbox.claim(NOW) as claim:
        assert claim is not None
        assert claim.attempts == 0


def test_attempts_are_counted_until_one_comes_to_something(inbox: Inbox) -> None:
    inbox.put([wake()])
    attempts = []
    for number in range(3):
        now = NOW + number * PAUSE
        with inbox.claim(now) as claim:
            assert claim is not None
            attempts.append(claim.attempts)
            claim.postpone(now + PAUSE)
        assert drained(inbox, now + PAUSE / 2) == []
    with inbox.claim(NOW + 3 * PAUSE) as claim:
        assert claim is not None
        attempts.append(claim.attempts)
        claim.finish(None, now=NOW, not_before=NOW + 4 * PAUSE)
    inbox.put([wake("later")])
    with inbox.claim(NOW + 4 * PAUSE) as claim:
        assert claim is not None
        attempts.append(claim.attempts)

    assert attempts == [0, 1, 2, 3, 0]


def test_wake_ups_of_nobody_known_are_claimed_together_and_replaced_by_those_found(
    inbox: Inbox,
) -> None:
    inbox.put([wake("e1", "", ref="Observation/1"), wake("e2", "", ref="Observation/2")])
    inbox.put([wake("e3", "", site="south")])
    with inbox.claim(NOW) as claim:
        assert claim is not None
        assert (claim.site, claim.patient) == ("north", "")
        assert claim.refs == ("Observation/1", "Observation/2")
        claim.replace([wake("e1", "p7", source="cohort"), wake("x", "p8")], now=NOW)

    found = drained(inbox)

    assert sorted(found) == [("north", "p7"), ("north", "p8"), ("south", "")]


def test_a_claim_ends_once(inbox: Inbox) -> None:
    inbox.put([wake()])
    with inbox.claim(NOW) as claim:
        assert claim is not None
        claim.finish(decision("one"), now=NOW, not_before=LATER)
        with pytest.raises(StoreRefused):
            claim.finish(decision("two"), now=NOW, not_before=LATER)
        with pytest.raises(StoreRefused):
            claim.postpone(LATER)


def test_one_site_that_floods_us_holds_up_no_other(inbox: Inbox) -> None:
    flood = NOW - timedelta(minutes=5)
    inbox.put([wake(f"e{n}", f"p{n}", received_at=flood) for n in range(200)])
    inbox.put([wake("e", "q", site="south"), wake("e", "r", site="west")])

    first = drained(inbox, most=3)

    assert {site for site, _ in first} == {"north", "south", "west"}


def test_a_turn_that_a_clock_gone_wrong_put_off_for_years_is_due(inbox: Inbox) -> None:
    inbox.put([wake("e1", received_at=NOW + timedelta(days=3650))])
    inbox.put([wake("e2")])

    assert drained(inbox) == [("north", "p1")]


def test_pruning_removes_what_was_done_before_and_nothing_that_waits(
    inbox: Inbox, store: Store
) -> None:
    old = NOW - timedelta(days=400)
    inbox.put([wake("done", "p1", received_at=old), wake("waits", "p2", received_at=old)])
    with inbox.claim(old) as claim:
        assert claim is not None
        assert claim.patient == "p1"
        claim.finish(None, now=old, not_before=old)
    inbox.put([wake("new", "p3")])
    with inbox.claim(NOW):  # of a patient that waits: its turn is locked meanwhile
        assert inbox.prune(NOW) == 1

    with store.engine.connect() as connection:
        left = connection.execute(text("SELECT event FROM inbox ORDER BY event")).scalars()
        assert left.all() == ["new", "waits"]
        turns = connection.execute(text("SELECT patient FROM turns ORDER BY patient")).scalars()
        assert turns.all() == ["p2", "p3"]
    assert inbox.put([wake("done", "p1")]) == 1
    assert [patient for _, patient in drained(inbox)] == ["p2", "p1", "p3"]


def test_a_database_that_is_not_there_keeps_nothing_and_says_so(engine_url: str) -> None:
    empty = open_store(engine_url)
    inbox = Inbox(empty)

    with pytest.raises(StoreDown):
        inbox.put([wake()])
    with pytest.raises(StoreDown), inbox.claim(NOW):
        pass
    with pytest.raises(StoreDown):
        inbox.waiting(NOW)
    empty.close()


def test_what_cannot_be_stored_is_refused_and_holds_up_nobody_else(inbox: Inbox) -> None:
    refused: list[str] = []

    def put(event: str) -> None:
        try:
            inbox.put([wake(event)])
        except StoreRefused:
            refused.append(event)

    events = [*(f"e{number}" for number in range(12)), "\ud800"]
    threads = [threading.Thread(target=put, args=(event,)) for event in events]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert refused == ["\ud800"]
    assert inbox.waiting(NOW).count == 12


def test_a_time_without_a_zone_is_refused(inbox: Inbox) -> None:
    with pytest.raises(StoreRefused):
        inbox.put([wake(received_at=NOW.replace(tzinfo=None))])

    assert inbox.waiting(NOW).count == 0


def test_threads_that_put_and_claim_at_once_lose_nothing_and_do_nothing_twice(
    inbox: Inbox, store: Store
) -> None:
    events = 120
    over = threading.Event()
    ids: list[int] = []

    def put(start: int) -> None:
        for number in range(start, events, 3):
            inbox.put([wake(f"e{number}", f"p{number % 7}")])

    def work() -> None:
        while True:
            idle = over.is_set()
            with inbox.claim(NOW) as claim:
                if claim is not None:
                    claim.finish(None, now=NOW, not_before=NOW)
                    ids.extend(claim.ids)
                    continue
            if idle:
                return

    putting = [threading.Thread(target=put, args=(start,)) for start in range(3)]
    working = [threading.Thread(target=work) for _ in range(3)]
    for one in (*putting, *working):
        one.start()
    for one in putting:
        one.join()
    over.set()
    for one in working:
        one.join()

    assert len(ids) == len(set(ids)) == events
    assert inbox.waiting(NOW).count == 0
