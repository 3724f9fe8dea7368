"""Where what was charted and what the data say differ: both are shown, neither is dropped."""

from collections.abc import Sequence
from datetime import timedelta

from knowledge.course import Course
from knowledge.facts import Facts, Notice, ToxicityName


_RECENT = timedelta(hours=24)


def charted_notices(
    facts: Facts, toxicity: ToxicityName, events: Sequence[Course]
) -> tuple[Notice, ...]:
    """Diagnoses against the event's data, grades nobody may rely on, and several products."""
    name = toxicity.upper()
    found: list[Notice] = []
    event = events[-1] if events else None
    if event is not None and event.measured is not None:
        coded, data = event.maximum, event.measured
        text = (
            f"A coded diagnosis gives {name} another grade than the data and charted grades of the"
            f" event, {data.at_least}-{data.at_most}; its maximum counts as"
            f" {coded.at_least}-{coded.at_most}: confirm."
        )
        found.append(Notice(f"{toxicity}-diagnosis-differs", text))
    if event is not None and len(event.agents) > 1:
        text = f"{name} began within reach of {' and '.join(event.agents)}: attributed to all."
        found.append(Notice(f"{toxicity}-several-bispecifics", text))
    now = facts.evaluated_at
    unusable = [
        g
        for g in facts.grades
        if g.toxicity == toxicity and not g.usable and timedelta(0) <= now - g.at <= _RECENT
    ]
    if unusable:
        text = (
            f"A {name} grade {unusable[-1].grade} is charted that is preliminary or not by a"
            " practitioner: it does not act."
        )
        found.append(Notice(f"{toxicity}-charted-not-used", text))
    return tuple(found)
