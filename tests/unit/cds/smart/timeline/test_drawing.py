"""The drawing: what is not known is not drawn, and what is drawn stays in the drawing."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.smart.timeline import curves, strips
from cds.smart.timeline.drawing import LEFT, RIGHT, Drawing, draw
from cds.smart.timeline.item import What
from cds.smart.timeline.shapes import Shape
from tests.unit.cds.smart.timeline.given import item, level, plan, sample


def of_class(drawing: Drawing, look: str) -> list[Shape]:
    return [one for one in drawing.shapes if one.attributes.get("class") == look]


def words(drawing: Drawing) -> str:
    return " ".join(one.text for one in drawing.shapes)


def test_nothing_charted_is_said_in_words_and_draws_no_mark() -> None:
    drawing = draw(plan())
    for what in ("Temperature", "Systolic pressure", "SpO2", "Oxygen", "ICE total"):
        assert f"{what}: nothing charted in this time." in words(drawing)
    for look in ("first", "second", "open", "sure", "wide", "strip", "charted"):
        assert not of_class(drawing, look)


def test_what_was_not_read_is_not_said_to_be_uncharted() -> None:
    drawing = draw(plan(unread=frozenset({"temperature"})))
    assert "Temperature: not known, the record was not read for it." in words(drawing)
    assert "Temperature: nothing charted" not in words(drawing)


def test_a_scale_that_was_not_assessed_is_a_gap_and_not_grade_0() -> None:
    drawing = draw(plan(samples=(sample(10), sample(5), sample(0))))
    assert not of_class(drawing, "sure")
    assert not of_class(drawing, "wide")
    assert "CRS: not assessed at any time shown." in words(drawing)


def test_a_gap_between_grades_is_left_empty() -> None:
    samples = (sample(30, level(2, 2)), sample(20), sample(10, level(1, 1)), sample(0, level(1, 1)))
    blocks = of_class(draw(plan(samples=samples)), "sure")
    ends = [
        (float(one.attributes["x"]), float(one.attributes["x"]) + float(one.attributes["width"]))
        for one in blocks
    ]
    axis = plan().axis
    assert ends[0][1] == pytest.approx(axis.x(sample(20).at), abs=0.2)
    assert ends[1][0] == pytest.approx(axis.x(sample(10).at), abs=0.2)


def test_a_range_is_drawn_over_all_its_grades_and_grade_0_only_where_it_is_possible() -> None:
    samples = (sample(50, level(0, 0)), sample(30, level(1, 3)), sample(0, level(1, 3)))
    drawing = draw(plan(samples=samples))
    (zero,), (wide,) = of_class(drawing, "sure"), of_class(drawing, "wide")
    assert float(wide.attributes["height"]) == 3 * strips.ROW - 4
    lowest = float(wide.attributes["y"]) + float(wide.attributes["height"])
    assert lowest < float(zero.attributes["y"])
    assert "1 to 3" in words(drawing)


def test_values_further_apart_than_they_may_be_relied_on_are_not_joined() -> None:
    near = draw(plan(item("temperature", 3, 38.5), item("temperature", 1, 39)))
    far = draw(plan(item("temperature", 8, 38.5), item("temperature", 1, 39)))
    assert len(of_class(near, "path-first")) == 1
    assert not of_class(far, "path-first")
    assert len(of_class(far, "first")) == 2


def test_one_single_value_is_one_mark_with_its_number() -> None:
    drawing = draw(plan(item("temperature", 1, 39.1)))
    assert len(of_class(drawing, "first")) == 1
    assert [one.text for one in of_class(drawing, "value")] == ["39.1"]


def test_a_preliminary_value_is_an_open_mark() -> None:
    drawing = draw(plan(item("temperature", 1, 39.1, marks=("preliminary",))))
    assert len(of_class(drawing, "open")) == 1
    assert not of_class(drawing, "first")


def test_the_fever_line_has_its_threshold_in_both_units() -> None:
    drawing = draw(plan(item("temperature", 1, 36.8)))
    assert "fever from 38 °C (100.4 °F)" in words(drawing)
    (line,) = of_class(drawing, "limit")
    (mark,) = of_class(drawing, "first")
    assert float(line.attributes["y1"]) < float(mark.attributes["cy"])


def test_many_values_are_thinned_and_keep_the_highest_and_the_lowest() -> None:
    values = [item("temperature", 70 - place * 0.03, 37 + place % 7 / 10) for place in range(2000)]
    values[777] = item("temperature", values[777].at.minute and 70 - 777 * 0.03, 41.5)
    values[1234] = item("temperature", 70 - 1234 * 0.03, 34)
    found = curves.thinned(tuple(values), plan().axis)
    assert len(found) <= curves.MOST + 2
    numbers = [one.value for one in found]
    assert max(number for number in numbers if number) == Decimal("41.5")
    assert min(number for number in numbers if number) == Decimal(34)
    assert draw(plan(*values)).thinned == 2000


def test_a_block_of_oxygen_ends_when_it_may_no_longer_be_relied_on() -> None:
    drawing = draw(plan(item("oxygen", 40, levels=("low-flow",), flow=Decimal(2))))
    (block,) = of_class(drawing, "strip")
    axis = plan().axis
    hours = float(block.attributes["width"]) / (axis.right - axis.left) * 72
    assert hours == pytest.approx(4, abs=0.05)


def test_oxygen_of_several_possible_levels_is_drawn_as_open() -> None:
    every = ("none", "low-flow", "high-flow", "positive-pressure")
    drawing = draw(plan(item("oxygen", 2, levels=every)))
    assert len(of_class(drawing, "strip-open")) == 1
    assert strips.oxygen_words(item("oxygen", 2, levels=every)) == "not known"
    assert strips.oxygen_words(item("oxygen", 2, levels=())) == "not stated"
    some = item("oxygen", 2, levels=("low-flow", "high-flow"))
    assert strips.oxygen_words(some) == "low flow or high flow"


def test_an_infusion_that_runs_reaches_the_present_and_one_of_unknown_end_is_open() -> None:
    runs = item("vasopressor", 5, running=True, marks=("still running",))
    doubtful = item("vasopressor", 5, running=True, marks=("end not charted",))
    (bar,) = of_class(draw(plan(runs)), "bar")
    assert float(bar.attributes["x"]) + float(bar.attributes["width"]) == pytest.approx(
        RIGHT, abs=1
    )
    assert of_class(draw(plan(doubtful)), "bar-open")


NUMBERS: tuple[What, ...] = ("temperature", "systolic", "mean-pressure", "saturation", "ice")


@given(
    st.lists(
        st.builds(
            item,
            st.sampled_from(NUMBERS),
            st.floats(min_value=0, max_value=72),
            st.integers(min_value=0, max_value=300),
        ),
        max_size=12,
    )
)
def test_whatever_was_charted_is_drawn_inside_the_drawing(items: list) -> None:
    drawing = draw(plan(*items))
    for mark in of_class(drawing, "first"):
        assert LEFT <= float(mark.attributes["cx"]) <= RIGHT
        assert 0 <= float(mark.attributes["cy"]) <= drawing.height
