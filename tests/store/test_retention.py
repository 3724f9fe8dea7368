"""What is old goes, from the front of the chain; what is kept still verifies."""

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from cds.store import Store
from cds.store.chain import Head
from cds.store.engine import reading, writing
from cds.store.launches import Launches, LaunchRow
from cds.store.retention import Removed, remove_before, sites
from cds.store.statements_kept import State, StatementRow, StatementsKept
from cds.store.tables import acknowledgements, cards, chain, decisions, feedback, inbox, told
from cds.store.verify import Noted, heads, verify
from tests.store.rows import NOW, PROGRAM, answer, card, decision, uuid
from tests.store.test_chain import found, tampering


DAY = timedelta(days=1)
YEAR = 365 * DAY


def ids(store: Store, site: str = "north") -> set[str]:
    return {row.id for row in store.decisions(site=site)}


def uuids(*names: str) -> set[str]:
    return {uuid(name) for name in names}


def count(store: Store, table: object) -> int:
    with reading(store.engine) as connection:
        rows: int = connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]
        return rows


def head(store: Store, site: str = "north") -> Head:
    return next(one for one in heads(store) if one.site == site)


@pytest.fixture
def years(store: Store) -> Store:
    """p1 was seen in each of four years, p2 in the first; one card was answered each year."""
    store.record(decision("p2", patient="p2", evaluated_at=NOW - 3 * YEAR))
    for age in (3, 2, 1, 0):
        at = NOW - age * YEAR
        rems = card(f"rems {age}", program=PROGRAM)
        store.record(decision(f"y{age}", evaluated_at=at, cards=(rems,)))
        store.add_feedback([answer(f"rems {age}", at=at)], at)
    store.record(decision("south", site="south", evaluated_at=NOW - 3 * YEAR))
    store.record(decision("south2", site="south", evaluated_at=NOW))
    return store


def test_what_is_older_goes_with_its_cards_and_answers_and_the_rest_verifies(years: Store) -> None:
    gone = remove_before(years, NOW - 2 * YEAR + DAY, site="north")

    assert (gone.decisions, gone.feedback, gone.acknowledgements) == (2, 2, 2)
    assert ids(years) == uuids("p2", "y1", "y0")
    assert count(years, feedback) == count(years, acknowledgements) == 2
    assert count(years, cards) == 3 + 2  # site south has two
    assert found(years) == []


def test_the_last_decision_of_a_patient_stays_however_old(years: Store) -> None:
    gone = remove_before(years, NOW + YEAR, site="north")

    assert ids(years) == uuids("p2", "y0")
    assert gone.carried == 2
    assert found(years) == []
    assert count(years, chain) == 2 + 2


def test_another_site_keeps_all(years: Store) -> None:
    remove_before(years, NOW + YEAR, site="north")

    assert ids(years, "south") == uuids("south", "south2")
    assert found(years, "south") == []


def test_a_moment_is_not_before_itself(years: Store) -> None:
    gone = remove_before(years, NOW - 3 * YEAR, site="north")

    assert gone == Removed()


def test_where_nothing_is_to_go_nothing_is_linked_again(years: Store) -> None:
    remove_before(years, NOW + YEAR, site="north")
    before = head(years)

    assert remove_before(years, NOW + YEAR, site="north") == Removed()
    assert head(years) == before


def test_a_row_behind_one_that_is_too_young_waits_for_it(store: Store) -> None:
    """A decision from the spool comes late: what was kept before it is younger."""
    store.record(decision("young"))
    store.record(decision("spooled", evaluated_at=NOW - YEAR))
    store.record(decision("newest", evaluated_at=NOW + DAY))

    assert remove_before(store, NOW - DAY, site="north") == Removed()
    assert remove_before(store, NOW + DAY, site="north").decisions == 2
    assert ids(store) == uuids("newest")


def test_more_than_a_batch_of_last_decisions_hold_up_nothing_behind_them(store: Store) -> None:
    for number in range(1100):
        at = NOW - YEAR + number * timedelta(seconds=1)
        patient = f"p{number}" if number < 1050 else "same"
        store.record(decision(f"d{number}", patient=patient, evaluated_at=at, cards=()))

    gone = remove_before(store, NOW, site="north")

    assert gone.decisions == 49
    assert len(ids(store)) == 1051
    assert found(store) == []


def test_the_chain_goes_on_behind_what_was_removed(years: Store) -> None:
    noted = Noted(head(years).position, head(years).link)
    remove_before(years, NOW - YEAR, site="north")
    years.record(decision("more"))

    assert list(verify(years, "north", noted)) == []
    kept = head(years)
    assert list(verify(years, "north", Noted(kept.kept_from - 1, kept.kept_link))) == []


def test_a_row_that_was_changed_before_still_shows_after_others_are_gone(years: Store) -> None:
    with tampering(years) as connection:
        one = decisions.c.id == uuid("p2")
        connection.execute(update(decisions).where(one).values(assessment="{}"))
    remove_before(years, NOW, site="north")

    assert [(problem.what, problem.id) for problem in found(years)] == [("changed", uuid("p2"))]


