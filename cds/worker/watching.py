"""Who is watched, and until when, by what one evaluation or one kept decision says.

Watched is who was given a bispecific within the look-back, and whose event is not over.
"""

from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from cds.store.latest import Kept
from cds.store.rows import Watched
from cds.worker.ports import Cohort
from knowledge.assessment import Assessment
from knowledge.exposure import exposures
from knowledge.facts import Facts
from knowledge.model import SiteRules


# An open event past the look-back is watched on from one reading to the next, however far apart.
OPEN_FOR = timedelta(days=2)
_NEWS = timedelta(hours=1)  # a row that moved by less is not written again
_MOST = 100_000  # rows remembered


def look_back(rules: SiteRules) -> timedelta:
    """The longest of the look-backs for an onset."""
    return timedelta(days=max(rules.crs_lookback_days, rules.icans_lookback_days))


def watched(
    site: str,
    patient: str,
    facts: Facts,
    assessment: Assessment,
    rules: SiteRules,
    now: datetime,
) -> Watched | None:
    """The row of this patient, a bare id; None: nothing in this record asks for one."""
    span = look_back(rules)
    given = exposures(facts, now, span)
    ends = [(min(dose.end or _end(dose.start, dose.running, now), now), dose) for dose in given]
    events = [
        state.event
        for state in (assessment.crs, assessment.icans)
        if state.event is not None and state.event.resolved_at is None
    ]
    if not ends and not events:
        return None
    agent = assessment.agent.ingredient if assessment.agent else ""
    last, until = events[0].onset if events else now, now
    if ends:
        last, dose = max(ends, key=lambda pair: pair[0])
        agent, until = dose.ingredient, last + span
    if events:
        until = max(until, now + OPEN_FOR)
        agent = agent or events[0].agent
    return Watched(
        site=site, patient=patient, agent=agent, last_dose=last, until=until, seen_at=now
    )


def unexposed(facts: Facts, assessment: Assessment, rules: SiteRules, now: datetime) -> bool:
    """Surely nobody of ours: doses were read, none is within the look-back, no event is known."""
    return (
        "administrations" in facts.answered
        and not exposures(facts, now, look_back(rules))
        and assessment.crs.event is None
        and assessment.icans.event is None
    )


class Watching:
    """The cohort, written only when something changed: most readings of a patient say the same."""

    def __init__(self, cohort: Cohort) -> None:
        self._cohort = cohort
        self._seen: dict[tuple[str, str], Watched] = {}

    def see(self, row: Watched) -> None:
        """Keep this row. Raises `StoreDown`."""
        key = row.site, row.patient
        old = self._seen.get(key)
        if (
            old is not None
            and (old.agent, old.last_dose) == (row.agent, row.last_dose)
            and row.seen_at - old.seen_at < _NEWS
            and row.until - old.until < _NEWS
        ):
            return
        self._cohort.watch((row,))
        if len(self._seen) >= _MOST:
            self._seen.clear()
        self._seen[key] = row


class _Event(Struct, frozen=True, rename="camel"):
    onset: datetime
    resolved_at: datetime | None = None


class _State(Struct, frozen=True):
    event: _Event | None = None


class _Agent(Struct, frozen=True, rename="camel"):
    ingredient: str
    last_dose: datetime | None = None


class _Assessment(Struct, frozen=True):
    agent: _Agent | None = None
    crs: _State = _State()
    icans: _State = _State()


_ASSESSMENT = msgspec.json.Decoder(_Assessment)


def watched_from(site: str, kept: Kept, rules: SiteRules, now: datetime) -> Watched | None:
    """The same from a decision that is kept, such as one a hook call made."""
    found = _ASSESSMENT.decode(kept.assessment)
    onsets = [
        state.event.onset
        for state in (found.crs, found.icans)
        if state.event is not None and state.event.resolved_at is None
    ]
    last = found.agent.last_dose if found.agent else None
    until = now + OPEN_FOR if onsets else now
    if last is not None:
        until = max(until, last + look_back(rules))
    if found.agent is None or until <= now:
        return None
    return Watched(
        site=site,
        patient=kept.patient,
        agent=found.agent.ingredient,
        last_dose=last or onsets[0],
        until=until,
        seen_at=kept.evaluated_at,
    )


def _end(start: datetime, running: bool, now: datetime) -> datetime:
    """A dose without an end was a moment, or goes on."""
    return now if running else start
