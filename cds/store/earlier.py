"""The events that the decisions of one patient remember; reads, judges nothing."""

from datetime import datetime

import msgspec
from sqlalchemy import Column, Select, select

from cds.store.engine import reading
from cds.store.store import Store
from cds.store.tables import decisions
from knowledge.earlier import EarlierEvent


def earlier_events(
    store: Store, site: str, patient: str, before: datetime
) -> tuple[EarlierEvent, ...]:
    """By toxicity, what the newest decision before `before` that knows of it remembers.

    Raises `StoreDown`.
    """
    with reading(store.engine) as connection:
        found = [
            connection.execute(_newest(column, site, patient, before)).scalar()
            for column in (decisions.c.crs_events, decisions.c.icans_events)
        ]
    return tuple(event for text in found if text for event in _decoded(text))


def _newest(column: Column[str], site: str, patient: str, before: datetime) -> Select[str]:
    where = (
        decisions.c.site == site,
        decisions.c.patient == patient,
        decisions.c.evaluated_at < before,
        column.is_not(None),
    )
    newest = (decisions.c.evaluated_at.desc(), decisions.c.id.desc())
    return select(column).where(*where).order_by(*newest).limit(1)


def _decoded(text: str) -> tuple[EarlierEvent, ...]:
    return msgspec.json.decode(text, type=tuple[EarlierEvent, ...])
