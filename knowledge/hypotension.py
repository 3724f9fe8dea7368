"""The hypotension axis at one time: statement, pressors, boluses and pressures, in that order.

A number alone never settles the axis: low pressure without treatment is none or fluids. ASTCT asks
what the patient requires; vasopressin is not counted among several (Lee et al. 2019, Table 2).
"""

from datetime import datetime, timedelta

from msgspec import Struct

from knowledge.facts import Evidence, Facts, Infusion, Missing, Notice
from knowledge.levels import Axis
from knowledge.model import SiteRules
from knowledge.series import any_within, newest, upto


ORDER = ("none", "fluids", "one-vasopressor", "multiple-vasopressors")


class Pressure(Struct, frozen=True):
    """What the fresh blood pressures say: low, or None when none may be used."""

    low: bool | None
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[Missing, ...] = ()


def hypotension_levels(facts: Facts, at: datetime, rules: SiteRules, window: timedelta) -> Axis:
    """The levels of hypotension support the facts allow at `at`."""
    running = [i for i in facts.infusions if i.start <= at and (i.end is None or at < i.end)]
    stated = any_within(facts.support, at, window)
    if stated is not None and len(stated.levels) == 1:
        later = [i for i in running if i.start > stated.at]
        levels, evidence, notices = _pressor_levels(later, at, rules)
        floor = ORDER.index(stated.levels[0])
        kept = frozenset(w for w in levels if ORDER.index(w) > floor) or frozenset(stated.levels)
        return Axis(
            kept,
            (stated.evidence, *evidence),
            notices=notices,
            abnormal=kept != frozenset({"none"}),
            observed=True,
        )
    if running:
        levels, evidence, notices = _pressor_levels(running, at, rules)
        if levels:
            return Axis(levels, evidence, notices=notices, abnormal=True, observed=True)
    return _without_pressors(facts, at, rules, window, running)


def _pressor_levels(
    running: list[Infusion], at: datetime, rules: SiteRules
) -> tuple[frozenset[str], tuple[Evidence, ...], tuple[Notice, ...]]:
    """Levels certain to need a vasopressor; empty when none is running."""
    pressors = {i.agent: i for i in reversed(running) if i.kind == "vasopressor"}
    vasopressin = [i for i in running if i.kind == "vasopressin"]
    inotropes = [i for i in running if i.kind == "inotrope"]
    evidence = tuple(i.evidence for i in running)
    notices: tuple[Notice, ...] = ()
    if not pressors and not vasopressin:
        return frozenset(), evidence, ()
    if not pressors:
        text = "Vasopressin alone is read as one vasopressor; the scale does not say so in words."
        notices = (Notice("vasopressin-alone", text),)
    levels = {"multiple-vasopressors" if len(pressors) > 1 else "one-vasopressor"}
    if len(pressors) == 2:
        overlap = at - max(i.start for i in pressors.values())
        if overlap <= timedelta(minutes=rules.switch_minutes / 2):
            levels.add("one-vasopressor")
            text = "Two vasopressors overlap for less than half an hour: a change-over is possible."
            notices += (Notice("pressor-overlap", text),)
    elif inotropes:
        levels.add("multiple-vasopressors")
        text = "An inotrope runs beside a vasopressor; inotropes are not counted as vasopressors."
        notices += (Notice("inotrope", text),)
    return frozenset(levels), evidence, notices


def _without_pressors(
    facts: Facts, at: datetime, rules: SiteRules, window: timedelta, running: list[Infusion]
) -> Axis:
    pressure = _pressure(facts, at, rules, window)
    span = timedelta(hours=rules.bolus_hours)
    bolus = any_within(facts.boluses, at, span)
    levels = {"none", "fluids"}
    if bolus is not None and (pressure.low or _low_within(facts, at, rules, span)):
        levels = {"fluids"}
    elif pressure.low is False and bolus is None:
        levels = {"none"}
    missing = pressure.missing
    notices: tuple[Notice, ...] = ()
    if running:
        levels.add("one-vasopressor")
        text = "An inotrope is running; inotropes are not counted as vasopressors."
        notices = (Notice("inotrope", text),)
    if "administrations" not in facts.answered:
        levels |= {"fluids", "one-vasopressor", "multiple-vasopressors"}
        missing += (Missing("vasopressors", "administrations were not available"),)
    evidence = pressure.evidence if bolus is None else (*pressure.evidence, bolus.evidence)
    return Axis(
        frozenset(levels),
        (*evidence, *(i.evidence for i in running)),
        missing=missing,
        notices=notices,
        abnormal=bool(pressure.low) or "none" not in levels or bool(running),
        observed=pressure.low is not None or bolus is not None or bool(running),
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
        return Pressure(low, tuple(r.evidence for r, _ in fresh))
    hours = int((at - old.at).total_seconds() // 3600)
    reason = Missing("blood-pressure", f"last recorded {hours} h ago")
    return Pressure(None, (old.evidence,), (reason,))


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
