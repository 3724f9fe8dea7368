"""Support and pressure the patient had before the first bispecific dose, or has at home.

Unchanged support is no certain sign of the toxicity and stays a possible one: it takes away from
what is certain, never from what is possible. Where the doses are not known, anything charted
earlier may have been before the first.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter

from knowledge.facts import Charted, Facts, Notice, Reading, bispecific_doses
from knowledge.model import SiteRules
from knowledge.series import T, newest, upto


LEVELS = ("none", "low-flow", "high-flow", "positive-pressure")
_BEFORE = timedelta(hours=24)  # what was charted within a day before the dose is the baseline


def first_dose(facts: Facts, at: datetime, rules: SiteRules) -> datetime | None:
    """The first of the doses a CRS at `at` may be due to."""
    since = at - timedelta(days=rules.crs_lookback_days)
    return next((d.start for d in bispecific_doses(facts) if since <= d.start <= at), None)


def oxygen_with_baseline(
    facts: Facts, now: Charted, at: datetime, rules: SiteRules
) -> tuple[frozenset[str], tuple[Notice, ...]]:
    """The levels of the oxygen charted in `now`, with those a baseline makes possible."""
    levels = frozenset(now.levels)
    if "none" in levels:
        return levels, ()
    before = _before_dose(facts.oxygen, facts, at, rules)
    if any(one.at < now.at and _unchanged(one, now) for one in before):
        return _lowered(levels), (Notice("baseline-oxygen", _baseline_text(facts)),)
    kinds = {
        one.kind
        for one in facts.baselines
        if (one.since is None or one.since <= now.at) and (one.until is None or now.at <= one.until)
    }
    if "positive-pressure" in levels:
        if "positive-pressure" not in kinds:
            return levels, ()
        text = "Positive pressure may be for sleep apnoea, at home or for the airway, not hypoxia."
        return _lowered(levels), (Notice("positive-pressure-for-another-reason", text),)
    if "oxygen" not in kinds or (before and _doses_known(facts)):
        return levels, ()
    text = "Oxygen is given at home and its usual amount is not charted: no certain sign of CRS."
    return _lowered(levels), (Notice("chronic-oxygen", text),)


def _doses_known(facts: Facts) -> bool:
    return "administrations" in facts.answered


def _before_dose(series: Sequence[T], facts: Facts, at: datetime, rules: SiteRules) -> Sequence[T]:
    """What may have been charted last before the first dose: at most one value where the doses are
    known, else any that is not too old."""
    if not _doses_known(facts):
        since = at - timedelta(days=rules.crs_lookback_days) - _BEFORE
        return upto(series, at)[bisect_left(series, since, key=attrgetter("at")) :]
    dose = first_dose(facts, at, rules)
    found = None if dose is None else newest(series, dose, dose - _BEFORE)
    return () if found is None else (found,)


def _baseline_text(facts: Facts) -> str:
    if _doses_known(facts):
        return "Oxygen is given as it was before the bispecific: by itself no certain sign of CRS."
    return "Oxygen was given before, perhaps before the bispecific: its doses are not known."


def _lowered(levels: frozenset[str]) -> frozenset[str]:
    """The same, or anything below it."""
    return frozenset(LEVELS[: max(map(LEVELS.index, levels)) + 1])


def _unchanged(before: Charted, now: Charted) -> bool:
    """Whether it may be no more than it was: of a device without a flow each level is possible."""
    if "none" in before.levels or before.preliminary:
        return False
    if min(map(LEVELS.index, now.levels)) > max(map(LEVELS.index, before.levels)):
        return False
    return before.flow is None or now.flow is None or now.flow <= before.flow


def was_as_low(
    series: Sequence[Reading], facts: Facts, at: datetime, limit: Decimal, rules: SiteRules
) -> bool:
    """Whether the pressure was below the limit before the first dose, and is not lower now."""
    now = newest(series, at)
    return now is not None and any(
        one.at < now.at and one.value < limit and one.value <= now.value
        for one in _before_dose(series, facts, at, rules)
    )
