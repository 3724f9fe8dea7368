"""Corticosteroids: one at a time. A notice where two meet; which of them is right is not said.

Each source's dose stands alone and is never added to another's.
"""

from collections.abc import Sequence
from datetime import timedelta

from knowledge.crs_state import age_in_hours
from knowledge.facts import Facts, Notice, Order
from knowledge.model import SiteRules
from knowledge.treatment import Medication


DUPLICATE = "duplicate-steroid"
# Ingredients as orders and rows name them; some rows name the class alone.
CORTICOSTEROIDS = frozenset(
    {
        "betamethasone",
        "corticosteroid",
        "dexamethasone",
        "hydrocortisone",
        "methylprednisolone",
        "prednisolone",
        "prednisone",
    }
)


def duplicate_notice(
    facts: Facts, medications: Sequence[Medication], rules: SiteRules
) -> Notice | None:
    """A notice where a draft meets another corticosteroid, or the rows reached name two."""
    found = [*_beside_drafts(facts, rules), *_in_rows(medications)]
    if not found:
        return None
    text = "; ".join(dict.fromkeys(found))
    return Notice(DUPLICATE, f"Corticosteroids must not be added together: {text}.")


def _beside_drafts(facts: Facts, rules: SiteRules) -> list[str]:
    """Each draft with what is ordered, given or drafted beside it.

    Earlier doses of the same substance are no duplicate, a second order of it is.
    """
    drafts = [order for order in facts.orders if order.kind == "corticosteroid"]
    return [
        f"{draft.ingredient} is drafted, {other}"
        for place, draft in enumerate(drafts)
        for other in (
            *_ordered(draft, facts),
            *_given(draft, facts, rules),
            *(f"{order.ingredient} is drafted too" for order in drafts[place + 1 :]),
        )
    ]


def _ordered(draft: Order, facts: Facts) -> list[str]:
    return [
        f"{order.ingredient} is on order"
        for order in facts.active_orders
        if order.ingredient in CORTICOSTEROIDS and order.ref != draft.ref
    ]


def _given(draft: Order, facts: Facts, rules: SiteRules) -> list[str]:
    now, span = facts.evaluated_at, timedelta(hours=rules.steroid_hours)
    last = {
        drug.agent: drug.at
        for drug in facts.masking
        if drug.kind == "steroid" and timedelta(0) <= now - drug.at <= span
    }
    return [
        f"{agent} was given {age_in_hours(at, now)} h ago"
        for agent, at in last.items()
        if agent != draft.ingredient
    ]


def _in_rows(medications: Sequence[Medication]) -> list[str]:
    """Two substances, or one in two rows: each dose is whole for its own source or toxicity."""
    named = dict.fromkeys((m.agent, m.rule) for m in medications if m.agent in CORTICOSTEROIDS)
    if len(named) < 2:
        return []
    words = [f"{agent} ({rule})" if rule else agent for agent, rule in named]
    return [f"the rules reached name {' and '.join(words)}"]
