"""Tocilizumab: may it be given now, how much, and which limit of which document says no.

Hard limits (cap, interval, weight floor) hold under every protocol; counts follow the active one.
A dose is never computed without a recent measured weight over the floor. Six weeks are 42 x 24 h.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from msgspec import Struct

from knowledge.assessment import Indication, Tocilizumab, TocilizumabStatus
from knowledge.dosing_model import TocilizumabLimits
from knowledge.facts import Dose, Facts, Order, Reading, bispecific_doses
from knowledge.model import SiteRules
from knowledge.series import any_within


SUBCUTANEOUS = "not-a-crs-route"


class Computed(Struct, frozen=True):
    """A dose by weight: what 8 mg/kg gives and what the cap leaves of it."""

    kg: Decimal
    uncapped_mg: Decimal
    dose_mg: Decimal


class Counts(Struct, frozen=True):
    """Tocilizumab already given: in this event, in six weeks, and when last."""

    this_event: int
    in_window: int
    last: datetime | None
    window_starts: tuple[datetime, ...]


def compute_dose(
    facts: Facts, limits: TocilizumabLimits, protocol: str
) -> tuple[Computed | None, str]:
    """The dose in whole milligrams, half up, and an empty reason; or None and the reason."""
    per_kg = limits.mg_per_kg.get(protocol)
    if per_kg is None:
        return None, "dose-not-stated"
    weight = recent_weight(facts, limits)
    if weight is None:
        return None, "weight-too-old" if facts.weights else "no-weight"
    if weight.value <= limits.weight_over_kg.value:
        return None, "weight-not-over-floor"
    uncapped = (per_kg.value * weight.value).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return Computed(weight.value, uncapped, min(uncapped, limits.cap_mg.value)), ""


def recent_weight(facts: Facts, limits: TocilizumabLimits) -> Reading | None:
    """The newest measured weight that is young enough to compute a dose from."""
    age = timedelta(days=int(limits.weight_max_age_days.value))
    return any_within(facts.weights, facts.evaluated_at, age)


def count(facts: Facts, limits: TocilizumabLimits, onset: datetime | None) -> Counts:
    """Doses given. Subcutaneous ones are not CRS doses but belong to the six-week count."""
    now = facts.evaluated_at
    given = [d for d in facts.doses if d.ingredient == "tocilizumab" and d.start <= now]
    days = max((c.window_days or 0 for c in limits.counts.values()), default=0)
    recent = [d for d in given if now - d.start < timedelta(days=days)]
    infused = [d for d in given if d.route != "sc"]
    return Counts(
        this_event=sum(1 for d in infused if onset is not None and d.start >= onset),
        in_window=len(recent),
        last=max((d.start for d in infused), default=None),
        window_starts=tuple(sorted(d.start for d in recent)),
    )


def given_before_onset(facts: Facts, onset: datetime | None) -> int:
    """Infusions between the last bispecific dose and the first recorded sign.

    They may belong to the event: the first sign in the request need not be the first there was.
    """
    if onset is None:
        return 0
    last = max((d.start for d in bispecific_doses(facts) if d.start <= onset), default=onset)
    infused = (d for d in facts.doses if d.ingredient == "tocilizumab" and d.route != "sc")
    return sum(1 for d in infused if last <= d.start < onset)


def check(
    facts: Facts,
    limits: TocilizumabLimits,
    protocol: str,
    indication: Indication,
    onset: datetime | None,
    order: Order | None = None,
) -> Tocilizumab:
    """The status for the next dose, or for one drafted order at its planned start."""
    when = facts.evaluated_at
    if order is not None and order.planned_start is not None:
        when = max(when, order.planned_start)
    computed, no_dose = compute_dose(facts, limits, protocol)
    answered = "administrations" in facts.answered
    counts = count(facts, limits, onset)
    blocks, earliest = _blocks(counts, limits, protocol, when)
    if order is not None:
        blocks += _order_blocks(order, facts, limits)
    reasons = blocks
    status: TocilizumabStatus
    if blocks:
        status = "blocked"
    elif not answered:
        status, reasons = "cannot-evaluate", ("administrations-not-available",)
    elif order is not None and recent_weight(facts, limits) is None:
        status, reasons = "cannot-evaluate", ("weight-too-old" if facts.weights else "no-weight",)
    elif protocol not in limits.counts:
        status, reasons = "not-addressed", ("protocol-silent",)
    elif indication == "not-for-isolated-icans":
        status, reasons, computed = "not-addressed", ("isolated-icans",), None
    elif no_dose:
        status, reasons = "cannot-evaluate", (no_dose,)
    else:
        status = "allowed"
    return Tocilizumab(
        status=status,
        indication=indication,
        dose_mg=None if computed is None else computed.dose_mg,
        uncapped_mg=None if computed is None else computed.uncapped_mg,
        doses_this_event=counts.this_event if answered else None,
        doses_in_6_weeks=counts.in_window if answered else None,
        earliest=earliest if set(blocks) <= {"interval", "count-6-weeks"} else None,
        reasons=reasons,
    )


def _blocks(
    counts: Counts, limits: TocilizumabLimits, protocol: str, when: datetime
) -> tuple[tuple[str, ...], datetime | None]:
    """Limits of time and number that are exceeded, and when the last of the timed ones ends."""
    reasons: list[str] = []
    ends: list[datetime] = []
    if counts.last is not None:
        ready = counts.last + timedelta(hours=int(limits.interval_hours.value))
        if when < ready:
            reasons.append("interval")
            ends.append(ready)
    allowed = limits.counts.get(protocol)
    if allowed is not None:
        if allowed.per_event is not None and counts.this_event >= allowed.per_event.value:
            reasons.append("count-this-event")
        if allowed.in_window is not None and allowed.window_days is not None:
            most = int(allowed.in_window.value)
            span = timedelta(days=allowed.window_days)
            within = [s for s in counts.window_starts if when - s < span]
            if len(within) >= most:
                reasons.append("count-6-weeks")
                ends.append(within[len(within) - most] + span)
    return tuple(reasons), max(ends, default=None)


def _order_blocks(order: Order, facts: Facts, limits: TocilizumabLimits) -> tuple[str, ...]:
    if order.subcutaneous_product or order.route == "sc":
        return (SUBCUTANEOUS,)
    found = []
    ordered = ordered_mg(order, facts, limits)
    if ordered is not None and ordered > limits.cap_mg.value:
        found.append("above-cap")
    weight = recent_weight(facts, limits)
    if weight is not None and weight.value <= limits.weight_over_kg.value:
        found.append("weight-not-over-floor")
    return tuple(found)


def ordered_mg(order: Order, facts: Facts, limits: TocilizumabLimits) -> Decimal | None:
    """The ordered dose in mg; mg/kg is multiplied only with a recent measured weight."""
    if order.dose_mg is not None or order.dose_mg_per_kg is None:
        return order.dose_mg
    weight = recent_weight(facts, limits)
    return None if weight is None else order.dose_mg_per_kg * weight.value


def outside_tolerance(ordered: Decimal, computed: Decimal, rules: SiteRules) -> bool:
    """Whether an ordered dose differs from the computed one by more than the site tolerates."""
    allowed = computed * rules.dose_tolerance_percent / 100
    return abs(ordered - computed) > allowed


def subcutaneous_given(doses: Sequence[Dose]) -> bool:
    """Whether any earlier tocilizumab was subcutaneous."""
    return any(d.ingredient == "tocilizumab" and d.route == "sc" for d in doses)
