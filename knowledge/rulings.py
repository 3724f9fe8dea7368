"""The disposition of every product in question: each drafted bispecific, or the one on board."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from knowledge.assessment import Action, Disposition
from knowledge.disposition import Ruling, match_event, rule_on, strictest
from knowledge.facts import Facts, bispecific_doses
from knowledge.library import Library
from knowledge.product_model import Protocol
from knowledge.rows import Matched
from knowledge.sources import sources
from knowledge.toxicity import Standing


class Verdict(Struct, frozen=True):
    """One product's disposition with the rulings behind it; `known`: rules for it exist here."""

    ingredient: str
    disposition: Disposition
    rulings: tuple[Ruling, ...]
    known: bool


def _plain(action: Action, reason: str = "", toxicity: str = "", until: str = "") -> Disposition:
    return Disposition(
        action=action,
        confirmed=False,
        reason=reason,
        toxicity=toxicity,
        until=until,
    )


def verdict(
    ingredient: str,
    standings: Sequence[Standing],
    facts: Facts,
    library: Library,
    protocol: Protocol,
    *,
    planned: datetime,
    expired: bool,
) -> Verdict:
    """The disposition of one dose at `planned`. An event of another bispecific holds it too."""
    known = ingredient in library.products
    if expired:
        return Verdict(ingredient, _plain("not-stated", "protocol-expired"), (), known)
    foreign = [s for s in standings if _of_another_product(s, ingredient)]
    held = [s for s in foreign if s.active]
    if held:
        text = f"open event of {_agent(held[0])}: general principle of holding until it resolves"
        until = f"{held[0].toxicity}-resolved"
        hold = _plain("withhold", text, held[0].toxicity, until)
        return Verdict(ingredient, hold, (), known)
    if not known:
        return Verdict(ingredient, _plain("cannot-evaluate", "not-in-knowledge-base"), (), known)
    own = [s for s in standings if s not in foreign]
    rulings = _rulings(ingredient, own, facts, library, protocol, planned)
    if rulings:
        chosen = strictest([r.disposition for r in rulings])
        return Verdict(ingredient, chosen, rulings, known)
    past = [s for s in foreign if s.event is not None]
    if past:
        text = f"earlier {past[0].toxicity.upper()} event was of {_agent(past[0])}"
        return Verdict(ingredient, _plain("not-stated", text, past[0].toxicity), (), known)
    return Verdict(ingredient, without_rows(standings), (), known)


def without_rows(standings: Sequence[Standing]) -> Disposition:
    """The disposition where no row applies: no toxicity, not stated, or not evaluable."""
    crs, icans = standings
    if not crs.exposed:
        abnormal = crs.abnormal or icans.abnormal
        return _plain("not-stated", "not-exposed") if abnormal else _plain("no-toxicity")
    crs_free = crs.state.acting is not None and crs.state.acting.at_most == 0
    icans_free = (not icans.state.assessed and not icans.unassessed_sign) or (
        icans.state.acting is not None and icans.state.acting.at_most == 0
    )
    if crs_free and icans_free:
        reason = "" if icans.state.assessed else "icans-not-assessed"
        return _plain("no-toxicity", reason)
    return _plain("cannot-evaluate", "inputs-missing")


def on_board(facts: Facts) -> str:
    """The ingredient given last, or an empty string."""
    doses = bispecific_doses(facts)
    return doses[-1].ingredient if doses else ""


def management(
    standings: Sequence[Standing],
    ingredient: str,
    facts: Facts,
    library: Library,
    protocol: Protocol,
) -> tuple[tuple[Standing, Matched], ...]:
    """The acute rows of each active toxicity by its acting grade, from whoever speaks for it."""
    found = []
    for standing in standings:
        source = sources(library, protocol, ingredient, standing.toxicity).management
        acting = standing.state.acting
        if source is None or acting is None or standing.other_cause or not standing.active:
            continue
        matched = match_event(standing, acting, source, ingredient, facts, library)
        found.append((standing, matched))
    return tuple(found)


def _rulings(
    ingredient: str,
    standings: Sequence[Standing],
    facts: Facts,
    library: Library,
    protocol: Protocol,
    planned: datetime,
) -> tuple[Ruling, ...]:
    found = []
    for standing in standings:
        speaking = sources(library, protocol, ingredient, standing.toxicity)
        decides, label = speaking.disposition, speaking.label
        if decides is None or (
            (ruling := rule_on(standing, decides, ingredient, facts, library, planned)) is None
        ):
            continue
        if label is not None and label.header.id != decides.header.id:
            beside = match_event(standing, standing.maximum, label, ingredient, facts, library)
            ruling = msgspec.structs.replace(ruling, label=beside)
        found.append(ruling)
    return tuple(found)


def _agent(standing: Standing) -> str:
    event = standing.state.event
    return event.agent if event is not None else ""


def _of_another_product(standing: Standing, ingredient: str) -> bool:
    event = standing.event
    return event is not None and bool(event.agents) and ingredient not in event.agents
