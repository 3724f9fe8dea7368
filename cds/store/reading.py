"""The counts a feedback report needs, made by the database; portable SQL, and no rate."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Select, Subquery, case, func, select

from cds.store.engine import reading
from cds.store.rows import Reason
from cds.store.store import Store
from cds.store.tables import cards, decisions, feedback


class TopicCount(Struct, frozen=True, kw_only=True):
    """One topic: evaluations that gave such a card, cards that were shown, and their outcomes."""

    topic: str
    fired: int
    shown: int
    accepted: int
    overridden: int


class Overridden(Struct, frozen=True):
    """Why one shown card was overridden, in the last word its user gave."""

    topic: str
    reasons: tuple[Reason, ...]


class Counts(Struct, frozen=True, kw_only=True):
    """What the database counts in one read: `unknown` are feedback rows without their card."""

    evaluations: int
    unknown: int
    topics: tuple[TopicCount, ...]


def counts(store: Store, since: datetime, site: str | None = None) -> Counts:
    """Of decisions evaluated at or after `since`, at one site or all. Raises `StoreDown`."""
    with reading(store.engine) as connection:
        fired = {row.topic: row.fired for row in connection.execute(fired_by_topic(since, site))}
        shown = connection.execute(outcomes_by_topic(since, site)).all()
        return Counts(
            evaluations=connection.execute(evaluations(since, site)).scalar_one(),
            unknown=connection.execute(unknown_feedback(since, site)).scalar_one(),
            topics=tuple(
                TopicCount(
                    topic=row.topic,
                    fired=fired.get(row.topic, 0),
                    shown=row.shown,
                    accepted=row.accepted,
                    overridden=row.overridden,
                )
                for row in shown
            ),
        )


def overridden(store: Store, since: datetime, site: str | None = None) -> Iterator[Overridden]:
    """Each shown card whose last outcome is an override. Raises `StoreDown`."""
    with reading(store.engine) as connection:
        for topic, reasons in connection.execute(override_reasons(since, site)):
            yield Overridden(topic, msgspec.json.decode(reasons, type=tuple[Reason, ...]))


def evaluations(since: datetime, site: str | None) -> Select[Any]:
    """Hook calls; the same call sent again is the same one."""
    call = (decisions.c.site, decisions.c.service, decisions.c.hook_instance)
    calls = _within(select(*call), since, site).distinct().subquery()
    return select(func.count()).select_from(calls)


def fired_by_topic(since: datetime, site: str | None) -> Select[Any]:
    """Hook calls by the topics of their cards, whether or not these were shown."""
    call = (decisions.c.site, decisions.c.service, decisions.c.hook_instance, cards.c.topic)
    joined = select(*call).join(cards, cards.c.decision == decisions.c.id)
    calls = _within(joined, since, site).distinct().subquery()
    return select(calls.c.topic, func.count().label("fired")).group_by(calls.c.topic)


def outcomes_by_topic(since: datetime, site: str | None) -> Select[Any]:
    """Cards by topic: shown, and of these accepted and overridden."""
    seen, last = _seen(since, site), _last_outcome()
    was_shown = seen.c.shown == 1

    def total(outcome: str) -> Any:
        return func.sum(case((was_shown & (last.c.outcome == outcome), 1), else_=0))

    return (
        select(
            seen.c.topic,
            func.sum(seen.c.shown).label("shown"),
            total("accepted").label("accepted"),
            total("overridden").label("overridden"),
        )
        .select_from(_with_outcome(seen, last))
        .group_by(seen.c.topic)
        .order_by(seen.c.topic)
    )


def override_reasons(since: datetime, site: str | None) -> Select[Any]:
    """Topic and reasons of every shown card whose last outcome is an override."""
    seen, last = _seen(since, site), _last_outcome()
    return (
        select(seen.c.topic, last.c.reasons)
        .select_from(_with_outcome(seen, last))
        .where(seen.c.shown == 1, last.c.outcome == "overridden")
    )


def unknown_feedback(since: datetime, site: str | None) -> Select[Any]:
    """Feedback received about cards that are not in the store."""
    found = select(func.count()).select_from(feedback)
    found = found.where(feedback.c.known.is_(False), feedback.c.received_at >= since)
    return found if site is None else found.where(feedback.c.site == site)


def _within(found: Select[Any], since: datetime, site: str | None) -> Select[Any]:
    found = found.where(decisions.c.evaluated_at >= since)
    return found if site is None else found.where(decisions.c.site == site)


def _seen(since: datetime, site: str | None) -> Subquery:
    """Each card once, though the call was repeated; `shown` unless every answer was silent."""
    card = (cards.c.site, cards.c.uuid, cards.c.topic)
    shown = func.max(case((decisions.c.mode == "live", 1), else_=0)).label("shown")
    joined = select(*card, shown).join(decisions, decisions.c.id == cards.c.decision)
    return _within(joined, since, site).group_by(*card).subquery("seen")


def _last_outcome() -> Subquery:
    """What a user said last about each card: a card may be answered several times."""
    row = feedback.c
    order = (row.at.desc(), row.received_at.desc(), row.id)
    place = func.row_number().over(partition_by=(row.site, row.card), order_by=order)
    ranked = select(row.site, row.card, row.outcome, row.reasons, place.label("place")).subquery()
    return select(ranked).where(ranked.c.place == 1).subquery("last")


def _with_outcome(seen: Subquery, last: Subquery) -> Any:
    same = (last.c.site == seen.c.site) & (last.c.card == seen.c.uuid)
    return seen.outerjoin(last, same)
