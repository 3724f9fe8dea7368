"""What was last decided for a patient, and lately at a site; reads what a comparison needs."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Select, select

from cds.store.engine import reading
from cds.store.rows import InputRef
from cds.store.store import Store
from cds.store.tables import decisions, inbox


class Kept(Struct, frozen=True):
    """One decision that is kept: whose, when, the assessment as it was sent, on which inputs."""

    id: str
    patient: str
    evaluated_at: datetime
    assessment: str
    inputs: tuple[InputRef, ...] = ()


class Latest:
    """Decisions by their time. Every call raises `StoreDown` while the store cannot be read."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def last(self, site: str, patient: str) -> Kept | None:
        """The newest decision of this patient; None where there is none."""
        with reading(self._store.engine) as connection:
            row = connection.execute(_of_patient(site, patient)).mappings().first()
        return None if row is None else _kept(row)

    def between(self, site: str, since: datetime, until: datetime) -> tuple[Kept, ...]:
        """Each patient's newest decision of those evaluated from `since` to before `until`."""
        return tuple({kept.patient: kept for kept in self._all(site, since, until)}.values())

    def put_since(self, site: str, source: str, event: str) -> bool:
        """Whether the inbox has a row of `source` whose event is `event` or sorts after it."""
        wanted = (
            select(inbox.c.id)
            .where(inbox.c.site == site, inbox.c.source == source, inbox.c.event >= event)
            .limit(1)
        )
        with reading(self._store.engine) as connection:
            return connection.execute(wanted).first() is not None

    def _all(self, site: str, since: datetime, until: datetime) -> Iterator[Kept]:
        table = decisions.c
        wanted = (
            _columns()
            .where(table.site == site, table.evaluated_at >= since, table.evaluated_at < until)
            .order_by(table.evaluated_at, table.id)
        )
        with reading(self._store.engine) as connection:
            found = connection.execution_options(yield_per=500).execute(wanted)
            for row in found.mappings():
                yield _kept(row)


def _columns() -> Select[Any]:
    table = decisions.c
    return select(table.id, table.patient, table.evaluated_at, table.assessment, table.inputs)


def _of_patient(site: str, patient: str) -> Select[Any]:
    table = decisions.c
    return (
        _columns()
        .where(table.site == site, table.patient == patient)
        .order_by(table.evaluated_at.desc(), table.id.desc())
        .limit(1)
    )


def _kept(row: Any) -> Kept:
    inputs = msgspec.json.decode(row["inputs"], type=tuple[InputRef, ...])
    return Kept(row["id"], row["patient"], row["evaluated_at"], row["assessment"], inputs)
