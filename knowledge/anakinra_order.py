"""One drafted anakinra order against both ceilings, the platelets and the conditions."""

from knowledge.anakinra_terms import (
    SILENT,
    ceiling_mg,
    platelets_words,
    recent_platelets,
    too_low,
    unmet_words,
)
from knowledge.assessment import Anakinra
from knowledge.facts import Facts, Order
from knowledge.library import Library
from knowledge.plain import plain, tenths
from knowledge.tocilizumab import ordered_mg, recent_weight


def problem(order: Order, facts: Facts, result: Anakinra, library: Library) -> str:
    """What is wrong with a drafted order, in words; empty if nothing is.

    Under a protocol that states no dose only the ceilings are held against it, for information.
    """
    limits = library.anakinra
    found = [*_over_weight(order, facts, library), *_over_continuous(order, facts, library)]
    if SILENT in result.reasons:
        return f"for information, {limits.stated_by}: {'; '.join(found)}" if found else ""
    platelets = recent_platelets(facts, limits)
    if order.route == "sc" and platelets is not None and too_low(platelets, limits):
        found.append(f"SC ordered with {platelets_words(platelets, facts)}: IV may be considered")
    if result.status != "allowed":
        words = unmet_words(limits)
        found += [words[reason] for reason in result.reasons if reason in words]
    return "; ".join(found)


def _over_weight(order: Order, facts: Facts, library: Library) -> list[str]:
    """Whether one ordered dose exceeds the ceiling by weight, or why that cannot be told."""
    limits = library.anakinra
    per_kg = limits.mg_per_kg_per_day.value
    ceiling = f"{plain(per_kg)} mg/kg/day"
    by_weight = order.dose_mg_per_kg
    if order.dose_mg is None and by_weight is not None:
        return [f"{plain(by_weight)} mg/kg is above {ceiling}"] if by_weight > per_kg else []
    if order.dose_mg is None:
        return ["the ordered dose could not be read: not checked against the ceilings"]
    weight = recent_weight(facts, library.tocilizumab)
    if weight is None:
        return [f"no recent measured weight: not checked against {ceiling}"]
    if order.dose_mg <= per_kg * weight.value:
        return []
    most = f"{plain(ceiling_mg(limits, weight))} mg at {tenths(weight.value)} kg"
    return [f"{plain(order.dose_mg)} mg is above {ceiling} ({most})"]


def _over_continuous(order: Order, facts: Facts, library: Library) -> list[str]:
    """An intravenous order does not say here whether it runs continuously."""
    most = library.anakinra.continuous_mg_per_day.value
    dose = ordered_mg(order, facts, library.tocilizumab)
    if order.route != "iv" or dose is None or dose <= most:
        return []
    return [f"as a continuous infusion {tenths(dose)} mg would be above {plain(most)} mg/day"]
