"""The arithmetic of the report: rates, agreement, bars."""

from decimal import Decimal

import pytest

from cds.replay.agreeing import Compared, agreement
from cds.replay.plots import MOST, WIDTH, Bar, plot
from cds.replay.values import Row, counted, share
from knowledge.assessment import Grade


def compared(charted: int, grade: tuple[int, int] | None) -> Compared:
    return Compared("crs", Row(1, 1), charted, None if grade is None else Grade(*grade))


@pytest.mark.parametrize(
    ("charted", "grade", "outcome", "by"),
    [
        (2, (2, 2), "exact", 0),
        (2, (2, 3), "inside", 0),
        (3, (2, 3), "inside", 0),
        (4, (2, 3), "too-low", 1),
        (4, (0, 0), "too-low", 4),
        (0, (2, 3), "too-high", 2),
        (0, None, "not-assessed", 0),
    ],
)
def test_a_charted_grade_lies_somewhere(
    charted: int, grade: tuple[int, int] | None, outcome: str, by: int
) -> None:
    one = compared(charted, grade)
    assert (one.outcome, one.by) == (outcome, by)


def test_rates_of_agreement_are_of_what_was_assessed() -> None:
    found = agreement(
        "crs",
        [
            compared(1, (1, 1)),
            compared(1, (1, 1)),
            compared(2, (1, 3)),
            compared(4, (1, 3)),
            compared(4, None),
            Compared("icans", Row(1, 2), 1, Grade(1, 1)),
        ],
        not_usable=3,
    )
    assert (found.compared, found.not_assessed, found.not_usable) == (5, 1, 3)
    assert (found.exact.count, found.exact.of, found.exact.per_hundred) == (2, 4, Decimal("50.0"))
    assert (found.inside.count, found.inside.of) == (1, 4)
    assert [(one.what, one.count) for one in found.too_low] == [("1", 1)]
    assert found.too_high == ()
    assert [(one.charted, one.by) for one in found.outside] == [(4, 1)]
    assert sum(cell.count for cell in found.cells) == 4


def test_there_is_no_rate_of_nothing_and_halves_go_up() -> None:
    assert share(0, 0).per_hundred is None
    assert share(1, 16).per_hundred == Decimal("6.3")


def test_counts_are_sorted_by_number_and_then_by_name() -> None:
    found = counted({"b": 1, "a": 1, "c": 2, "none": 0})
    assert [(one.what, one.count) for one in found] == [("c", 2), ("a", 1), ("b", 1)]


def test_a_plot_draws_no_more_than_fits_and_says_all_of_it() -> None:
    bars = [Bar(f"topic {number}", Decimal(number), str(number)) for number in range(MOST + 5)]
    made = plot("x", "Title", bars, "cards")
    assert made.left_out == 5
    assert all(one.label in made.words for one in bars)
    rects = [shape for shape in made.shapes if shape.tag == "rect"]
    assert len(rects) == MOST - 1  # nothing is drawn for zero
    assert all(
        float(one.attributes["x"]) + float(one.attributes["width"]) <= WIDTH for one in rects
    )


def test_a_plot_of_nothing_says_so() -> None:
    assert plot("x", "Title", [], "cards").words == "Title, cards. nothing."
