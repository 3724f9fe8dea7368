"""The ICANS axes at one time: ICE or CAPD, arousal, seizure, motor signs, raised pressure.

Seizure, motor and pressure signs are charted by exception: with an ICE or arousal assessment in
the window and nothing charted they count as absent. Arousal does not: it is asked for.
"""

from datetime import datetime, timedelta

from msgspec import Struct

from knowledge.assessment import Grade
from knowledge.facts import Charted, Facts, Missing, Notice
from knowledge.grading import grade_icans, score_grade
from knowledge.levels import Axis
from knowledge.model import SiteRules
from knowledge.scale_model import AxisScale, IcansScale
from knowledge.series import any_within


class IcansState(Struct, frozen=True):
    """The axes by name, the grade they allow, and whether anything usable was charted."""

    axes: dict[str, Axis]
    grade: Grade
    abnormal: bool
    usable: bool
    complete: bool


def icans_state(
    facts: Facts, at: datetime, *, scale: IcansScale, rules: SiteRules, since: datetime | None
) -> IcansState:
    """The state at `at`, from assessments in the ICE window (and not before `since`)."""
    window = timedelta(hours=rules.ice_hours)
    if since is not None:
        window = min(window, at - since)
    cognition, ice_fresh = _cognition(facts, at, scale, window)
    arousal = _sign(facts.arousal, at, window, scale.arousal, "arousal")
    by_exception = ice_fresh or arousal.observed
    signs = {
        name: _by_exception(series, at, window, axis, name, by_exception)
        for name, series, axis in (
            ("seizure", facts.seizure, scale.seizure),
            ("motor", facts.motor, scale.motor),
            ("raised-icp", facts.raised_icp, scale.raised_icp),
        )
    }
    grade = grade_icans(
        scale,
        frozenset(int(level) for level in cognition.levels),
        arousal.levels,
        signs["seizure"].levels,
        signs["motor"].levels,
        signs["raised-icp"].levels,
    )
    axes = {"ice": cognition, "arousal": arousal, **signs}
    charted = any(axis.observed for axis in axes.values())
    return IcansState(
        axes=axes,
        grade=grade,
        abnormal=any(axis.abnormal for axis in axes.values()),
        usable=charted,
        complete=cognition.observed and arousal.observed,
    )


def _cognition(
    facts: Facts, at: datetime, scale: IcansScale, window: timedelta
) -> tuple[Axis, bool]:
    """The ICE axis as possible grades; under the age limit CAPD takes its place."""
    limit = int(scale.capd_under_age.value)
    unknown = frozenset(str(band.grade) for band in scale.ice)
    if facts.age_years is None:
        reason = "age unknown: ICE and CAPD cannot be told apart"
        return Axis(unknown, missing=(Missing("ice", reason),)), False
    child = facts.age_years < limit
    series, bands, fact = (
        (facts.capd, scale.capd, "capd") if child else (facts.ice, scale.ice, "ice")
    )
    notices: tuple[Notice, ...] = ()
    if facts.age_years == limit:
        text = "At this age sources differ on ICE or CAPD: ICE is used, CAPD may be preferred."
        notices = (Notice("capd-age-boundary", text),)
    reading = any_within(series, at, window)
    if reading is None:
        name = fact.upper()
        return Axis(unknown, missing=(Missing(fact, f"{name} not assessed"),)), False
    grade = score_grade(bands, int(reading.value))
    if grade is None:
        reason = f"{fact.upper()} {reading.value} is not on the scale"
        return Axis(unknown, (reading.evidence,), (Missing(fact, reason),)), False
    level = frozenset({str(grade)})
    return Axis(level, (reading.evidence,), (), notices, grade > 0, observed=True), True


def _sign(
    series: tuple[Charted, ...], at: datetime, window: timedelta, axis: AxisScale, name: str
) -> Axis:
    charted = any_within(series, at, window)
    every = frozenset(axis.levels)
    if charted is None:
        return Axis(every, missing=(Missing(name, f"{name} not charted"),))
    if not charted.levels:
        reason = f"{name} charted as not assessable"
        return Axis(every, (charted.evidence,), (Missing(name, reason),))
    levels = frozenset(charted.levels)
    abnormal = min(axis.levels[word] for word in levels) > 0
    return Axis(levels, (charted.evidence,), abnormal=abnormal, observed=True)


def _by_exception(
    series: tuple[Charted, ...],
    at: datetime,
    window: timedelta,
    axis: AxisScale,
    name: str,
    assessed: bool,
) -> Axis:
    found = _sign(series, at, window, axis, name)
    if found.observed or found.evidence or not assessed:
        return found
    text = f"{name} was not charted and counts as absent because ICE or arousal was assessed."
    none = frozenset({next(iter(axis.levels))})
    return Axis(none, notices=(Notice(f"{name}-by-exception", text),))


def icans_missing(state: IcansState) -> tuple[Missing, ...]:
    """The inputs that would narrow the grade."""
    if state.grade.at_least == state.grade.at_most:
        return ()
    return tuple(m for axis in state.axes.values() for m in axis.missing)


def icans_notices(state: IcansState) -> tuple[Notice, ...]:
    """What the axes ask to be said beside the grade; several uncharted signs become one notice."""
    notices = [n for axis in state.axes.values() for n in axis.notices]
    uncharted = [n.code.removesuffix("-by-exception") for n in notices if "exception" in n.code]
    others = tuple(n for n in notices if "exception" not in n.code)
    if not uncharted:
        return others
    text = f"Not charted, counted as absent: {', '.join(uncharted)}."
    return (*others, Notice("charted-by-exception", text))
