"""From an empty database to the tables the code expects, and nothing that is not expected."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from cds.store import StoreDown, open_store
from cds.store.migrations import configuration, migrate
from cds.store.tables import REVISION, metadata
from tests.store.rows import decision, uuid


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
