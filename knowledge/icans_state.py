"""The ICANS axes at one time: ICE or CAPD, arousal, seizure, motor signs, raised pressure.

Seizure, motor and pressure signs are charted by exception: with an ICE or arousal assessment in
the window and nothing charted they count as absent. Arousal does not: it is asked for.
"""

from datetime import datetime, timedelta

from msgspec import Struct

from knowledge.assessment import Grade
from knowledge.cognition import cognition
from knowledge.facts import Charted, Facts, Missing, Notice
from knowledge.grading import grade_icans
from knowledge.levels import Axis
from knowledge.model import SiteRules
from knowledge.scale_model import AxisScale, IcansScale
from knowledge.seizures import with_clusters
from knowledge.settled import standing


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
    ice = cognition(facts, at, scale, window)
    arousal = _sign(facts.arousal, at, window, scale.arousal, "arousal")
    by_exception = (ice.observed and not ice.missing) or arousal.observed
    signs = {
        name: _by_exception(series, at, window, axis, name, by_exception)
        for name, series, axis in (
            ("seizure", facts.seizure, scale.seizure),
            ("motor", facts.motor, scale.motor),
            ("raised-icp", facts.raised_icp, scale.raised_icp),
        )
    }
    signs["seizure"] = with_clusters(signs["seizure"], facts, at, window)
    grade = grade_icans(
        scale,
        frozenset(int(level) for level in ice.levels),
        arousal.levels,
        signs["seizure"].levels,
        signs["motor"].levels,
        signs["raised-icp"].levels,
    )
    axes = {"ice": ice, "arousal": arousal, **signs}
    charted = any(axis.observed for axis in axes.values())
    return IcansState(
        axes=axes,
        grade=grade,
        abnormal=any(axis.abnormal for axis in axes.values()),
        usable=charted,
        complete=ice.observed and arousal.observed,
    )


def _sign(
    series: tuple[Charted, ...], at: datetime, window: timedelta, axis: AxisScale, name: str
) -> Axis:
    def worst(one: Charted) -> int:
        return max((axis.levels[word] for word in one.levels), default=0)

    charted = standing(series, at, window, worst)
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
    words = [name.replace("raised-icp", "raised ICP") for name in uncharted]
    text = f"Not charted, counted as absent: {', '.join(words)}."
    return (*others, Notice("charted-by-exception", text))
