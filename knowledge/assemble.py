"""Puts the assessment together from what the stages found; concludes nothing of its own."""

from collections.abc import Mapping, Sequence
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from knowledge import advice
from knowledge.assessment import (
    Action,
    Agent,
    Anakinra,
    Assessment,
    Disposition,
    Engine,
    KnowledgeRef,
    OrderAssessment,
    ProtocolRef,
)
from knowledge.decision import AppliedRow
from knowledge.disposition import strictest
from knowledge.facts import Facts, Notice, Order, bispecific_doses
from knowledge.library import Library
from knowledge.model import SiteRules
from knowledge.next_dose import join
from knowledge.notices import notices_for
from knowledge.product_model import Protocol
from knowledge.rems import rems_for, stale_notice
from knowledge.row_notices import row_notices
from knowledge.rows import Matched
from knowledge.rulings import Verdict, on_board, without_rows
from knowledge.steroids import duplicate_notice
from knowledge.tocilizumab import recent_weight
from knowledge.tocilizumab_advice import TocilizumabAdvice
from knowledge.toxicity import Standing
from knowledge.treatment import NextDose


SCHEMA = "btce-cds/assessment/1"


class Context(Struct, frozen=True):
    """What the site brings: its name, mode, protocol, clinical settings, time zone and contacts.

    `acknowledged`: ids of REMS programmes whose duties the ordering clinician has confirmed.
    """

    site: str
    mode: Literal["live", "silent"]
    protocol_id: str
    engine_version: str
    rules: SiteRules
    zone: ZoneInfo
    contacts: Mapping[str, str] = {}
    acknowledged: frozenset[str] = frozenset()


class Findings(Struct, frozen=True):
    """What the stages below found, before it is put together."""

    protocol: Protocol
    expired: bool
    standings: tuple[Standing, Standing]
    drafted: tuple[Order, ...]
    verdicts: tuple[Verdict, ...]
    managed: tuple[tuple[Standing, Matched], ...]
    tocilizumab: TocilizumabAdvice
    anakinra: Anakinra | None
    rows: tuple[AppliedRow, ...]


def products_of(drafted: Sequence[Order], facts: Facts) -> tuple[str, ...]:
    """The drafted bispecifics; without any, the one on board."""
    return tuple(o.ingredient for o in drafted) or tuple(n for n in (on_board(facts),) if n)


def assessment(found: Findings, facts: Facts, library: Library, context: Context) -> Assessment:
    """The assessment in its wire shape."""
    crs, icans = found.standings
    given = bispecific_doses(facts)
    names = products_of(found.drafted, facts)
    weight = recent_weight(facts, library.tocilizumab)
    medications = advice.medications([m for _, m in found.managed], library, weight)
    rems, _ = rems_for(library, found.protocol, found.drafted, context.acknowledged)
    stale = stale_notice(rems, facts.evaluated_at.astimezone(context.zone).date(), context.rules)
    steroids = duplicate_notice(facts, medications, context.rules)
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
        next_dose=_next_dose(found),
        medications=medications,
        tocilizumab=found.tocilizumab.current,
        anakinra=found.anakinra,
        rems=rems,
        notices=_each_once(
            *notices_for(
                facts, found.standings, found.protocol, names, found.rows, expired=found.expired
            ),
            *row_notices(
                found.verdicts, [m for _, m in found.managed], found.drafted, facts, library
            ),
            *(notice for notice in (steroids, stale) if notice is not None),
        ),
        unreadable=facts.unreadable,
    )


def _top(verdicts: Sequence[Verdict], standings: Sequence[Standing], facts: Facts) -> Disposition:
    if verdicts:
        return strictest([v.disposition for v in verdicts])
    if "administrations" in facts.answered:
        return Disposition(action="not-applicable", confirmed=False)
    return without_rows(standings)


def _next_dose(found: Findings) -> NextDose | None:
    return join(
        _later(row.then.next_dose, ruling.disposition.action)
        for verdict in found.verdicts
        for ruling in verdict.rulings
        if ruling.disposition.action != "discontinue-permanently"
        for row in ruling.matched.reached
        if row.then.next_dose is not None
    )


def _each_once(*notices: Notice) -> tuple[Notice, ...]:
    return tuple(dict.fromkeys(notices))


def _later(conditions: NextDose, action: Action) -> NextDose:
    """After the event nothing is left to say about the infusion that ran then."""
    if action != "resume-with-conditions":
        return conditions
    return msgspec.structs.replace(conditions, current_infusion=None)
