"""Cards on what could not be evaluated, and on findings that are no toxicity of the bispecific."""

from zoneinfo import ZoneInfo

from cards import citing, clinical, detail, terms, wording
from cards.escape import name
from cards.model import Indicator
from cards.proposal import Proposal
from knowledge.assessment import Disposition
from knowledge.decision import Decision
from knowledge.facts import Order


EXPIRED = "protocol-expired"


def unsupported_cards(decision: Decision, zone: ZoneInfo) -> list[Proposal]:
    """Bispecifics this software recognises and has no rules for, unless an event holds them."""
    unknown = [
        one.order
        for one in decision.orders
        if not one.known and one.disposition.action not in terms.HOLDS
    ]
    orders = {order.ref: order for order in (*unknown, *decision.unsupported)}
    return [
        _card(
            decision,
            kind="unsupported",
            indicator="warning",
            summary=wording.unsupported(terms.drug(order)),
            code=("UNSUPPORTED", "Product not in the knowledge base"),
            sections=(detail.order_line(order),),
            zone=zone,
            ref=order.ref,
        )
        for order in orders.values()
    ]


def cause_cards(decision: Decision, zone: ZoneInfo) -> list[Proposal]:
    """Findings before a first dose, or attributed by a clinician to another cause."""
    assessment = decision.assessment
    drug = clinical.subject(decision)
    if decision.other_cause:
        summary = wording.other_cause(drug, decision.other_cause)
        code = ("OTHERCAUSE" + "".join(decision.other_cause), "Attributed to another cause")
    elif (
        assessment.crs.reason == "not-exposed"
        and (assessment.crs.axes or assessment.icans.axes)
        and _dispositions(decision, "not-stated")
    ):
        fever = assessment.crs.axes.get("fever")
        present = fever is not None and fever.level == "present"
        summary = wording.not_exposed(drug, present, assessment.agent is not None)
        code = ("NOTEXPOSED", "Abnormal findings without a recent dose")
    else:
        return []
    sections = (
        *(detail.order_line(one.order) for one in decision.orders),
        *(detail.course(key, state, zone) for key, state in terms.states(assessment)),
        detail.missing(detail.all_missing(decision)),
    )
    return [
        _card(
            decision,
            kind="cause",
            indicator="warning",
            summary=summary,
            code=code,
            sections=sections,
            zone=zone,
        )
    ]


def missing_cards(decision: Decision, zone: ZoneInfo) -> list[Proposal]:
    """One card for an evaluation that was impossible (warning) or only partial (info)."""
    missing = detail.all_missing(decision)
    impossible = bool(_known_cannot_evaluate(decision))
    if decision.assessment.disposition.action == "not-applicable":
        return []
    if not impossible and not missing:
        return []
    drug = clinical.subject(decision)
    named = terms.missing(missing)
    summary = wording.cannot_evaluate if impossible else wording.incomplete
    facts = "".join(sorted({item.fact for item in missing}))
    return [
        _card(
            decision,
            kind="cannot-evaluate" if impossible else "missing",
            indicator="warning" if impossible else "info",
            summary=summary(drug, named),
            code=("CANNOTEVALUATE" if impossible else "MISSING" + name(facts), "Missing inputs"),
            sections=(
                *(detail.order_line(order) for order in _drafted(decision)),
                *_reasons(decision),
                detail.missing(missing),
                *(detail.course(k, s, zone) for k, s in terms.states(decision.assessment)),
            ),
            zone=zone,
        )
    ]


def unread_order_cards(decision: Decision, zone: ZoneInfo) -> list[Proposal]:
    """Drafts that could not be read: silence about them would look like an answer."""
    unread = decision.unread_orders
    if not unread:
        return []
    return [
        _card(
            decision,
            kind="unread-order",
            indicator="warning",
            summary=wording.unread_order(len(unread)),
            code=("UNREADORDER", "Order that could not be read"),
            sections=(detail.section("Not read", (f"{one.at}: {one.reason}" for one in unread)),),
            zone=zone,
        )
    ]


def step_up_cards(decision: Decision, zone: ZoneInfo) -> list[Proposal]:
    """Planned doses outside the step-up interval, where no hold card carries the sentence."""
    return [
        _card(
            decision,
            kind="step-up",
            indicator="warning",
            summary=wording.step_up(terms.drug(one.order), one.step_up),
            code=("STEPUP" + one.order.ingredient, "Step-up interval"),
            sections=(detail.order_line(one.order), one.step_up),
            zone=zone,
            ref=one.order.ref,
        )
        for one in decision.orders
        if one.step_up and one.disposition.action not in terms.HOLDS
    ]


def expired_cards(decision: Decision, zone: ZoneInfo) -> list[Proposal]:
    """The active protocol is past its last day: grades are shown, management is not."""
    assessment = decision.assessment
    if all(notice.code != EXPIRED for notice in assessment.notices):
        return []
    active = terms.active(assessment)
    grades = "; ".join(terms.grade(code, state) for code, state in active)
    silent = "protocol expired: no management advice"
    return [
        _card(
            decision,
            kind="expired",
            indicator="critical" if decision.orders and clinical.severe(decision) else "warning",
            summary=wording.about(
                clinical.subject(decision), *([f"{grades}: {silent}"] if grades else []), silent
            ),
            code=(f"EXPIRED{terms.graded(active)}", "Protocol expired"),
            sections=(
                *(detail.order_line(one.order) for one in decision.orders),
                *(detail.course(key, state, zone) for key, state in terms.states(assessment)),
                detail.missing(detail.all_missing(decision)),
            ),
            zone=zone,
        )
    ]


def _card(
    decision: Decision,
    *,
    kind: str,
    indicator: Indicator,
    summary: str,
    code: tuple[str, str],
    sections: tuple[str, ...],
    zone: ZoneInfo,
    ref: str = "",
) -> Proposal:
    assessment = decision.assessment
    topic = citing.topic(code[0], "", code[1])
    tail = (
        detail.notices(assessment.notices, assessment.unreadable),
        detail.footer(assessment, zone),
    )
    source = citing.source(None, assessment, topic)
    return Proposal(kind, indicator, summary, (*sections, *tail), source, topic, ref)


def _dispositions(decision: Decision, action: str) -> list[Disposition]:
    every = [*(one.disposition for one in decision.orders), decision.assessment.disposition]
    return [disposition for disposition in every if disposition.action == action]


def _known_cannot_evaluate(decision: Decision) -> list[Disposition]:
    """Products without rules have their own card; this one is about missing inputs."""
    if not decision.orders:
        return _dispositions(decision, "cannot-evaluate")
    every = [one.disposition for one in decision.orders if one.known]
    return [disposition for disposition in every if disposition.action == "cannot-evaluate"]


def _drafted(decision: Decision) -> tuple[Order, ...]:
    return (*(one.order for one in decision.orders), *decision.supportive_orders)


def _reasons(decision: Decision) -> list[str]:
    found = _known_cannot_evaluate(decision)
    return [f"Reason: {terms.reason(name(d.reason))}." for d in found[:1] if d.reason]
