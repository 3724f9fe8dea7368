"""All subscriptions of one site: created for its cohort, checked, put right, removed.

Each can be run again at any time: what is in order is left as it is. A run ends early where the
server would not answer the next request either.
"""

from collections.abc import Iterator
from typing import NamedTuple

from cds.backend import BackendFailed
from cds.store.rows import SubscriptionRow
from cds.subscriptions import server
from cds.subscriptions.desk import Desk
from cds.subscriptions.outcome import Outcome, failed
from cds.subscriptions.plan import Shape, wanted, wish
from cds.subscriptions.remote import Remote
from cds.subscriptions.repair import Look, add, look, repair
from cds.subscriptions.repair import remove as remove_one
from cds.subscriptions.resource import type_of


class Strangers(NamedTuple):
    """Subscriptions at the server with an endpoint of this site that are not kept here.

    `complete`: there are no others.
    """

    found: tuple[Remote, ...]
    complete: bool


def create(desk: Desk, shape: Shape) -> Iterator[Outcome]:
    """What the cohort lacks; one begun before is finished."""
    there = {wish(row): row for row in desk.rows.of_site(desk.site)}
    for row in wanted(desk.patients(), shape, desk.address, desk.now):
        kept = there.get(wish(row))
        if kept is not None and kept.remote:
            continue
        if kept is None:
            outcome = add(desk, row)
        else:
            outcome = repair(desk, Look(kept, None, None, "not-created"))
        yield outcome
        if outcome.ends_the_run:
            return


def check(desk: Desk) -> Iterator[Outcome]:
    """What is wrong, one outcome a subscription; changes nothing."""
    patients = frozenset(desk.patients())
    for row in desk.rows.of_site(desk.site):
        outcome = Outcome(id=row.id, type=type_of(row))
        if _unwatched(row, patients):
            yield Outcome(id=row.id, type=type_of(row), problem="unwatched")
            continue
        try:
            yield Outcome(id=row.id, type=type_of(row), problem=look(desk, row).problem)
        except BackendFailed as error:
            outcome = failed(outcome, error)
            yield outcome
            if outcome.ends_the_run:
                return


def renew(desk: Desk) -> Iterator[Outcome]:
    """Put right what `check` finds, and remove what is of nobody watched any more."""
    patients = frozenset(desk.patients())
    for row in desk.rows.of_site(desk.site):
        if _unwatched(row, patients):
            outcome = remove_one(desk, row, "unwatched")
        else:
            outcome = _put_right(desk, row)
        yield outcome
        if outcome.ends_the_run:
            return


def remove(desk: Desk) -> Iterator[Outcome]:
    """Every one of this site, at the server and here."""
    for row in desk.rows.of_site(desk.site):
        outcome = remove_one(desk, row)
        yield outcome
        if outcome.ends_the_run:
            return


def strangers(desk: Desk) -> Strangers:
    """Those at the server that send here and are not known. Raises `BackendFailed`."""
    ours = {row.remote for row in desk.rows.of_site(desk.site)}
    listing = server.listed(desk.client, desk.address)
    found = tuple(one for one in listing.found if one.id not in ours)
    return Strangers(found, listing.complete)


def remove_strangers(desk: Desk, found: Strangers) -> Iterator[Outcome]:
    """Delete these at the server."""
    for remote in found.found:
        outcome = Outcome(id=remote.id, type="Subscription", done="removed")
        try:
            desk.client.delete(f"Subscription/{remote.id}")
        except BackendFailed as error:
            outcome = failed(outcome, error)
        yield outcome
        if outcome.ends_the_run:
            return


def _put_right(desk: Desk, row: SubscriptionRow) -> Outcome:
    try:
        seen = look(desk, row)
    except BackendFailed as error:
        return failed(Outcome(id=row.id, type=type_of(row)), error)
    return repair(desk, seen)


def _unwatched(row: SubscriptionRow, patients: frozenset[str]) -> bool:
    return bool(row.patient) and row.patient not in patients
