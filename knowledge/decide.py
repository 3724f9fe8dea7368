"""From facts to the decision: grade both scales, rule on each product, check tocilizumab, REMS.

Pure: the same facts, library and context always give the same decision.
"""

from knowledge import anakinra, antipyretics
from knowledge.assemble import Context, Findings, assessment, products_of
from knowledge.decision import Decision, OrderDecision, SupportiveDecision
from knowledge.facts import Facts, Order
from knowledge.flow_boundary import widened
from knowledge.guidance import guidance
from knowledge.library import Library
from knowledge.notices import is_expired
from knowledge.remembered import answers_any, to_remember
from knowledge.rems import rems_for
from knowledge.routes import for_routes
from knowledge.rulings import management, on_board, verdict
from knowledge.shown_rows import shown_rows
from knowledge.step_up import step_up_problem
from knowledge.steroids import duplicate_notice
from knowledge.tocilizumab import recent_weight
from knowledge.tocilizumab_advice import advise
from knowledge.toxicity import crs_standing, icans_standing


SUPPORTIVE = frozenset({"anakinra", "corticosteroid", "antipyretic"})


def decide(facts: Facts, library: Library, context: Context) -> Decision:
    """Everything this service concludes from the facts under the site's protocol."""
    library = for_routes(library.as_of(facts.evaluated_at.date()), facts.orders)
    facts = widened(facts, library, library.protocols[context.protocol_id])
    found = _find(facts, library, context)
    crs, icans = found.standings
    toci = found.tocilizumab
    per_kg = library.tocilizumab.mg_per_kg.get(found.protocol.id)
    named = (*crs.state.missing, *icans.state.missing)
    return Decision(
        assessment=assessment(found, facts, library, context),
        rows=found.rows,
        orders=tuple(
            OrderDecision(order, one.disposition, one.known, step_up_problem(order, facts, library))
            for order, one in zip(found.drafted, found.verdicts, strict=False)
        ),
        tocilizumab_orders=toci.orders,
        tocilizumab_lines=toci.lines,
        tocilizumab_indicated=toci.unconditional,
        tocilizumab_ordered=bool(toci.orders)
        or any(o.ingredient == "tocilizumab" for o in facts.active_orders),
        not_checked=library.tocilizumab.not_checked,
        allergies=facts.allergies,
        rems_duties=rems_for(library, found.protocol, found.drafted, context.acknowledged)[1],
        guidance=()
        if found.expired
        else guidance(found.protocol, found.standings, facts, library, context.contacts),
        missing=tuple(m for m in facts.missing if m not in named),
        event_open=crs.active or icans.active,
        other_cause=tuple(s.toxicity for s in found.standings if s.other_cause and s.active),
        unread_orders=facts.unread_orders,
        supportive_orders=tuple(o for o in facts.orders if o.kind in SUPPORTIVE),
        supportive_checks=tuple(
            SupportiveDecision(order, _problem(order, found, facts, library, context))
            for order in facts.orders
            if order.kind in SUPPORTIVE
        ),
        anakinra_lines=() if found.anakinra is None else anakinra.lines(found.anakinra, library),
        tocilizumab_weight=recent_weight(facts, library.tocilizumab),
        tocilizumab_mg_per_kg=None if per_kg is None else per_kg.value,
        remember={
            s.toxicity: to_remember(s.events, facts, s.toxicity, context.rules)
            for s in found.standings
            if answers_any(facts, s.toxicity)
        },
    )


def _problem(
    order: Order, found: Findings, facts: Facts, library: Library, context: Context
) -> str:
    """What speaks against a drafted supportive drug, in words; empty if nothing does."""
    if order.kind == "anakinra":
        result = found.anakinra
        return "" if result is None else anakinra.problem(order, facts, result, library)
    if order.kind == "antipyretic":
        return antipyretics.problem(order, facts, library, found.protocol)
    notice = duplicate_notice(facts, (), context.rules)
    return "" if notice is None else notice.text


def _find(facts: Facts, library: Library, context: Context) -> Findings:
    protocol = library.protocols[context.protocol_id]
    crs = crs_standing(facts, library.crs, context.rules)
    icans = icans_standing(facts, library.icans, context.rules)
    standings = (crs, icans)
    expired = is_expired(protocol, facts, context.zone)
    drafted = tuple(o for o in facts.orders if o.kind == "btce")
    names = products_of(drafted, facts)
    starts = [o.planned_start or facts.evaluated_at for o in drafted] or [facts.evaluated_at]
    verdicts = tuple(
        verdict(name, standings, facts, library, protocol, planned=planned, expired=expired)
        for name, planned in zip(names, starts, strict=False)
    )
    lead = on_board(facts) or (names[0] if names else "")
    managed = () if expired else management(standings, lead, facts, library, protocol)
    return Findings(
        protocol=protocol,
        expired=expired,
        standings=standings,
        drafted=drafted,
        verdicts=verdicts,
        managed=managed,
        tocilizumab=advise(facts, library, protocol, context.rules, crs, icans, managed),
        anakinra=anakinra.check(facts, library, protocol, standings, managed),
        rows=shown_rows(verdicts, managed, library),
    )
