"""What data newer than a clinician's grade show by themselves: they can only raise what acts."""

from datetime import datetime, timedelta

import msgspec

from knowledge.assessment import Grade
from knowledge.crs_state import crs_state
from knowledge.facts import ChartedGrade, Facts
from knowledge.grading import grade_crs, grade_icans
from knowledge.icans_state import icans_state
from knowledge.levels import Axis
from knowledge.model import SiteRules
from knowledge.scale_model import CrsScale, IcansScale


def newer_crs(
    facts: Facts, charted: ChartedGrade, scale: CrsScale, rules: SiteRules, window: timedelta
) -> Grade:
    """CRS from what was charted after that grade; silence adds nothing."""
    newer = after(facts, charted.at)
    state = crs_state(
        newer, facts.evaluated_at, scale=scale, rules=rules, established=True, window=window
    )
    if charted.grade > 0:
        fever = frozenset({"present"})
    else:
        fever = state.fever.levels if state.fever.observed else frozenset({"absent"})
    return grade_crs(
        scale, fever, _positive(state.hypotension, "none"), _positive(state.hypoxia, "none")
    )


def newer_icans(facts: Facts, charted: ChartedGrade, scale: IcansScale, rules: SiteRules) -> Grade:
    """The same for ICANS."""
    since = charted.at + timedelta(microseconds=1)
    state = icans_state(facts, facts.evaluated_at, scale=scale, rules=rules, since=since)
    ice = _positive(state.axes["ice"], "0")
    return grade_icans(
        scale,
        frozenset(int(level) for level in ice),
        _positive(state.axes["arousal"], "alert"),
        _positive(state.axes["seizure"], "none"),
        _positive(state.axes["motor"], "none"),
        _positive(state.axes["raised-icp"], "none"),
    )


def _positive(axis: Axis, mildest: str) -> frozenset[str]:
    return axis.levels if axis.observed else frozenset({mildest})


def after(facts: Facts, at: datetime) -> Facts:
    """The facts charted after `at`; running infusions that began before it belong to the grade."""
    return msgspec.structs.replace(
        facts,
        temperatures=tuple(r for r in facts.temperatures if r.at > at),
        systolic=tuple(r for r in facts.systolic if r.at > at),
        mean_pressure=tuple(r for r in facts.mean_pressure if r.at > at),
        saturations=tuple(r for r in facts.saturations if r.at > at),
        oxygen=tuple(c for c in facts.oxygen if c.at > at),
        support=tuple(c for c in facts.support if c.at > at),
        boluses=tuple(b for b in facts.boluses if b.at > at),
        infusions=tuple(i for i in facts.infusions if i.start > at),
        unusable=tuple(u for u in facts.unusable if u.at > at),
        answered=facts.answered | {"administrations"},
    )
