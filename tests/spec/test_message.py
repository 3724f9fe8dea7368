"""What a Flag or a Communication says: range, what is missing, advice, and that it is no alarm."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cards.message import message, over
from knowledge.assemble import Context
from knowledge.decide import decide
from knowledge.decision import Decision
from knowledge.library import load
from tests.spec.chart import chart, charted, dose, graded, infusion, readings


LIBRARY = load()
ZONE = ZoneInfo("Europe/London")
COMPLETE: dict[str, Any] = {
    "temperatures": readings("t", (1, 38.6)),
    "systolic": readings("b", (1, 122)),
    "saturations": readings("s", (1, 97)),
    "oxygen": charted("o", (1, "none")),
}


def decided(**changes: Any) -> Decision:
    context = Context("demo", "live", "us-label", "0", LIBRARY.rules, ZONE)
    return decide(chart(**changes), LIBRARY, context)


def said(**changes: Any) -> str:
    return message(decided(**changes), "crs", ZONE)


def test_with_everything_charted_nothing_is_said_to_be_missing() -> None:
    text = said(**COMPLETE)
    assert "CRS grade 1." in text
    assert "Missing" not in text


def test_what_is_missing_is_named() -> None:
    text = said(**(COMPLETE | {"oxygen": ()}))
    assert "Missing: oxygen" in text


@pytest.mark.parametrize(
    ("grades", "asks"), [((), True), ((graded("crs", 4, 0.5),), False)], ids=["data", "charted"]
)
def test_permanent_discontinuation_asks_for_the_grade_until_a_clinician_charted_it(
    grades: tuple[Any, ...], asks: bool
) -> None:
    pressors = (infusion("norepinephrine", 1, None), infusion("epinephrine", 1, None))
    text = said(**COMPLETE, infusions=pressors, grades=grades)
    assert ("meets permanent discontinuation" in text) == asks
    assert ("confirm the grade" in text) == asks
    assert ("discontinue permanently" in text) != asks


@pytest.mark.parametrize("build", ["message", "over"])
def test_every_message_says_that_nobody_clinical_has_reviewed_it_and_that_it_is_no_alarm(
    build: str,
) -> None:
    decision = decided(**COMPLETE)
    text = said(**COMPLETE) if build == "message" else over(decision, "crs", ZONE)
    assert "not clinically reviewed" in text
    assert "alarm" in text.lower()


def test_an_end_that_was_only_observed_asks_to_be_confirmed() -> None:
    calm = {
        "temperatures": readings("t", (29, 38.6), (1, 36.8)),
        "systolic": readings("b", (29, 122), (1, 122)),
        "saturations": readings("s", (29, 97), (1, 97)),
        "oxygen": charted("o", (29, "none"), (1, "none")),
        "doses": (dose("teclistamab", 40),),
    }
    assert "appears resolved" in over(decided(**calm), "crs", ZONE)
    charted_end = over(decided(**calm, grades=(graded("crs", 0, 2),)), "crs", ZONE)
    assert "confirm" not in charted_end
