"""PostgreSQL: what a transaction does to inbox and turns, each in one statement; executes nothing.

Every round trip to the server is paid by whoever waits for an acknowledgement. SQLite has none to
save, and runs the same in steps (`inbox_statements`).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Text, bindparam, text

from cds.store.inbox_claim import Seen
from cds.store.instant import Instant
from cds.store.rows import WakeUp


_COLUMNS = ("site", "source", "event", "patient", "ref")

# All parts see the inbox as it was before. Turns that somebody holds are passed over, not waited
# for. Sorted: two of these at the same time take the same keys in the same order.
PUT = text(
    """
    WITH given AS (
        SELECT * FROM unnest(:site, :source, :event, :patient, :ref, :received_at)
            AS given (site, source, event, patient, ref, received_at)
    ), due AS (
        SELECT site, patient, min(received_at) AS since FROM given GROUP BY site, patient
    ), begun AS (
        INSERT INTO turns (site, patient, not_before, attempts)
        SELECT site, patient, since, 0 FROM due ORDER BY site, patient
        ON CONFLICT DO NOTHING
    ), idle AS (
        SELECT due.* FROM due CROSS JOIN LATERAL (
            SELECT FROM turns
            WHERE turns.site = due.site AND turns.patient = due.patient
                AND turns.not_before < due.since
                AND (
                    SELECT inbox.id FROM inbox
                    WHERE inbox.site = due.site AND inbox.patient = due.patient
                        AND inbox.done_at IS NULL
                    LIMIT 1
                ) IS NULL
            FOR NO KEY UPDATE SKIP LOCKED
        ) AS there
    ), woken AS (
        UPDATE turns SET not_before = idle.since FROM idle
        WHERE turns.site = idle.site AND turns.patient = idle.patient
    )
    INSERT INTO inbox (site, source, event, patient, ref, received_at)
    SELECT site, source, event, patient, ref, received_at FROM given
    ORDER BY site, source, event
    ON CONFLICT DO NOTHING
    RETURNING site, source, event
    """
).bindparams(
    *(bindparam(name, type_=ARRAY(Text)) for name in _COLUMNS),
    bindparam("received_at", type_=ARRAY(Instant)),
)

# The row count is that of the wake-ups.
DONE = (
    text(
        """
        WITH next AS (
            UPDATE turns SET not_before = :not_before, attempts = 0
            WHERE site = :site AND patient = :patient
        )
        UPDATE inbox SET done_at = :now, decision = :decision
        WHERE id = ANY(:ids) AND done_at IS NULL
        """
    )
    .bindparams(
        bindparam("site", type_=Text),
        bindparam("patient", type_=Text),
        bindparam("decision", type_=Text),
        bindparam("ids", type_=ARRAY(BigInteger)),
        bindparam("now", type_=Instant),
        bindparam("not_before", type_=Instant),
    )
    .execution_options(preserve_rowcount=True)
)


def put_values(wake_ups: Iterable[WakeUp]) -> dict[str, list[Any]]:
    """The parameters of `PUT`; no (site, source, event) may come twice."""
    rows = list(wake_ups)
    return {name: [getattr(one, name) for one in rows] for name in (*_COLUMNS, "received_at")}


def done_values(
    seen: Seen, now: datetime, not_before: datetime, decision: str | None
) -> dict[str, Any]:
    """The parameters of `DONE`."""
    return {
        "site": seen.site,
        "patient": seen.patient,
        "ids": list(seen.ids),
        "now": now,
        "not_before": not_before,
        "decision": decision,
    }
