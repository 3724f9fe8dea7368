"""Removes what is older than it has to be kept; from the front of a chain only, so it still holds.

A patient's last decision stays, however old: it may hold an event that is still open. It is linked
again at the end, so that it holds up nothing behind it. Run by an operator, never by a request.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    tuple_,
    union,
    update,
)

from cds.store import append_only
from cds.store import chain as links
from cds.store.chain import Entry, Head
from cds.store.chain_rows import BATCH
from cds.store.engine import reading, writing
from cds.store.instant import Instant
from cds.store.store import Store
from cds.store.tables import (
    acknowledgements,
    cards,
    chain,
    chain_heads,
    decisions,
    feedback,
    inbox,
    launches,
    statements,
    told,
)


_OVER = ("written", "withdrawn")  # of a statement: it is in a chart, or nobody wants it there


class Removed(Struct, frozen=True, kw_only=True):
    """How many rows are gone; `carried`: last decisions of a patient that were linked again.

    `unwritten`: old statements that stay, because no chart has them and nobody withdrew them.
    """

    decisions: int = 0
    feedback: int = 0
    acknowledgements: int = 0
    inbox: int = 0
    told: int = 0
    statements: int = 0
    launches: int = 0
    carried: int = 0
    unwritten: int = 0

    def __add__(self, other: "Removed") -> "Removed":
        names = self.__struct_fields__
        return Removed(**{name: getattr(self, name) + getattr(other, name) for name in names})


def remove_before(store: Store, before: datetime, *, site: str) -> Removed:
    """Decisions evaluated, feedback received and other rows of `site` from before this moment.

    Of statements those that are in a chart or withdrawn; of launches those that had to be over. A
    decision or feedback that was kept after one that is too young stays until that one is old
    enough. In batches, each a transaction of its own: what was removed before a `StoreDown` stays
    removed, and it may be run again.
    """
    removed = Removed()
    last = _last_to_go(store, before, site)
    while last is not None:
        with writing(store.engine) as connection:
            step = _remove_front(connection, site, last)
        if step is None:
            break
        removed += step
    for table, old in _others(site, before):
        with writing(store.engine) as connection:
            _leave_nothing(connection)
            gone = connection.execute(delete(table).where(old)).rowcount
        removed += Removed(**{table.name: gone})
    return removed + Removed(unwritten=_unwritten(store, before, site))


def sites(store: Store) -> tuple[str, ...]:
    """Every site of which something is kept that may be removed."""
    tables = (chain_heads, acknowledgements, inbox, told, statements, launches)
    wanted = union(*(select(table.c.site) for table in tables))
    with reading(store.engine) as connection:
        return tuple(sorted(connection.execute(wanted).scalars()))


def _last_to_go(store: Store, before: datetime, site: str) -> int | None:
    """The last position that can be removed with all before it; None: nothing can."""
    at = func.coalesce(decisions.c.evaluated_at, feedback.c.received_at, type_=Instant())
    young = (
        select(func.min(chain.c.position))
        .select_from(_with_rows())
        # A link whose row is not there is for the check to find, not to be cleared away.
        .where(chain.c.site == site, or_(at.is_(None), at >= before))
        .scalar_subquery()
    )
    wanted = (
        select(func.max(chain.c.position))
        .select_from(_with_rows())
        .where(chain.c.site == site, or_(young.is_(None), chain.c.position < young))
        .where(or_(chain.c.kind == "feedback", _newer_one()))
    )
    with reading(store.engine, snapshot=True) as connection:
        return connection.execute(wanted).scalar()


def _remove_front(connection: Connection, site: str, last: int) -> Removed | None:
    """One batch from the front up to position `last`; None: nothing is left to remove."""
    head = links.take(connection, connection.dialect.name, site)
    old = connection.execute(_front(head, last)).all()
    if not old:
        return None
    kept = [row for row in old if row.kind == "decision" and not row.newer]
    links.extend(connection, head, [Entry(row.kind, row.id, row.digest) for row in kept])
    _leave_nothing(connection)
    with append_only.deleting(connection):
        gone = _delete(connection, site, old)
    connection.execute(
        update(chain_heads)
        .where(chain_heads.c.site == site)
        .values(kept_from=old[-1].position + 1, kept_link=old[-1].link)
    )
    return gone + Removed(carried=len(kept))


def _front(head: Head, last: int) -> Select[Any]:
    return (
        select(chain, _newer_one().label("newer"))
        .select_from(_with_rows())
        .where(chain.c.site == head.site)
        .where(chain.c.position >= head.kept_from, chain.c.position <= last)
        .order_by(chain.c.position)
        .limit(BATCH)
    )


def _delete(connection: Connection, site: str, old: Sequence[Row[Any]]) -> Removed:
    first, last = old[0].position, old[-1].position
    gone = [row.id for row in old if row.kind == "decision" and row.newer]
    answered = [row.id for row in old if row.kind == "feedback"]
    connection.execute(delete(cards).where(cards.c.decision.in_(gone)))
    connection.execute(delete(decisions).where(decisions.c.id.in_(gone)))
    connection.execute(delete(feedback).where(feedback.c.id.in_(answered)))
    within = and_(chain.c.position >= first, chain.c.position <= last)
    connection.execute(delete(chain).where(chain.c.site == site, within))
    return Removed(decisions=len(gone), feedback=len(answered))


def _with_rows() -> Any:
    """Each link with the row it is about."""
    decision = and_(chain.c.kind == "decision", decisions.c.id == chain.c.id)
    answer = and_(chain.c.kind == "feedback", feedback.c.id == chain.c.id)
    return chain.outerjoin(decisions, decision).outerjoin(feedback, answer)


def _newer_one() -> ColumnElement[bool]:
    """Whether the patient of a decision has a newer one."""
    newer = decisions.alias("newer")
    order = tuple_(newer.c.evaluated_at, newer.c.id) > tuple_(
        decisions.c.evaluated_at, decisions.c.id
    )
    same = (newer.c.site == decisions.c.site, newer.c.patient == decisions.c.patient)
    return exists().where(*same, order).correlate(decisions)


def _others(site: str, before: datetime) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    yield acknowledgements, and_(acknowledgements.c.site == site, acknowledgements.c.at < before)
    yield inbox, and_(inbox.c.site == site, inbox.c.done_at < before)
    yield told, and_(told.c.site == site, told.c.at < before)
    yield statements, and_(_charted(before, site), statements.c.state.in_(_OVER))
    yield launches, and_(launches.c.site == site, launches.c.ends_at < before)


def _charted(before: datetime, site: str) -> ColumnElement[bool]:
    return and_(statements.c.site == site, statements.c.charted_at < before)


def _unwritten(store: Store, before: datetime, site: str) -> int:
    wanted = select(func.count()).select_from(statements)
    waiting = and_(_charted(before, site), statements.c.state.not_in(_OVER))
    with reading(store.engine) as connection:
        return int(connection.execute(wanted.where(waiting)).scalar_one())


def _leave_nothing(connection: Connection) -> None:
    """SQLite otherwise leaves what was deleted in the file until its place is needed."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
