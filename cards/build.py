"""Chooses the cards of one response: worst first, at most three, nothing lost; words no card."""

from collections import Counter
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import msgspec

from cards.evaluate import (
    cause_cards,
    expired_cards,
    missing_cards,
    step_up_cards,
    unread_order_cards,
    unsupported_cards,
)
from cards.hold import disposition_cards, hold_cards
from cards.model import Card
from cards.next_dose import next_dose_cards
from cards.proposal import Proposal, bedside_links, finished, identity, merged, rank
from cards.rems import rems_cards
from cards.supportive import acute_cards, tocilizumab_cards
from cards.supportive_check import check_cards
from cards.switched_off import SwitchedOff, replaced
from knowledge.decision import Decision


MOST = 3
NOTHING_OFF = SwitchedOff()


def build(
    decision: Decision,
    *,
    drafts: Mapping[str, bytes],
    hook_instance: str,
    zone: ZoneInfo,
    smart_url: str | None = None,
    off: SwitchedOff = NOTHING_OFF,
) -> tuple[Card, ...]:
    """The cards for one decision. `drafts`: each draft resource's own JSON by "Type/id".

    `off`: what the site does not show.
    """
    made = [*_proposals(selected(decision), drafts, zone), *unread_order_cards(decision, zone)]
    chosen = _offered_once(sorted(replaced(made, off, decision, zone), key=rank))
    if len(chosen) > MOST:
        chosen = [*chosen[: MOST - 1], merged(chosen[MOST - 1], chosen[MOST:])]
    seen: Counter[tuple[str, ...]] = Counter()
    cards = []
    links = bedside_links(smart_url, decision)
    for one in chosen:
        seen[identity(one)] += 1
        cards.append(finished(one, hook_instance, links, seen[identity(one)]))
    return tuple(cards)


def selected(decision: Decision) -> Decision:
    """The decision without drafts the user did not select: no card answers those."""
    return msgspec.structs.replace(
        decision,
        orders=tuple(one for one in decision.orders if one.order.selected),
        tocilizumab_orders=tuple(one for one in decision.tocilizumab_orders if one.order.selected),
        unsupported=tuple(order for order in decision.unsupported if order.selected),
        supportive_orders=tuple(order for order in decision.supportive_orders if order.selected),
        supportive_checks=tuple(one for one in decision.supportive_checks if one.order.selected),
    )


def _offered_once(proposals: list[Proposal]) -> list[Proposal]:
    """Two cards never offer the same new order: accepting both would order the drug twice."""
    seen: set[str] = set()
    kept = []
    for proposal in proposals:
        offers = tuple(
            one
            for one in proposal.suggestions
            if one.actions[0].type != "create" or one.label not in seen
        )
        seen |= {one.label for one in offers}
        kept.append(msgspec.structs.replace(proposal, suggestions=offers))
    return kept


def _proposals(decision: Decision, drafts: Mapping[str, bytes], zone: ZoneInfo) -> list[Proposal]:
    drafted = (
        *decision.orders,
        *decision.tocilizumab_orders,
        *decision.unsupported,
        *decision.supportive_orders,
    )
    if drafts and not drafted:
        return []  # only drugs outside our sets: the assessment alone answers
    holds = hold_cards(decision, drafts, zone)
    conditions = [] if holds else next_dose_cards(decision, zone)
    if not drafted and not decision.event_open:
        return [*holds, *conditions]  # opening a chart: only an open event or pending conditions
    expired = expired_cards(decision, zone)
    causes = cause_cards(decision, zone)
    stated = [] if causes or expired else disposition_cards(decision, zone)
    acute = [] if expired else acute_cards(decision, zone)
    told = holds or conditions or causes or stated or acute or expired
    unsupported = unsupported_cards(decision, zone)
    known = any(one.known for one in decision.orders)
    ours = known or decision.supportive_orders or decision.tocilizumab_orders
    only_unsupported = unsupported and not ours
    return [
        *holds,
        *tocilizumab_cards(decision, zone),
        *check_cards(decision, zone),
        *unsupported,
        *expired,
        *causes,
        *([] if told or only_unsupported else missing_cards(decision, zone)),
        *step_up_cards(decision, zone),
        *stated,
        *acute,
        *conditions,
        *([] if holds else rems_cards(decision, zone)),
    ]
