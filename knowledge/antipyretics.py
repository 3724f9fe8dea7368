"""Acetaminophen, also called paracetamol: too early, or over the total a source prints for a day.

One substance under two names. A dose that cannot be read is named, never assumed; how often an
order repeats is not known here, so one dose of it is counted.
"""

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from knowledge.dosing_model import AntipyreticLimits, DailyTotal, Spacing
from knowledge.facts import Evidence, Facts, Masking, Order
from knowledge.library import Library
from knowledge.plain import plain, tenths
from knowledge.product_model import Protocol
from knowledge.tocilizumab import ordered_mg


_MILLIGRAMS = {"mg": Decimal(1), "g": Decimal(1000)}
_LARGEST_EXPONENT = 6
_HOUR = Decimal(3600)


def problem(order: Order, facts: Facts, library: Library, protocol: Protocol) -> str:
    """What is wrong with a drafted dose at its planned start, in words; empty if nothing is."""
    limits = library.antipyretics
    if order.ingredient not in limits.ingredients:
        return ""
    when = max(facts.evaluated_at, order.planned_start or facts.evaluated_at)
    given = [drug for drug in facts.masking if _counts(drug, facts, limits)]
    found = []
    if "administrations" not in facts.answered:
        found.append("earlier doses were not available: time between doses and total not checked")
    spacing = limits.spacing.get(protocol.id)
    if spacing is not None and given:
        found += _too_early(given[-1], when, spacing)
    found += _over(order, given, when, facts, library, protocol)
    return "; ".join(found)


def _counts(drug: Masking, facts: Facts, limits: AntipyreticLimits) -> bool:
    return drug.agent in limits.ingredients and drug.at <= facts.evaluated_at


def _too_early(last: Masking, when: datetime, spacing: Spacing) -> list[str]:
    if when - last.at >= timedelta(hours=int(spacing.hours.value)):
        return []
    hours = tenths(Decimal((when - last.at).total_seconds()) / _HOUR)
    upper = "" if spacing.hours_to is None else f"-{plain(spacing.hours_to)}"
    note = f" ({spacing.note})" if spacing.note else ""
    text = f"{hours} h after the last {last.agent}, at least {plain(spacing.hours.value)}{upper} h"
    return [f"too early: {text}{note}"]


def _over(
    order: Order,
    given: list[Masking],
    when: datetime,
    facts: Facts,
    library: Library,
    protocol: Protocol,
) -> list[str]:
    """Whether one dose of the order passes the total, and which doses could not be counted."""
    daily = library.antipyretics.daily
    start = when - timedelta(hours=int(daily.window_hours.value))
    doses = [_milligrams(drug.evidence) for drug in given if drug.at > start]
    ordered = ordered_mg(order, facts, library.tocilizumab)
    known = sum((mg for mg in (*doses, ordered) if mg is not None), Decimal(0))
    unknown = doses.count(None)
    found = []
    if known > daily.dose_mg.value * daily.times_to.value:
        found.append(_total(known, daily, protocol))
    if ordered is None:
        found.append("the ordered dose could not be read: total of the day not known")
    if unknown:
        hours = plain(daily.window_hours.value)
        found.append(f"doses of the last {hours} h that could not be read: {unknown}")
    return found


def _total(known: Decimal, daily: DailyTotal, protocol: Protocol) -> str:
    own = protocol.id == daily.stated_by
    prefix = "" if own else f"for information, {daily.stated_by}: "
    times = f"{plain(daily.times.value)}-{plain(daily.times_to.value)}"
    most = f"{times} x {plain(daily.dose_mg.value)} mg a day"
    hours = plain(daily.window_hours.value)
    return f"{prefix}{plain(known)} mg in {hours} h with this dose is over {most}"


def _milligrams(evidence: Evidence) -> Decimal | None:
    """The dose as charted, in mg; None for another unit or what is no plausible number."""
    factor = _MILLIGRAMS.get(evidence.unit.lower())
    try:
        value = Decimal(evidence.value)
    except InvalidOperation:
        return None
    if factor is None or not value.is_finite() or value < 0:
        return None
    return value * factor if abs(value.adjusted()) <= _LARGEST_EXPONENT else None
