"""Which statements of the protocol outside its grade rows belong to what is going on now."""

from collections.abc import Iterator, Mapping, Sequence

from knowledge.decision import TocilizumabLine
from knowledge.facts import Facts, Order
from knowledge.library import Library
from knowledge.product_model import Guidance, Protocol
from knowledge.toxicity import Standing


# With an active toxicity; the drug's own topics only where the drug is drafted.
ACTIVE = frozenset({"escalation", "differential", "call-back", "monitoring", "workup"})
OF_A_DRUG = frozenset({"funding", "stock", "administration"})
SUPPORTIVE = frozenset({"tocilizumab", "anakinra", "corticosteroid"})


def guidance(
    protocol: Protocol,
    standings: Sequence[Standing],
    facts: Facts,
    library: Library,
    contacts: Mapping[str, str],
) -> tuple[TocilizumabLine, ...]:
    """The statements with their places; a contact the text names is filled in from the site's."""
    return tuple(
        TocilizumabLine(_with_contacts(item.text, contacts), library.citation(protocol, item.at))
        for item in protocol.guidance
        if any(_concerns(item, standing, standings, facts) for standing in standings)
        or _of_drafts(item, facts.orders)
        or (item.topic == "baseline" and _first_dose(facts))
    )


def _concerns(
    item: Guidance, standing: Standing, standings: Sequence[Standing], facts: Facts
) -> bool:
    if item.topic not in ACTIVE or item.toxicity not in {None, standing.toxicity}:
        return False
    products = {dose.ingredient for dose in facts.doses}
    if item.products and products.isdisjoint(item.products):
        return False
    if not standing.active:
        return 0 in item.grades and any(other.active for other in standings)
    acting = standing.state.acting
    graded = not item.grades or (acting is not None and acting.at_least in item.grades)
    return graded and not standing.other_cause


def _of_drafts(item: Guidance, orders: Sequence[Order]) -> bool:
    """Whether the statement is on a supportive drug that is being ordered."""
    return item.topic in OF_A_DRUG and any(
        name in item.text.lower() for order in orders for name in _names(order)
    )


def _names(order: Order) -> Iterator[str]:
    if order.kind in SUPPORTIVE:
        yield order.kind


def _first_dose(facts: Facts) -> bool:
    """Whether a bispecific is drafted that was never given, by an answered query."""
    given = {dose.ingredient for dose in facts.doses}
    return "administrations" in facts.answered and any(
        order.kind == "btce" and order.ingredient not in given for order in facts.orders
    )


def _with_contacts(text: str, contacts: Mapping[str, str]) -> str:
    named = [f"{who}: {how}" for who, how in contacts.items() if who.lower() in text.lower()]
    return f"{text} ({'; '.join(named)})" if named else text
