"""What rows depend on beside the grade: duration, recurrence, weight, seizures and dose.

What is not known stays a range or None; nothing is filled in.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from knowledge.facts import Facts
from knowledge.history import recurrent_at
from knowledge.rows import Circumstances
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
    times = [d.start for d in doses]
    running = [d for d in doses if d.start <= event.onset and d.rate is not None]
    return Circumstances(
        hours=event.hours,
        recurrent=lambda grade: recurrent_at(standing.events[:-1], event, times, grade),
        weight=kg,
        seizures=seizures(facts, times),
        rate=running[-1].rate if running else None,
        rate_unit=running[-1].rate_unit if running else "",
    )


def seizures(facts: Facts, doses: Sequence[datetime]) -> tuple[int, int]:
    """How many seizures there surely were since the first dose, and how many the entries allow.

    Two entries may be about one seizure; a charted count and "repetitive" are certain.
    """
    first = min(doses, default=facts.evaluated_at)
    seen = [
        one for one in facts.seizure if one.at >= first and one.levels and "none" not in one.levels
    ]
    counts = [int(one.value) for one in facts.seizure_counts if one.at >= first]
    repeated = any(one.levels == ("repetitive",) for one in seen)
    least = max([2 if repeated else min(len(seen), 1), *counts])
    possible = sum(2 if "repetitive" in one.levels else 1 for one in seen)
    return least, max(least, possible)
