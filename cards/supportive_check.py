"""Cards on drafted supportive drugs other than tocilizumab: anakinra, steroids, antipyretics."""

from zoneinfo import ZoneInfo

from cards import care, citing, clinical, detail, terms, wording
from cards.proposal import Proposal
from cards.units import number
from knowledge.assessment import Anakinra
from knowledge.decision import Decision, SupportiveDecision


_STATUSES = {
    "blocked": "its conditions are not met",
    "cannot-evaluate": "its conditions cannot be checked",
    "not-addressed": "the active protocol states no dose",
    "allowed": "its conditions are met",
}


def check_cards(decision: Decision, zone: ZoneInfo) -> list[Proposal]:
    """One card per anakinra draft, and per other draft that something speaks against."""
    return [
        _card(decision, one, zone)
        for one in decision.supportive_checks
        if one.problem or one.order.kind == "anakinra"
    ]


def anakinra(decision: Decision) -> str:
    """Conditions, doses and both ceilings, each sentence with its source."""
    result = decision.assessment.anakinra
    if result is None:
        return ""
    items = [f"Check: {checked(result)}", *_numbers(result)]
    items += citing.grouped(
        (f"{terms.capital(line.text)}.", line.citation)
        for line in decision.anakinra_lines[:-1]  # the last: what was not checked
    )
    return detail.section("Anakinra", items)


def checked(result: Anakinra) -> str:
    """Whether the conditions of the active protocol are met."""
    return _STATUSES[result.status]


def _numbers(result: Anakinra) -> list[str]:
    items = []
    if result.start_mg is not None:
        items.append(f"Start: {number(result.start_mg)} mg")
    if result.max_mg_per_day is not None:
        items.append(f"At most {number(result.max_mg_per_day)} mg a day at the recent weight")
    if result.route:
        items.append(f"Route: {result.route}")
    if result.renal:
        items.append(f"Kidneys: {result.renal}")
    return items


def _card(decision: Decision, one: SupportiveDecision, zone: ZoneInfo) -> Proposal:
    drug = terms.drug(one.order)
    for_anakinra = one.order.kind == "anakinra"
    result = decision.assessment.anakinra
    status = "" if result is None or not for_anakinra else checked(result)
    lines = decision.anakinra_lines if for_anakinra else ()
    graded = terms.graded(terms.active(decision.assessment))
    topic = citing.topic(f"CHECK{drug}", graded, f"{terms.capital(drug)} order")
    own = clinical.citation(decision, decision.assessment.disposition)
    cited = lines[0].citation if lines else own
    allergies, not_checked = care.limits(decision, (one.order.ingredient,), zone)
    return Proposal(
        kind="supportive",
        indicator="warning" if one.problem else "info",
        summary=wording.supportive(drug, one.problem, status),
        sections=(
            detail.order_line(one.order),
            detail.section("Check", tuple(part for part in one.problem.split("; ") if part)),
            anakinra(decision) if for_anakinra else "",
            detail.missing(detail.all_missing(decision)),
            detail.notices(decision.assessment.notices, decision.assessment.unreadable),
            detail.footer(decision.assessment, zone),
            allergies,
            f"{lines[-1].text}." if lines else not_checked,
        ),
        source=citing.source(cited, decision.assessment, topic),
        topic=topic,
        ref=one.order.ref,
    )
