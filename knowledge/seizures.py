"""The seizure axis where entries add up, and how many seizures there were.

Two seizures in one window, with nobody charted as awake in between, may be repetitive.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from knowledge.facts import Charted, Facts, Missing
from knowledge.levels import Axis
from knowledge.series import upto


_CLUSTER = "two seizures: whether consciousness returned between them is not charted"


def with_clusters(axis: Axis, facts: Facts, at: datetime, window: timedelta) -> Axis:
    """The seizure axis, repetitive possible where the entries of the window leave it open."""
    recent = [one for one in upto(facts.seizure, at) if at - one.at <= window and _happened(one)]
    if len(recent) < 2 or "repetitive" in axis.levels or not axis.abnormal:
        return axis
    if all(_awake_between(facts.arousal, a.at, b.at) for a, b in pairwise(recent)):
        return axis
    return msgspec.structs.replace(
        axis,
        levels=axis.levels | {"repetitive"},
        evidence=tuple(one.evidence for one in recent),
        missing=(*axis.missing, Missing("seizure", _CLUSTER)),
    )


def _awake_between(arousal: Sequence[Charted], first: datetime, second: datetime) -> bool:
    return any(
        one.levels == ("alert",) and not one.preliminary and first < one.at < second
        for one in arousal
    )


def _happened(one: Charted) -> bool:
    return bool(one.levels) and "none" not in one.levels


def seizures(facts: Facts, doses: Sequence[datetime]) -> tuple[int, int]:
    """How many seizures there surely were since the first dose, and how many the entries allow.

    Two entries may be about one seizure; a charted count and "repetitive" are certain.
    """
    first = min(doses, default=facts.evaluated_at)
    possible: dict[datetime, int] = {}
    least = 0
    for one in facts.seizure:
        if one.at >= first and _happened(one):
            least = max(least, 2 if one.levels == ("repetitive",) else 1)
            possible[one.at] = 2 if "repetitive" in one.levels else 1
    for count in facts.seizure_counts:
        if count.at >= first:
            least = max(least, int(count.value))
            possible[count.at] = max(possible.get(count.at, 0), int(count.value))
    return least, max(least, sum(possible.values()))
