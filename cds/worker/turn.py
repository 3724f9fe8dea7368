"""One claim from its start to its end: read, evaluate, keep what is new, or come back later.

Faults and failures of one patient end here, as typed results; only `StoreDown` passes.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from cds import log
from cds.config import Site
from cds.errors import AnotherPatient
from cds.store import DecisionRow
from cds.store.rows import WakeUp
from cds.worker.backoff import after, pause
from cds.worker.faults import Contained
from cds.worker.ports import Claim, Unread
from cds.worker.regrade import Regraded, regrade
from cds.worker.unchanged import unchanged
from cds.worker.unknown import resolved
from cds.worker.watching import unexposed, watched
from cds.worker.workplace import Workplace


_STRANGER = timedelta(hours=1)  # for a site that another worker may know

Result = Literal[
    "kept",
    "unchanged",
    "unexposed",  # no bispecific within the look-back, nothing kept before: not ours to keep
    "kept-again",  # kept what is known, and it is read again
    "again",
    "another-patient",
    "resolved",
    "unknown-site",
    "fault",
]


class Turn(Struct, frozen=True):
    """What came of a claim. `regraded`: where the record was evaluated. `unnamed`: a wake-up named
    neither patient nor resource, so that it may be about somebody who is not watched yet."""

    result: Result
    site: Site | None = None
    regraded: Regraded | None = None
    unnamed: bool = False


class _Plan(Struct, frozen=True):
    """How the claim ends: one of `row` (or nothing new), `wake_ups` and `until`."""

    result: Result
    row: DecisionRow | None = None
    wake_ups: tuple[WakeUp, ...] = ()
    until: datetime | None = None
    regraded: Regraded | None = None


def take(place: Workplace, claim: Claim, *, refused: bool = False) -> Turn:
    """Do what the claim asks for and end it. Raises `StoreDown`; then the claim stands as it was.

    `refused`: the store did not take this patient's decision the last time. It then goes where
    other decisions go that the store does not take, and holds up nobody.
    """
    site = place.site(claim.site)
    if site is None:
        log.event("regraded", level=logging.WARNING, site=claim.site, code="unknown-site")
        claim.postpone(place.clock() + _STRANGER)
        return Turn("unknown-site")
    plan = _contained(place, site, claim, _patient if claim.patient else _unknown)
    _end(place, site, claim, plan, apart=refused or plan.until is not None)
    log.event(
        "regraded",
        level=logging.WARNING if plan.result == "another-patient" else logging.INFO,
        site=site.id,
        code=plan.result,
        decision=plan.row.id if plan.row is not None else None,
        upstream=[one.kind for one in plan.regraded.failed] if plan.regraded else [],
    )
    unnamed = not claim.patient and len(claim.refs) < len(claim.ids)
    return Turn(plan.result, site, plan.regraded, unnamed)


def _contained(
    place: Workplace, site: Site, claim: Claim, work: Callable[[Workplace, Site, Claim], _Plan]
) -> _Plan:
    with Contained("regrade-fault", site.id):
        return work(place, site, claim)
    return _Plan("fault", until=place.clock() + pause(claim.attempts))


def _patient(place: Workplace, site: Site, claim: Claim) -> _Plan:
    try:
        found = regrade(place, site, claim.patient)
    except AnotherPatient:
        return _Plan("another-patient")
    then = after(found.failed, claim.attempts)
    now = found.row.evaluated_at
    again = None if then == "done" else now + pause(claim.attempts)
    if then == "again":
        return _Plan("again", until=again, regraded=found)
    rules = site.site_rules(place.library.rules)
    facts, assessment = found.evaluation.facts, found.evaluation.decision.assessment
    row = watched(site.id, claim.patient, facts, assessment, rules, now)
    if row is not None:
        place.watching.see(row)
    last = place.history.last(site.id, claim.patient)
    if unchanged(last, found.row):
        return _Plan("unchanged", until=again, regraded=found)
    if last is None and unexposed(facts, assessment, rules, now):
        return _Plan("unexposed", until=again)
    return _Plan("kept-again" if again else "kept", found.row, until=again, regraded=found)


def _unknown(place: Workplace, site: Site, claim: Claim) -> _Plan:
    now = place.clock()
    try:
        return _Plan("resolved", wake_ups=resolved(place, site, claim, now))
    except Unread:
        return _Plan("again", until=now + pause(claim.attempts))


def _end(place: Workplace, site: Site, claim: Claim, plan: _Plan, *, apart: bool) -> None:
    """`apart`: the decision is kept by itself, not with the end of the claim."""
    now = place.clock()
    if apart and plan.row is not None:
        place.records.record(plan.row)
    if plan.until is not None:
        claim.postpone(plan.until)
    elif plan.result == "resolved":
        claim.replace(plan.wake_ups, now=now)
    else:
        least = timedelta(seconds=site.events.pause_seconds if site.events else 0)
        row = None if apart else plan.row
        claim.finish(row, now=now, not_before=now + least)
