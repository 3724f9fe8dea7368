"""PostgreSQL: a patient is held by the lock on the row of its turn, for as long as it is read.

The lock belongs to an open transaction: it is gone at once with the process or the connection that
has it. Whoever looks for work passes locked rows over; whoever puts a wake-up waits for none.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime

from sqlalchemy import Connection, Engine

from cds.store import inbox_rows
from cds.store import inbox_statements as statements
from cds.store.engine import translated
from cds.store.errors import StoreDown, StoreRefused
from cds.store.inbox_claim import Seen
from cds.store.inbox_turns import Order
from cds.store.rows import DecisionRow, WakeUp


LEASE_SECONDS = 300  # then the server ends a transaction in which nothing happens
_LEASE = f"SET idle_in_transaction_session_timeout = {LEASE_SECONDS * 1000}"


class RowLocks:
    """Many worker processes, many threads each; one connection a patient that is held."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def next(self, order: Order) -> Iterator[tuple[Seen, "RowLock"] | None]:
        """The first turn nobody holds, held until the block ends. Raises `StoreDown`."""
        with translated():
            connection = self._engine.connect()
        try:
            with translated():
                _prepare(connection)
                seen = _first(connection, order)
            yield None if seen is None else (seen, RowLock(connection, seen))
        finally:
            # Of a connection that is gone, so is the lock.
            with suppress(StoreDown), translated():
                connection.close()


class RowLock:
    """The lock on one turn: what a claim ends with is committed in the transaction that has it."""

    def __init__(self, connection: Connection, seen: Seen) -> None:
        self._connection = connection
        self._seen = seen

    def finish(self, decision: DecisionRow | None, now: datetime, not_before: datetime) -> None:
        """Commit it. Where the next turn is due at once, hold it."""
        self._commit(
            lambda: inbox_rows.finish(self._connection, self._seen, decision, now, not_before)
        )
        if not_before <= now:
            self._hold()

    def replace(self, wake_ups: Sequence[WakeUp], now: datetime) -> None:
        """Commit it; hold the turn, which is due again."""
        self._commit(lambda: inbox_rows.replace(self._connection, self._seen, wake_ups, now))
        self._hold()

    def postpone(self, until: datetime) -> None:
        """Commit it."""
        turn = statements.later_turn(self._seen.site, self._seen.patient, until)
        self._commit(lambda: self._connection.execute(turn))

    def _commit(self, do: Callable[[], object]) -> None:
        try:
            with translated():
                do()
                self._connection.commit()
        except (StoreDown, StoreRefused):
            self._hold()
            raise

    def _hold(self) -> None:
        """The lock has ended with the transaction: take it again, unless somebody was faster."""
        turn = statements.hold_turn(self._seen.site, self._seen.patient)
        with suppress(StoreDown), translated():
            self._connection.rollback()
            self._connection.execute(turn).all()


def _prepare(connection: Connection) -> None:
    """Once a connection: `info` lives as long as the connection in the pool does."""
    if "claims" not in connection.info:
        connection.exec_driver_sql(f"{_LEASE}; {statements.IN_ORDER}")
        connection.commit()
        connection.info["claims"] = True


def _first(connection: Connection, order: Order) -> Seen | None:
    for site in order.sites(connection):
        for wanted in order.turns(site, 1):
            found = connection.execute(wanted).one_or_none()
            if found is not None:
                order.took(site)
                return inbox_rows.waiting(connection, found.site, found.patient, found.attempts)
    return None
