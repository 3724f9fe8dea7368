"""Up, down or neither: ranges are compared by both of their bounds."""

import pytest

from cds.smart.worklist.direction import Direction, change, compared
from cds.store.recent import Decided
from knowledge.assessment import Grade, ToxicityState
from tests.builders import NOW


@pytest.mark.parametrize(
    ("before", "now", "direction"),
    [
        ((1, 1), (1, 1), "same"),
        ((0, 4), (0, 4), "same"),
        ((1, 1), (2, 2), "up"),
        ((1, 2), (1, 3), "up"),
        ((1, 3), (2, 3), "up"),
        ((3, 4), (0, 0), "down"),
        ((1, 3), (1, 2), "down"),
        ((2, 3), (1, 3), "down"),
        ((1, 3), (2, 2), "unclear"),
        ((2, 2), (0, 4), "unclear"),
        (None, (4, 4), "unclear"),
        ((4, 4), None, "unclear"),
        (None, None, "unclear"),
    ],
)
def test_a_direction_needs_bounds_that_agree(
    before: tuple[int, int] | None, now: tuple[int, int] | None, direction: Direction
) -> None:
    made = [None if one is None else Grade(*one) for one in (before, now)]
    assert compared(made[0], made[1]) == direction


def test_without_an_earlier_decision_nothing_is_said_to_be_the_same() -> None:
    state = ToxicityState("astct-crs-2019", assessed=True, grade=Grade(0, 0))
    assert change("crs", state, None).words == "no earlier decision"


def test_an_earlier_decision_that_cannot_be_read_is_not_compared() -> None:
    state = ToxicityState("astct-crs-2019", assessed=True, grade=Grade(0, 0))
    found = change("crs", state, Decided("p1", NOW, "nonsense"))
    assert (found.direction, found.at) == ("unclear", NOW)
