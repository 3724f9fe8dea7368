"""Whether the chain still tells of every row, as it was kept and in its order; changes nothing.

Who can write to the database could make a whole chain anew: only a head that was noted elsewhere
shows that, and whether the end was cut off.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import Connection, Select, func, select, union

from cds.store.chain import START, Entry, Head, Kind, all_heads, head_now, next_link
from cds.store.chain_rows import BATCH, entries, unlinked
from cds.store.engine import reading
from cds.store.store import Store
from cds.store.tables import chain, chain_heads, decisions, feedback


What = Literal[
    "changed", "deleted", "inserted", "repeated", "relinked", "no-link", "stray", "head", "noted"
]
# What each says to somebody who reads it.
WORDS: dict[What, str] = {
    "changed": "is not what was kept",
    "deleted": "was kept and is not there",
    "inserted": "is there and no link is about it",
    "repeated": "has two links",
    "relinked": "the link does not follow from the one before",
    "no-link": "the link before this one is not there",
    "stray": "the link is from before the chain begins",
    "head": "the chain does not end where its head says",
    "noted": "the chain does not go through the head that was noted, or does not go back so far",
}


_KINDS: tuple[Kind, ...] = ("decision", "feedback")
_UNREADABLE = (ValueError, TypeError)  # what was put into a column that its type cannot read


class Problem(Struct, frozen=True, kw_only=True):
    """What is not as it was kept. `position` in the chain of `site`; `kind`, `id` of the row."""

    site: str
    what: What
    position: int | None = None
    kind: Kind | None = None
    id: str = ""


class Noted(Struct, frozen=True):
    """A head that somebody wrote down: there was this link at this position."""

    position: int
    link: str


def verify(store: Store, site: str, noted: Noted | None = None) -> Iterator[Problem]:
    """Every difference between a site's chain and what is kept, in one snapshot of the database.

    `noted`: must be in the chain, or just before what is still kept of it. Raises `StoreDown`.
    """
    with reading(store.engine, snapshot=True) as connection:
        head = head_now(connection, site)
        yield from _links(connection, head)
        for row in connection.execute(_repeated(site)):
            yield Problem(site=site, what="repeated", kind=row.kind, id=row.id)
        for row in connection.execute(unlinked(site)):
            yield Problem(site=site, what="inserted", kind=row.kind, id=row.id)
        if noted is not None and _at(connection, head, noted.position) != noted.link:
            yield Problem(site=site, what="noted", position=noted.position)


def heads(store: Store) -> tuple[Head, ...]:
    """Of every site that keeps anything, by site; a site whose head is missing has an empty one."""
    every = union(*(select(table.c.site) for table in (chain_heads, chain, decisions, feedback)))
    with reading(store.engine, snapshot=True) as connection:
        kept = {head.site: head for head in all_heads(connection)}
        sites = sorted(connection.execute(every).scalars())
    return tuple(kept.get(site) or Head(site=site) for site in sites)


def _links(connection: Connection, head: Head) -> Iterator[Problem]:
    position, link = head.kept_from - 1, head.kept_link
    if position < 0 or (position == 0 and link != START):
        yield Problem(site=head.site, what="head", position=position)
    for stray in connection.execute(_until(head.site, position)).scalars():
        yield Problem(site=head.site, what="stray", position=stray)
    while batch := _batch(connection, head.site, position):
        there = _there(connection, batch)
        for row in batch:
            entry = Entry(row["kind"], row["id"], row["digest"])
            what = _link_problem(row, entry, position, link)
            if what is not None:
                yield _problem(what, row)
            found = there.get((entry.kind, entry.id))
            if found != entry:
                yield _problem("changed" if found else "deleted", row)
            position, link = row["position"], row["link"]
    if (position, link) != (head.position, head.link):
        yield Problem(site=head.site, what="head", position=head.position)


def _there(connection: Connection, batch: Sequence[Any]) -> dict[tuple[str, str], Entry]:
    found: dict[tuple[str, str], Entry] = {}
    for kind in _KINDS:
        ids = _ids(batch, kind)
        try:
            of_kind = entries(connection, kind, ids)
        except _UNREADABLE:  # one of them
            of_kind = dict(_one_by_one(connection, kind, ids))
        found |= {(kind, id_): entry for id_, entry in of_kind.items()}
    return found


def _one_by_one(
    connection: Connection, kind: Kind, ids: Sequence[str]
) -> Iterator[tuple[str, Entry]]:
    for id_ in ids:
        try:
            yield from entries(connection, kind, [id_]).items()
        except _UNREADABLE:
            yield id_, Entry(kind, id_, "")


def _link_problem(row: Any, entry: Entry, position: int, link: str) -> What | None:
    if row["position"] != position + 1:
        return "no-link"
    return None if row["link"] == next_link(link, entry) else "relinked"


def _problem(what: What, row: Any) -> Problem:
    return Problem(
        site=row["site"], what=what, position=row["position"], kind=row["kind"], id=row["id"]
    )


def _batch(connection: Connection, site: str, after: int) -> Sequence[Any]:
    wanted = (
        select(chain)
        .where(chain.c.site == site, chain.c.position > after)
        .order_by(chain.c.position)
        .limit(BATCH)
    )
    return _mappings(connection, wanted)


def _until(site: str, last: int) -> Select[Any]:
    return select(chain.c.position).where(chain.c.site == site, chain.c.position <= last)


def _repeated(site: str) -> Select[Any]:
    row = (chain.c.kind, chain.c.id)
    return select(*row).where(chain.c.site == site).group_by(*row).having(func.count() > 1)


def _ids(batch: Sequence[Any], kind: Kind) -> list[str]:
    return [row["id"] for row in batch if row["kind"] == kind]


def _at(connection: Connection, head: Head, position: int) -> str | None:
    if position == head.kept_from - 1:
        return head.kept_link
    wanted = select(chain.c.link).where(chain.c.site == head.site, chain.c.position == position)
    return connection.execute(wanted).scalar()


def _mappings(connection: Connection, wanted: Any) -> Sequence[Any]:
    return connection.execute(wanted).mappings().all()
