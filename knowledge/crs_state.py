"""The CRS axes at one time: which levels the facts allow, by which evidence, what is missing.

Unknown is never normal: an axis without a fresh observation keeps every level it could have.
Rules: DESIGN of the project, "From interval to action"; thresholds from the scale and site files.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from knowledge.assessment import Grade
from knowledge.doubts import HIDDEN, doubt
from knowledge.facts import Evidence, Facts, Missing, Notice, Reading
from knowledge.grading import grade_crs
from knowledge.hypotension import hypotension_levels
from knowledge.hypoxia import hypoxia_levels
from knowledge.levels import Axis
from knowledge.model import SiteRules
from knowledge.scale_model import CrsScale
from knowledge.series import any_within, newest, upto


class CrsState(Struct, frozen=True):
    """The three axes, the grade they allow, and what to name as missing or notable."""

    fever: Axis
    hypotension: Axis
    hypoxia: Axis
    grade: Grade
    abnormal: bool
    usable: bool
    complete: bool


def freshness(facts: Facts, rules: SiteRules, reached_grade_2: bool) -> timedelta:
    """How old a vital sign or oxygen record may be; an unknown setting takes the strict value."""
    if reached_grade_2:
        return timedelta(hours=rules.vitals_hours_after_grade2)
    if facts.in_hospital is False:
        return timedelta(hours=rules.vitals_hours_elsewhere)
    return timedelta(hours=rules.vitals_hours_in_hospital)


def masking_at(facts: Facts, at: datetime, rules: SiteRules) -> Evidence | None:
    """The newest drug that may hide fever at this time, within the window of its kind."""
    given = upto(facts.masking, at)
    if not given:
        return None
    windows = {
        "antipyretic": timedelta(hours=rules.antipyretic_hours),
        "steroid": timedelta(hours=rules.steroid_hours),
        "anticytokine": timedelta(days=rules.anticytokine_days),
    }
    for drug in reversed(given):
        if at - drug.at <= windows[drug.kind]:
            return drug.evidence
    return None


def crs_state(
    facts: Facts,
    at: datetime,
    *,
    scale: CrsScale,
    rules: SiteRules,
    established: bool,
    window: timedelta,
) -> CrsState:
    """The state at `at`. `established`: CRS was already present earlier in this event."""
    hypotension = hypotension_levels(facts, at, rules, window)
    hypoxia = hypoxia_levels(facts, at, rules, window)
    masked = masking_at(facts, at, rules)
    normal_axes = hypotension.levels == hypoxia.levels == frozenset({"none"})
    # Where administrations were not available, a drug that hides fever may have been given.
    unknown = masked is None and "administrations" not in facts.answered
    may_hide = (masked is not None or unknown) and (established or not normal_axes)
    sure = established and not unknown
    fever = fever_levels(facts.temperatures, at, window, scale, may_hide, sure)
    if masked is not None and "masked" in fever.levels:
        fever = fever.with_evidence(masked)
    elif "masked" in fever.levels:
        named = Missing("masking", "administrations were not available")
        fever = msgspec.structs.replace(fever, missing=(*fever.missing, named))
    fever = _with_doubt(fever, facts, at, scale, window)
    grade = grade_crs(scale, fever.levels, hypotension.levels, hypoxia.levels)
    return CrsState(
        fever=fever,
        hypotension=hypotension,
        hypoxia=hypoxia,
        grade=grade,
        abnormal=fever.abnormal or hypotension.abnormal or hypoxia.abnormal,
        usable=fever.observed or hypotension.observed or hypoxia.observed,
        complete=_complete(facts, at, window) and not _any_hidden(fever, hypotension, hypoxia),
    )


def fever_levels(
    temperatures: Sequence[Reading],
    at: datetime,
    window: timedelta,
    scale: CrsScale,
    may_hide: bool,
    established: bool,
) -> Axis:
    """Fever present, absent or masked. A preliminary normal value does not end a fever.

    Without established CRS a hidden fever is possible, never certain; with it, it is masked.
    """
    threshold = scale.fever_cel.value
    hidden = {"masked"} if may_hide and established else {"absent"}
    if may_hide and not established:
        hidden = {"absent", "masked"}
    past = upto(temperatures, at)
    recent = [
        r for r in past[-4:] if at - r.at <= window and (not r.preliminary or r.value >= threshold)
    ]
    if recent:
        last = recent[-1]
        if last.value >= threshold:
            return Axis(frozenset({"present"}), (last.evidence,), abnormal=True, observed=True)
        return Axis(frozenset(hidden), (last.evidence,), observed=True)
    old = past[-1] if past else None
    reason = "not recorded" if old is None else f"last recorded {age_in_hours(old.at, at)} h ago"
    return Axis(
        frozenset({"present"} | hidden),
        () if old is None else (old.evidence,),
        missing=(Missing("temperature", reason),),
    )


def _with_doubt(
    fever: Axis, facts: Facts, at: datetime, scale: CrsScale, window: timedelta
) -> Axis:
    """A temperature newer than the last one that can be used may be a fever."""
    if "present" in fever.levels:
        return fever
    last = newest(facts.temperatures, at)
    since = None if last is None else last.at
    newer = doubt(facts, "temperature", at, window, since, scale.fever_cel.value.__gt__)
    if newer is None:
        return fever
    return msgspec.structs.replace(
        fever,
        levels=fever.levels | {"present"},
        evidence=(*fever.evidence, newer.evidence),
        missing=(*fever.missing, Missing("temperature", HIDDEN)),
    )


def _any_hidden(*axes: Axis) -> bool:
    return any(one.reason == HIDDEN for axis in axes for one in axis.missing)


def age_in_hours(then: datetime, now: datetime) -> int:
    """Whole hours between two times, rounded down."""
    return int((now - then).total_seconds() // 3600)


def _complete(facts: Facts, at: datetime, window: timedelta) -> bool:
    if any_within(facts.temperatures, at, window) is None:
        return False
    if any_within(facts.saturations, at, window) is None:
        return False
    pressure = any_within(facts.systolic, at, window) or any_within(facts.mean_pressure, at, window)
    return pressure is not None


def state_notices(state: CrsState) -> tuple[Notice, ...]:
    """What the three axes ask to be said beside the grade."""
    return state.fever.notices + state.hypotension.notices + state.hypoxia.notices


def state_missing(state: CrsState) -> tuple[Missing, ...]:
    """The inputs that would narrow the grade. Certain absence of fever needs none of them."""
    if state.grade == Grade(0, 0) and state.fever.observed:
        return ()
    return state.fever.missing + state.hypotension.missing + state.hypoxia.missing
