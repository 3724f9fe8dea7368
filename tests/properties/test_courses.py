"""Courses with known truth, in the words of three systems: what is graded is true, or wider."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cds.pipeline import Evaluation
from tests.builders import draft_order
from tests.properties.courses import Course, make_course, true_crs, true_icans, true_maxima
from tests.properties.encodings import ENCODINGS, Encoding
from tests.properties.figures import Figures
from tests.properties.service import ask, assessed, how_many


COURSES = range(how_many(25, 1000))


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_grade_is_the_true_one_or_wider(name: str, figures: Figures) -> None:
    for seed in COURSES:
        course = make_course(seed)
        found = _ask(course, ENCODINGS[name])
        for toxicity, truth in (("crs", true_crs(course)), ("icans", {true_icans(course)})):
            state = assessed(found)[toxicity]
            if not state["assessed"]:
                continue
            grade = state["grade"]
            assert grade["atLeast"] <= min(truth), (name, seed, toxicity, truth, grade)
            assert grade["atMost"] >= max(truth), (name, seed, toxicity, truth, grade)
        figures.add(f"{name}: the grade of a course is the true one or wider")


@pytest.mark.parametrize("name", [name for name, one in ENCODINGS.items() if one.whole])
def test_what_is_charted_is_what_is_read(name: str, figures: Figures) -> None:
    for seed in COURSES:
        course = make_course(seed)
        found = _ask(course, ENCODINGS[name])
        _assert_facts(course, found, seed)
        _assert_event(course, assessed(found)["crs"].get("event"), seed)
        figures.add(f"{name}: the facts of a course are those that were charted")


def test_most_courses_have_an_event_and_the_grades_are_all_there() -> None:
    courses = [make_course(seed) for seed in range(400)]
    assert {grade for one in courses for grade in true_crs(one)} == {0, 1, 2, 3, 4}
    assert {true_icans(one) for one in courses} == {0, 1, 2, 3}
    assert sum(len(one.onsets) > 1 for one in courses) > 30


def test_with_everything_mapped_the_grade_is_mostly_certain() -> None:
    for name in ("Epic-like", "MIMIC-like"):
        grades = [
            assessed(_ask(make_course(seed), ENCODINGS[name]))["crs"].get("grade")
            for seed in range(30)
        ]
        certain = [one for one in grades if one and one["atLeast"] == one["atMost"]]
        assert len(certain) > 15


def _ask(course: Course, encoding: Encoding) -> Evaluation:
    return ask(encoding.write(course), [draft_order()], now=course.now, codes=encoding.codes)


def _assert_event(course: Course, event: dict[str, Any] | None, seed: int) -> None:
    assert (event is not None) == bool(course.onsets), seed
    if event is None:
        return
    *before, maximum = true_maxima(course)
    assert datetime.fromisoformat(event["onset"]) == course.onsets[-1], seed
    least = event["maxGrade"]["atLeast"]
    assert least <= maximum <= event["maxGrade"]["atMost"], seed
    # Recurrent: an earlier event reached at least the grade of the row that applies, and the row is
    # that of the lower bound. Where the maximum is certain, that is the true maximum.
    assert event["recurrent"] == any(one >= max(least, 1) for one in before), seed


def _assert_facts(course: Course, found: Evaluation, seed: int) -> None:
    facts = found.facts
    exact = [(Decimal(one.tenths_f) / 10 - 32) * 5 / 9 for one in course.samples]
    assert [one.at for one in facts.temperatures] == [one.at for one in course.samples], seed
    for value, reading in zip(exact, facts.temperatures, strict=True):
        assert abs(value - reading.value) <= Decimal("0.0051"), seed
    pressures = [(one.at, one.systolic) for one in course.samples if one.systolic is not None]
    assert [(one.at, int(one.value)) for one in facts.systolic] == pressures, seed
    given = [(one.start, one.ingredient) for one in facts.doses]
    doses = [(at, "teclistamab") for at in course.doses]
    doses += [(one.at, one.name) for one in course.given if one.name == "tocilizumab"]
    assert given == sorted(doses), seed
    running = {one.agent for one in facts.infusions if one.end is None or one.end > course.now}
    assert running == {one.name for one in course.given if one.running}, seed
    assert facts.unreadable == (), seed
    charted = [one for one in course.samples if one.device is not None]
    last = facts.oxygen[-1]
    assert last.at == charted[-1].at, seed
    assert course.now - last.at > timedelta(hours=4) or course.state.oxygen in last.levels, seed
