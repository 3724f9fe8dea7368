"""Oxygen flows that the product's label or the site's protocol grades unlike the scale.

Where documents draw the line elsewhere, both levels stay possible: the bounds show the doubt.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal

import msgspec

from knowledge.facts import Charted, Facts, Notice, bispecific_doses
from knowledge.library import Library
from knowledge.product_model import Protocol


LOW, HIGH = ("low-flow",), ("high-flow",)
BOTH = (*LOW, *HIGH)


def widened(facts: Facts, library: Library, protocol: Protocol) -> Facts:
    """The facts with both levels where the label or the protocol reads a flow differently."""
    given = {d.ingredient for d in bispecific_doses(facts)}
    limits = {
        p.high_flow_from.value
        for n in given
        if (p := library.products.get(n)) is not None and p.high_flow_from is not None
    }
    if limits:
        text = "The label of the product on board calls 6 L/min high flow: grade 3 is possible."
        notice = Notice("label-high-flow", text)
        facts = _both(facts, lambda c: c.levels == LOW and c.flow in limits, notice)
    under = protocol.low_flow_under
    if under is not None:
        text = "The guideline grades oxygen by flow alone: a mask below that flow may be grade 2."
        notice = Notice("graded-by-flow", text)
        facts = _both(facts, lambda c: c.levels == HIGH and _below(c.flow, under.value), notice)
    return facts


def _below(flow: Decimal | None, limit: Decimal) -> bool:
    return flow is not None and flow < limit


def _both(facts: Facts, concerned: Callable[[Charted], bool], notice: Notice) -> Facts:
    if not any(concerned(one) for one in facts.oxygen):
        return facts
    oxygen = tuple(_with_both(facts.oxygen, concerned))
    return msgspec.structs.replace(facts, oxygen=oxygen, notices=(*facts.notices, notice))


def _with_both(
    series: Iterable[Charted], concerned: Callable[[Charted], bool]
) -> Iterable[Charted]:
    for one in series:
        yield msgspec.structs.replace(one, levels=BOTH) if concerned(one) else one
