"""From facts to the decision: grade both scales, rule on each product, check tocilizumab, REMS.

Pure: the same facts, library and context always give the same decision.
"""

from collections.abc import Sequence
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from knowledge import advice
from knowledge.assessment import (
    Agent,
    Assessment,
    Disposition,
    Engine,
    KnowledgeRef,
    OrderAssessment,
    ProtocolRef,
)
from knowledge.decision import AppliedRow, Decision, OrderDecision
from knowledge.disposition import strictest
from knowledge.facts import Facts, Order, bispecific_doses
from knowledge.library import Library
from knowledge.model import Protocol, SiteRules
from knowledge.next_dose import join
from knowledge.notices import is_expired, notices_for
from knowledge.rems import rems_for
from knowledge.rows import Matched
from knowledge.rulings import Verdict, management, on_board, verdict, without_rows
from knowledge.shown_rows import shown_rows
from knowledge.step_up import step_up_problem
from knowledge.tocilizumab import recent_weight
from knowledge.tocilizumab_advice import TocilizumabAdvice, advise
from knowledge.toxicity import Standing, crs_standing, icans_standing
from knowledge.treatment import NextDose


SCHEMA = "btce-cds/assessment/1"
SUPPORTIVE = frozenset({"anakinra", "corticosteroid", "antipyretic"})


class Context(Struct, frozen=True):
    """What the site brings: its name, mode, protocol, clinical settings and time zone."""

    site: str
    mode: Literal["live", "silent"]
    protocol_id: str
    engine_version: str
    rules: SiteRules
    zone: ZoneInfo


class Findings(Struct, frozen=True):
    """What the stages below found, before it is put together."""

    protocol: Protocol
    expired: bool
    standings: tuple[Standing, Standing]
    drafted: tuple[Order, ...]
    verdicts: tuple[Verdict, ...]
    managed: tuple[tuple[Standing, Matched], ...]
    tocilizumab: TocilizumabAdvice
    rows: tuple[AppliedRow, ...]


def decide(facts: Facts, library: Library, context: Context) -> Decision:
    """Everything this service concludes from the facts under the site's protocol."""
    found = _find(facts, library, context)
    crs, icans = found.standings
    toci = found.tocilizumab
    per_kg = library.tocilizumab.mg_per_kg.get(found.protocol.id)
    named = (*crs.state.missing, *icans.state.missing)
    return Decision(
        assessment=_assessment(found, facts, library, context),
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
        rems_duties=rems_for(library, found.protocol, found.drafted)[1],
        missing=tuple(m for m in facts.missing if m not in named),
        event_open=crs.active or icans.active,
        other_cause=tuple(s.toxicity for s in found.standings if s.other_cause and s.active),
        supportive_orders=tuple(o for o in facts.orders if o.kind in SUPPORTIVE),
        tocilizumab_weight=recent_weight(facts, library.tocilizumab),
        tocilizumab_mg_per_kg=None if per_kg is None else per_kg.value,
    )


def _find(facts: Facts, library: Library, context: Context) -> Findings:
    protocol = library.protocols[context.protocol_id]
    crs = crs_standing(facts, library.crs, context.rules)
    icans = icans_standing(facts, library.icans, context.rules)
    standings = (crs, icans)
    expired = is_expired(protocol, facts, context.zone)
    drafted = tuple(o for o in facts.orders if o.kind == "btce")
    names = _products(drafted, facts)
    verdicts = tuple(
        verdict(name, standings, facts, library, protocol, expired=expired) for name in names
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
        rows=shown_rows(verdicts, managed, library),
    )


def _products(drafted: Sequence[Order], facts: Facts) -> tuple[str, ...]:
    """The drafted bispecifics; without any, the one on board."""
    return tuple(o.ingredient for o in drafted) or tuple(n for n in (on_board(facts),) if n)


def _assessment(found: Findings, facts: Facts, library: Library, context: Context) -> Assessment:
    crs, icans = found.standings
    given = bispecific_doses(facts)
    names = _products(found.drafted, facts)
    weight = recent_weight(facts, library.tocilizumab)
    return Assessment(
        schema=SCHEMA,
        evaluated_at=facts.evaluated_at,
        patient=facts.patient,
        site=context.site,
        mode=context.mode,
        protocol=ProtocolRef(found.protocol.id, found.protocol.version),
        engine=Engine(context.engine_version),
        knowledge=KnowledgeRef(library.version, library.sha256, library.clinically_reviewed),
        crs=crs.state,
        icans=icans.state,
        disposition=_top(found.verdicts, found.standings, facts),
        agent=None if not given else Agent(given[-1].ingredient, given[-1].start),
        orders=tuple(
            OrderAssessment(order.ref, order.ingredient, one.disposition)
            for order, one in zip(found.drafted, found.verdicts, strict=False)
        ),
        next_dose=_next_dose(found.verdicts),
        medications=advice.medications([m for _, m in found.managed], library, weight),
        tocilizumab=found.tocilizumab.current,
        rems=rems_for(library, found.protocol, found.drafted)[0],
        notices=notices_for(
            facts, found.standings, found.protocol, names, found.rows, expired=found.expired
        ),
        unreadable=facts.unreadable,
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
