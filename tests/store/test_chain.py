"""The chain: every row that is kept is in it, and whatever is done to a row afterwards shows."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from sqlalchemy import (
    Boolean,
    Connection,
    LargeBinary,
    Table,
    create_engine,
    delete,
    insert,
    select,
    text,
    update,
)

from cds.store import Store, StoreRefused, append_only, open_store
from cds.store import chain as links
from cds.store.chain_rows import append_unlinked, entries
from cds.store.decisions import insert_decision
from cds.store.engine import reading, writing
from cds.store.instant import Instant
from cds.store.tables import cards, chain, chain_heads, decisions, feedback
from cds.store.verify import Noted, Problem, heads, verify
from tests.store.process import child
from tests.store.rows import NOW, answer, card, decision, uuid


HOUR = timedelta(hours=1)
NAMES = tuple(f"d{number}" for number in range(8))


@contextmanager
def tampering(store: Store) -> Iterator[Connection]:
    """As somebody who owns the database: no trigger and no key is in the way."""
    engine = create_engine(store.engine.url)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            kept = connection.execute(
                text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            ).all()
            for name, _ in kept:
                connection.execute(text(f"DROP TRIGGER {name}"))
            yield connection
            for _, sql in kept:
                connection.execute(text(sql))
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            yield connection
    engine.dispose()


def found(store: Store, site: str = "north", noted: Noted | None = None) -> list[Problem]:
    return list(verify(store, site, noted))


def seen(store: Store) -> list[tuple[str, str]]:
    return [(problem.what, problem.id) for problem in found(store)]


@pytest.fixture
def kept(store: Store) -> Store:
    """Decisions with a card each and one answer, at two sites."""
    for name in NAMES:
        record = f"made from {name}".encode()
        store.record(decision(name, cards=(card(name, program="p"),), record=record))
    store.record(decision("south", site="south"))
    store.add_feedback([answer(name) for name in NAMES], NOW)
    return store


def other(value: Any, column: Any) -> Any:
    """A value of the same type that is another one."""
    if isinstance(column.type, Boolean):
        return not value
    if isinstance(column.type, Instant):
        return value + timedelta(microseconds=1)
    if isinstance(column.type, LargeBinary):
        return bytes(value) + b" "
    return (value[:-1] if value else "") + ("x" if not value or value[-1] != "x" else "y")


COLUMNS = [
    (table, column.name)
    for table in (decisions, cards, feedback)
    for column in table.columns
    if (table.name, column.name) != ("feedback", "known")
]


def test_what_was_kept_and_left_alone_verifies(kept: Store) -> None:
    assert [found(kept, site) for site in ("north", "south", "nobody")] == [[], [], []]


def test_every_row_has_a_link_in_the_order_in_which_it_was_kept(kept: Store) -> None:
    with reading(kept.engine) as connection:
        wanted = select(chain).where(chain.c.site == "north").order_by(chain.c.position)
        rows = connection.execute(wanted).all()

    assert [row.position for row in rows] == list(range(1, 2 * len(NAMES) + 1))
    assert [row.id for row in rows[: len(NAMES)]] == [uuid(name) for name in NAMES]
    assert {row.kind for row in rows[len(NAMES) :]} == {"feedback"}


def test_a_link_is_the_digest_of_the_link_before_and_of_what_it_is_about(kept: Store) -> None:
    """As docs/store.md describes it, so that somebody else can check it with other means."""
    with reading(kept.engine) as connection:
        rows = connection.execute(select(chain).where(chain.c.site == "south")).all()

    (row,) = rows
    text_of_link = "\n".join(("0" * 64, "decision", uuid("south"), row.digest))
    assert row.link == sha256(text_of_link.encode()).hexdigest()
    document = msgspec.structs.asdict(decision("south", site="south"))
    document |= {
        "rules": '["teclistamab-label@1#crs-2"]',
        "inputs": '[{"ref":"Observation/t1","version":"3","lastUpdated":"2026-11-21T11:00:00Z"}]',
        "cards": [
            {
                "decision": uuid("south"),
                "uuid": uuid("card"),
                "site": "south",
                "topic": "HOLDCRS2",
                "indicator": "warning",
                "suggestions": f'["{uuid("hold")}"]',
                "program": None,
            }
        ],
    }
    canonical = msgspec.json.encode(document, order="sorted")
    assert row.digest == sha256(canonical).hexdigest()


@pytest.mark.parametrize(
    ("table", "column"), COLUMNS, ids=[f"{table.name}.{name}" for table, name in COLUMNS]
)
def test_another_value_in_any_column_shows(kept: Store, table: Table, column: str) -> None:
    """Keys too: then a row is gone, and one is there that was never kept."""
    key = {"decisions": "id", "cards": "decision", "feedback": "card"}[table.name]
    one = table.c[key] == uuid(NAMES[3])
    with tampering(kept) as connection:
        before = connection.execute(select(table).where(one)).mappings().one()
        after = other(before[column], table.c[column])
        assert after != before[column]
        connection.execute(update(table).where(one).values({column: after}))

    touched = {before.get("id", before.get("decision"))}
    problems = found(kept)
    assert problems
    assert touched <= {problem.id for problem in problems}
    assert {problem.what for problem in problems} <= {"changed", "deleted", "inserted"}


def test_each_of_a_thousand_changed_rows_shows_and_no_other(kept: Store) -> None:
    names = [f"e{number}" for number in range(1000)]
    with writing(kept.engine) as connection:
        for name in names:
            insert_decision(connection, kept.engine.dialect.name, decision(name, cards=()))
    assert found(kept) == []

    columns = [column for column in decisions.columns if column.name not in ("id", "site")]
    with tampering(kept) as connection:
        for number, name in enumerate(names):
            one, column = decisions.c.id == uuid(name), columns[number % len(columns)]
            before = connection.execute(select(column).where(one)).scalar()
            after = {column.name: other(before, column)}
            connection.execute(update(decisions).where(one).values(after))
    assert seen(kept) == [("changed", uuid(name)) for name in names]


def test_a_row_that_was_deleted_shows(kept: Store) -> None:
    with tampering(kept) as connection:
        connection.execute(delete(cards).where(cards.c.decision == uuid("d2")))
        connection.execute(delete(decisions).where(decisions.c.id == uuid("d2")))

    assert seen(kept) == [("deleted", uuid("d2"))]


@pytest.mark.parametrize("gone", ["d0", "d7"])
def test_a_card_that_was_deleted_or_added_shows(kept: Store, gone: str) -> None:
    with tampering(kept) as connection:
        connection.execute(delete(cards).where(cards.c.decision == uuid(gone)))
        one = connection.execute(select(cards).where(cards.c.decision == uuid("d3")))
        more = dict(one.mappings().one()) | {"uuid": uuid("one more")}
        connection.execute(insert(cards), more)

    assert set(seen(kept)) == {("changed", uuid(gone)), ("changed", uuid("d3"))}


def test_a_row_that_was_put_there_shows(kept: Store) -> None:
    with tampering(kept) as connection:
        one = connection.execute(select(decisions).where(decisions.c.id == uuid("d1")))
        connection.execute(insert(decisions), dict(one.mappings().one()) | {"id": uuid("new")})

    assert seen(kept) == [("inserted", uuid("new"))]


def test_two_rows_that_changed_places_show(kept: Store) -> None:
    with tampering(kept) as connection:
        exchange(connection, decisions, decisions.c.id == uuid("d1"), decisions.c.id == uuid("d5"))

    assert seen(kept) == [("changed", uuid("d1")), ("changed", uuid("d5"))]


def exchange(connection: Connection, table: Table, one: Any, two: Any) -> None:
    """All but the key; what the rows say is now said by the other one."""
    key = {column.name for column in table.primary_key}
    rows = [connection.execute(select(table).where(row)).mappings().one() for row in (one, two)]
    for where, row in zip((two, one), rows, strict=True):
        values = {name: value for name, value in row.items() if name not in key}
        connection.execute(update(table).where(where).values(values))


def at(position: int, site: str = "north") -> Any:
    return (chain.c.position == position) & (chain.c.site == site)


def test_two_links_that_changed_places_show(kept: Store) -> None:
    with tampering(kept) as connection:
        exchange(connection, chain, at(2), at(6))

    assert {problem.what for problem in found(kept)} == {"relinked"}
    assert {2, 6} <= {problem.position for problem in found(kept)}


@pytest.mark.parametrize("column", ["kind", "id", "digest", "link", "position"])
def test_a_changed_link_shows(kept: Store, column: str) -> None:
    values = {column: 99 if column == "position" else "0" * 10}
    with tampering(kept) as connection:
        connection.execute(update(chain).where(at(4)).values(values))

    assert 4 in {problem.position for problem in found(kept)} or column == "position"
    assert {"relinked", "no-link"} & {problem.what for problem in found(kept)}


def test_a_link_taken_out_with_its_row_shows(kept: Store) -> None:
    with tampering(kept) as connection:
        connection.execute(delete(chain).where(at(3)))
        connection.execute(delete(cards).where(cards.c.decision == uuid("d2")))
        connection.execute(delete(decisions).where(decisions.c.id == uuid("d2")))

    assert [(problem.what, problem.position) for problem in found(kept)] == [("no-link", 4)]


@pytest.mark.parametrize("position", [0, -5])
def test_a_row_with_a_link_from_before_the_chain_shows(kept: Store, position: int) -> None:
    with tampering(kept) as connection:
        one = connection.execute(select(decisions).where(decisions.c.id == uuid("d1")))
        connection.execute(insert(decisions), dict(one.mappings().one()) | {"id": uuid("new")})
        link = {"site": "north", "position": position, "kind": "decision", "id": uuid("new")}
        connection.execute(insert(chain), link | {"digest": "0" * 64, "link": "0" * 64})

    assert [(problem.what, problem.position) for problem in found(kept)] == [("stray", position)]


def test_a_row_with_two_links_shows(kept: Store) -> None:
    with writing(kept.engine) as connection:
        head = links.take(connection, kept.engine.dialect.name, "north")
        again = entries(connection, "decision", [uuid("d1")])[uuid("d1")]
        links.extend(connection, head, [again])

    assert seen(kept) == [("repeated", uuid("d1"))]


def cut(connection: Connection, rows: int) -> None:
    """The last rows of site north, their links, and the head as if they had never been."""
    last = 2 * len(NAMES)
    gone = [
        connection.execute(select(chain.c.id).where(at(last - n))).scalar() for n in range(rows)
    ]
    connection.execute(delete(feedback).where(feedback.c.id.in_(gone)))
    connection.execute(delete(chain).where(chain.c.site == "north", chain.c.position > last - rows))
    link = connection.execute(select(chain.c.link).where(at(last - rows))).scalar()
    connection.execute(
        update(chain_heads)
        .where(chain_heads.c.site == "north")
        .values(position=last - rows, link=link)
    )


def test_an_end_that_was_cut_off_shows_to_who_noted_the_head(kept: Store) -> None:
    noted = {head.site: Noted(head.position, head.link) for head in heads(kept)}
    with tampering(kept) as connection:
        cut(connection, 3)

    assert found(kept) == []  # nothing in the database tells
    assert [problem.what for problem in found(kept, noted=noted["north"])] == ["noted"]
    assert found(kept, "south", noted["south"]) == []


def test_a_chain_made_anew_shows_to_who_noted_a_head(kept: Store) -> None:
    noted = next(Noted(head.position, head.link) for head in heads(kept) if head.site == "north")
    with tampering(kept) as connection:
        connection.execute(update(decisions).values(patient="another"))
        for table in (chain, chain_heads):
            connection.execute(delete(table))
        append_unlinked(connection)

    assert found(kept) == []
    assert [problem.what for problem in found(kept, noted=noted)] == ["noted"]


def test_a_noted_head_is_found_again_however_much_was_kept_after_it(kept: Store) -> None:
    noted = next(Noted(head.position, head.link) for head in heads(kept) if head.site == "north")
    for number in range(5):
        kept.record(decision(f"later {number}"))

    assert found(kept, noted=noted) == []


@pytest.mark.parametrize(
    "change",
    [
        {"position": 15},
        {"link": "f" * 64},
        {"kept_from": 2},
        {"kept_link": "f" * 64},
        {"kept_from": 0},
    ],
    ids=["position", "link", "kept_from", "kept_link", "kept_from 0"],
)
def test_a_changed_head_shows(kept: Store, change: dict[str, Any]) -> None:
    with tampering(kept) as connection:
        where = chain_heads.c.site == "north"
        connection.execute(update(chain_heads).where(where).values(change))

    assert found(kept)
    assert found(kept, "south") == []


def test_a_head_that_is_gone_shows(kept: Store) -> None:
    with tampering(kept) as connection:
        connection.execute(delete(chain_heads))

    assert [problem.what for problem in found(kept)] == ["head"]
    assert [head.site for head in heads(kept)] == ["north", "south"]


def test_a_value_that_cannot_even_be_read_shows_and_the_rest_is_checked(kept: Store) -> None:
    if kept.engine.dialect.name == "postgresql":
        pytest.skip("its columns take values of their own type alone")
    with tampering(kept) as connection:
        connection.execute(
            text("UPDATE decisions SET evaluated_at = 'soon' WHERE id = :id"), {"id": uuid("d1")}
        )
        connection.execute(
            text("UPDATE decisions SET record = 'text' WHERE id = :id"), {"id": uuid("d2")}
        )
        connection.execute(delete(feedback).where(feedback.c.card == uuid("d3")))

    what = [problem.what for problem in found(kept)]
    assert what == ["changed", "changed", "deleted"]


def test_a_row_that_was_there_already_has_one_link(kept: Store) -> None:
    before = heads(kept)
    kept.record(decision("d1", patient="another"))
    kept.add_feedback([answer("d1"), answer("d1", comment="again")], NOW + HOUR)

    assert heads(kept) == before
    assert found(kept) == []


def test_the_same_card_or_answer_twice_in_one_call_is_kept_and_linked_once(store: Store) -> None:
    store.record(decision(cards=(card(), card(topic="ANOTHER"), card("b"))))
    store.add_feedback([answer(comment="first"), answer(comment="second")], NOW)

    assert found(store) == []
    assert heads(store)[0].position == 2
    (row,) = store.decisions()
    assert sorted(shown.topic for shown in row.cards) == ["HOLDCRS2", "HOLDCRS2"]


def test_feedback_that_becomes_known_later_still_verifies(store: Store) -> None:
    store.add_feedback([answer()], NOW)
    store.record(decision())

    assert found(store) == []


def test_a_decision_that_is_refused_leaves_no_link(store: Store) -> None:
    with pytest.raises(StoreRefused):
        store.record(decision(cards=(card(topic="\ud800"),)))

    assert heads(store) == ()


REFUSED: dict[str, Callable[[Connection], object]] = {
    "update decisions": lambda c: c.execute(update(decisions).values(assessment="{}")),
    "update cards": lambda c: c.execute(update(cards).values(topic="X")),
    "update chain": lambda c: c.execute(update(chain).values(digest="0" * 64)),
    "update feedback": lambda c: c.execute(update(feedback).values(comment="")),
    "delete decisions": lambda c: c.execute(delete(decisions).where(decisions.c.site == "north")),
    "delete cards": lambda c: c.execute(delete(cards)),
    "delete chain": lambda c: c.execute(delete(chain)),
    "delete feedback": lambda c: c.execute(delete(feedback)),
}


@pytest.mark.parametrize("deed", REFUSED.values(), ids=REFUSED)
def test_the_database_itself_refuses_to_change_what_is_kept(
    kept: Store, deed: Callable[[Connection], object]
) -> None:
    with pytest.raises(StoreRefused), writing(kept.engine) as connection:
        deed(connection)
    assert found(kept) == []


def test_every_column_is_refused_but_whether_a_card_is_known(kept: Store) -> None:
    for table in (decisions, cards, chain, feedback):
        for column in table.columns:
            one = update(table).values({column.name: column})
            if column is feedback.c.known:
                with writing(kept.engine) as connection:
                    connection.execute(one)
            else:
                with pytest.raises(StoreRefused), writing(kept.engine) as connection:
                    connection.execute(one)


def test_postgresql_refuses_to_empty_a_table_too(kept: Store) -> None:
    if kept.engine.dialect.name == "sqlite":
        pytest.skip("has no TRUNCATE")
    with pytest.raises(StoreRefused), writing(kept.engine) as connection:
        connection.execute(text("TRUNCATE decisions CASCADE"))


def test_what_may_be_deleted_once_may_not_be_in_the_next_transaction(kept: Store) -> None:
    with writing(kept.engine) as connection, append_only.deleting(connection):
        connection.execute(delete(feedback).where(feedback.c.card == uuid("d1")))
    with pytest.raises(StoreRefused), writing(kept.engine) as connection:
        connection.execute(delete(feedback))


def test_what_may_be_deleted_within_a_block_may_not_be_after_it(kept: Store) -> None:
    with pytest.raises(StoreRefused), writing(kept.engine) as connection:
        delete_too_late(connection)
    assert found(kept) == []


def delete_too_late(connection: Connection) -> None:
    with append_only.deleting(connection):
        pass
    connection.execute(delete(feedback))


def test_processes_that_write_at_the_same_time_make_one_chain(store: Store, migrated: str) -> None:
    with ExitStack() as stack:
        writers = [stack.enter_context(child("record", migrated, name)) for name in "abc"]
        for writer in writers:
            assert writer.stdout is not None
            for _ in range(20):
                writer.stdout.readline()
        for writer in writers:
            writer.kill()

    assert found(store) == []
    (head,) = heads(store)
    assert head.position >= 60


def test_feedback_that_comes_while_its_decision_is_being_kept_finds_it(
    store: Store, migrated: str
) -> None:
    store.record(decision("before"))
    other = open_store(migrated, wait=20)
    with ThreadPoolExecutor(1) as pool:
        with writing(store.engine) as connection:
            insert_decision(connection, store.engine.dialect.name, decision(cards=(card("new"),)))
            sent = pool.submit(other.add_feedback, [answer("new")], NOW)
            time.sleep(0.5)
            assert not sent.done()
        sent.result(20)
    other.close()

    with reading(store.engine) as connection:
        assert list(connection.execute(select(feedback.c.known)).scalars()) == [True]
    assert found(store) == []