def test_a_link_whose_row_was_deleted_is_not_cleared_away(years: Store) -> None:
    with tampering(years) as connection:
        connection.execute(feedback.delete().where(feedback.c.card == uuid("rems 2")))
    remove_before(years, NOW, site="north")

    assert "deleted" in {problem.what for problem in found(years)}


def test_finished_wake_ups_and_what_was_told_go_and_what_waits_stays(store: Store) -> None:
    def row(event: str, done_at: datetime | None) -> dict[str, object]:
        of = {"site": "north", "source": "s", "event": event, "patient": "p", "ref": ""}
        return of | {"received_at": NOW - YEAR, "done_at": done_at}

    with writing(store.engine) as connection:
        connection.execute(
            insert(inbox), [row("old", NOW - YEAR), row("new", NOW), row("waits", None)]
        )
        said = {"site": "north", "patient": "p", "toxicity": "crs", "said": "", "ref": "Flag/1"}
        for at in (NOW - YEAR, NOW):
            connection.execute(insert(told), said | {"onset": at, "at": at})
    gone = remove_before(store, NOW - DAY, site="north")

    assert (gone.inbox, gone.told) == (1, 1)
    with reading(store.engine) as connection:
        left = set(connection.execute(select(inbox.c.event)).scalars())
    assert left == {"new", "waits"}


def statement(name: str, state: State, at: datetime, **changes: str) -> StatementRow:
    fields: dict[str, Any] = {"site": "north", "patient": "p1"} | changes
    return StatementRow(
        **fields,
        submission=name,
        position=0,
        kind="crs-grade",
        resource="{}",
        charted_at=at,
        state=state,
    )


def launch(number: int, ends_at: datetime, **changes: Any) -> LaunchRow:
    fields: dict[str, Any] = {"site": "north", "stage": "ended", "sealed": b""} | changes
    return LaunchRow(
        id=f"{number:032x}", secret_sha256="a" * 64, touched_at=ends_at, ends_at=ends_at, **fields
    )


def test_statements_that_nobody_needs_go_and_what_no_chart_has_stays(store: Store) -> None:
    kept, old = StatementsKept(store), NOW - YEAR
    kept.keep([statement("written", "written", old), statement("withdrawn", "withdrawn", old)])
    kept.keep([statement(name, name, old) for name in ("waiting", "refused", "sending")])
    kept.keep([statement("new", "written", NOW - DAY), statement("late", "waiting", NOW - DAY)])
    kept.keep([statement("south", "written", old, site="south")])
    gone = remove_before(store, NOW - DAY, site="north")

    assert (gone.statements, gone.unwritten) == (2, 3)
    left = {row.submission for row in kept.of_patient("north", "p1", old)}
    assert left == {"waiting", "refused", "sending", "new", "late"}
    assert len(kept.of_patient("south", "p1", old)) == 1


def test_launches_that_had_to_be_over_go_whatever_became_of_them(store: Store) -> None:
    launches, old = Launches(store), NOW - YEAR
    launches.begin(launch(1, old))
    launches.begin(launch(2, old, stage="open", sealed=b"sealed"))
    launches.begin(launch(3, NOW - DAY))
    launches.begin(launch(4, old, site="south"))
    gone = remove_before(store, NOW - DAY, site="north")

    assert gone.launches == 2
    ids = [f"{number:032x}" for number in (1, 2, 3, 4)]
    assert {row.id for row in launches.of(ids)} == {ids[2], ids[3]}


def test_a_site_is_known_by_anything_that_is_kept_of_it(store: Store) -> None:
    assert sites(store) == ()
    store.record(decision("one", site="deciding"))
    StatementsKept(store).keep([statement("one", "waiting", NOW, site="charting")])
    Launches(store).begin(launch(1, NOW, site="launching"))

    assert sites(store) == ("charting", "deciding", "launching")


def test_nothing_of_what_was_removed_is_left_in_the_file(
    store: Store, migrated: str, tmp_path: Path
) -> None:
    if store.engine.dialect.name == "postgresql":
        pytest.skip("VACUUM is for the database's own administration")
    store.record(decision("old", evaluated_at=NOW - YEAR, assessment='"canary"' * 50))
    store.record(decision("new"))
    remove_before(store, NOW - DAY, site="north")
    store.close()  # the last to leave empties the log into the file

    kept = b"".join(file.read_bytes() for file in tmp_path.glob("store.db*"))
    assert b"canary" not in kept


@pytest.mark.parametrize("seed", range(5))
def test_whatever_was_kept_in_whatever_order_the_rest_verifies(store: Store, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a history, no secret
    newest: dict[str, tuple[datetime, str]] = {}
    for number in range(60):
        at = NOW - chance.randrange(1000) * DAY
        patient = f"p{chance.randrange(8)}"
        store.record(decision(f"d{number}", patient=patient, evaluated_at=at, cards=(card(),)))
        newest[patient] = max(newest.get(patient, (at, "")), (at, uuid(f"d{number}")))
        if chance.random() < 0.3:
            store.add_feedback([answer(f"c{number}")], at)
    for age in sorted((chance.randrange(900) for _ in range(4)), reverse=True):
        remove_before(store, NOW - age * DAY, site="north")
        assert found(store) == []
    remove_before(store, NOW + DAY, site="north")

    assert found(store) == []
    assert ids(store) == {id_ for _, id_ in newest.values()}
