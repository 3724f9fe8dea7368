"""SQLite: one worker process, which remembers whom it is reading; nothing is open meanwhile.

The process is the one that has locked a file beside the database. The lock goes with the process,
and what it remembered with it.
"""

import fcntl
import os
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from cds.store import inbox_rows
from cds.store import inbox_statements as statements
from cds.store.engine import reading, sqlite_file
from cds.store.errors import AnotherWorker, StoreDown
from cds.store.inbox_claim import Seen
from cds.store.inbox_turns import Order
from cds.store.rows import DecisionRow, WakeUp
from cds.store.store import Store


_LOOKED_AT = 20  # turns at once: more than there are threads
Turn = tuple[str, str]


class OneWorker:
    """The threads of one process share the patients; a second process is refused."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._file = sqlite_file(store.engine.url)
        self._held: set[Turn] = set()
        self._lock = threading.Lock()
        self._close: weakref.finalize | None = None

    @contextmanager
    def next(self, order: Order) -> Iterator[tuple[Seen, "Remembered"] | None]:
        """The first turn nobody holds, held until the block ends.

        Raises `StoreDown`, or `AnotherWorker` in every process but the first.
        """
        with self._lock:
            if self._close is None:
                self._close = weakref.finalize(self, os.close, _locked(self._file))
            seen = self._first(order)
            if seen is not None:
                self._held.add((seen.site, seen.patient))
        try:
            yield None if seen is None else (seen, Remembered(self._store, seen))
        finally:
            if seen is not None:
                with self._lock:
                    self._held.discard((seen.site, seen.patient))

    def close(self) -> None:
        """Let another process be the worker."""
        with self._lock:
            if self._close is not None:
                self._close()
                self._close = None

    def _first(self, order: Order) -> Seen | None:
        count = _LOOKED_AT + len(self._held)
        with reading(self._store.engine) as connection:
            for site in order.sites(connection):
                for wanted in order.turns(site, count):
                    for found in connection.execute(wanted).all():
                        if (site, found.patient) in self._held:
                            continue
                        order.took(site)
                        return inbox_rows.waiting(connection, site, found.patient, found.attempts)
        return None


class Remembered:
    """One turn of this process: what a claim ends with is a transaction of its own."""

    def __init__(self, store: Store, seen: Seen) -> None:
        self._store = store
        self._seen = seen

    def finish(self, decision: DecisionRow | None, now: datetime, not_before: datetime) -> None:
        """Commit it."""
        with self._store.writing() as connection:
            inbox_rows.finish(connection, self._seen, decision, now, not_before)

    def replace(self, wake_ups: Sequence[WakeUp], now: datetime) -> None:
        """Commit it."""
        with self._store.writing() as connection:
            inbox_rows.replace(connection, self._seen, wake_ups, now)

    def postpone(self, until: datetime) -> None:
        """Commit it."""
        with self._store.writing("NORMAL") as connection:
            connection.execute(statements.later_turn(self._seen.site, self._seen.patient, until))


def _locked(database: Path) -> int:
    """The open file whose lock says who the worker is."""
    try:
        file = os.open(database.with_name(f"{database.name}.worker"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        raise StoreDown("gone") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise AnotherWorker("another process is the worker of this store") from None
    return file
