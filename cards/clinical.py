"""The clinical part of a detail, shared by every card on an active toxicity; decides nothing."""

from zoneinfo import ZoneInfo

from cards import care, detail, terms, wording
from knowledge.assessment import Disposition
from knowledge.decision import Citation, Decision
from knowledge.facts import Missing


def sections(decision: Decision, disposition: Disposition, zone: ZoneInfo) -> tuple[str, ...]:
    """Advice, inputs, gaps, rules and treatment, in the order a clinician reads them."""
    assessment = decision.assessment
    agents = [
        *(medicine.agent for medicine in assessment.medications),
        *(order.ingredient for order in decision.supportive_orders),
        *(["tocilizumab"] if assessment.tocilizumab is not None else []),
    ]
    allergies, not_checked = care.limits(decision, agents, zone)
    return (
        detail.advice(disposition, terms.concerned(assessment, disposition)),
        *(detail.course(code, state, zone) for code, state in terms.states(assessment)),
        detail.missing(detail.all_missing(decision)),
        detail.rules(decision.rows),
        detail.possible(decision.rows),
        care.medications(assessment.medications),
        care.tocilizumab(decision, assessment.tocilizumab, zone),
        care.weight(decision, zone) if assessment.tocilizumab is not None else "",
        detail.section("Conditions of the next dose", care.conditions(assessment.next_dose)),
        detail.guidance(decision.guidance),
        detail.notices(assessment.notices, assessment.unreadable),
        detail.footer(assessment, zone),
        allergies,
        not_checked,
    )


def citation(decision: Decision, disposition: Disposition) -> Citation | None:
    """The document behind a disposition: that of its own rule, else of the first row reached."""
    reached = [row for row in decision.rows if row.reached and not row.other_source]
    own = [row for row in reached if row.rule in disposition.rules]
    ordered = [*own, *(row for row in reached if row.action == disposition.action), *reached]
    return ordered[0].citation if ordered else None


def severe(decision: Decision) -> bool:
    """A lower bound of grade 3 or more that rests on something observed or charted."""
    for _, state in terms.states(decision.assessment):
        known = terms.shown_grade(state)
        if known is None or known.at_least < terms.SEVERE:
            continue
        observed = any(axis.evidence and axis.level != "unknown" for axis in state.axes.values())
        if observed or state.charted is not None:
            return True
    return False


def settling(decision: Decision, disposition: Disposition) -> str:
    """What is missing to settle the grades of this disposition; nothing when they are settled."""
    found: list[Missing] = []
    for _, state in terms.concerned(decision.assessment, disposition):
        known = terms.shown_grade(state)
        if known is None or known.at_least < known.at_most:
            found += state.missing
    return terms.missing(tuple(dict.fromkeys(found)))


def subject(decision: Decision) -> str:
    """The drug a card without an order of a bispecific speaks about."""
    if decision.orders:
        return terms.drug(decision.orders[0].order)
    return terms.agent(decision.assessment)


def unsettled_maximum(decision: Decision) -> str:
    """One line where the event's maximum grade is not settled."""
    for _, state in terms.states(decision.assessment):
        if state.event is not None:
            highest = state.event.max_grade
            if highest.at_least < highest.at_most:
                return wording.CHART_MAXIMUM
    return ""
