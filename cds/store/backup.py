"""A copy of the whole store in one file, made while it is used, and put into an empty database.

SQLite: its own online backup. PostgreSQL: `pg_dump` and `pg_restore` of the machine. The file is as
confidential as the store: its owner alone may read it. It is complete or absent.
"""

import os
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, make_url, text

from cds.store.engine import open_engine, sqlite_file, translated
from cds.store.errors import BackupFailed, StoreDown


SECONDS = 3600.0  # for the programs of PostgreSQL
_SQLITE, _POSTGRESQL = b"SQLite format 3\0", b"PGDMP"
_ANY_TABLE = text(
    "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')"
    " AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
)


def backup(url: str, file: Path, *, seconds: float = SECONDS) -> int:
    """Write the store to a new `file`, read it back, force it to the disk; returns its bytes.

    Raises `BackupFailed`, also where `file` is there already, and `StoreDown`.
    """
    with _new(file) as beside:
        if url.startswith("sqlite"):
            source = sqlite_file(make_url(url))
            if not source.is_file():
                raise StoreDown("gone")
            _copy(source, beside)
        else:
            _run(_dump(url, beside), url, seconds)
            _run(["pg_restore", "--list", str(beside)], url, seconds)
    return file.stat().st_size


def restore(url: str, file: Path, *, seconds: float = SECONDS) -> None:
    """Put what `backup` wrote into a database that holds nothing yet; all of it or nothing.

    The tables are of the version that made the backup: migrate afterwards. Raises `BackupFailed`,
    also for a database with anything in it, and `StoreDown`.
    """
    sqlite = url.startswith("sqlite")
    _refuse_other(file, _SQLITE if sqlite else _POSTGRESQL)
    if sqlite:
        _restore_sqlite(sqlite_file(make_url(url)), file)
        return
    engine = open_engine(url)
    try:
        with translated(), engine.begin() as connection:
            if connection.execute(_ANY_TABLE).scalar():
                raise BackupFailed("the database is not empty")
    finally:
        engine.dispose()
    command = ["pg_restore", "--exit-on-error", "--single-transaction", "--no-owner"]
    _run([*command, "--no-privileges", f"--dbname={_conninfo(url)}", str(file)], url, seconds)


def _restore_sqlite(target: Path, file: Path) -> None:
    sides = [target.with_name(target.name + end) for end in ("-wal", "-shm")]
    if any(one.exists() and one.stat().st_size for one in (target, *sides)):
        raise BackupFailed("the database is not empty")
    for one in (target, *sides):
        one.unlink(missing_ok=True)
    with _new(target) as beside:
        _copy(file, beside)


def _refuse_other(file: Path, start: bytes) -> None:
    try:
        with file.open("rb") as opened:
            found = opened.read(len(start))
    except OSError as error:
        raise BackupFailed(f"the file cannot be read: {error.strerror}") from None
    if found != start:
        raise BackupFailed("the file is no backup of a store of this kind")


@contextmanager
def _new(file: Path) -> Iterator[Path]:
    """A file beside it, of its owner alone, that becomes `file` once it is complete."""
    beside = file.with_name(f"{file.name}.writing")
    if file.exists():
        raise BackupFailed("the file is there already")
    try:
        beside.unlink(missing_ok=True)
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield beside
        _sync(beside)
        beside.rename(file)
        _sync(file.parent)
    except OSError as error:
        raise BackupFailed(f"the file cannot be written: {error.strerror}") from None
    finally:
        beside.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    """In one step: who writes is not held up, and what is written meanwhile is not in it."""
    try:
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as one,
            closing(sqlite3.connect(target, isolation_level=None)) as other,
        ):
            one.backup(other)
            other.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
            if other.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                raise BackupFailed("the copy is damaged")
            if other.execute("PRAGMA foreign_key_check").fetchall():
                raise BackupFailed("the copy has cards without a decision")
            other.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        raise BackupFailed(f"SQLite cannot copy it: {name}") from None


def _dump(url: str, file: Path) -> list[str]:
    command = ["pg_dump", "--format=custom", "--no-owner", "--no-privileges"]
    return [*command, f"--file={file}", f"--dbname={_conninfo(url)}"]


def _run(command: Sequence[str], url: str, seconds: float) -> None:
    password = make_url(url).password
    secret = {} if password is None else {"PGPASSWORD": str(password)}
    try:
        done = subprocess.run(  # noqa: S603 - programs of PostgreSQL, words of the configuration
            command,
            env=os.environ | {"PGCONNECT_TIMEOUT": "10"} | secret,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        raise BackupFailed(f"{command[0]} is not on this machine") from None
    except subprocess.TimeoutExpired:
        raise BackupFailed(f"{command[0]} did not come to an end") from None
    if done.returncode:
        # The rest may show what is in a row.
        line = done.stderr.decode(errors="replace").partition("\n")[0]
        detail = line if command[0] == "pg_dump" else f"exit status {done.returncode}"
        raise BackupFailed(f"{command[0]} failed: {detail}")


def _conninfo(url: str) -> str:
    """For libpq; without the password, as every process of the machine sees the arguments."""
    parsed: URL = make_url(url)
    _, named = parsed.get_dialect()().create_connect_args(parsed)
    open_to_all: dict[str, Any] = {key: value for key, value in named.items() if key != "password"}
    return make_conninfo("", **open_to_all)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
