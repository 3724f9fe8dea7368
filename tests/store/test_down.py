"""An SQLite file that cannot be used: `StoreDown` with a cause, in time, and whole afterwards."""

import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cds.errors import operation_outcome
from cds.store import Spool, Store, StoreDown, open_store
from cds.store.migrations import migrate
from tests.store.process import child
from tests.store.rows import NOW, answer, decision, uuid


CALLS: dict[str, Callable[[Store], object]] = {
    "record": lambda store: store.record(decision("new")),
    "add_feedback": lambda store: store.add_feedback([answer()], NOW),
    "first_use": lambda store: store.first_use("https://a", "id", NOW, NOW),
}
READS: dict[str, Callable[[Store], object]] = {
    "acknowledged": lambda store: store.acknowledged("north", "p1", ["x"], NOW),
    "decisions": lambda store: list(store.decisions()),
    "ready": lambda store: store.ready(),
}
every_call = pytest.mark.parametrize("call", (CALLS | READS).values(), ids=CALLS | READS)
every_write = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@pytest.fixture
def engine_url(tmp_path: Path) -> str:
    """A file alone: the tests below do to it what happens to files."""
    return f"sqlite:///{tmp_path / 'store.db'}"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process writes and does not come to an end."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


@pytest.fixture
def file(store: Store, tmp_path: Path) -> Path:
    """The database of `store`, which has it open and has one decision in it."""
    store.record(decision())
    return tmp_path / "store.db"


@every_write
def test_a_lock_is_waited_for_within_the_deadline_of_a_hook(
    store: Store, file: Path, call: Callable[[Store], object]
) -> None:
    with locked(file):
        started = time.monotonic()
        with pytest.raises(StoreDown) as down:
            call(store)
        assert time.monotonic() - started < 1.0
    assert down.value.cause == "locked"
    call(store)


def test_who_only_reads_does_not_wait_for_a_lock(store: Store, file: Path) -> None:
    with locked(file):
        assert [row.id for row in store.decisions()] == [uuid("decision")]


@every_call
def test_a_removed_file_is_noticed_by_who_has_it_open(
    store: Store, file: Path, call: Callable[[Store], object]
) -> None:
    file.unlink()

    with pytest.raises(StoreDown) as down:
        call(store)
    assert down.value.cause == "gone"
    assert not file.exists()


@every_call
def test_a_file_that_was_never_there_is_not_created(
    tmp_path: Path, call: Callable[[Store], object]
) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'absent.db'}")

    with pytest.raises(StoreDown) as down:
        call(store)
    assert down.value.cause == "gone"
    assert list(tmp_path.iterdir()) == []


@every_call
def test_an_empty_file_is_not_migrated(tmp_path: Path, call: Callable[[Store], object]) -> None:
    (tmp_path / "empty.db").touch()
    store = open_store(f"sqlite:///{tmp_path / 'empty.db'}")

    with pytest.raises(StoreDown) as down:
        call(store)
    assert down.value.cause == "not-migrated"
    store.close()


@every_call
def test_a_file_that_is_no_database_is_damaged(
    tmp_path: Path, call: Callable[[Store], object]
) -> None:
    (tmp_path / "other.db").write_bytes(b"this is a text, and no database " * 100)
    store = open_store(f"sqlite:///{tmp_path / 'other.db'}")

    with pytest.raises(StoreDown) as down:
        call(store)
    assert down.value.cause == "damaged"
    store.close()


def test_a_file_put_in_the_place_of_the_old_one_is_used_at_once(
    store: Store, file: Path, migrated: str
) -> None:
    for one in file.parent.glob("store.db*"):
        one.rename(one.with_name(f"old-{one.name}"))
    migrate(migrated)
    store.record(decision("new"))

    assert [row.id for row in store.decisions()] == [uuid("new")]


def test_migrated_while_the_service_runs_it_works_without_a_restart(engine_url: str) -> None:
    store = open_store(engine_url)
    with pytest.raises(StoreDown):
        store.record(decision())
    migrate(engine_url)
    store.record(decision())

    assert len(list(store.decisions())) == 1
    store.close()


def test_a_database_that_has_no_room_left_keeps_nothing_of_the_call(
    store: Store, file: Path
) -> None:
    with store.engine.connect() as connection:
        (pages,) = connection.exec_driver_sql("PRAGMA page_count").one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreDown) as down:
        store.record(decision("new", assessment="x" * 100_000))
    assert down.value.cause == "full"

    store.close()  # the limit went with its connection
    assert [row.id for row in store.decisions()] == [uuid("decision")]


def test_what_a_caller_learns_is_that_it_may_try_again(store: Store, file: Path) -> None:
    file.unlink()
    with pytest.raises(StoreDown) as down:
        store.record(decision("new", patient="canary"))

    assert (down.value.status, down.value.code) == (503, "store-down")
    assert down.value.__cause__ is None
    assert down.value.__suppress_context__
    told = str(operation_outcome(down.value))
    assert "canary" not in told
    assert str(file) not in told


def test_while_the_store_is_down_the_spool_keeps_and_afterwards_the_store_has_all(
    store: Store, file: Path, spool: Spool
) -> None:
    names = ["one", "two", "three"]
    with locked(file):
        for name in names:
            with pytest.raises(StoreDown):
                store.record(decision(name))
            spool.keep(decision(name))
        assert spool.drain(store).left == len(names)

    drained = spool.drain(store)
    assert (drained.stored, drained.set_aside, drained.left) == (3, 0, 0)
    assert {row.id for row in store.decisions()} == {*map(uuid, names), uuid("decision")}
    assert spool.state().waiting == 0


@pytest.mark.parametrize(
    ("call", "synchronous"),
    [("record", 2), ("add_feedback", 2), ("first_use", 1)],  # FULL, FULL, NORMAL
)
def test_decisions_and_feedback_are_forced_to_the_disk_and_keys_are_checked(
    store: Store, file: Path, call: str, synchronous: int
) -> None:
    store.first_use("https://a", "before", NOW, NOW)
    CALLS[call](store)
    with store.engine.connect() as connection:  # the one in the pool
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": synchronous,
        "foreign_keys": 1,
        "busy_timeout": 500,
    }


def test_the_file_is_for_its_owner_alone(migrated: str, tmp_path: Path) -> None:
    store = open_store(migrated)
    store.record(decision())
    files = list(tmp_path.glob("store.db*"))

    assert len(files) == 3  # with the log and its index
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    store.close()


def test_on_a_full_disk_the_store_is_down_the_spool_says_so_and_both_recover(
    migrated: str, store: Store, spool: Spool
) -> None:
    with child("no_space", migrated, str(spool.path)) as process:
        said = process.communicate(timeout=60)[0].splitlines()

    assert said[0] in {"store-down full", "store-down damaged"}  # refused to grow, or to write
    assert said[1:] == ["spool-down", "stored"]
    assert [row.id for row in store.decisions()] == [uuid("afterwards")]
    assert list(spool.path.iterdir()) == []
