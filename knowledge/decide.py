"""From facts to the decision: grade both scales, rule on each product, check tocilizumab, REMS.

Pure: the same facts, library and context always give the same decision.
"""

from collections.abc import Sequence
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from knowledge import advice, tocilizumab_advice
from knowledge.assessment import (
    Agent,
    Assessment,
    Disposition,
    Engine,
    KnowledgeRef,
    NextDose,
    OrderAssessment,
    ProtocolRef,
)
from knowledge.decision import Decision, OrderDecision
from knowledge.disposition import strictest
from knowledge.facts import Facts, bispecific_doses
from knowledge.library import Library
from knowledge.model import SiteRules
from knowledge.next_dose import join
from knowledge.notices import is_expired, notices_for
from knowledge.rems import rems_for
from knowledge.rulings import Verdict, management, on_board, verdict, without_rows
from knowledge.shown_rows import shown_rows
from knowledge.step_up import step_up_problem
from knowledge.tocilizumab import recent_weight
from knowledge.toxicity import Standing, crs_standing, icans_standing


SCHEMA = "btce-cds/assessment/1"


class Context(Struct, frozen=True):
    """What the site brings: its name, mode, protocol, clinical settings and time zone."""

    site: str
    mode: Literal["live", "silent"]
    protocol_id: str
    engine_version: str
    rules: SiteRules
    zone: ZoneInfo


def decide(facts: Facts, library: Library, context: Context) -> Decision:
    """Everything this service concludes from the facts under the site's protocol."""
    protocol = library.protocols[context.protocol_id]
    crs = crs_standing(facts, library.crs, context.rules)
    icans = icans_standing(facts, library.icans, context.rules)
    standings = (crs, icans)
    given = bispecific_doses(facts)
    expired = is_expired(protocol, facts, context.zone)
    drafted = [o for o in facts.orders if o.kind == "btce"]
    names = [o.ingredient for o in drafted] or [n for n in [on_board(facts)] if n]
    verdicts = [
        verdict(name, standings, facts, library, protocol, expired=expired) for name in names
    ]
    lead = on_board(facts) or (names[0] if names else "")
    managed = () if expired else management(standings, lead, facts, library, protocol)
    toci = tocilizumab_advice.advise(facts, library, protocol, context.rules, crs, icans, managed)
    weight = recent_weight(facts, library.tocilizumab)
    per_kg = library.tocilizumab.mg_per_kg.get(protocol.id)
    rows = shown_rows(verdicts, managed, library)
    rems, duties = rems_for(library, protocol, drafted)
    assessment = Assessment(
        schema=SCHEMA,
        evaluated_at=facts.evaluated_at,
        patient=facts.patient,
        site=context.site,
        mode=context.mode,
        protocol=ProtocolRef(protocol.id, protocol.version),
        engine=Engine(context.engine_version),
        knowledge=KnowledgeRef(library.version, library.sha256, library.clinically_reviewed),
        crs=crs.state,
        icans=icans.state,
        disposition=_top(verdicts, standings, facts),
        agent=None if not given else Agent(given[-1].ingredient, given[-1].start),
        orders=tuple(
            OrderAssessment(order.ref, order.ingredient, found.disposition)
            for order, found in zip(drafted, verdicts, strict=False)
        ),
        next_dose=_next_dose(verdicts),
        medications=advice.medications([m for _, m in managed], library, weight),
        tocilizumab=toci.current,
        rems=rems,
        notices=notices_for(facts, standings, protocol, names, rows, expired=expired),
        unreadable=facts.unreadable,
    )
    return Decision(
        assessment=assessment,
        rows=rows,
        orders=tuple(
            OrderDecision(
                order, found.disposition, found.known, step_up_problem(order, facts, library)
            )
            for order, found in zip(drafted, verdicts, strict=False)
        ),
        tocilizumab_orders=toci.orders,
        tocilizumab_lines=toci.lines,
        tocilizumab_indicated=toci.unconditional,
        tocilizumab_ordered=bool(toci.orders)
        or any(o.ingredient == "tocilizumab" for o in facts.active_orders),
        not_checked=library.tocilizumab.not_checked,
        allergies=facts.allergies,
        rems_duties=duties,
        missing=tuple(
            m for m in facts.missing if m not in (*crs.state.missing, *icans.state.missing)
        ),
        event_open=crs.active or icans.active,
        other_cause=tuple(s.toxicity for s in standings if s.other_cause and s.active),
        supportive_orders=tuple(
            o for o in facts.orders if o.kind in ("anakinra", "corticosteroid", "antipyretic")
        ),
        tocilizumab_weight=weight,
        tocilizumab_mg_per_kg=None if per_kg is None else per_kg.value,
    )


def _top(verdicts: Sequence[Verdict], standings: Sequence[Standing], facts: Facts) -> Disposition:
    if verdicts:
        return strictest([v.disposition for v in verdicts])
    if "administrations" in facts.answered:
        return Disposition(action="not-applicable", confirmed=False)
    return without_rows(standings)


def _next_dose(verdicts: Sequence[Verdict]) -> NextDose | None:
    return join(
        row.then.next_dose
        for found in verdicts
        for ruling in found.rulings
        if ruling.disposition.action != "discontinue-permanently"
        for row in ruling.matched.reached
        if row.then.next_dose is not None
    )
