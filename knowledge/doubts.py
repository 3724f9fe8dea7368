"""Charted values that cannot be used: newer than the last good one, they leave the axis open."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from knowledge.facts import Facts, Unusable
from knowledge.series import upto


HIDDEN = "a newer value cannot be used"  # the reason every axis gives


def doubt(
    facts: Facts,
    fact: str,
    at: datetime,
    window: timedelta,
    last: datetime | None,
    harmless: Callable[[Decimal], bool] = lambda _: False,
) -> Unusable | None:
    """The newest unusable value of `fact` in the window and not older than `last`, or None.

    `harmless`: a value whose time alone is in doubt and that is normal whenever it was.
    """
    floor = at - window if last is None else max(at - window, last)
    for one in reversed(upto(facts.unusable, at)):
        if one.at < floor:
            break
        if one.fact == fact and (one.value is None or not harmless(one.value)):
            return one
    return None
