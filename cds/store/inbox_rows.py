"""What one transaction does with wake-ups and turns; opens none and commits none.

Every transaction takes turns first, then wake-ups, each in the order of its key, and the decision
last: no two of them wait for each other.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

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
    dialect = connection.dialect.name
    _put_turns(connection, first.values())
    values = [msgspec.structs.asdict(first[key]) for key in sorted(first)]
    new = {tuple(row) for row in connection.execute(statements.put_wake_ups(dialect), values)}
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
    connection.execute(statements.next_turn(seen.site, seen.patient, not_before))
    _mark_done(connection, seen, now, None if decision is None else decision.id)
    if decision is not None:
        insert_decision(connection, connection.dialect.name, decision)


def replace(connection: Connection, seen: Seen, wake_ups: Sequence[WakeUp], now: datetime) -> None:
    """The wake-ups done, others put."""
    connection.execute(statements.next_turn(seen.site, seen.patient, now))
    _mark_done(connection, seen, now, None)
    put(connection, [wake_ups])


def _put_turns(connection: Connection, wake_ups: Iterable[WakeUp]) -> None:
    due: dict[tuple[str, str], datetime] = {}
    for one in wake_ups:
        turn = (one.site, one.patient)
        due[turn] = min(due.get(turn, one.received_at), one.received_at)
    values = [
        {"site": site, "patient": patient, "not_before": due[site, patient], "attempts": 0}
        for site, patient in sorted(due)
    ]
    made = connection.execute(statements.put_turns(connection.dialect.name), values)
    new = {tuple(row) for row in made}
    idle = [
        {"at_site": site, "of_patient": patient, "since": due[site, patient]}
        for site, patient in sorted(due.keys() - new)
    ]
    if idle:
        connection.execute(statements.wake_idle_turns(), idle)


def _mark_done(connection: Connection, seen: Seen, now: datetime, decision: str | None) -> None:
    done = 0
    for start in range(0, len(seen.ids), _BATCH):
        ids = seen.ids[start : start + _BATCH]
        done += connection.execute(statements.mark_done(ids, now, decision)).rowcount
    if done != len(seen.ids):
        raise StoreRefused("somebody else has ended this claim")


def _key(one: WakeUp) -> Key:
    return one.site, one.source, one.event
