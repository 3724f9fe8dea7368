"""The card on conditions that the source puts on the next dose, once nothing is active."""

from zoneinfo import ZoneInfo

from cards import care, citing, clinical, detail, suggestions, terms, wording
from cards.proposal import Proposal
from knowledge.assessment import Disposition
from knowledge.decision import Decision
from knowledge.facts import Order


_ACTION = "resume-with-conditions"


def next_dose_cards(decision: Decision, zone: ZoneInfo) -> list[Proposal]:
    """One card per order under conditions; without a draft, one for the drug on board."""
    if decision.event_open or not care.conditions(decision.assessment.next_dose):
        return []
    drafted = [one for one in decision.orders if one.disposition.action == _ACTION]
    if drafted:
        return [_card(decision, one.disposition, one.order, zone) for one in drafted]
    disposition = decision.assessment.disposition
    if disposition.action != _ACTION or decision.orders:
        return []
    return [_card(decision, disposition, None, zone)]


def _card(
    decision: Decision,
    disposition: Disposition,
    order: Order | None,
    zone: ZoneInfo,
) -> Proposal:
    assessment = decision.assessment
    conditions = care.conditions(assessment.next_dose)
    drug = terms.drug(order) if order is not None else terms.agent(assessment)
    event = _event(decision, disposition)
    stay = suggestions.admit(decision, drug)
    topic = citing.topic("NEXTDOSE", _graded(decision, disposition), "Next dose conditions")
    required = any(not condition.startswith("consider") for condition in conditions)
    return Proposal(
        kind="next-dose",
        indicator="warning" if required else "info",
        summary=wording.next_dose(drug, conditions, event),
        sections=(
            detail.order_line(order) if order is not None else f"Drug: {drug}",
            detail.section("Conditions of the next dose", conditions),
            clinical.unsettled_maximum(decision),
            *(detail.course(code, state, zone) for code, state in terms.states(assessment)),
            detail.missing(detail.all_missing(decision)),
            detail.rules(decision.rows),
            detail.possible(decision.rows),
            detail.notices(assessment.notices, assessment.unreadable),
            detail.footer(assessment, zone),
        ),
        source=citing.source(clinical.citation(decision, disposition), assessment, topic),
        topic=topic,
        ref=order.ref if order is not None else "",
        suggestions=(stay,) if stay is not None else (),
    )


def _event(decision: Decision, disposition: Disposition) -> str:
    """The event behind the conditions, by its lower bound, which they follow."""
    for code, state in terms.states(decision.assessment):
        if state.event is not None and disposition.toxicity in ("", code):
            return f"{terms.syndrome(code)} grade {state.event.max_grade.at_least}"
    return ""


def _graded(decision: Decision, disposition: Disposition) -> str:
    return _event(decision, disposition).replace(" grade ", "G")
