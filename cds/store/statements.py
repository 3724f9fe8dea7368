"""The statements the store runs, as values, so that a test can compile them; executes nothing."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, Table, Update, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Delete, Insert

from cds.store.tables import acknowledgements, cards, decisions, feedback, jwt_ids


# Every call runs these two, so they are made once.

# Programmes whose card somebody answered for this patient at or after `since`.
ACKNOWLEDGED: Select[Any] = (
    select(acknowledgements.c.program)
    .where(acknowledgements.c.site == bindparam("site"))
    .where(acknowledgements.c.patient == bindparam("patient"))
    .where(acknowledgements.c.program.in_(bindparam("programs", expanding=True)))
    .where(acknowledgements.c.at >= bindparam("since"))
    .distinct()
)
# Feedback that came before its decision did: the decision was waiting in the spool.
EARLY_FEEDBACK: Select[Any] = (
    select(feedback.c.card, feedback.c.at, feedback.c.received_at)
    .where(feedback.c.site == bindparam("site"))
    .where(feedback.c.card.in_(bindparam("uuids", expanding=True)), feedback.c.known.is_(False))
)


@cache  # each decision that is kept uses them
def insert_once(table: Table, dialect: str) -> Insert:
    """INSERT that leaves a row with the same key as it is: `rowcount` tells who was first."""
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    # Without the option SQLAlchemy promises no row count of an INSERT, and psycopg gives none.
    return make(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def forget_jwt_ids(now: datetime) -> Delete:
    """Of tokens that are refused for their age anyway."""
    return delete(jwt_ids).where(jwt_ids.c.until < now)


def known_cards(site: str, uuids: Collection[str]) -> Select[Any]:
    """uuid, patient and REMS programme of those cards that this site was given."""
    return (
        select(cards.c.uuid, decisions.c.patient, cards.c.program)
        .join(decisions, decisions.c.id == cards.c.decision)
        .where(cards.c.site == site, cards.c.uuid.in_(uuids))
        .distinct()
    )


def feedback_there(ids: Collection[str]) -> Select[Any]:
    """Those of these ids that are kept already."""
    return select(feedback.c.id).where(feedback.c.id.in_(ids))


def now_known(site: str, uuids: Collection[str]) -> Update:
    """Their cards are stored now."""
    return (
        update(feedback)
        .where(feedback.c.site == site, feedback.c.card.in_(uuids))
        .values(known=True)
    )


def decisions_where(
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    knowledge: str | None = None,
    site: str | None = None,
    patient: str | None = None,
    ids: Collection[str] = (),
) -> Select[Any]:
    """Decisions in the order of their evaluation. `knowledge`: a digest or the start of one.

    `since` is within, `until` is not. `ids`: only these; none named: any.
    """
    table = decisions.c
    found = select(decisions).order_by(table.evaluated_at, table.id)
    if ids:
        found = found.where(table.id.in_(ids))
    if since is not None:
        found = found.where(table.evaluated_at >= since)
    if until is not None:
        found = found.where(table.evaluated_at < until)
    if knowledge is not None:
        found = found.where(table.knowledge_sha256.startswith(knowledge, autoescape=True))
    if site is not None:
        found = found.where(table.site == site)
    if patient is not None:
        found = found.where(table.patient == patient)
    return found


def cards_of(ids: Sequence[str]) -> Select[Any]:
    """The cards of these decisions."""
    return select(cards).where(cards.c.decision.in_(ids)).order_by(cards.c.uuid)
