"""The statements of the inbox, as values; executes nothing.

A row of `turns` says from when on its patient may be read; those with wake-ups that wait are taken
in that order. A wake-up that comes to an idle turn sets it to its own time; one that comes while
the patient is being read, or before the turn is due, leaves it alone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Delete,
    Select,
    Update,
    delete,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.dml import ReturningInsert

from cds.store.tables import inbox, turns


# PostgreSQL, for a connection that claims: follow the index to the first row, whatever is in the
# statistics, which know nothing of a flood that has just come.
IN_ORDER = "; ".join(
    f"SET {name} = off" for name in ("enable_sort", "enable_bitmapscan", "enable_seqscan", "jit")
)
LOCK_TURNS = "LOCK TABLE turns IN SHARE ROW EXCLUSIVE MODE"  # PostgreSQL; not against row locks
_UNDONE = inbox.c.done_at.is_(None)
_WAITS = (  # asked of one turn after the other: a planner must not read all that waits at once
    select(inbox.c.id)
    .where(inbox.c.site == turns.c.site, inbox.c.patient == turns.c.patient, _UNDONE)
    .limit(1)
    .correlate(turns)
    .scalar_subquery()
    .is_not(None)
)


def put_wake_ups() -> ReturningInsert[Any]:
    """SQLite: insert those that are new; gives back their keys."""
    made = sqlite.insert(inbox).on_conflict_do_nothing()
    return made.returning(inbox.c.site, inbox.c.source, inbox.c.event)


def put_turns() -> ReturningInsert[Any]:
    """SQLite: insert those that are new; gives back their keys."""
    made = sqlite.insert(turns).on_conflict_do_nothing()
    return made.returning(turns.c.site, turns.c.patient)


def wake_idle_turn(site: str, patient: str, since: datetime) -> Update:
    """SQLite: if nobody waited for it before, its time is this one."""
    return _turn(site, patient).where(turns.c.not_before < since, ~_WAITS).values(not_before=since)


def sites_with_turns() -> Select[Any]:
    """Every site that has turns, by name; steps from one to the next in the index."""
    first = select(func.min(turns.c.site).label("site")).cte("sites", recursive=True)
    further = select(func.min(turns.c.site)).where(turns.c.site > first.c.site).scalar_subquery()
    found = first.union_all(select(further).where(first.c.site.is_not(None)))
    return select(found.c.site).where(found.c.site.is_not(None)).order_by(found.c.site)


def due_turns(site: str, now: datetime, count: int) -> Select[Any]:
    """The first turns that are due and have a wake-up; locked where the database can do that."""
    return _turns(site, count).where(turns.c.not_before <= now)


def far_turns(site: str, horizon: datetime, count: int) -> Select[Any]:
    """The same of those that were put off beyond `horizon`."""
    return _turns(site, count).where(turns.c.not_before > horizon)


def _turns(site: str, count: int) -> Select[Any]:
    return (
        select(turns.c.site, turns.c.patient, turns.c.attempts)
        .where(turns.c.site == site, _WAITS)
        .order_by(turns.c.site, turns.c.not_before, turns.c.patient)
        .limit(count)
        # Not FOR UPDATE: the inbox may grow while the patient is read.
        .with_for_update(key_share=True, skip_locked=True, of=turns)
    )


def hold_turn(site: str, patient: str) -> Select[Any]:
    """Lock it unless somebody else has."""
    found = select(turns.c.attempts).where(turns.c.site == site, turns.c.patient == patient)
    return found.with_for_update(key_share=True, skip_locked=True)


def waiting_of(site: str, patient: str) -> Select[Any]:
    """The wake-ups of one turn, in the order in which they came."""
    return (
        select(inbox.c.id, inbox.c.ref, inbox.c.received_at)
        .where(inbox.c.site == site, inbox.c.patient == patient, _UNDONE)
        .order_by(inbox.c.id)
    )


def mark_done(ids: Sequence[int], now: datetime, decision: str | None) -> Update:
    """SQLite: those that are not done yet."""
    return update(inbox).where(inbox.c.id.in_(ids), _UNDONE).values(done_at=now, decision=decision)


def next_turn(site: str, patient: str, not_before: datetime) -> Update:
    """SQLite: after it was taken; from then on, and no attempt was made."""
    return _turn(site, patient).values(not_before=not_before, attempts=0)


def later_turn(site: str, patient: str, until: datetime) -> Update:
    """After an attempt that came to nothing."""
    return _turn(site, patient).values(not_before=until, attempts=turns.c.attempts + 1)


def _turn(site: str, patient: str) -> Update:
    return update(turns).where(turns.c.site == site, turns.c.patient == patient)


def waiting(now: datetime) -> Any:
    """How many wake-ups wait, and since when the first of them."""
    return select(func.count(), func.min(inbox.c.received_at)).where(
        _UNDONE, inbox.c.received_at <= now
    )


def done_before(before: datetime, count: int) -> Delete:
    """Some of those that were done earlier."""
    some = select(inbox.c.id).where(inbox.c.done_at < before).limit(count)
    return delete(inbox).where(inbox.c.id.in_(some))


def idle_turns(before: datetime) -> Delete:
    """Turns that were due earlier and have no wake-up; those that are taken now are passed over."""
    key = tuple_(turns.c.site, turns.c.patient)
    idle = (
        select(turns.c.site, turns.c.patient)
        .where(turns.c.not_before < before, ~_WAITS)
        .with_for_update(skip_locked=True)
    )
    return delete(turns).where(key.in_(idle))
