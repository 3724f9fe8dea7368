"""Who is watched: patients with a bispecific within the look-back; derives nothing, keeps rows.

The order in which two findings about a patient arrive does not matter.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import case, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from cds.store.engine import reading
from cds.store.rows import Watched
from cds.store.store import Store
from cds.store.tables import watched


class Cohort:
    """The watched patients of every site."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def watch(self, rows: Sequence[Watched]) -> None:
        """Watch these patients; a patient once, however often. Raises `StoreDown`.

        What was seen last says the product and the last dose. `until` only moves away: watching
        somebody in vain does no harm.
        """
        if not rows:
            return
        values = [msgspec.structs.asdict(row) for row in sorted(rows, key=_key)]
        with self._store.writing() as connection:
            connection.execute(_keep_watching(self._store.engine.dialect.name), values)

    def watched(self, site: str, now: datetime) -> tuple[Watched, ...]:
        """Those of this site whose `until` is not over, by patient. Raises `StoreDown`."""
        wanted = (
            select(watched)
            .where(watched.c.site == site, watched.c.until >= now)
            .order_by(watched.c.patient)
        )
        with reading(self._store.engine) as connection:
            return tuple(Watched(**row) for row in connection.execute(wanted).mappings())

    def forget(self, before: datetime) -> int:
        """Remove those whose `until` is earlier; returns how many. Raises `StoreDown`."""
        with self._store.writing("NORMAL") as connection:
            return connection.execute(delete(watched).where(watched.c.until < before)).rowcount


def _key(row: Watched) -> tuple[str, str]:
    """Two processes that write the same rows take them in the same order: no deadlock."""
    return row.site, row.patient


def _keep_watching(dialect: str) -> Insert:
    make = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(watched)
    new, old = make.excluded, watched.c
    newer = new.seen_at >= old.seen_at
    return make.on_conflict_do_update(
        index_elements=[old.site, old.patient],
        set_={
            "agent": case((newer, new.agent), else_=old.agent),
            "last_dose": case((newer, new.last_dose), else_=old.last_dose),
            "seen_at": case((newer, new.seen_at), else_=old.seen_at),
            "until": case((new.until > old.until, new.until), else_=old.until),
        },
    )
