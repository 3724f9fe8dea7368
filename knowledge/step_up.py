"""The interval between step-up doses, checked only where the dose count shows a step-up."""

from datetime import timedelta

from knowledge.course import in_hours
from knowledge.facts import Facts, Order
from knowledge.library import Library


def step_up_problem(order: Order, facts: Facts, library: Library) -> str:
    """What is wrong with the interval to the last dose, with its source; empty when nothing is.

    No check without answered administrations, on the first dose, or after the step-up doses.
    """
    product = library.products.get(order.ingredient)
    if product is None or product.step_up is None or "administrations" not in facts.answered:
        return ""
    given = [d.start for d in facts.doses if d.ingredient == order.ingredient]
    rule = product.step_up
    if not 0 < len(given) < rule.doses:
        return ""
    planned = order.planned_start or facts.evaluated_at
    gap = planned - max(given)
    if timedelta(days=rule.min_days) <= gap <= timedelta(days=rule.max_days):
        return ""
    title = library.references[rule.source.ref].title
    span = f"{rule.min_days}-{rule.max_days} days"
    return (
        f"{in_hours(gap)} h since the last step-up dose; {span} stated ({title}, {rule.source.at})"
    )
