"""What was written to a FHIR server about an event of a patient; decides nothing and sends nothing.

One row an event, changed in place: who tells again reads first what was told last.
"""

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from cds.store.engine import reading
from cds.store.rows import Row
from cds.store.store import Store
from cds.store.tables import told


class ToldRow(Row, frozen=True):
    """Of one event (`toxicity` crs or icans, its `onset`): what was `said` last, where, and when.

    `said`: text of the caller's own making, to compare with. `ref`: "Flag/12", as the server named
    what was written; empty: the server has not taken it.
    """

    site: str
    patient: str
    toxicity: str
    onset: datetime
    said: str
    ref: str
    at: datetime


class Told:
    """What was told about every event of every site."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def last(self, site: str, patient: str, toxicity: str, onset: datetime) -> ToldRow | None:
        """What was kept last about this event. Raises `StoreDown`."""
        wanted = select(told).where(
            told.c.site == site,
            told.c.patient == patient,
            told.c.toxicity == toxicity,
            told.c.onset == onset,
        )
        with reading(self._store.engine) as connection:
            found = connection.execute(wanted).mappings().one_or_none()
            return None if found is None else ToldRow(**found)

    def of_patient(self, site: str, patient: str) -> tuple[ToldRow, ...]:
        """About every event of this patient, by onset. Raises `StoreDown`."""
        wanted = (
            select(told)
            .where(told.c.site == site, told.c.patient == patient)
            .order_by(told.c.onset, told.c.toxicity)
        )
        with reading(self._store.engine) as connection:
            return tuple(ToldRow(**row) for row in connection.execute(wanted).mappings())

    def keep(self, row: ToldRow) -> None:
        """In the place of what was kept about this event before. Raises `StoreDown`."""
        with self._store.writing() as connection:
            values = msgspec.structs.asdict(row)
            connection.execute(_in_place(self._store.engine.dialect.name), values)


def _in_place(dialect: str) -> Insert:
    make = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(told)
    new = make.excluded
    return make.on_conflict_do_update(
        index_elements=[told.c.site, told.c.patient, told.c.toxicity, told.c.onset],
        set_={"said": new.said, "ref": new.ref, "at": new.at},
    )
