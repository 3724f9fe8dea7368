"""Connections with the guarantees the store needs; knows no table but the migration's own.

SQLite: write-ahead log, `synchronous=FULL` (a commit is on the disk), foreign keys, a short wait
for a lock, and a file that was moved away is noticed instead of written to. PostgreSQL: the same
limits on waiting, see `postgresql`.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url, text

from cds.store.errors import Cause, StoreDown, StoreRefused
from cds.store.postgresql import Monotonic, postgresql_engine
from cds.store.tables import REVISION


Synchronous = Literal["FULL", "NORMAL"]
WAIT_SECONDS = 0.5  # for a lock, a connection from the pool, or the server: a hook has two seconds
_POOL = {"pool_size": 4, "max_overflow": 4}
_CAUSES: tuple[tuple[str, Cause], ...] = (
    ("SQLITE_BUSY", "locked"),
    ("SQLITE_LOCKED", "locked"),
    ("SQLITE_FULL", "full"),
    ("SQLITE_CANTOPEN", "gone"),
    ("SQLITE_READONLY", "read-only"),
    ("SQLITE_CORRUPT", "damaged"),
    ("SQLITE_NOTADB", "damaged"),
    ("SQLITE_IOERR", "damaged"),
    ("SQLITE_ERROR", "not-migrated"),  # no such table
    ("42P01", "not-migrated"),  # PostgreSQL: undefined_table
    ("55P03", "locked"),  # lock_not_available
    ("57014", "locked"),  # query_canceled, by our own time limit
    ("53100", "full"),  # disk_full
    ("25006", "read-only"),  # read_only_sql_transaction
)


def open_engine(
    url: str,
    *,
    create: bool = False,
    wait: float = WAIT_SECONDS,
    monotonic: Monotonic = time.monotonic,
) -> Engine:
    """An engine that connects when it is first used. `create`: for a migration, which may make an
    SQLite file and makes its tables.

    `wait`: seconds, for a lock. `monotonic`: seconds, for the pause after PostgreSQL was silent.
    Raises `ValueError` for a URL that names no database this store runs on.
    """
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _sqlite(parsed, create=create, wait=wait)
    if backend == "postgresql":
        return postgresql_engine(parsed, _POOL, wait=wait, monotonic=monotonic)
    raise ValueError("store: must be an sqlite or a postgresql URL")


def sqlite_file(url: URL) -> Path:
    """The file of an SQLite URL; in-memory databases are no store. Raises `ValueError`."""
    name = url.database or ""
    if not name or name == ":memory:" or name.startswith("file:"):
        raise ValueError("store: an sqlite URL must name a file")
    return Path(name).absolute()


@contextmanager
def reading(engine: Engine, *, snapshot: bool = False) -> Iterator[Connection]:
    """A read transaction on a migrated database. Raises `StoreDown`.

    `snapshot`: all its statements see the same moment, as on SQLite they always do.
    """
    if snapshot and engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with translated(), engine.begin() as connection:
        _refuse_unmigrated(connection)
        yield connection


@contextmanager
def writing(
    engine: Engine, *, synchronous: Synchronous = "FULL", wait: float | None = None
) -> Iterator[Connection]:
    """A write transaction, committed on exit. Raises `StoreDown`, `StoreRefused`.

    `FULL`: it is on the disk, with all that was committed before. `NORMAL` (SQLite): it survives
    the process, and the power supply from the next `FULL` commit on. `wait`: seconds for a lock in
    place of the engine's own; on PostgreSQL only less than that.
    """
    # The write lock is taken first: a read that turns into a write cannot wait for a lock.
    options = {"writes": True, "synchronous": synchronous, "wait": wait}
    with translated(), engine.execution_options(**options).begin() as connection:
        _refuse_unmigrated(connection)
        yield connection


def _refuse_unmigrated(connection: Connection) -> None:
    """Once a connection: `info` lives as long as the connection in the pool does."""
    if connection.info.get("revision") != REVISION:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if found != REVISION:
            raise StoreDown("not-migrated")
        connection.info["revision"] = found


@contextmanager
def translated() -> Iterator[None]:
    """The errors of driver and pool as ours; their texts, which show parameters, end here."""
    try:
        yield
    except (exc.IntegrityError, exc.DataError):
        raise StoreRefused("the row does not fit the store") from None
    except exc.DBAPIError as error:
        raise StoreDown(_cause(error)) from None
    except exc.StatementError:  # a value that cannot be bound, such as a time without a zone
        raise StoreRefused("the row does not fit the store") from None
    except exc.TimeoutError:
        raise StoreDown("locked") from None
    except UnicodeEncodeError:  # half of a surrogate pair
        raise StoreRefused("the row is not text") from None


def _cause(error: exc.DBAPIError) -> Cause:
    name = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None)
    return next((cause for code, cause in _CAUSES if str(name).startswith(code)), "unreachable")


def _sqlite(url: URL, *, create: bool, wait: float) -> Engine:
    path = sqlite_file(url)
    engine = create_engine(
        url,
        creator=_opener(path, create=create, wait=wait),
        hide_parameters=True,
        pool_timeout=wait,
        **_POOL,
    )

    @event.listens_for(engine, "connect")
    def remember(_: Any, record: Any) -> None:
        record.info["file"] = _identity(path)

    @event.listens_for(engine, "checkout")
    def same_file(_: Any, record: Any, __: Any) -> None:
        """A file that was removed or replaced is still open here: what it takes would be lost."""
        if record.info.get("file") != _identity(path):
            raise exc.DisconnectionError("the database file is another one now")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("writes", False):
            seconds = wait if options.get("wait") is None else options["wait"]
            connection.exec_driver_sql(f"PRAGMA busy_timeout={int(seconds * 1000)}")
            connection.exec_driver_sql(f"PRAGMA synchronous={options.get('synchronous', 'FULL')}")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _opener(path: Path, *, create: bool, wait: float) -> Callable[[], sqlite3.Connection]:
    uri = f"file:{quote(str(path))}?mode={'rwc' if create else 'rw'}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, timeout=wait, isolation_level=None, check_same_thread=False
        )
        try:
            # A migration makes a table anew, under the rows that refer to it.
            keys = "foreign_keys=OFF" if create else "foreign_keys=ON"
            for pragma in ("journal_mode=WAL", "synchronous=FULL", keys):
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    return connect


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
