"""What one transaction does with wake-ups and turns; opens none and commits none.

Every transaction takes turns first, then wake-ups, each in the order of its key, and the decision
last: no two of them wait for each other.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from cds.store import inbox_at_once
from cds.store import inbox_statements as statements
from cds.store.decisions import insert_decision
from cds.store.errors import StoreRefused
from cds.store.inbox_claim import Seen
from cds.store.rows import DecisionRow, WakeUp


_BATCH = 500
Key = tuple[str, str, str]


def put(connection: Connection, groups: Sequence[Sequence[WakeUp]]) -> list[int]:
    """Insert the wake-ups that are new, with their turns; of each group, how many were new."""
    first = {_key(one): one for group in reversed(groups) for one in reversed(group)}
    if not first:
        return [0] * len(groups)
    if connection.dialect.name == "postgresql":
        found = connection.execute(inbox_at_once.PUT, inbox_at_once.put_values(first.values()))
        new = {tuple(row) for row in found}
    else:
        new = _put_in_steps(connection, [first[key] for key in sorted(first)])
    counts = []
    for group in groups:  # of what came twice in one commit, the first was the new one
        mine = {_key(one) for one in group} & new
        new -= mine
        counts.append(len(mine))
    return counts


def waiting(connection: Connection, site: str, patient: str, attempts: int) -> Seen | None:
    """The turn with the wake-ups that wait now; None if none does."""
    found = connection.execute(statements.waiting_of(site, patient)).all()
    if not found:
        return None
    return Seen(
        site=site,
        patient=patient,
        attempts=attempts,
        ids=tuple(row.id for row in found),
        refs=tuple(dict.fromkeys(row.ref for row in found if row.ref)),
        oldest_received=min(row.received_at for row in found),
    )


def finish(
    connection: Connection,
    seen: Seen,
    decision: DecisionRow | None,
    now: datetime,
    not_before: datetime,
) -> None:
    """The wake-ups done, the next turn set, the decision kept."""
    _done(connection, seen, now, not_before, None if decision is None else decision.id)
    if decision is not None:
        insert_decision(connection, connection.dialect.name, decision)


def replace(connection: Connection, seen: Seen, wake_ups: Sequence[WakeUp], now: datetime) -> None:
    """The wake-ups done, others put."""
    _done(connection, seen, now, now, None)
    put(connection, [wake_ups])


def _put_in_steps(connection: Connection, wake_ups: Sequence[WakeUp]) -> set[Any]:
    due: dict[tuple[str, str], datetime] = {}
    for one in wake_ups:
        turn = (one.site, one.patient)
        due[turn] = min(due.get(turn, one.received_at), one.received_at)
    begun = [
        {"site": site, "patient": patient, "not_before": since, "attempts": 0}
        for (site, patient), since in sorted(due.items())
    ]
    new = {tuple(row) for row in connection.execute(statements.put_turns(), begun)}
    for site, patient in sorted(due.keys() - new):
        idle = statements.wake_idle_turn(site, patient, due[site, patient])
        connection.execute(idle)
    values = [msgspec.structs.asdict(one) for one in wake_ups]
    return {tuple(row) for row in connection.execute(statements.put_wake_ups(), values)}


def _done(
    connection: Connection, seen: Seen, now: datetime, not_before: datetime, decision: str | None
) -> None:
    if connection.dialect.name == "postgresql":
        values = inbox_at_once.done_values(seen, now, not_before, decision)
        done = connection.execute(inbox_at_once.DONE, values).rowcount
    else:
        connection.execute(statements.next_turn(seen.site, seen.patient, not_before))
        parts = (seen.ids[at : at + _BATCH] for at in range(0, len(seen.ids), _BATCH))
        marks = (statements.mark_done(ids, now, decision) for ids in parts)
        done = sum(connection.execute(mark).rowcount for mark in marks)
    if done != len(seen.ids):
        raise StoreRefused("somebody else has ended this claim")


def _key(one: WakeUp) -> Key:
    return one.site, one.source, one.event
