"""Creatinine clearance by Cockcroft and Gault, with its inputs in words; never an eGFR.

Age, sex, a recent measured weight and a recent creatinine: without one of them nothing is
computed, and what is missing is named.
"""

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from msgspec import Struct

from knowledge.crs_state import age_in_hours
from knowledge.dosing_model import Clearance
from knowledge.facts import Facts, Reading
from knowledge.plain import plain, tenths
from knowledge.series import any_within, newest


_SEXES = ("female", "male")
_HUNDREDTH = Decimal("0.01")


class Computed(Struct, frozen=True):
    """The clearance in mL/min and the inputs it rests on, in words."""

    value: Decimal
    inputs: str


def renal(facts: Facts, limits: Clearance, weight: Reading | None) -> str:
    """The clearance with its inputs and what it asks for, or what is missing."""
    found = clearance(facts, limits, weight)
    if isinstance(found, tuple):
        return f"Creatinine clearance not computed; missing: {', '.join(found)}"
    text = f"Creatinine clearance {tenths(found.value)} mL/min by Cockcroft-Gault ({found.inputs})"
    return f"{text}: {_advice(found.value, limits)}"


def clearance(
    facts: Facts, limits: Clearance, weight: Reading | None
) -> Computed | tuple[str, ...]:
    """The clearance in mL/min, or the names of the inputs that are missing."""
    now = facts.evaluated_at
    span = timedelta(hours=int(limits.creatinine_max_age_hours.value))
    creatinine = any_within(facts.creatinine, now, span)
    age, sex = facts.age_years, facts.sex
    missing = _missing(facts, limits, weight, creatinine)
    if missing or age is None or weight is None or creatinine is None:
        return missing
    factor = limits.female_factor.value if sex == "female" else Decimal(1)
    above = (limits.age_from.value - age) * weight.value * factor
    shown = creatinine.value.quantize(_HUNDREDTH, rounding=ROUND_HALF_UP)
    settled = ", preliminary" if creatinine.preliminary else ""
    inputs = (
        f"{age} years, {sex}, {tenths(weight.value)} kg {age_in_hours(weight.at, now)} h ago,"
        f" creatinine {plain(shown)} mg/dL {age_in_hours(creatinine.at, now)} h ago{settled}"
    )
    return Computed(above / (limits.divisor.value * creatinine.value), inputs)


def _missing(
    facts: Facts, limits: Clearance, weight: Reading | None, creatinine: Reading | None
) -> tuple[str, ...]:
    found = []
    age = facts.age_years
    if age is None:
        found.append("age")
    elif age < limits.from_years.value or age >= limits.age_from.value:
        found.append(f"a formula for the age of {age} years")
    if facts.sex not in _SEXES:
        found.append("sex, female or male")
    if weight is None:
        found.append("a recent measured weight")
    if creatinine is None:
        hours = plain(limits.creatinine_max_age_hours.value)
        last = newest(facts.creatinine, facts.evaluated_at)
        old = "" if last is None else f" (last {age_in_hours(last.at, facts.evaluated_at)} h ago)"
        found.append(f"a creatinine of the last {hours} h{old}")
    return tuple(found)


def _advice(value: Decimal, limits: Clearance) -> str:
    low, high = limits.alternate_days_below.value, limits.caution_below.value
    if value < low:
        return f"under {plain(low)}, consider a dose every other day"
    if value < high:
        return f"{plain(low)} to under {plain(high)}, use with caution"
    return f"{plain(high)} or above, no change stated"
