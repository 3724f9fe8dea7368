"""Which decisions were made under a knowledge, so that an error in it can be followed up.

Lists; judges nothing and shows no clinical value: the decision itself is found by its id.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

import msgspec
from msgspec import Struct

from cds.store.rows import DecisionRow, Mode
from cds.store.store import Store


_DIGEST = re.compile(r"[0-9a-f]{8,64}", re.ASCII)


class AuditRow(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One affected decision. `rules`: those it rests on or cites, of the asked ones if any were."""

    id: str
    evaluated_at: datetime
    site: str
    hook: str
    mode: Mode
    knowledge_sha256: str
    topics: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


def affected(
    store: Store,
    knowledge_sha256: str,
    since: datetime | None = None,
    rules: Collection[str] = (),
) -> Iterator[AuditRow]:
    """Decisions under this digest (or one that starts so, from 8 digits on), by time.

    `rules`: only decisions with one of these. "elranatamab-label" is every row of the file in any
    version, "elranatamab-label@2" of that version, "elranatamab-label@2#crs-2" the one row.
    Raises `ValueError` for what is no digest, and `StoreDown`.
    """
    digest = knowledge_sha256.lower()
    if not _DIGEST.fullmatch(digest):
        raise ValueError("--knowledge: must be 8 to 64 hexadecimal digits of a SHA-256")
    return _rows(store.decisions(since=since, knowledge=digest), rules)


def as_text(rows: Iterable[AuditRow]) -> Iterator[str]:
    """One line a decision: time, id, site, hook, mode, topics, rules."""
    for row in rows:
        topics, rules = ",".join(row.topics) or "-", ",".join(row.rules) or "-"
        when = f"{row.evaluated_at:%Y-%m-%dT%H:%M:%SZ}"
        yield f"{when}  {row.id}  {row.site}  {row.hook}  {row.mode}  {topics}  {rules}"


def as_json(rows: Iterable[AuditRow]) -> Iterator[str]:
    """One JSON document a line."""
    for row in rows:
        yield msgspec.json.encode(row).decode()


def _rows(decisions: Iterable[DecisionRow], rules: Collection[str]) -> Iterator[AuditRow]:
    for decision in decisions:
        asked = tuple(rule for rule in decision.rules if not rules or _among(rule, rules))
        if asked or not rules:
            yield AuditRow(
                id=decision.id,
                evaluated_at=decision.evaluated_at,
                site=decision.site,
                hook=decision.hook,
                mode=decision.mode,
                knowledge_sha256=decision.knowledge_sha256,
                topics=tuple(dict.fromkeys(card.topic for card in decision.cards)),
                rules=asked,
            )


def _among(rule: str, asked: Collection[str]) -> bool:
    file, _, _ = rule.partition("@")
    version, _, _ = rule.partition("#")
    return not {file, version, rule}.isdisjoint(asked)
