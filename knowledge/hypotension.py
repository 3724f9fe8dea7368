"""The hypotension axis at one time: statement, pressors, boluses and pressures, in that order.

A number alone never settles the axis: low pressure without treatment is none or fluids. ASTCT asks
what the patient requires; vasopressin is not counted among several (Lee et al. 2019, Table 2).
"""

from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from knowledge.baseline import was_as_low
from knowledge.doubts import HIDDEN, doubt
from knowledge.facts import Charted, Evidence, Facts, Missing, Notice, Reading
from knowledge.levels import Axis
from knowledge.model import SiteRules
from knowledge.pressors import Pressors, pressors_at
from knowledge.series import any_within, newest, upto


ORDER = ("none", "fluids", "one-vasopressor", "multiple-vasopressors")


class Pressure(Struct, frozen=True):
    """What the fresh blood pressures say: low, or None when none may be used."""

    low: bool | None
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[Missing, ...] = ()


def hypotension_levels(facts: Facts, at: datetime, rules: SiteRules, window: timedelta) -> Axis:
    """The levels of hypotension support the facts allow at `at`."""
    stated = any_within(facts.support, at, window)
    if stated is not None and len(stated.levels) == 1 and not stated.preliminary:
        later = [i for i in facts.infusions if i.start > stated.at]
        axis = _stated(stated, pressors_at(later, at, rules, window))
        return _beside_low(axis, stated, facts, at, rules, window)
    axis = _inferred(facts, at, rules, window)
    if stated is None or not stated.levels:
        return axis
    return msgspec.structs.replace(
        axis,
        levels=axis.levels | frozenset(stated.levels),
        evidence=(stated.evidence, *axis.evidence),
        abnormal=axis.abnormal or "none" not in stated.levels,
        observed=True,
    )


def _stated(stated: Charted, pressors: Pressors) -> Axis:
    """A clinician's statement, which a vasopressor that began after it can raise."""
    (floor,) = stated.levels
    raised = frozenset(max(word, floor, key=ORDER.index) for word in pressors.words)
    levels = raised if raised and pressors.least else raised | {floor}
    return Axis(
        levels,
        (stated.evidence, *pressors.evidence),
        notices=pressors.notices,
        abnormal=levels != frozenset({"none"}),
        observed=True,
    )


def _beside_low(
    axis: Axis, stated: Charted, facts: Facts, at: datetime, rules: SiteRules, window: timedelta
) -> Axis:
    """A low pressure beside the word that nothing is needed is said; one charted after the word may
    need fluids: nobody knew of it then."""
    low = _low_now(facts, at, rules, window) if "none" in axis.levels else ()
    if not low:
        return axis
    since = any(one.at > stated.at for one in low)
    text = (
        "A blood pressure under the site's limit was charted after the statement that no support"
        " is needed: state it again."
        if since
        else "No support for the blood pressure is stated beside a pressure under the site's limit."
    )
    return msgspec.structs.replace(
        axis,
        levels=axis.levels | {"fluids"} if since else axis.levels,
        evidence=(*axis.evidence, *(one.evidence for one in low)),
        notices=(*axis.notices, Notice("pressure-below-limit", text)),
        abnormal=axis.abnormal or since,
    )


def _low_now(
    facts: Facts, at: datetime, rules: SiteRules, window: timedelta
) -> tuple[Reading, ...]:
    """The newest pressures that count, where they are under the limits for adults."""
    if facts.age_years is None or facts.age_years < rules.adult_years:
        return ()
    pairs = (
        (facts.systolic, rules.systolic_below),
        (facts.mean_pressure, rules.mean_pressure_below),
    )
    fresh = ((any_within(series, at, window), limit) for series, limit in pairs)
    return tuple(one for one, limit in fresh if one is not None and one.value < limit)


def _inferred(facts: Facts, at: datetime, rules: SiteRules, window: timedelta) -> Axis:
    pressors = pressors_at(facts.infusions, at, rules, window)
    answered = "administrations" in facts.answered
    unknown = () if answered else (Missing("vasopressors", "administrations were not available"),)
    if pressors.least:
        return Axis(
            pressors.words if answered else pressors.words | {"multiple-vasopressors"},
            pressors.evidence,
            missing=unknown,
            notices=pressors.notices,
            abnormal=True,
            observed=True,
        )
    axis = _without_pressors(facts, at, rules, window)
    levels = axis.levels | pressors.words
    return msgspec.structs.replace(
        axis,
        levels=levels if answered else levels | frozenset(ORDER[1:]),
        evidence=(*axis.evidence, *pressors.evidence),
        missing=axis.missing + unknown,
        notices=axis.notices + pressors.notices,
        abnormal=axis.abnormal or pressors.acting,
        observed=axis.observed or pressors.acting,
    )


