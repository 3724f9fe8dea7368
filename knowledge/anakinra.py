"""Anakinra: whether the conditions of the protocol that states it are met, with both ceilings.

CRS asks for tocilizumab first (and for corticosteroid from grade 3), ICANS for its duration. Under
a protocol that states no dose nothing is computed; a draft then gets the ceilings for information.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, get_args

from knowledge.anakinra_lines import lines
from knowledge.anakinra_order import problem
from knowledge.anakinra_terms import (
    FOR_INFORMATION,
    NO_CORTICOSTEROID,
    NO_DOSE_IN,
    NO_ONSET,
    NO_TOCILIZUMAB,
    SILENT,
    TOO_SHORT,
    UNANSWERED,
    ceiling_mg,
    platelets_words,
    recent_platelets,
    too_low,
)
from knowledge.assessment import Anakinra
from knowledge.clearance import renal
from knowledge.dosing_model import AnakinraLimits
from knowledge.facts import Facts
from knowledge.library import Library
from knowledge.plain import plain
from knowledge.product_model import Protocol
from knowledge.rows import Matched
from knowledge.tocilizumab import count, recent_weight
from knowledge.toxicity import Standing


__all__ = ["check", "lines", "problem"]

# The first of these that one toxicity reaches is the status.
Status = Literal["allowed", "cannot-evaluate", "blocked"]
Condition = tuple[Status, tuple[str, ...]]


def check(
    facts: Facts,
    library: Library,
    protocol: Protocol,
    standings: Sequence[Standing],
    managed: Sequence[tuple[Standing, Matched]],
) -> Anakinra | None:
    """The conditions and limits; None where none is drafted and no toxicity is active.

    Conditions of CRS and ICANS stand beside each other: meeting those of one is enough.
    """
    drafted = any(order.kind == "anakinra" for order in facts.orders)
    active = any(standing.active for standing in standings)
    if not drafted and not active:
        return None
    limits = library.anakinra
    if protocol.id != limits.stated_by:
        shown = (FOR_INFORMATION,) if drafted else ()
        return Anakinra("not-addressed", reasons=(SILENT, f"{NO_DOSE_IN}{protocol.id}", *shown))
    weight = recent_weight(facts, library.tocilizumab)
    found = [_condition(facts, library, standing, matched) for standing, matched in managed]
    reasons = tuple(reason for _, unmet in found for reason in unmet)
    if not found:
        reasons = ("no-rule-reached" if active else "no-active-toxicity",)
    if weight is None:
        reasons += ("weight-too-old" if facts.weights else "no-weight",)
    met = {status for status, _ in found}
    ceiling = None if weight is None else ceiling_mg(limits, weight)
    start = limits.start_mg.value
    if ceiling is not None and ceiling < start:
        reasons += ("start-above-ceiling",)
    return Anakinra(
        status=next((status for status in get_args(Status) if status in met), "not-addressed"),
        start_mg=None if "start-above-ceiling" in reasons else start,
        step_mg=limits.step_mg.value,
        max_mg_per_day=ceiling,
        max_continuous_mg_per_day=limits.continuous_mg_per_day.value,
        route=_route(facts, limits),
        renal=renal(facts, limits.clearance, weight),
        reasons=reasons,
    )


def _condition(facts: Facts, library: Library, standing: Standing, matched: Matched) -> Condition:
    limits = library.anakinra
    onset = standing.event.onset if standing.event is not None and standing.open else None
    if standing.toxicity == "icans":
        if onset is None:
            return "cannot-evaluate", (NO_ONSET,)
        needed = timedelta(hours=int(limits.icans_over_hours.value))
        lasted = facts.evaluated_at - onset > needed
        return ("allowed", ()) if lasted else ("blocked", (TOO_SHORT,))
    unmet = []
    given = count(facts, library.tocilizumab, onset).this_event
    if given < limits.tocilizumab_doses.value:
        unmet.append(NO_TOCILIZUMAB)
    severe = limits.corticosteroid_from_grade.value
    steroid = any(row.when.grade >= severe for row in matched.reached)
    since = facts.evaluated_at - timedelta(hours=library.rules.steroid_hours)
    if steroid and not any(
        drug.kind == "steroid" and onset is not None and drug.at >= max(onset, since)
        for drug in facts.masking
    ):
        unmet.append(NO_CORTICOSTEROID)
    if unmet and "administrations" not in facts.answered:
        return "cannot-evaluate", (UNANSWERED,)
    return ("blocked", tuple(unmet)) if unmet else ("allowed", ())


def _route(facts: Facts, limits: AnakinraLimits) -> str:
    platelets = recent_platelets(facts, limits)
    if platelets is None:
        hours = plain(limits.platelets_max_age_hours.value)
        return f"SC unless unsuitable; no platelet count of the last {hours} h"
    shown = platelets_words(platelets, facts)
    if too_low(platelets, limits):
        return f"IV may be considered in place of SC: {shown}"
    return f"SC unless unsuitable: {shown}"
