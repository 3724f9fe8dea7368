"""Tocilizumab for the cards: indication, the check of each draft, and one cited line per limit."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

import msgspec
from msgspec import Struct

from knowledge.assessment import Indication, Tocilizumab
from knowledge.decision import Citation, TocilizumabDecision, TocilizumabLine
from knowledge.facts import Facts, Order
from knowledge.library import Library
from knowledge.model import SiteRules, SourceRef
from knowledge.product_model import Protocol
from knowledge.rows import Matched
from knowledge.tocilizumab import (
    check,
    given_before_onset,
    ordered_mg,
    outside_tolerance,
    subcutaneous_given,
)
from knowledge.toxicity import Standing


class TocilizumabAdvice(Struct, frozen=True):
    """What is known about tocilizumab for this request; `current` None: nothing to say.

    `unconditional`: a reached row administers it without a condition a person has to judge.
    """

    current: Tocilizumab | None
    unconditional: bool = False
    orders: tuple[TocilizumabDecision, ...] = ()
    lines: tuple[TocilizumabLine, ...] = ()


def advise(
    facts: Facts,
    library: Library,
    protocol: Protocol,
    rules: SiteRules,
    crs: Standing,
    icans: Standing,
    managed: Sequence[tuple[Standing, Matched]],
) -> TocilizumabAdvice:
    """Present whenever tocilizumab is ordered or a toxicity is active."""
    drafted = [o for o in facts.orders if o.kind == "tocilizumab"]
    if not drafted and not crs.active and not icans.active:
        return TocilizumabAdvice(None)
    indication = _indication(crs, icans, managed)
    onset = crs.event.onset if crs.event is not None else None
    limits = library.tocilizumab
    current = check(facts, limits, protocol.id, indication, onset)
    decided = tuple(
        _decide(
            facts,
            order,
            check(facts, limits, protocol.id, indication, onset, order),
            library,
            rules,
        )
        for order in drafted
    )
    early = given_before_onset(facts, onset)
    decided = tuple(_beside(one, decided, facts, library, early) for one in decided)
    shown = decided[0].result if decided else current
    return TocilizumabAdvice(
        current=shown,
        unconditional=indication == "administer"
        and any(
            row.then.tocilizumab == "administer" and not row.then.tocilizumab_condition
            for _, matched in managed
            for row in matched.reached
        ),
        orders=decided,
        lines=_lines(facts, library, protocol, shown),
    )


def _indication(
    crs: Standing, icans: Standing, managed: Sequence[tuple[Standing, Matched]]
) -> Indication:
    named = {
        row.then.tocilizumab
        for standing, matched in managed
        for row in matched.reached
        if row.then.tocilizumab is not None and (standing.toxicity == "crs" or crs.active)
    }
    if "administer" in named:
        return "administer"
    if "consider" in named:
        return "consider"
    return "not-for-isolated-icans" if icans.active and not crs.active else "not-addressed"


def _decide(
    facts: Facts, order: Order, result: Tocilizumab, library: Library, rules: SiteRules
) -> TocilizumabDecision:
    ordered = ordered_mg(order, facts, library.tocilizumab)
    level: Literal["ok", "warning", "blocked", "cannot-evaluate"] = "ok"
    if result.status == "blocked":
        level = "blocked"
    elif result.status == "cannot-evaluate":
        level = "cannot-evaluate"
    elif ordered is None or _differs(ordered, result.dose_mg, rules):
        level = "warning"
    return TocilizumabDecision(order, result, level, ordered)


def _beside(
    one: TocilizumabDecision,
    every: Sequence[TocilizumabDecision],
    facts: Facts,
    library: Library,
    early: int,
) -> TocilizumabDecision:
    """The same check with what else may speak against it: other orders, doses of doubtful event."""
    gap = timedelta(hours=int(library.tocilizumab.interval_hours.value))
    start = _start(one.order, facts)
    close = any(
        abs(_start(other.order, facts) - start) < gap for other in every if other is not one
    )
    active = any(o.ingredient == "tocilizumab" for o in facts.active_orders)
    if close:
        status, reason = "blocked", "another-draft"
    elif one.level == "ok" and (active or early):
        status = one.result.status
        reason = "another-order" if active else "doses-before-onset"
    else:
        return one
    result = msgspec.structs.replace(
        one.result, status=status, reasons=(*one.result.reasons, reason)
    )
    level = "blocked" if close else "warning"
    return msgspec.structs.replace(one, result=result, level=level)


def _start(order: Order, facts: Facts) -> datetime:
    return max(facts.evaluated_at, order.planned_start or facts.evaluated_at)


def _differs(ordered: Decimal, computed: Decimal | None, rules: SiteRules) -> bool:
    return computed is not None and outside_tolerance(ordered, computed, rules)


def _lines(
    facts: Facts, library: Library, protocol: Protocol, shown: Tocilizumab
) -> tuple[TocilizumabLine, ...]:
    limits = library.tocilizumab
    lines: list[tuple[str, SourceRef]] = []
    silent = limits.silent.get(protocol.id)
    if silent is not None:
        lines.append(("The active protocol states no tocilizumab dose, interval or count", silent))
    per_kg = limits.mg_per_kg.get(protocol.id)
    if per_kg is not None:
        lines.append((f"{per_kg.value} mg/kg", per_kg.source))
    cap, floor, gap = limits.cap_mg, limits.weight_over_kg, limits.interval_hours
    lines.append((f"At most {cap.value} mg a dose", cap.source))
    lines.append((f"No computed dose at or under {floor.value} kg", floor.source))
    lines.append((f"At least {gap.value} h between doses", gap.source))
    lines += _count_lines(library, protocol, shown)
    lines += [(one.text, one.source) for one in limits.remarks]
    found = [TocilizumabLine(text, _cite(library, ref)) for text, ref in lines]
    if subcutaneous_given(facts.doses):
        text = "An earlier subcutaneous dose is no CRS dose; it is in the six-week count"
        found.append(TocilizumabLine(text, _cite(library, limits.source)))
    return tuple(found)


def _count_lines(
    library: Library, protocol: Protocol, shown: Tocilizumab
) -> list[tuple[str, SourceRef]]:
    """The active protocol's counts; another protocol's count only once it would say no."""
    lines: list[tuple[str, SourceRef]] = []
    for name, limit in library.tocilizumab.counts.items():
        active = name == protocol.id
        given, recent = shown.doses_this_event or 0, shown.doses_in_6_weeks or 0
        prefix = "" if active else f"For information, {name}: "
        most, window = limit.per_event, limit.in_window
        if most is not None and (active or given >= most.value):
            note = f" ({limit.note})" if active and limit.note else ""
            lines.append((f"{prefix}at most {most.value} doses per CRS event{note}", most.source))
        if window is not None and (active or recent >= window.value):
            text = f"{prefix}at most {window.value} doses in {limit.window_days} days"
            lines.append((text, window.source))
    return lines


def _cite(library: Library, source: SourceRef) -> Citation:
    return library.citation(library.tocilizumab, source.at, ref=source.ref)
