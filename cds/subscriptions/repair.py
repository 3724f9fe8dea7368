"""One subscription put right. Wherever events may have been missed, the wake-ups for its patients
are committed first: only then is the server asked to send again.

Subscriptions R5 Backport 1.1, "Recovering from Errors": a client brings its state up to date by
query, then asks for the subscription again.
"""

from collections.abc import Callable
from contextlib import suppress

import msgspec
from msgspec import Struct

from cds.backend import BackendFailed
from cds.notifications.counting import Count, count_of, with_count
from cds.store.errors import StoreRefused
from cds.store.rows import SubscriptionRow, SubscriptionStatus, WakeUp
from cds.subscriptions import server
from cds.subscriptions.desk import Desk
from cds.subscriptions.inspect import problem_of
from cds.subscriptions.outcome import Done, Outcome, Problem, failed
from cds.subscriptions.plan import LASTS
from cds.subscriptions.remote import Remote, Said
from cds.subscriptions.resource import type_of


_AS_REQUESTED: frozenset[Problem] = frozenset({"changed", "error", "off", "ended", "requested"})


class Look(Struct, frozen=True):
    """A row, what the server has and says of it, and what is wrong."""

    row: SubscriptionRow
    remote: Remote | None
    said: Said | None
    problem: Problem | None


def look(desk: Desk, row: SubscriptionRow) -> Look:
    """Read it at the server and compare; changes nothing. Raises `BackendFailed`."""
    remote = server.read(desk.client, row)
    said = None
    if remote is not None and row.kind == "topic":
        said = server.status(desk.client, row)
    found = problem_of(row, remote, said, address=desk.address, now=desk.now)
    return Look(row, remote, said, found)


def repair(desk: Desk, seen: Look) -> Outcome:
    """Put right what was seen; nothing is done where nothing is wrong."""
    row, problem = seen.row, seen.problem
    outcome = Outcome(id=row.id, type=type_of(row), problem=problem)
    if problem is None:
        _note_status(desk, seen)
        return outcome
    try:
        return msgspec.structs.replace(outcome, done=_repaired(desk, seen, problem))
    except BackendFailed as error:
        return failed(outcome, error)


def add(desk: Desk, row: SubscriptionRow) -> Outcome:
    """Keep a new row, then ask the server: a crash in between leaves what `repair` finds."""
    with suppress(StoreRefused):  # another process was quicker: the same id is the same wish
        desk.rows.add(row)
    outcome = Outcome(id=row.id, type=type_of(row))
    try:
        return msgspec.structs.replace(outcome, done=_create(desk, row))
    except BackendFailed as error:
        return failed(outcome, error)


def remove(desk: Desk, row: SubscriptionRow, problem: Problem | None = None) -> Outcome:
    """Delete it at the server, then here."""
    outcome = Outcome(id=row.id, type=type_of(row), problem=problem, done="removed")
    try:
        remote = row.remote
        if not remote:
            found = server.find(desk.client, desk.address.endpoint(row.id))
            remote = "" if found is None else found.id
        if remote:
            desk.client.delete(f"Subscription/{remote}")
    except BackendFailed as error:
        return failed(outcome, error)
    desk.rows.remove(row.id)
    return outcome


def _repaired(desk: Desk, seen: Look, problem: Problem) -> Done:
    row, remote = seen.row, seen.remote
    if remote is None:
        if problem == "missing":
            _wake(desk, row, problem)
            desk.rows.heard(row.id, _begun)  # a new one at the server counts from the start
        found = server.find(desk.client, desk.address.endpoint(row.id))
        if found is None:
            return _create(desk, row)
        _keep(desk, row, found)
        return "adopted"
    if problem in _AS_REQUESTED:
        _wake(desk, row, problem)
        _put(desk, row, remote, "requested")
        return "reactivated"
    if problem == "ends-soon":
        _put(desk, row, remote, remote.status)
        return "renewed"
    _recover(desk, seen)
    return "caught-up"


def _create(desk: Desk, row: SubscriptionRow) -> Done:
    fresh = msgspec.structs.replace(row, remote="")
    found = server.create(desk.client, fresh, desk.address, desk.now + LASTS)
    if found is None:
        raise BackendFailed("not-fhir")
    _keep(desk, row, found)
    return "created"


def _keep(desk: Desk, row: SubscriptionRow, remote: Remote) -> None:
    """Its id at the server; how long the server takes to take it up is counted from now."""
    made = msgspec.structs.replace(
        row, remote=remote.id, status=remote.status, ends_at=desk.now + LASTS
    )
    desk.rows.change(made)
    desk.rows.heard(row.id, _heard_now(desk))


def _put(desk: Desk, row: SubscriptionRow, remote: Remote, status: SubscriptionStatus) -> None:
    ends_at = desk.now + LASTS
    kept = server.put(desk.client, row, desk.address, before=remote, status=status, ends_at=ends_at)
    said = status if kept is None else kept.status
    desk.rows.change(msgspec.structs.replace(row, status=said, ends_at=ends_at))
    if said == "requested":  # from now on it has time to be taken up
        desk.rows.heard(row.id, _heard_now(desk))


def _recover(desk: Desk, seen: Look) -> None:
    """Read again what the lost events were about: by `$events` if it tells, else every patient."""
    row = seen.row
    first = max(row.last_event, 0) + 1 if row.gap_from is None else row.gap_from
    last = max(row.last_event, 0)
    if seen.said is not None and seen.said.events is not None:
        last = max(last, seen.said.events)
    refs: tuple[str, ...] = ()
    if not row.patient and seen.problem in {"gap", "undelivered"}:
        refs = server.events(desk.client, row, first, last)
    _wake(desk, row, f"{seen.problem}-{first}-{last}", refs)

    def counted(now: SubscriptionRow) -> SubscriptionRow:
        if count_of(now) != count_of(row):
            return now  # more came meanwhile: the next run sees to it
        caught_up = with_count(now, Count(max(now.last_event, last)), desk.now)
        return msgspec.structs.replace(caught_up, heard_at=desk.now)

    desk.rows.heard(row.id, counted)  # that the server told its status is a sign of life


def _wake(desk: Desk, row: SubscriptionRow, why: str, refs: tuple[str, ...] = ()) -> None:
    """Committed when it returns. Without a patient and a resource: every watched patient."""
    event = f"{why}@{desk.now.isoformat()}"
    wake_ups = [
        WakeUp(
            site=row.site,
            source=row.id,
            event=f"{event}#{ref}" if ref else event,
            received_at=desk.now,
            patient=row.patient,
            ref=ref,
        )
        for ref in refs or ("",)
    ]
    desk.inbox.put(wake_ups)


def _note_status(desk: Desk, seen: Look) -> None:
    """Keep the server's own word on a subscription that is in order."""
    if seen.remote is not None and seen.remote.status != seen.row.status:
        desk.rows.change(msgspec.structs.replace(seen.row, status=seen.remote.status))


def _heard_now(desk: Desk) -> Callable[[SubscriptionRow], SubscriptionRow]:
    return lambda row: msgspec.structs.replace(row, heard_at=desk.now)


def _begun(row: SubscriptionRow) -> SubscriptionRow:
    return with_count(row, Count(), row.heard_at)
