"""What a clinician stated stays until the FHIR server has it, and one sender at a time has it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from cds.store import Store, StoreDown, StoreRefused, open_store
from cds.store.statements_kept import StatementRow, StatementsKept
from tests.store.rows import NOW


SOON = NOW + timedelta(minutes=1)
LATER = NOW + timedelta(minutes=2)


def stated(position: int = 0, **changes: Any) -> StatementRow:
    """Of patient p1 of site north."""
    fields: dict[str, Any] = {
        "site": "north",
        "patient": "p1",
        "submission": "s1",
        "position": position,
        "kind": "ice-total",
        "resource": '{"resourceType":"Observation","valueInteger":7}',
        "charted_at": NOW,
    }
    return StatementRow(**(fields | changes))


@pytest.fixture
def kept(store: Store) -> StatementsKept:
    return StatementsKept(store)


def only(kept: StatementsKept, site: str = "north", patient: str = "p1") -> StatementRow:
    (row,) = kept.of_submission(site, patient, "s1")
    return row


def test_a_form_is_kept_in_the_order_it_is_sent_in(kept: StatementsKept) -> None:
    rows = [stated(2, kind="questionnaire-response"), stated(0), stated(1, kind="arousal")]
    kept.keep(rows)

    assert kept.of_submission("north", "p1", "s1") == (rows[1], rows[2], rows[0])


def test_nothing_to_keep_is_kept_without_a_word(kept: StatementsKept) -> None:
    kept.keep([])

    assert kept.of_patient("north", "p1", NOW) == ()


def test_a_form_confirmed_twice_stays_as_it_was_the_first_time(kept: StatementsKept) -> None:
    kept.keep([stated()])
    kept.claim(only(kept), now=NOW, until=SOON)
    kept.written(only(kept), "Observation/1")
    kept.keep([stated(charted_at=LATER)])

    assert only(kept) == stated(state="written", ref="Observation/1")


@pytest.mark.parametrize("other", [{"site": "south"}, {"patient": "p2"}, {"submission": "s2"}])
def test_another_site_patient_or_form_is_another_statement(
    kept: StatementsKept, other: dict[str, Any]
) -> None:
    kept.keep([stated()])
    kept.keep([stated(**other)])
    kept.claim(stated(**other), now=NOW, until=SOON)
    kept.written(stated(**other), "Observation/9")

    assert only(kept) == stated()


def test_rows_of_one_patient_come_newest_first_and_no_other_patient_s(
    kept: StatementsKept,
) -> None:
    earlier = NOW - timedelta(days=3)
    for row in (
        stated(submission="old", charted_at=earlier - timedelta(seconds=1)),
        stated(submission="a", charted_at=earlier),
        stated(0, submission="b"),
        stated(1, submission="b"),
        stated(patient="p2"),
        stated(site="south"),
    ):
        kept.keep([row])
    found = kept.of_patient("north", "p1", earlier)

    assert [(row.submission, row.position) for row in found] == [("b", 0), ("b", 1), ("a", 0)]
    assert {(row.site, row.patient) for row in found} == {("north", "p1")}


def test_who_has_claimed_a_statement_has_it_alone(kept: StatementsKept) -> None:
    kept.keep([stated()])

    assert kept.claim(stated(), now=NOW, until=SOON) is True
    assert kept.claim(stated(), now=NOW, until=SOON) is False
    assert kept.claim(only(kept), now=NOW, until=SOON) is False
    assert only(kept) == stated(state="sending", held_until=SOON)


def test_of_eight_who_claim_at_once_one_gets_it(kept: StatementsKept) -> None:
    kept.keep([stated()])
    together = Barrier(8)

    def claim(_: int) -> bool:
        together.wait()
        return kept.claim(stated(), now=NOW, until=SOON)

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(claim, range(8))) == [False] * 7 + [True]


@pytest.mark.parametrize(
    ("after", "given"),
    [(timedelta(seconds=59), False), (timedelta(minutes=1), True)],
)
def test_a_sender_that_vanished_loses_its_claim_when_its_time_is_over(
    kept: StatementsKept, after: timedelta, given: bool
) -> None:
    kept.keep([stated()])
    kept.claim(stated(), now=NOW, until=SOON)

    assert kept.claim(only(kept), now=NOW + after, until=LATER) is given


@pytest.mark.parametrize(("again", "state"), [(True, "waiting"), (False, "refused")])
def test_what_was_not_taken_keeps_its_reason_and_may_be_claimed_again(
    kept: StatementsKept, again: bool, state: str
) -> None:
    kept.keep([stated()])
    kept.claim(stated(), now=NOW, until=SOON)
    kept.refused(stated(), "rejected", again=again)

    assert only(kept) == stated(state=state, problem="rejected")
    assert kept.claim(only(kept), now=NOW, until=SOON) is True


def test_what_is_written_is_never_claimed_again(kept: StatementsKept) -> None:
    kept.keep([stated()])
    kept.claim(stated(), now=NOW, until=SOON)
    kept.written(stated(), "Observation/1")

    assert kept.claim(only(kept), now=LATER, until=LATER) is False


def test_a_late_refusal_does_not_undo_what_another_sender_saw_written(
    kept: StatementsKept,
) -> None:
    kept.keep([stated()])
    kept.claim(stated(), now=NOW, until=SOON)
    kept.claim(only(kept), now=LATER, until=LATER)
    kept.written(stated(), "Observation/1")
    kept.refused(stated(), "unclear", again=True)

    assert only(kept) == stated(state="written", ref="Observation/1")


@pytest.mark.parametrize("problem", ["", "unreachable", "rejected", "unclear"])
def test_what_is_withdrawn_is_never_claimed_again_and_keeps_its_reason(
    kept: StatementsKept, problem: str
) -> None:
    kept.keep([stated(problem=problem)])

    assert kept.withdraw(only(kept), now=NOW) is True
    assert only(kept) == stated(state="withdrawn", problem=problem)
    assert kept.claim(only(kept), now=LATER, until=LATER) is False
    assert kept.withdraw(only(kept), now=LATER) is False


@pytest.mark.parametrize(
    ("after", "withdrawn"),
    [(timedelta(seconds=59), False), (timedelta(minutes=1), True)],
)
def test_what_is_being_sent_is_withdrawn_once_the_time_for_it_is_over(
    kept: StatementsKept, after: timedelta, withdrawn: bool
) -> None:
    kept.keep([stated()])
    kept.claim(stated(), now=NOW, until=SOON)

    assert kept.withdraw(only(kept), now=NOW + after) is withdrawn
    expected = {"state": "withdrawn", "problem": "unclear"}
    sending = {"state": "sending", "held_until": SOON}
    assert only(kept) == stated(**(expected if withdrawn else sending))


def test_what_is_written_is_not_withdrawn(kept: StatementsKept) -> None:
    kept.keep([stated()])
    kept.claim(stated(), now=NOW, until=SOON)
    kept.written(stated(), "Observation/1")

    assert kept.withdraw(only(kept), now=LATER) is False
    assert only(kept) == stated(state="written", ref="Observation/1")


def test_what_changed_since_it_was_read_is_not_withdrawn(kept: StatementsKept) -> None:
    kept.keep([stated()])
    kept.claim(stated(), now=NOW, until=SOON)

    assert kept.withdraw(stated(), now=NOW) is False
    assert only(kept).state == "sending"


def test_a_refusal_that_comes_late_does_not_undo_a_withdrawal(kept: StatementsKept) -> None:
    kept.keep([stated()])
    kept.claim(stated(), now=NOW, until=SOON)
    kept.withdraw(only(kept), now=LATER)
    kept.refused(stated(), "busy", again=True)

    assert only(kept).state == "withdrawn"


def test_without_its_database_nothing_is_kept_and_the_caller_is_told(tmp_path: Path) -> None:
    gone = StatementsKept(open_store(f"sqlite:///{tmp_path / 'nowhere' / 'store.db'}", wait=0.05))
    with pytest.raises(StoreDown):
        gone.keep([stated()])


def test_one_row_that_does_not_fit_keeps_the_whole_form_out(kept: StatementsKept) -> None:
    without_zone = datetime(2026, 11, 21, 12, 0)  # noqa: DTZ001 - that is the point
    with pytest.raises(StoreRefused):
        kept.keep([stated(0), stated(1, charted_at=without_zone)])

    assert kept.of_submission("north", "p1", "s1") == ()
