"""What clinicians stated, kept before it is sent to the FHIR server and until it was taken there.

One row a statement. Decides nothing, sends nothing and reads no clock. Every question names a site
and a patient: a row of another one cannot be reached.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, and_, select, update

from cds.store import statements as common
from cds.store.engine import reading
from cds.store.rows import Row
from cds.store.store import Store
from cds.store.tables import statements


State = Literal["waiting", "sending", "written", "refused", "withdrawn"]
_KEY = ("site", "patient", "submission", "position")


class StatementRow(Row, frozen=True):
    """One statement. `kind`: its code in the project's CodeSystem, or "questionnaire-response".

    `resource`: FHIR JSON as it is sent. `ref`: as the server named it. `problem`: of a closed set,
    why it was not taken; it stays with what is withdrawn. `held_until`: while somebody sends it.
    """

    site: str
    patient: str
    submission: str
    position: int
    kind: str
    resource: str
    charted_at: datetime
    state: State = "waiting"
    held_until: datetime | None = None
    ref: str = ""
    problem: str = ""


class StatementsKept:
    """The statements of every site. Every method raises `StoreDown`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, rows: Sequence[StatementRow]) -> None:
        """All of them or none, on the disk when it returns; one that is there stays as it is."""
        if not rows:
            return
        new = common.insert_once(statements, self._store.engine.dialect.name)
        ordered = sorted(rows, key=lambda row: row.position)  # one order for all who write
        with self._store.writing(patiently=True) as connection:
            connection.execute(new, [msgspec.structs.asdict(row) for row in ordered])

    def of_submission(self, site: str, patient: str, submission: str) -> tuple[StatementRow, ...]:
        """Those of one confirmed form, in the order they are sent in."""
        return self._found(
            and_(
                statements.c.site == site,
                statements.c.patient == patient,
                statements.c.submission == submission,
            )
        )

    def of_patient(self, site: str, patient: str, since: datetime) -> tuple[StatementRow, ...]:
        """Those charted at or after `since`, newest first; those of one form stay together."""
        return self._found(
            and_(
                statements.c.site == site,
                statements.c.patient == patient,
                statements.c.charted_at >= since,
            )
        )

    def claim(self, row: StatementRow, *, now: datetime, until: datetime) -> bool:
        """Whether it is the caller's to send, until then; of several who ask, one is told so.

        `row`: as it was read. One that changed meanwhile is not given, nor one that is written or
        withdrawn, nor one that somebody else is sending, unless the time for that is over.
        """
        if not _is_free(row, now):
            return False
        return self._change(row, *_as_read(row), state="sending", held_until=until)

    def withdraw(self, row: StatementRow, *, now: datetime) -> bool:
        """Whether it is taken back now, for good; where it could not be claimed it is not.

        What somebody was sending who never said what came of it is "unclear".
        """
        if not _is_free(row, now):
            return False
        problem = "unclear" if row.state == "sending" else row.problem
        values = {"state": "withdrawn", "problem": problem, "held_until": None}
        return self._change(row, *_as_read(row), **values)

    def written(self, row: StatementRow, ref: str) -> None:
        """It is on the FHIR server under `ref`, whoever sent it there."""
        self._change(row, state="written", ref=ref, problem="", held_until=None)

    def refused(self, row: StatementRow, problem: str, *, again: bool) -> None:
        """It was sent and is not known to be there. `again`: nobody refused it, so it waits.

        Changes nothing about a statement that another sender has seen written.
        """
        sending = statements.c.state == "sending"
        state = "waiting" if again else "refused"
        self._change(row, sending, state=state, problem=problem, held_until=None)

    def _found(self, which: ColumnElement[bool]) -> tuple[StatementRow, ...]:
        table = statements.c
        wanted = (
            select(statements)
            .where(which)
            .order_by(table.charted_at.desc(), table.submission, table.position)
        )
        with reading(self._store.engine) as connection:
            return tuple(StatementRow(**row) for row in connection.execute(wanted).mappings())

    def _change(self, row: StatementRow, *conditions: ColumnElement[bool], **values: Any) -> bool:
        key = [getattr(statements.c, name) == getattr(row, name) for name in _KEY]
        changed = update(statements).where(*key, *conditions).values(values)
        with self._store.writing(patiently=True) as connection:
            return connection.execute(changed).rowcount == 1


def _is_free(row: StatementRow, now: datetime) -> bool:
    """Whether something is left to be done about it, and nobody is about it."""
    if row.state == "sending":
        return row.held_until is not None and row.held_until <= now
    return row.state in ("waiting", "refused")


def _as_read(row: StatementRow) -> tuple[ColumnElement[bool], ...]:
    table = statements.c
    held = table.held_until
    return (
        table.state == row.state,
        table.problem == row.problem,
        held.is_(None) if row.held_until is None else held == row.held_until,
    )
