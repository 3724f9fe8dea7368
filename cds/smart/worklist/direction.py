"""Whether a grade went up or down since an earlier decision; compares ranges, judges nothing."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from cards import terms
from cds.store.recent import Decided
from knowledge.assessment import Grade, ToxicityState
from knowledge.facts import ToxicityName


Direction = Literal["up", "down", "same", "unclear", "none"]
WORDS: dict[Direction, str] = {
    "up": "up",
    "down": "down",
    "same": "same",
    "unclear": "cannot be compared",
    "none": "no earlier decision",
}


class Change(Struct, frozen=True):
    """How a grade compares with the one before. `before` in words; `at`: when that was decided."""

    direction: Direction
    before: str = ""
    at: datetime | None = None

    @property
    def words(self) -> str:
        """The direction, in words."""
        return WORDS[self.direction]


class _Earlier(Struct):
    """What is compared of an assessment that was kept, whatever else is in it."""

    crs: ToxicityState
    icans: ToxicityState


def change(name: ToxicityName, now: ToxicityState, earlier: Decided | None) -> Change:
    """Of one scale. A range that only got wider or narrower cannot be compared."""
    if earlier is None:
        return Change("none")
    try:
        found = msgspec.json.decode(earlier.assessment, type=_Earlier)
    except msgspec.DecodeError:
        return Change("unclear", at=earlier.evaluated_at)
    before = found.crs if name == "crs" else found.icans
    direction = compared(terms.shown_grade(before), terms.shown_grade(now))
    return Change(direction, terms.grade(name, before), earlier.evaluated_at)


def compared(before: Grade | None, now: Grade | None) -> Direction:
    """Up or down where both bounds agree, or one moved and the other did not."""
    if before is None or now is None:
        return "unclear"
    low = now.at_least - before.at_least
    high = now.at_most - before.at_most
    if low == high == 0:
        return "same"
    if low >= 0 and high >= 0:
        return "up"
    if low <= 0 and high <= 0:
        return "down"
    return "unclear"
