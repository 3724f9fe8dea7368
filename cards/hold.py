"""Cards on a drafted bispecific, or the one on board: hold, permanent, continue or not stated."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from cards import citing, clinical, detail, suggestions, terms, wording
from cards.model import Coding, Indicator, Suggestion
from cards.proposal import Proposal
from knowledge.assessment import Disposition
from knowledge.decision import AppliedRow, Decision, OrderDecision
from knowledge.facts import Order


def hold_cards(decision: Decision, drafts: Mapping[str, bytes], zone: ZoneInfo) -> list[Proposal]:
    """One card per drafted bispecific to hold; without any draft, one for the open event."""
    held = [one for one in decision.orders if one.disposition.action in terms.HOLDS]
    if held:
        return [_card(decision, one.disposition, one, drafts, zone) for one in held]
    disposition = decision.assessment.disposition
    drafted = decision.orders or decision.supportive_orders or decision.tocilizumab_orders
    if disposition.action in terms.HOLDS and not drafted:
        return [_card(decision, disposition, None, drafts, zone)]
    return []


def disposition_cards(decision: Decision, zone: ZoneInfo) -> list[Proposal]:
    """Orders whose rows say continue, or say nothing, while there is toxicity to speak of."""
    proposals = []
    for one in decision.orders:
        action = one.disposition.action
        stated = action == "continue" and terms.active(decision.assessment)
        blank = action == "not-stated" and any(
            state.assessed or state.event for _, state in terms.states(decision.assessment)
        )
        if one.known and (stated or blank):
            proposals.append(_other_card(decision, one, zone))
    return proposals


def _card(
    decision: Decision,
    disposition: Disposition,
    drafted: OrderDecision | None,
    drafts: Mapping[str, bytes],
    zone: ZoneInfo,
) -> Proposal:
    order = drafted.order if drafted is not None else None
    drug = terms.drug(order) if order is not None else terms.agent(decision.assessment)
    pairs = terms.concerned(decision.assessment, disposition)
    permanent = disposition.action == "discontinue-permanently"
    offers, by_hand = _offers(decision, disposition, order, drug, drafts)
    graded = terms.graded(pairs) or "HOLD"
    if permanent:
        graded = f"PERMANENT{_permanent_grade(decision, disposition) or graded}"
    topic = citing.topic("", graded, _topic_display(decision, disposition))
    return Proposal(
        kind="hold",
        indicator=_indicator(decision, disposition, drafted),
        summary=_summary(decision, disposition, drug),
        sections=(
            detail.order_line(order) if order is not None else f"Drug: {drug}",
            wording.unsupported(drug) if drafted is not None and not drafted.known else "",
            drafted.step_up if drafted is not None else "",
            by_hand,
            *clinical.sections(decision, disposition, zone),
        ),
        source=citing.source(clinical.citation(decision, disposition), decision.assessment, topic),
        topic=topic,
        ref=order.ref if order is not None else "",
        suggestions=offers,
    )


def _indicator(
    decision: Decision, disposition: Disposition, drafted: OrderDecision | None
) -> Indicator:
    """Critical for a draft at grade 3 or more now, or once the permanent row is confirmed."""
    if drafted is None:
        return "warning"
    confirmed = disposition.action == "discontinue-permanently" and disposition.confirmed
    return "critical" if confirmed or clinical.severe(decision) else "warning"


def _summary(decision: Decision, disposition: Disposition, drug: str) -> str:
    pairs = terms.concerned(decision.assessment, disposition)
    findings = tuple(terms.grade(code, state) for code, state in pairs)
    if disposition.action != "discontinue-permanently":
        missing = clinical.settling(decision, disposition)
        return wording.hold(disposition.action, drug, findings, missing)
    own = _permanent_rows(decision, disposition)
    why = findings[0] if findings else "rule reached"
    if own:
        condition = own[0].condition or f"grade {own[0].grade}"
        why = f"{terms.syndrome(own[0].toxicity)}: {condition}"
    return wording.permanent(drug, why, disposition.confirmed)


def _permanent_rows(decision: Decision, disposition: Disposition) -> list[AppliedRow]:
    """The rows reached that end therapy: those the disposition names, else all."""
    rows = [
        row
        for row in decision.rows
        if row.reached and row.action == disposition.action and not row.other_source
    ]
    return [row for row in rows if row.rule in disposition.rules] or rows


def _permanent_grade(decision: Decision, disposition: Disposition) -> str:
    """The grade of the row: once the event is over, today's grade would say 0."""
    rows = _permanent_rows(decision, disposition)
    return f"{rows[0].toxicity}G{rows[0].grade}" if rows else ""


def _offers(
    decision: Decision,
    disposition: Disposition,
    order: Order | None,
    drug: str,
    drafts: Mapping[str, bytes],
) -> tuple[tuple[Suggestion, ...], str]:
    """The suggestions, and the sentence for an order that only people can hold."""
    extra = suggestions.give_tocilizumab(decision)
    others = (extra,) if extra is not None else ()
    if order is None:
        return others, ""
    if disposition.action == "discontinue-permanently" and disposition.confirmed:
        return (suggestions.delete(drug, order.ref), *others), ""
    held = suggestions.on_hold(drug, drafts.get(order.ref))
    return (others, wording.BY_HAND) if held is None else ((held, *others), "")


def _other_card(decision: Decision, one: OrderDecision, zone: ZoneInfo) -> Proposal:
    pairs = terms.concerned(decision.assessment, one.disposition)
    findings = tuple(terms.grade(code, state) for code, state in pairs)
    drug = terms.drug(one.order)
    blank = one.disposition.action == "not-stated"
    indicator: Indicator = "warning" if blank and terms.active(decision.assessment) else "info"
    topic = stated_topic(decision, one.disposition, drug)
    extra = suggestions.give_tocilizumab(decision)
    return Proposal(
        kind="disposition",
        indicator="critical" if clinical.severe(decision) else indicator,
        summary=wording.disposition(drug, findings, one.disposition.action),
        sections=(
            detail.order_line(one.order),
            *clinical.sections(decision, one.disposition, zone),
        ),
        source=citing.source(
            clinical.citation(decision, one.disposition), decision.assessment, topic
        ),
        topic=topic,
        ref=one.order.ref,
        suggestions=(extra,) if extra is not None else (),
    )


def stated_topic(decision: Decision, disposition: Disposition, drug: str) -> Coding:
    """The topic of a disposition that is no hold."""
    return citing.topic(
        "NOTSTATED" if disposition.action == "not-stated" else "CONTINUE",
        terms.graded(terms.concerned(decision.assessment, disposition)),
        f"{terms.capital(drug)}: {terms.action(disposition.action)}",
    )


def _topic_display(decision: Decision, disposition: Disposition) -> str:
    pairs = terms.concerned(decision.assessment, disposition)
    return "; ".join(terms.grade(code, state) for code, state in pairs) or "Hold"
