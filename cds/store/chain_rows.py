"""From kept rows to entries of the chain: for its check, and for rows that are older than it."""

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby, islice
from operator import attrgetter
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, Table, exists, literal, select, union_all

from cds.store import chain as links
from cds.store import statements
from cds.store.chain import Entry, Kind
from cds.store.tables import chain, decisions, feedback


BATCH = 500

T = TypeVar("T")


def entries(connection: Connection, kind: Kind, ids: Collection[str]) -> dict[str, Entry]:
    """By id, as these rows are now; a row that is not there is left out."""
    table = decisions if kind == "decision" else feedback
    found = connection.execute(select(table).where(table.c.id.in_(ids))).mappings().all()
    if kind == "feedback":
        return {row["id"]: links.feedback_entry(row) for row in found}
    shown: dict[str, list[Any]] = {row["id"]: [] for row in found}
    for card in connection.execute(statements.cards_of(list(shown))).mappings():
        shown[card["decision"]].append(card)
    return {row["id"]: links.decision_entry(row, shown[row["id"]]) for row in found}


def unlinked(site: str | None = None) -> Select[Any]:
    """site, kind and id of rows that no link is about, by site and time."""
    every = union_all(
        _without_link(decisions, "decision", decisions.c.evaluated_at),
        _without_link(feedback, "feedback", feedback.c.received_at),
    ).subquery()
    found = select(every).order_by(every.c.site, every.c.at, every.c.kind, every.c.id)
    return found if site is None else found.where(every.c.site == site)


def append_unlinked(connection: Connection) -> None:
    """Link every row that is not yet; for the migration that brought the chain."""
    found = connection.execute(unlinked()).all()
    for site, group in groupby(found, key=attrgetter("site")):
        head = links.take(connection, connection.dialect.name, site)
        for batch in batches(group):
            made: dict[tuple[str, str], Entry] = {}
            for kind in ("decision", "feedback"):
                ids = [row.id for row in batch if row.kind == kind]
                made |= {(kind, id_): one for id_, one in entries(connection, kind, ids).items()}
            head = links.extend(connection, head, [made[row.kind, row.id] for row in batch])


def batches(rows: Iterator[T] | Sequence[T]) -> Iterator[list[T]]:
    """Of `BATCH` each; the last may be shorter."""
    every = iter(rows)
    while batch := list(islice(every, BATCH)):
        yield batch


def _without_link(table: Table, kind: Kind, at: Any) -> Select[Any]:
    linked = exists().where(
        chain.c.site == table.c.site, chain.c.kind == kind, chain.c.id == table.c.id
    )
    columns = (table.c.site, literal(kind).label("kind"), table.c.id, at.label("at"))
    return select(*columns).where(~linked)
