"""The events that the decisions of one patient remember; reads, judges nothing."""

from datetime import datetime

import msgspec
from sqlalchemy import Column, Select, bindparam, select

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
    known = {"site": site, "patient": patient, "before": before}
    with reading(store.engine) as connection:
        found = [connection.execute(newest, known).scalar() for newest in _NEWEST]
    return tuple(event for text in found if text for event in _decoded(text))


def _newest(column: Column[str]) -> Select[str]:
    where = (
        decisions.c.site == bindparam("site"),
        decisions.c.patient == bindparam("patient"),
        decisions.c.evaluated_at < bindparam("before"),
        column.is_not(None),
    )
    newest = (decisions.c.evaluated_at.desc(), decisions.c.id.desc())
    return select(column).where(*where).order_by(*newest).limit(1)


# Made once: every call runs them.
_NEWEST = tuple(_newest(column) for column in (decisions.c.crs_events, decisions.c.icans_events))


def _decoded(text: str) -> tuple[EarlierEvent, ...]:
    return msgspec.json.decode(text, type=tuple[EarlierEvent, ...])
