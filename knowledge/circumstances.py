"""What rows depend on beside the grade: duration, recurrence, weight, seizures and dose.

What is not known stays a range or None; nothing is filled in.
"""

from datetime import timedelta

from knowledge.facts import Facts
from knowledge.history import recurrent_at
from knowledge.rows import Circumstances
from knowledge.seizures import seizures
from knowledge.series import any_within
from knowledge.toxicity import Standing


def circumstances(
    standing: Standing, facts: Facts, ingredient: str, weight_age: timedelta
) -> Circumstances:
    """The circumstances of the newest event of one toxicity for one product."""
    weight = any_within(facts.weights, facts.evaluated_at, weight_age)
    kg = None if weight is None else weight.value
    event = standing.event
    if event is None:
        return Circumstances(weight=kg)
    doses = [d for d in facts.doses if d.ingredient == ingredient]
    earlier = [e for e in standing.events[:-1] if not e.agents or ingredient in e.agents]
    times = [d.start for d in doses]
    running = [d for d in doses if d.start <= event.onset and d.rate is not None]
    return Circumstances(
        hours=event.hours,
        recurrent=lambda grade: recurrent_at(earlier, event, times, grade),
        weight=kg,
        seizures=seizures(facts, times),
        rate=running[-1].rate if running else None,
        rate_unit=running[-1].rate_unit if running else "",
    )
