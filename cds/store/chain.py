"""The chain over what is kept: the digest of each row, linked to the one before; checks nothing.

Digest: SHA-256 of a row's columns as JSON with sorted members, a decision's cards within it.
Link: SHA-256 of the previous link, kind, id and digest, a line each. One chain a site, from 1 on.
Whether feedback's card is `known` may change later and is not part of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row, bindparam, insert, select, update

from cds.store import statements
from cds.store.tables import cards, chain, chain_heads, decisions, feedback


Kind = Literal["decision", "feedback"]
START = "0" * 64  # what the first link is linked to

_DECISION = frozenset(decisions.columns.keys())
_CARD = frozenset(cards.columns.keys())
_FEEDBACK = frozenset(feedback.columns.keys()) - {"known"}

# Made once: each decision that is kept uses them.
_HEAD = select(chain_heads).where(chain_heads.c.site == bindparam("of"))
_TAKEN = _HEAD.with_for_update()  # SQLite, with one writer, leaves that word out
_ADDED = insert(chain)
_MOVED = (
    update(chain_heads)
    .where(chain_heads.c.site == bindparam("of"))
    .values(position=bindparam("to"), link=bindparam("over"))
)


class Entry(Struct, frozen=True):
    """One row that was kept: its kind, id and digest."""

    kind: Kind
    id: str
    digest: str


class Head(Struct, frozen=True, kw_only=True):
    """Where a site's chain ends, and from where on it is still kept: `kept_link` is before that."""

    site: str
    position: int = 0
    link: str = START
    kept_from: int = 1
    kept_link: str = START


def decision_entry(values: Mapping[Any, Any], shown: Iterable[Mapping[Any, Any]]) -> Entry:
    """Of a decision and its cards, as values of their columns; more members change nothing."""
    own = sorted((_only(card, _CARD) for card in shown), key=lambda card: card["uuid"])
    return Entry("decision", values["id"], _digest(_only(values, _DECISION) | {"cards": own}))


def feedback_entry(values: Mapping[Any, Any]) -> Entry:
    """Of a feedback row, as values of its columns."""
    return Entry("feedback", values["id"], _digest(_only(values, _FEEDBACK)))


def next_link(previous: str, entry: Entry) -> str:
    """The link of `entry` behind the link `previous`."""
    lines = (previous, entry.kind, entry.id, entry.digest)
    return sha256("\n".join(lines).encode()).hexdigest()


def take(connection: Connection, dialect: str, site: str) -> Head:
    """The head of a site's chain, locked until the transaction ends; take it late.

    From here on the transactions of a site follow one another: what the one before kept is seen.
    """
    found = connection.execute(_TAKEN, {"of": site}).first()
    if found is None:
        first = msgspec.structs.asdict(Head(site=site))
        connection.execute(statements.insert_once(chain_heads, dialect), first)
        found = connection.execute(_TAKEN, {"of": site}).one()
    return _head(found)


def extend(connection: Connection, head: Head, entries: Sequence[Entry]) -> Head:
    """Append `entries` behind `head`, which was taken in this transaction; returns the new head."""
    if not entries:
        return head
    rows, position, link = [], head.position, head.link
    for entry in entries:
        position, link = position + 1, next_link(link, entry)
        values = msgspec.structs.asdict(entry)
        rows.append(values | {"site": head.site, "position": position, "link": link})
    connection.execute(_ADDED, rows)
    connection.execute(_MOVED, {"of": head.site, "to": position, "over": link})
    return msgspec.structs.replace(head, position=position, link=link)


def head_now(connection: Connection, site: str) -> Head:
    """The head, not locked; of a site that keeps nothing yet, an empty one."""
    found = connection.execute(_HEAD, {"of": site}).first()
    return Head(site=site) if found is None else _head(found)


def all_heads(connection: Connection) -> list[Head]:
    """Of every site that has one, none locked."""
    return [_head(row) for row in connection.execute(select(chain_heads))]


def _head(row: Row[Any]) -> Head:
    return Head(**row._mapping)  # noqa: SLF001 - how SQLAlchemy documents the row by name


def _only(values: Mapping[Any, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: _plain(values[name]) for name in names}


def _plain(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _digest(document: Mapping[str, Any]) -> str:
    return sha256(msgspec.json.encode(document, order="sorted")).hexdigest()
