"""Who was decided on lately at a site, and what was decided before; reads, judges nothing."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Select, func, select

from cds.store.engine import reading
from cds.store.store import Store
from cds.store.tables import decisions


class Decided(Struct, frozen=True):
    """One decision that is kept: whose, when, and the assessment as it was sent."""

    patient: str
    evaluated_at: datetime
    assessment: str


class Recent:
    """Decisions of many patients at once. Every call raises `StoreDown`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def patients(self, site: str, since: datetime) -> tuple[str, ...]:
        """Whom something was decided on at this site at or after `since`, by id."""
        wanted = (
            select(decisions.c.patient)
            .where(decisions.c.site == site, decisions.c.evaluated_at >= since)
            .distinct()
            .order_by(decisions.c.patient)
        )
        with reading(self._store.engine) as connection:
            return tuple(connection.execute(wanted).scalars())

    def before(
        self, site: str, patients: Collection[str], since: datetime, until: datetime
    ) -> dict[str, Decided]:
        """By patient the newest decision from `since` to `until`, both included, if there is one.

        One that could not be evaluated tells nothing to compare with, and is passed over.
        """
        wanted = _newest(site, patients, since, until)
        with reading(self._store.engine) as connection:
            rows = connection.execute(wanted).mappings()
            return {
                row["patient"]: Decided(row["patient"], row["evaluated_at"], row["assessment"])
                for row in rows
            }


def _newest(site: str, patients: Collection[str], since: datetime, until: datetime) -> Select[Any]:
    row = decisions.c
    place = func.row_number().over(
        partition_by=row.patient, order_by=(row.evaluated_at.desc(), row.id.desc())
    )
    ranked = (
        select(row.patient, row.evaluated_at, row.assessment, place.label("place"))
        .where(
            row.site == site,
            row.patient.in_(sorted(patients)),
            row.evaluated_at >= since,
            row.evaluated_at <= until,
            row.cannot_evaluate.is_(False),
        )
        .subquery("ranked")
    )
    return select(ranked).where(ranked.c.place == 1)
