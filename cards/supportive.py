"""Cards on supportive drugs: the check of a tocilizumab order, and acute management."""

from zoneinfo import ZoneInfo

from cards import care, citing, clinical, detail, suggestions, terms, wording
from cards.model import Indicator
from cards.proposal import Proposal
from cards.units import time
from knowledge.decision import Decision, TocilizumabDecision


_LEVELS: dict[str, Indicator] = {
    "ok": "info",
    "warning": "warning",
    "cannot-evaluate": "warning",
    "blocked": "critical",
}


def tocilizumab_cards(decision: Decision, zone: ZoneInfo) -> list[Proposal]:
    """One card per tocilizumab order; it ends with what was not checked."""
    return [_tocilizumab(decision, one, zone) for one in decision.tocilizumab_orders]


def acute_cards(decision: Decision, zone: ZoneInfo) -> list[Proposal]:
    """Management of active toxicity where only supportive drugs are drafted."""
    drafted = (
        *decision.supportive_orders,
        *(one.order for one in decision.tocilizumab_orders),
    )
    active = terms.active(decision.assessment)
    if decision.orders or not drafted or not active:
        return []
    assessment = decision.assessment
    drugs = " and ".join(dict.fromkeys(terms.drug(order) for order in drafted))
    topic = citing.topic("ACUTE", terms.graded(active), "Acute management")
    extra = suggestions.give_tocilizumab(decision)
    on_board = f"Bispecific on board: {terms.agent(assessment)}"
    return [
        Proposal(
            kind="acute",
            indicator="info",
            summary=wording.acute(drugs, tuple(terms.grade(*pair) for pair in active)),
            sections=(
                *(detail.order_line(order) for order in drafted),
                on_board,
                *clinical.sections(decision, assessment.disposition, zone),
            ),
            source=citing.source(
                clinical.citation(decision, assessment.disposition), assessment, topic
            ),
            topic=topic,
            ref=drafted[0].ref,
            suggestions=(extra,) if extra is not None else (),
        )
    ]


def _tocilizumab(decision: Decision, one: TocilizumabDecision, zone: ZoneInfo) -> Proposal:
    allergic = any(allergy.ingredient == "tocilizumab" for allergy in decision.allergies)
    indicator = _LEVELS[one.level]
    doubt = allergic or one.result.indication == "not-for-isolated-icans"
    drug = terms.drug(one.order)
    active = terms.active(decision.assessment)
    topic = citing.topic(
        f"TOCILIZUMAB{one.level}", terms.graded(active), f"Tocilizumab order: {one.level}"
    )
    lines = decision.tocilizumab_lines
    cited = lines[0].citation if lines else None
    allergies, not_checked = care.limits(decision, ("tocilizumab",), zone)
    return Proposal(
        kind="tocilizumab",
        indicator="warning" if doubt and indicator == "info" else indicator,
        summary=wording.tocilizumab(drug, one.level, _why(one, allergic, zone), _dose(one)),
        sections=(
            detail.order_line(one.order),
            f"Ordered: {wording.dose_text(one.ordered_mg)}" if one.ordered_mg is not None else "",
            care.tocilizumab(decision, one.result, zone),
            care.weight(decision, zone),
            detail.missing(detail.all_missing(decision)),
            detail.notices(decision.assessment.notices, decision.assessment.unreadable),
            detail.footer(decision.assessment, zone),
            allergies,
            not_checked,
        ),
        source=citing.source(cited, decision.assessment, topic),
        topic=topic,
        ref=one.order.ref,
    )


def _dose(one: TocilizumabDecision) -> str:
    return f"{wording.dose_text(one.ordered_mg)}," if one.ordered_mg is not None else ""


def _why(one: TocilizumabDecision, allergic: bool, zone: ZoneInfo) -> str:
    """The reasons in the words of a summary, the most useful first."""
    result = one.result
    reasons = [terms.fact(terms.reason(reason)) for reason in result.reasons]
    if one.level == "ok":
        fine = "no checked limit speaks against this order"
        if result.indication == "not-for-isolated-icans":
            fine = "not for ICANS without CRS"
        elif result.status == "not-addressed":
            fine = "within the hard limits; the active protocol does not address it"
        return f"{fine}; allergy recorded" if allergic else fine
    ordered, computed = one.ordered_mg, result.dose_mg
    if one.level == "warning" and ordered and computed and ordered != computed:
        calculated = wording.dose_text(computed)
        reasons.insert(0, f"{wording.dose_text(ordered)} ordered, {calculated} calculated")
    if one.level == "warning" and ordered is None:
        reasons.insert(0, "the ordered dose could not be read")
    if one.level == "blocked" and result.earliest is not None:
        reasons.append(f"earliest {time(result.earliest, zone)}")
    return "; ".join(reasons) or "see the limits"
