"""What is put into the store comes back as it was, once, and only for its own site."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Table, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from cds.store import CardRow, Reason, Store, StoreRefused, open_store, reading, statements
from cds.store.engine import reading as reading_from
from cds.store.rems import acknowledged_programs
from cds.store.tables import acknowledgements, cards, decisions, feedback, jwt_ids, metadata
from knowledge.library import load
from tests.store.rows import ASSESSMENT, KNOWLEDGE, NOW, PROGRAM, answer, card, decision, uuid


LIBRARY = load()
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
REMS = card("rems", "REMSTECLISTAMAB", indicator="info", program=PROGRAM)


def count(store: Store, table: Table) -> int:
    with reading_from(store.engine) as connection:
        found: int = connection.execute(select(func.count()).select_from(table)).scalar_one()
        return found


def known(store: Store) -> list[bool]:
    with reading_from(store.engine) as connection:
        return list(connection.execute(select(feedback.c.known)).scalars())


def test_a_decision_comes_back_as_it_was_recorded(store: Store) -> None:
    one = decision(cards=(card(), card("other", "MISSINGICE", suggestions=(uuid("s"),))))
    store.record(one)

    (found,) = store.decisions()
    assert msgspec.structs.replace(found, cards=()) == msgspec.structs.replace(one, cards=())
    assert {shown.uuid: shown for shown in found.cards} == {c.uuid: c for c in one.cards}


def test_the_assessment_is_the_text_that_was_sent_to_the_last_digit(store: Store) -> None:
    store.record(decision())

    (found,) = store.decisions()
    assert found.assessment == ASSESSMENT


def test_a_time_in_another_zone_is_the_same_moment(store: Store) -> None:
    store.record(decision(evaluated_at=datetime(2026, 11, 21, 7, tzinfo=timezone(-5 * HOUR))))

    (found,) = store.decisions()
    assert (found.evaluated_at, found.evaluated_at.tzinfo) == (NOW, UTC)


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(StoreRefused):
        store.record(decision(evaluated_at=NOW.replace(tzinfo=None)))
    assert list(store.decisions()) == []


def test_what_is_no_text_is_refused_and_said_without_the_value(store: Store) -> None:
    with pytest.raises(StoreRefused) as refused:
        store.record(decision(patient="canary\ud800"))
    assert "canary" not in str(refused.value)


def test_recording_a_decision_again_changes_nothing(store: Store) -> None:
    store.record(decision())
    store.record(decision(patient="another", cards=(card("third"),)))

    (found,) = store.decisions()
    assert (found.patient, [shown.uuid for shown in found.cards]) == ("p1", [uuid("card")])


def test_the_same_call_answered_twice_is_two_decisions_with_one_card_uuid(store: Store) -> None:
    store.record(decision("first"))
    store.record(decision("second"))

    assert [row.cards for row in store.decisions()] == [(decision().cards)] * 2


def test_a_decision_without_cards_is_recorded(store: Store) -> None:
    store.record(decision(cards=(), cannot_evaluate=True))

    (found,) = store.decisions()
    assert (found.cards, found.cannot_evaluate) == ((), True)


def test_decisions_are_found_by_time_site_patient_and_knowledge(store: Store) -> None:
    store.record(decision("late", evaluated_at=NOW + HOUR))
    store.record(decision("early", evaluated_at=NOW - HOUR))
    store.record(decision("south", site="south"))
    store.record(decision("p2", patient="p2", knowledge_sha256="cd" * 32))

    def names(**by: object) -> list[str]:
        known_ids = {uuid(name): name for name in ("late", "early", "south", "p2")}
        return [known_ids[row.id] for row in store.decisions(**by)]  # type: ignore[arg-type]

    assert names()[0] == "early"
    assert names()[-1] == "late"
    assert set(names(since=NOW)) == {"late", "south", "p2"}
    assert names(site="south") == ["south"]
    assert names(patient="p2") == ["p2"]
    assert names(knowledge="cd" * 32) == names(knowledge="cdcd") == ["p2"]
    assert names(knowledge="%") == []


def test_more_decisions_than_one_batch_come_in_order_each_with_its_own_card(store: Store) -> None:
    many = [
        decision(f"d{n}", evaluated_at=NOW + n * timedelta(seconds=1), cards=(card(f"c{n}"),))
        for n in range(520)
    ]
    for one in many:
        store.record(one)

    assert [row.cards[0].uuid for row in store.decisions()] == [uuid(f"c{n}") for n in range(520)]


def test_feedback_is_kept_once_however_often_it_is_sent(store: Store) -> None:
    store.record(decision())
    rows = [answer(), answer(), answer(comment="the same answer with a later word")]
    store.add_feedback(rows, NOW)
    store.add_feedback(rows, NOW + HOUR)

    assert count(store, feedback) == 1


@pytest.mark.parametrize(
    "other",
    [
        answer(at=NOW + HOUR),
        answer(outcome="accepted", suggestions=("s1",)),
        answer("another"),
        answer(site="south"),
    ],
    ids=["time", "outcome", "card", "site"],
)
def test_feedback_of_another_card_outcome_time_or_site_is_another(
    store: Store, other: object
) -> None:
    store.add_feedback([answer(), other], NOW)  # type: ignore[list-item]

    assert count(store, feedback) == 2


def test_two_suggestions_accepted_within_one_second_are_both_kept(store: Store) -> None:
    accepted = [answer(outcome="accepted", suggestions=(one,)) for one in ("s1", "s2")]
    store.add_feedback(accepted, NOW)

    assert count(store, feedback) == 2


def test_feedback_on_an_unknown_card_is_kept_with_a_flag(store: Store) -> None:
    store.add_feedback([answer("never shown")], NOW)

    assert known(store) == [False]


def test_a_card_of_another_site_is_an_unknown_card(store: Store) -> None:
    store.record(decision(cards=(REMS,)))
    store.add_feedback([answer("rems", site="south")], NOW)

    assert known(store) == [False]
    for site in ("north", "south"):
        assert store.acknowledged(site, "p1", [PROGRAM], NOW - DAY) == frozenset()


def test_feedback_in_one_batch_for_several_sites_is_each_its_own(store: Store) -> None:
    store.record(decision(cards=(REMS,)))
    store.record(decision("south", site="south", cards=(REMS,), patient="p9"))
    store.add_feedback([answer("rems"), answer("rems", site="south"), answer("rems")], NOW)

    assert known(store) == [True, True]
    assert store.acknowledged("south", "p9", [PROGRAM], NOW) == {PROGRAM}
    assert store.acknowledged("south", "p1", [PROGRAM], NOW) == frozenset()


@pytest.mark.parametrize("outcome", ["accepted", "overridden"])
def test_an_answered_rems_card_acknowledges_its_programme(store: Store, outcome: str) -> None:
    store.record(decision(cards=(card(), REMS)))
    store.add_feedback([answer(), answer("rems", outcome)], NOW)

    programs = [PROGRAM, "elrexfio-rems"]
    assert store.acknowledged("north", "p1", programs, NOW) == {PROGRAM}
    assert store.acknowledged("north", "p2", programs, NOW) == frozenset()
    assert store.acknowledged("south", "p1", programs, NOW) == frozenset()
    assert store.acknowledged("north", "p1", ["elrexfio-rems"], NOW) == frozenset()


def test_an_acknowledgement_counts_from_its_own_time(store: Store) -> None:
    store.record(decision(cards=(REMS,)))
    store.add_feedback([answer("rems", at=NOW - DAY)], NOW)

    assert store.acknowledged("north", "p1", [PROGRAM], NOW - DAY) == {PROGRAM}
    later = NOW - DAY + timedelta(microseconds=1)
    assert store.acknowledged("north", "p1", [PROGRAM], later) == frozenset()


@pytest.mark.parametrize("decision_first", [True, False])
def test_a_client_whose_clock_runs_ahead_acknowledges_no_longer_than_others(
    store: Store, decision_first: bool
) -> None:
    if decision_first:
        store.record(decision(cards=(REMS,)))
    store.add_feedback([answer("rems", at=NOW + 900 * DAY)], NOW)
    store.record(decision(cards=(REMS,)))

    assert store.acknowledged("north", "p1", [PROGRAM], NOW) == {PROGRAM}
    assert store.acknowledged("north", "p1", [PROGRAM], NOW + HOUR) == frozenset()


def test_feedback_that_was_faster_than_its_decision_counts_all_the_same(store: Store) -> None:
    store.add_feedback([answer("rems"), answer("unknown")], NOW)
    store.record(decision(cards=(REMS,)))

    assert sorted(known(store)) == [False, True]
    assert store.acknowledged("north", "p1", [PROGRAM], NOW) == {PROGRAM}


def test_any_other_card_acknowledges_nothing(store: Store) -> None:
    store.add_feedback([answer()], NOW)
    store.record(decision())
    store.add_feedback([answer(at=NOW + HOUR)], NOW + HOUR)

    assert count(store, acknowledgements) == 0


@pytest.mark.parametrize(
    ("age_days", "counts"), [(0, True), (180, True), (181, False)], ids=["today", "180", "181"]
)
def test_an_acknowledgement_lasts_as_long_as_the_status_of_a_programme(
    store: Store, age_days: int, counts: bool
) -> None:
    now = datetime(2027, 11, 21, 12, tzinfo=UTC)
    store.record(decision(cards=(REMS,)))
    store.add_feedback([answer("rems", at=now - age_days * DAY)], now)

    found = acknowledged_programs(
        store, site="north", patient="p1", programs=LIBRARY.rems, rules=LIBRARY.rules, now=now
    )
    assert found == ({PROGRAM} if counts else frozenset())


def test_what_was_read_before_the_programme_was_verified_again_is_to_be_read_again(
    store: Store,
) -> None:
    program = LIBRARY.rems["teclistamab"]
    again = msgspec.structs.replace(program, verified_on=NOW.date() + DAY)
    store.record(decision(cards=(REMS,)))
    store.add_feedback([answer("rems")], NOW)

    def acknowledged(one: object) -> frozenset[str]:
        return acknowledged_programs(
            store,
            site="north",
            patient="p1",
            programs={"teclistamab": one},  # type: ignore[dict-item]
            rules=LIBRARY.rules,
            now=NOW + 2 * DAY,
        )

    assert acknowledged(program) == {PROGRAM}
    assert acknowledged(again) == frozenset()


def test_a_jwt_id_is_used_once_by_each_issuer(store: Store) -> None:
    until = NOW + HOUR
    assert store.first_use("https://a", "id", until, NOW)
    assert not store.first_use("https://a", "id", until, NOW)
    assert store.first_use("https://b", "id", until, NOW)
    assert store.first_use("https://a", "ID", until, NOW)


def test_a_jwt_id_is_stored_as_a_digest_only(store: Store, tmp_path: Path) -> None:
    store.first_use("https://canary.example.org", "canary-jti", NOW + HOUR, NOW)
    store.close()

    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"canary" not in kept


def test_jwt_ids_are_forgotten_once_they_are_over_and_not_before(store: Store) -> None:
    store.first_use("https://a", "over", NOW + HOUR, NOW)
    store.first_use("https://a", "last moment", NOW + 2 * HOUR, NOW)

    assert store.forget_jwt_ids(NOW + 2 * HOUR) == 1
    assert not store.first_use("https://a", "last moment", NOW + 9 * HOUR, NOW)


def test_jwt_ids_do_not_pile_up(store: Store) -> None:
    for number in range(600):  # one in 256 clears away
        now = NOW + number * timedelta(minutes=1)
        assert store.first_use("https://a", f"id {number}", now + timedelta(minutes=2), now)

    assert count(store, jwt_ids) < 600


def test_nothing_is_acknowledged_where_nothing_is_asked(store: Store) -> None:
    assert store.acknowledged("north", "p1", [], NOW) == frozenset()
    store.add_feedback([], NOW)
    assert count(store, feedback) == 0


def test_a_row_keeps_every_field_of_feedback(store: Store) -> None:
    reasons = (Reason(code="other-cause", system="urn:x", display="Other"),)
    store.add_feedback([answer(reasons=reasons, comment="Zoë: see note")], NOW + HOUR)

    with reading_from(store.engine) as connection:
        (row,) = connection.execute(select(feedback)).all()
    assert (row.site, row.card, row.outcome, row.at) == ("north", uuid("card"), "overridden", NOW)
    assert msgspec.json.decode(row.reasons, type=tuple[Reason, ...]) == reasons
    assert (row.comment, row.received_at, row.suggestions) == ("Zoë: see note", NOW + HOUR, "[]")


def test_every_statement_and_table_is_postgresql_too() -> None:
    dialect = postgresql.dialect()
    since, site = NOW, "north"
    every = [
        *(
            statements.insert_once(t, "postgresql")
            for t in (decisions, cards, feedback, jwt_ids, acknowledgements)
        ),
        statements.forget_jwt_ids(NOW),
        statements.known_cards(site, ["c"]),
        statements.EARLY_FEEDBACK,
        statements.now_known(site, ["c"]),
        statements.ACKNOWLEDGED,
        statements.decisions_where(since=NOW, knowledge=KNOWLEDGE, site=site, patient="p1"),
        statements.cards_of(["d"]),
        reading.evaluations(since, site),
        reading.fired_by_topic(since, site),
        reading.outcomes_by_topic(since, site),
        reading.override_reasons(since, site),
        reading.unknown_feedback(since, site),
        *(CreateTable(table) for table in metadata.sorted_tables),
        *(CreateIndex(i) for table in metadata.sorted_tables for i in table.indexes),
    ]
    texts = [str(one.compile(dialect=dialect)) for one in every]

    assert all("ON CONFLICT DO NOTHING" in text for text in texts[:5])
    assert any("TIMESTAMP WITH TIME ZONE" in text for text in texts)


def test_only_a_database_of_a_known_kind_in_a_file_is_a_store() -> None:
    for url in ("mysql://h/d", "sqlite://", "sqlite:///:memory:", "sqlite:///file:x?uri=true"):
        with pytest.raises(ValueError, match=r"^store: "):
            open_store(url)


def test_a_card_row_needs_no_programme() -> None:
    assert CardRow(uuid="u", topic="T", indicator="info").program is None
