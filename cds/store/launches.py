"""Launches of the bedside app: what stage each is in, and what it holds, sealed by its owner.

Decides nothing, opens nothing that is sealed and reads no clock. Two who change one row at once:
one of them wins, the other is told that it lost.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import delete, insert, select, update

from cds.store.engine import reading
from cds.store.rows import Row
from cds.store.store import Store
from cds.store.tables import launches


# asked: at the authorization server; answering, refreshing: somebody talks to its token endpoint
Stage = Literal["asked", "answering", "open", "refreshing", "ended"]


class LaunchRow(Row, frozen=True):
    """One launch. `secret_sha256`: hexadecimal, of the secret that only the browser has.

    `sealed`: cannot be opened without that secret; empty once it is over. `touched_at`: last used,
    or since when it is in a stage that passes. `ends_at`: over then, however much it is used.
    """

    id: str
    site: str
    stage: Stage
    secret_sha256: str
    sealed: bytes
    touched_at: datetime
    ends_at: datetime


class Launches:
    """The launches of every site. All methods raise `StoreDown`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, row: LaunchRow) -> None:
        """Keep a new one. Raises `StoreRefused` for an id that is there."""
        with self._store.writing() as connection:
            connection.execute(insert(launches), msgspec.structs.asdict(row))

    def get(self, launch: str) -> LaunchRow | None:
        """As it is now, in whatever stage."""
        return next(iter(self.of({launch})), None)

    def of(self, ids: Collection[str]) -> tuple[LaunchRow, ...]:
        """Those of these ids that are there, the one used last first."""
        wanted = (
            select(launches)
            .where(launches.c.id.in_(sorted(ids)))
            .order_by(launches.c.touched_at.desc(), launches.c.id)
        )
        with reading(self._store.engine) as connection:
            return tuple(LaunchRow(**row) for row in connection.execute(wanted).mappings())

    def change(self, was: LaunchRow, new: LaunchRow) -> bool:
        """Put `new` in the place of `was`; False, and nothing done, where it is not as it was."""
        names = ("stage", "sealed", "touched_at", "ends_at")
        values = {name: getattr(new, name) for name in names}
        wanted = (
            update(launches)
            .where(launches.c.id == was.id, launches.c.stage == was.stage)
            .where(launches.c.sealed == was.sealed, launches.c.touched_at == was.touched_at)
            .values(values)
        )
        with self._store.writing() as connection:
            return connection.execute(wanted).rowcount == 1

    def touch(self, launch: str, now: datetime) -> None:
        """An open one is being used; nothing moves back."""
        with self._store.writing("NORMAL") as connection:
            connection.execute(
                update(launches)
                .where(launches.c.id == launch, launches.c.stage == "open")
                .where(launches.c.touched_at < now)
                .values(touched_at=now)
            )

    def end(self, ids: Collection[str]) -> None:
        """These are over, and nothing is left of what they held; the rows stay until `prune`."""
        with self._store.writing() as connection:
            connection.execute(
                update(launches)
                .where(launches.c.id.in_(sorted(ids)))
                .values(stage="ended", sealed=b"")
            )

    def prune(self, before: datetime) -> int:
        """Remove those that had to be over before this moment; returns how many."""
        with self._store.writing("NORMAL") as connection:
            return connection.execute(delete(launches).where(launches.c.ends_at < before)).rowcount