def _without_pressors(facts: Facts, at: datetime, rules: SiteRules, window: timedelta) -> Axis:
    pressure = _pressure(facts, at, rules, window)
    span = timedelta(hours=rules.bolus_hours)
    boluses = [one for one in facts.boluses if timedelta(0) <= at - one.at <= span]
    # A bolus that is only possible never makes the level certain.
    bolus = max(boluses, key=lambda one: (one.certain, one.at), default=None)
    levels = {"none", "fluids"}
    notices: tuple[Notice, ...] = ()
    if bolus is not None and bolus.certain and _low_within(facts, at, rules, span):
        levels = {"fluids"}
        if _as_before(facts, at, rules):
            levels = {"none", "fluids"}
            text = "The pressure is no lower than before the bispecific: fluids may be for that."
            notices = (Notice("baseline-pressure", text),)
    elif pressure.low is False and bolus is None and not pressure.missing:
        levels = {"none"}
    return Axis(
        frozenset(levels),
        pressure.evidence if bolus is None else (*pressure.evidence, bolus.evidence),
        missing=pressure.missing,
        notices=notices,
        abnormal=bool(pressure.low) or "none" not in levels,
        observed=pressure.low is not None or bolus is not None,
    )


def _as_before(facts: Facts, at: datetime, rules: SiteRules) -> bool:
    return any(
        was_as_low(series, facts, at, limit, rules)
        for series, limit in (
            (facts.systolic, rules.systolic_below),
            (facts.mean_pressure, rules.mean_pressure_below),
        )
    )


def _pressure(facts: Facts, at: datetime, rules: SiteRules, window: timedelta) -> Pressure:
    old = newest(facts.systolic, at) or newest(facts.mean_pressure, at)
    if old is None:
        return Pressure(None, missing=(Missing("blood-pressure", "not recorded"),))
    if facts.age_years is None or facts.age_years < rules.adult_years:
        why = "age unknown" if facts.age_years is None else f"under {rules.adult_years} years"
        return Pressure(None, missing=(Missing("blood-pressure", f"number not used: {why}"),))
    pairs = (
        (facts.systolic, rules.systolic_below),
        (facts.mean_pressure, rules.mean_pressure_below),
    )
    fresh = [(r, limit) for series, limit in pairs if (r := any_within(series, at, window))]
    fresh = [(r, limit) for r, limit in fresh if not r.preliminary or r.value < limit]
    if fresh:
        low = any(r.value < limit for r, limit in fresh)
        hidden = () if low else _hidden(facts, at, rules, window)
        return Pressure(low, tuple(r.evidence for r, _ in fresh), hidden)
    hours = int((at - old.at).total_seconds() // 3600)
    reason = Missing("blood-pressure", f"last recorded {hours} h ago")
    return Pressure(None, (old.evidence,), (reason,))


def _hidden(facts: Facts, at: datetime, rules: SiteRules, window: timedelta) -> tuple[Missing, ...]:
    """A pressure newer than the last one that can be used may be a low one."""
    for name, series, limit in (
        ("systolic", facts.systolic, rules.systolic_below),
        ("mean-pressure", facts.mean_pressure, rules.mean_pressure_below),
    ):
        last = newest(series, at)
        since = None if last is None else last.at
        if doubt(facts, name, at, window, since, limit.__le__):
            return (Missing("blood-pressure", HIDDEN),)
    return ()


def _low_within(facts: Facts, at: datetime, rules: SiteRules, span: timedelta) -> bool:
    if facts.age_years is None or facts.age_years < rules.adult_years:
        return False
    return any(
        r.value < limit and at - r.at <= span
        for series, limit in (
            (facts.systolic, rules.systolic_below),
            (facts.mean_pressure, rules.mean_pressure_below),
        )
        for r in upto(series, at)[-40:]
    )
