"""Our FHIR Subscriptions and what was heard of each; talks to no FHIR server and counts nothing."""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from cds.store.engine import reading
from cds.store.rows import SubscriptionRow
from cds.store.store import Store
from cds.store.tables import subscriptions


# Written by `heard` alone: who changes a subscription has not seen what came meanwhile.
_HEARD = ("heard_at", "last_event", "gap_from", "gap_at", "missing")


class Subscribed:
    """The subscriptions of every site."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, row: SubscriptionRow) -> None:
        """Keep a new one. Raises `StoreDown`; `StoreRefused` where its id is there already."""
        with self._store.writing() as connection:
            connection.execute(insert(subscriptions), msgspec.structs.asdict(row))

    def get(self, which: str) -> SubscriptionRow | None:
        """The one with this id, which is in its endpoint. Raises `StoreDown`."""
        with reading(self._store.engine) as connection:
            return _row(connection.execute(_by_id(which)).mappings().one_or_none())

    def of_site(self, site: str) -> tuple[SubscriptionRow, ...]:
        """All of this site, by patient and criteria. Raises `StoreDown`."""
        table = subscriptions.c
        wanted = (
            select(subscriptions)
            .where(table.site == site)
            .order_by(table.patient, table.criteria, table.id)
        )
        with reading(self._store.engine) as connection:
            found = connection.execute(wanted).mappings()
            return tuple(SubscriptionRow(**row) for row in found)

    def heard(
        self,
        which: str,
        counted: Callable[[SubscriptionRow], SubscriptionRow],
    ) -> SubscriptionRow | None:
        """Put what `counted` makes of the row in its place; no other process comes in between.

        `counted`: pure and quick; the row as it is stored in, the row to be stored out, unchanged
        where there is nothing to write. Returns the new row; None: no such subscription. Not forced
        to the disk by itself: a loss looks like a gap, and a gap is caught up. Raises `StoreDown`.
        """
        with self._store.writing("NORMAL") as connection:
            _no_hurry(connection)
            found = connection.execute(_by_id(which).with_for_update()).mappings().one_or_none()
            before = _row(found)
            if before is None:
                return None
            after = counted(before)
            if after != before:
                _write(connection, which, _values(after))
            return after

    def change(self, row: SubscriptionRow) -> bool:
        """Write all but what was heard (`heard_at`, `last_event`, the gap).

        False: no such subscription. Raises `StoreDown`.
        """
        values = {name: value for name, value in _values(row).items() if name not in _HEARD}
        with self._store.writing() as connection:
            return _write(connection, row.id, values)

    def remove(self, which: str) -> bool:
        """Whether it was there. Raises `StoreDown`."""
        with self._store.writing() as connection:
            gone = connection.execute(delete(subscriptions).where(subscriptions.c.id == which))
            return gone.rowcount == 1


def _no_hurry(connection: Connection) -> None:
    """PostgreSQL's counterpart of SQLite's `synchronous=NORMAL`, for this transaction."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")


def _by_id(which: str) -> Any:
    return select(subscriptions).where(subscriptions.c.id == which)


def _write(connection: Connection, which: str, values: dict[str, Any]) -> bool:
    changed = update(subscriptions).where(subscriptions.c.id == which).values(values)
    return connection.execute(changed).rowcount == 1


def _values(row: SubscriptionRow) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.structs.asdict(row)
    values.pop("id")
    return values


def _row(found: Any) -> SubscriptionRow | None:
    return None if found is None else SubscriptionRow(**found)
