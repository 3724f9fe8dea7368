"""A copy made while the store is written to and put back: the same decisions, in a chain."""

import os
import stat
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import make_url

from cds.store import Store, StoreDown, open_store
from cds.store.backup import backup, restore
from cds.store.engine import sqlite_file
from cds.store.errors import BackupFailed
from cds.store.migrations import migrate
from cds.store.verify import heads, verify
from tests.store.process import child
from tests.store.rows import NOW, answer, card, decision, uuid


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the copy goes."""
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder / "store.backup"


@pytest.fixture
def empty(request: pytest.FixtureRequest, engine_url: str, tmp_path: Path) -> str:
    """Another database of the same kind, with nothing in it."""
    if engine_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'restored.db'}"
    url: str = request.getfixturevalue("postgres_url_factory")()
    return url


def test_a_backup_put_back_is_the_store_it_was_made_of(
    store: Store, migrated: str, file: Path, empty: str
) -> None:
    for name in ("a", "b"):
        store.record(decision(name, cards=(card(name),), record=b"\x00made from\xff"))
    store.add_feedback([answer("a", comment="Zoë\n\t|\\N")], NOW)
    size = backup(migrated, file)
    restore(empty, file)

    other = open_store(empty)
    assert list(other.decisions()) == list(store.decisions())
    assert heads(other) == heads(store)
    assert list(verify(other, "north")) == []
    other.record(decision("c"))
    assert list(verify(other, "north")) == []
    other.close()
    assert size == file.stat().st_size > 0


def test_a_backup_under_writers_is_one_moment_and_holds_them_up_little(
    store: Store, migrated: str, file: Path, empty: str
) -> None:
    with child("record", migrated, "a") as one, child("record", migrated, "b") as two:
        said = [line for process in (one, two) for line in (first_line(process),)]
        backup(migrated, file)
        later = [first_line(process) for process in (one, two)]
    restore(empty, file)

    other = open_store(empty)
    found = {row.id: row for row in other.decisions()}
    assert set(said) <= set(found)
    assert all(len(row.cards) == 2 for row in found.values())
    assert list(verify(other, "north")) == []
    now = {row.id: row for row in store.decisions()}
    assert {id_: now[id_] for id_ in found} == found
    assert later
    other.close()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_the_copy_is_one_file_for_its_owner_alone(store: Store, migrated: str, file: Path) -> None:
    store.record(decision())
    before = os.umask(0)
    try:
        backup(migrated, file)
    finally:
        os.umask(before)

    assert [one.name for one in file.parent.iterdir()] == [file.name]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_stopped_service_is_copied_too(migrated: str, file: Path, empty: str) -> None:
    store = open_store(migrated)
    store.record(decision())
    store.close()
    backup(migrated, file)
    restore(empty, file)

    other = open_store(empty)
    assert [row.id for row in other.decisions()] == [uuid("decision")]
    other.close()


def test_a_file_that_is_there_is_not_written_over(migrated: str, file: Path) -> None:
    file.write_text("yesterday's")

    with pytest.raises(BackupFailed, match="there already"):
        backup(migrated, file)
    assert file.read_text() == "yesterday's"


def test_a_folder_that_cannot_be_written_leaves_nothing(migrated: str, file: Path) -> None:
    with pytest.raises(BackupFailed, match="No such file or directory"):
        backup(migrated, file.parent / "absent" / "file")


def test_only_an_empty_database_is_filled(store: Store, migrated: str, file: Path) -> None:
    store.record(decision())
    backup(migrated, file)

    with pytest.raises(BackupFailed, match="not empty"):
        restore(migrated, file)
    assert [row.id for row in store.decisions()] == [uuid("decision")]


def test_even_tables_without_a_row_are_not_empty(migrated: str, file: Path, empty: str) -> None:
    backup(migrated, file)
    migrate(empty)

    with pytest.raises(BackupFailed, match="not empty"):
        restore(empty, file)


@pytest.mark.parametrize("content", [b"", b"no backup", b"SQLite format 3\0PGDMP", b"PGDMP\1\2\3"])
def test_what_is_no_backup_is_refused_and_leaves_the_database_empty(
    engine_url: str, file: Path, content: bytes
) -> None:
    file.write_bytes(content)
    with pytest.raises(BackupFailed):
        restore(engine_url, file)

    migrate(engine_url)
    store = open_store(engine_url)
    assert list(store.decisions()) == []
    store.close()


@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_half_a_backup_is_refused_and_leaves_the_database_empty(
    store: Store, migrated: str, file: Path, empty: str, part: float
) -> None:
    for number in range(50):
        store.record(decision(str(number)))
    backup(migrated, file)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(part * len(whole))])

    with pytest.raises(BackupFailed):
        restore(empty, file)
    migrate(empty)


def test_a_store_that_is_not_there_is_not_copied(tmp_path: Path, file: Path) -> None:
    with pytest.raises(StoreDown) as down:
        backup(f"sqlite:///{tmp_path / 'absent.db'}", file)

    assert down.value.cause == "gone"
    assert list(file.parent.iterdir()) == []
    assert not (tmp_path / "absent.db").exists()


def test_no_argument_of_a_program_is_the_password(
    postgres_database: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(postgres_database)
    called: list[list[str]] = []
    run = subprocess.run

    def listening(command: list[str], **named: object) -> object:
        called.append(list(command))
        return run(command, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", listening)
    backup(postgres_database, file)

    password = make_url(postgres_database).password
    assert [command[0] for command in called] == ["pg_dump", "pg_restore"]
    assert password
    assert password not in str(called)


def test_without_the_programs_of_postgresql_it_is_said_which_is_missing(
    postgres_database: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(file.parent))

    with pytest.raises(BackupFailed, match="pg_dump is not on this machine"):
        backup(postgres_database, file)
    assert list(file.parent.iterdir()) == []


def test_a_server_that_is_gone_is_said_without_the_password(file: Path) -> None:
    url = "postgresql+psycopg://someone:canary@127.0.0.1:1/store"
    with pytest.raises(BackupFailed, match="pg_dump failed") as failed:
        backup(url, file)
    assert "canary" not in failed.value.message
    file.write_bytes(b"PGDMP")
    with pytest.raises(StoreDown):
        restore(url, file)


def test_a_damaged_store_makes_no_backup(migrated: str, file: Path) -> None:
    if not migrated.startswith("sqlite"):
        pytest.skip("PostgreSQL checks its own pages")
    source = sqlite_file(make_url(migrated))
    content = bytearray(source.read_bytes())
    content[4096 * 2 : 4096 * 4] = b"\xff" * 8192
    source.write_bytes(bytes(content))

    with pytest.raises(BackupFailed):
        backup(migrated, file)
    assert not file.exists()
