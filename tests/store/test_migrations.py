"""From an empty database to the tables the code expects, and nothing that is not expected."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import TableClause, column, create_engine, insert, select, table, text

from cds.store import StoreDown, open_store
from cds.store.engine import open_engine, reading
from cds.store.instant import Instant
from cds.store.migrations import configuration, migrate
from cds.store.tables import REVISION, chain, metadata
from cds.store.verify import heads, verify
from tests.store.rows import NOW, decision, uuid


def test_the_migrated_tables_are_the_tables_of_the_code(migrated: str) -> None:
    engine = create_engine(migrated)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_code_expects_the_last_migration_and_there_is_one_line_of_them() -> None:
    script = ScriptDirectory.from_config(configuration())

    assert script.get_heads() == [REVISION]
    assert script.get_bases() == ["0001"]


def test_migrating_again_keeps_what_is_there(migrated: str) -> None:
    store = open_store(migrated)
    store.record(decision())
    migrate(migrated)

    assert [row.id for row in store.decisions()] == [uuid("decision")]
    store.close()


def test_a_folder_that_is_not_there_is_a_store_that_is_down(tmp_path: Path) -> None:
    with pytest.raises(StoreDown) as down:
        migrate(f"sqlite:///{tmp_path / 'absent' / 'store.db'}")
    assert down.value.cause == "gone"


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("this is a text, and no database " * 100)
    before = file.read_bytes()

    with pytest.raises(StoreDown) as down:
        migrate(f"sqlite:///{file}")
    assert down.value.cause == "damaged"
    assert file.read_bytes() == before


def test_what_the_first_version_kept_is_brought_along_and_linked(engine_url: str) -> None:
    engine = open_engine(engine_url, create=True)
    with engine.execution_options(writes=True).begin() as connection:
        command.upgrade(configuration(connection), "0001")
        for name, site, age in (("b", "north", 1), ("a", "north", 2), ("c", "south", 3)):
            at = NOW - timedelta(days=age)
            connection.execute(insert(FIRST_DECISIONS), first_decision(name, site, at))
            shown = {"decision": uuid(name), "uuid": uuid("card"), "site": site, "topic": "T"}
            connection.execute(
                insert(FIRST_CARDS), shown | {"indicator": "info", "suggestions": "[]"}
            )
        connection.execute(insert(FIRST_FEEDBACK), first_feedback(NOW))
    engine.dispose()

    migrate(engine_url)
    store = open_store(engine_url)
    assert [list(verify(store, site)) for site in ("north", "south")] == [[], []]
    assert {head.site: head.position for head in heads(store)} == {"north": 3, "south": 1}
    with reading(store.engine) as connection:
        wanted = select(chain.c.id).where(chain.c.site == "north").order_by(chain.c.position)
        linked = list(connection.execute(wanted).scalars())
    assert linked == [uuid("a"), uuid("b"), "f" * 64]
    rows = {row.id: row for row in store.decisions()}
    assert {row.record for row in rows.values()} == {b""}
    if engine_url.startswith("sqlite"):
        with reading(store.engine) as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    assert {len(row.cards) for row in rows.values()} == {1}
    store.record(decision("new"))
    assert list(verify(store, "north")) == []
    store.close()


def first_decision(name: str, site: str, at: datetime) -> dict[str, object]:
    """As version 0001 kept it."""
    values: dict[str, object] = dict.fromkeys(FIRST_DECISIONS.columns.keys(), "x")
    values |= {"id": uuid(name), "site": site, "evaluated_at": at, "cannot_evaluate": False}
    return values | {"rules": "[]", "inputs": "[]", "assessment": "{}", "mode": "live"}


def first_feedback(at: datetime) -> dict[str, object]:
    """As version 0001 kept it."""
    values: dict[str, object] = dict.fromkeys(FIRST_FEEDBACK.columns.keys(), "[]")
    values |= {"id": "f" * 64, "site": "north", "known": True, "at": at, "received_at": at}
    return values | {"outcome": "accepted", "comment": ""}


def first(name: str, columns: str) -> TableClause:
    """A table of version 0001, which never changes any more."""
    of_type = {"evaluated_at": Instant(), "at": Instant(), "received_at": Instant()}
    return table(name, *(column(one, of_type.get(one)) for one in columns.split()))


FIRST_DECISIONS = first(
    "decisions",
    "id site patient hook hook_instance service evaluated_at mode protocol knowledge_version"
    " knowledge_sha256 engine_version source_commit assessment cannot_evaluate rules inputs",
)
FIRST_CARDS = first("cards", "decision uuid site topic indicator suggestions program")
FIRST_FEEDBACK = first(
    "feedback",
    "id site service card known outcome at received_at suggestions reasons comment",
)


@pytest.mark.parametrize("found", ["0000", "9999"])
def test_tables_of_another_version_are_not_used(migrated: str, found: str) -> None:
    engine = create_engine(migrated)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": found})
    engine.dispose()
    store = open_store(migrated)

    with pytest.raises(StoreDown) as down:
        store.record(decision())
    assert down.value.cause == "not-migrated"
    store.close()


def test_a_path_with_signs_that_mean_something_in_a_uri_is_a_path(tmp_path: Path) -> None:
    file = tmp_path / "100% of #1 ä.db"
    migrate(f"sqlite:///{file}")
    store = open_store(f"sqlite:///{file}")
    store.record(decision())
    store.close()

    assert [one.name for one in tmp_path.iterdir()] == [file.name]
