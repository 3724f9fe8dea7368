"""What a clinician states: kept in one transaction, then sent to the FHIR server, each once.

A statement is kept before it is sent and stays until the server has it or it is withdrawn. Its
identifier is made of site, patient, form and place in it, so that whatever is sent twice is found
there the second time. Nothing clinical is decided here.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import msgspec

from cds import log
from cds.errors import AnotherPatient, NotAllowed
from cds.fhir_guard import ReadRefused
from cds.smart.parts import Bedside, Parts
from cds.smart.stating.may_create import may_create
from cds.smart.stating.sending import ENDS, PERHAPS, WAITS, Chart, Outcome
from cds.smart.stating.statement import (
    AlreadyStated,
    as_stated,
    key_of,
    name_of,
    resource_of,
    row_of,
)
from cds.store import StoreDown
from cds.store.statements_kept import StatementRow
from fhir_mapping.answers import Resource


__all__ = ["AlreadyStated", "as_stated", "counted", "send_again", "state", "unwritten", "withdraw"]

SEND_SECONDS = 20.0  # for everything of one form; a person waits
HOLD = timedelta(seconds=60)  # longer than sending takes: who holds it then is gone
SHOWN = timedelta(days=30)  # how long what is not in the chart is shown
LAG = timedelta(minutes=2)  # how far a server's searches may be behind its writes
SAME = timedelta(minutes=5)  # a form confirmed again within it was clicked twice
_OVER = frozenset({"written", "withdrawn"})  # nothing is left to be done about these
_Wanted = Callable[[StatementRow], bool]


def state(
    parts: Parts,
    here: Bedside,
    submission: str,
    resources: Sequence[tuple[str, Resource]],
    now: datetime,
) -> tuple[StatementRow, ...]:
    """Keep the statements of one confirmed form, send them, and say what came of each.

    `submission`: the random id the form was shown with. The same answers under it are the same
    statements, however often they are confirmed within five minutes; other answers are others.
    `resources`: by kind, about this patient. Raises `StoreDown` (nothing was kept or sent),
    `AlreadyStated` for the same answers later than that or after they were withdrawn, `NotAllowed`
    for a user who is no clinician, `AnotherPatient`.
    """
    _refuse(here, (one for _, one in resources))
    ordered = sorted(resources, key=lambda one: _is_form(one[1]))  # the form's own answers last
    key = key_of(submission, ordered)
    rows = [row_of(here, key, place, one, now) for place, one in enumerate(ordered)]
    _refuse_old(parts.kept.of_submission(here.site.id, here.context.patient, key), now)
    parts.kept.keep(rows)
    return _send(parts, here, key, now, wanted=_never_tried)


def send_again(
    parts: Parts, here: Bedside, submission: str, now: datetime
) -> tuple[StatementRow, ...]:
    """Send those of a submission (as its rows name it) that are not written.

    Empty: this patient has no such submission here. Raises `StoreDown`, `NotAllowed`.
    """
    _refuse(here, ())
    return _send(parts, here, submission, now, wanted=lambda row: row.state not in _OVER)


def withdraw(
    parts: Parts, here: Bedside, submission: str, now: datetime
) -> tuple[StatementRow, ...]:
    """Take back those of a submission that are not written: they count no longer, nor are sent.

    What is being sent at this moment stays as it is. Nothing is taken out of a chart. Empty: this
    patient has no such submission here. Raises `StoreDown`, `NotAllowed`.
    """
    _refuse(here, ())
    of = (here.site.id, here.context.patient, submission)
    gone = [parts.kept.withdraw(row, now=now) for row in parts.kept.of_submission(*of)]
    after = parts.kept.of_submission(*of)
    if any(gone):
        outcomes = [row.state for row in after]
        log.event("statements-withdrawn", site=here.site.id, outcomes=outcomes)
    return after


def unwritten(parts: Parts, here: Bedside) -> tuple[StatementRow, ...]:
    """What this patient's FHIR server does not have, or may not have; newest first.

    Of the last 30 days. Raises `StoreDown`.
    """
    since = parts.deployment.clock() - SHOWN
    rows = parts.kept.of_patient(here.context.site, here.context.patient, since)
    return tuple(row for row in rows if row.state not in _OVER)


def counted(parts: Parts, here: Bedside) -> tuple[StatementRow, ...]:
    """What the app counts as stated whatever is read: `unwritten`, and what was put in the chart so
    lately that a search may not show it yet. Raises `StoreDown`."""
    now = parts.deployment.clock()
    rows = parts.kept.of_patient(here.context.site, here.context.patient, now - SHOWN)
    return tuple(row for row in rows if counts(row, now))


def counts(row: StatementRow, now: datetime) -> bool:
    """Whether a row is one of `counted`."""
    if row.state == "withdrawn":
        return False
    return row.state != "written" or now - row.charted_at <= LAG


def _refuse(here: Bedside, resources: Iterable[Resource]) -> None:
    if not here.context.may_chart:
        raise NotAllowed("only a clinician's statement is kept")
    patient = {"reference": f"Patient/{here.context.patient}"}
    if any(one.get("subject") != patient for one in resources):
        raise AnotherPatient("a statement is about another patient")


def _refuse_old(rows: Iterable[StatementRow], now: datetime) -> None:
    """`rows`: of a form that is confirmed; they were kept all at once, or none is."""
    for row in rows:
        if row.state == "withdrawn" or now - row.charted_at > SAME:
            raise AlreadyStated(row.charted_at)


def _send(
    parts: Parts, here: Bedside, submission: str, now: datetime, *, wanted: _Wanted
) -> tuple[StatementRow, ...]:
    context, kept = here.context, parts.kept
    rows = {
        row.position: row for row in kept.of_submission(here.site.id, context.patient, submission)
    }
    to_send = [row for row in rows.values() if wanted(row)]
    try:
        for row, outcome in _sent(parts, here, to_send, now):
            rows[row.position] = _after(row, outcome)
            _keep(parts, row, outcome)
        rows |= {
            row.position: row
            for row in kept.of_submission(here.site.id, context.patient, submission)
        }
    except StoreDown as error:  # what was kept is kept: the next try finds what was written
        log.event("statements-not-marked", level=logging.WARNING, store=error.cause)
    finally:
        parts.at_hand.drop(context.launch)
    if to_send:
        _tell(here, rows.values())
    return tuple(rows.values())


def _sent(
    parts: Parts, here: Bedside, rows: Sequence[StatementRow], now: datetime
) -> Iterable[tuple[StatementRow, Outcome]]:
    """Each statement that could be claimed, with what came of it, until going on is no use."""
    with ExitStack() as stack:
        chart: Chart | None = None
        for row in rows:
            if not parts.kept.claim(row, now=now, until=now + HOLD):
                continue
            if chart is None:
                try:
                    chart = stack.enter_context(_chart(parts, here))
                except ReadRefused:
                    yield row, Outcome(problem="unclear" if _perhaps(row) else "session")
                    return
            outcome = _one(chart, row, here.context.scopes)
            yield row, outcome
            if outcome.problem in ENDS or outcome.late:
                return


def _chart(parts: Parts, here: Bedside) -> Chart:
    return Chart(
        here.site.fhir_base or "",
        here.context.access_token,
        here.context.patient,
        seconds=SEND_SECONDS,
        monotonic=parts.deployment.monotonic,
    )


def _one(chart: Chart, row: StatementRow, scopes: frozenset[str]) -> Outcome:
    """What may be there already is looked for, and not sent again while nobody can tell."""
    kind, value = resource_of(row)["resourceType"], name_of(row)
    if _perhaps(row):
        ref = chart.find(kind, value).ref
        if ref is None:
            return Outcome(problem="unclear")
        if ref:
            return Outcome(ref)
    if not may_create(scopes, kind):
        return Outcome(problem="not-granted")
    return chart.create(kind, row.resource, value)


def _keep(parts: Parts, row: StatementRow, outcome: Outcome) -> None:
    if outcome.problem is None:
        parts.kept.written(row, outcome.ref)
    else:
        parts.kept.refused(row, outcome.problem, again=outcome.problem in WAITS)


def _after(row: StatementRow, outcome: Outcome) -> StatementRow:
    """The row as it is kept when the store says nothing else."""
    if outcome.problem is None:
        changes: dict[str, Any] = {"state": "written", "ref": outcome.ref, "problem": ""}
    else:
        state = "waiting" if outcome.problem in WAITS else "refused"
        changes = {"state": state, "problem": outcome.problem}
    return msgspec.structs.replace(row, held_until=None, **changes)


def _tell(here: Bedside, rows: Iterable[StatementRow]) -> None:
    """A word for each statement, in the order they were sent in; nothing of what was stated."""
    rows = tuple(rows)
    problems = [row.problem for row in rows if row.problem]
    somebody_else = "another-patient" in problems
    log.event(
        "statements",
        level=logging.WARNING if problems else logging.INFO,
        site=here.site.id,
        code=AnotherPatient.code if somebody_else else None,
        outcomes=[row.state for row in rows],
        upstream=problems,
    )


def _is_form(resource: Resource) -> bool:
    return bool(resource["resourceType"] == "QuestionnaireResponse")


def _never_tried(row: StatementRow) -> bool:
    return row.state == "waiting" and not row.problem


def _perhaps(row: StatementRow) -> bool:
    """Whether it may be on the server: who was sending it never said, or could not tell."""
    return row.state == "sending" or row.problem in PERHAPS
