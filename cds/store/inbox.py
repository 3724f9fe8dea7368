"""The inbox: reasons to read a patient again, kept until the patient was read.

A wake-up says only that somebody must look. However many come, a patient is read once at a time,
and not before its next turn is due; what comes while it is read makes another turn.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from msgspec import Struct

from cds.store import inbox_rows
from cds.store import inbox_statements as statements
from cds.store.engine import reading
from cds.store.inbox_claim import Claim
from cds.store.inbox_commit import GroupCommit
from cds.store.inbox_held import RowLocks
from cds.store.inbox_one_worker import OneWorker
from cds.store.inbox_turns import Order, Rota
from cds.store.rows import WakeUp
from cds.store.store import Store


_BATCH = 1000


class Waiting(Struct, frozen=True):
    """How many wake-ups wait, and when the first of them was received."""

    count: int
    oldest: datetime | None


class Inbox:
    """Wake-ups of every site; shared by threads. Many processes put; who may claim, see `claim`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._commits = GroupCommit(self._commit)
        self._rota = Rota()
        self._postgresql = store.engine.dialect.name == "postgresql"
        self._turns = RowLocks(store.engine) if self._postgresql else OneWorker(store)

    def put(self, wake_ups: Sequence[WakeUp]) -> int:
        """Keep them; on the disk when it returns. How many were new.

        A (site, source, event) that is there already changes nothing. Raises `StoreDown`: nothing
        was kept as far as is known, and putting it again does no harm.
        """
        return self._commits.put(wake_ups) if wake_ups else 0

    @contextmanager
    def claim(self, now: datetime) -> Iterator[Claim | None]:
        """The patient whose turn it is and who waits longest; None: nothing is due.

        Nobody else gets that patient until the block ends or, once it is finished, until its next
        turn is due. Sites take turns: one with many wake-ups holds up no other. PostgreSQL: as many
        processes and threads as there are connections. SQLite: one process, the first that asks;
        another gets `AnotherWorker`. Raises `StoreDown`.
        """
        with self._turns.next(Order(self._rota, now)) as taken:
            yield None if taken is None else Claim(*taken)

    def waiting(self, now: datetime) -> Waiting:
        """Of what was received until `now` and is not done. Raises `StoreDown`."""
        with reading(self._store.engine) as connection:
            count, oldest = connection.execute(statements.waiting(now)).one()
        return Waiting(count, oldest)

    def prune(self, before: datetime) -> int:
        """Remove wake-ups that were done earlier, and turns nobody waits for; how many wake-ups.

        What waits stays, however old. Raises `StoreDown`; what was removed until then is.
        """
        removed, some = 0, _BATCH
        while some == _BATCH:
            with self._store.writing("NORMAL") as connection:
                some = connection.execute(statements.done_before(before, _BATCH)).rowcount
            removed += some
        with self._store.writing("NORMAL") as connection:
            if self._postgresql:  # a wake-up that is being put counts on its turn
                connection.exec_driver_sql(statements.LOCK_TURNS)
            connection.execute(statements.idle_turns(before))
        return removed

    def close(self) -> None:
        """SQLite: let another process be the worker."""
        if isinstance(self._turns, OneWorker):
            self._turns.close()

    def _commit(self, groups: Sequence[Sequence[WakeUp]]) -> list[int]:
        with self._store.writing() as connection:
            return inbox_rows.put(connection, groups)
