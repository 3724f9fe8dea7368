"""A clinician's word that the pressure needs nothing, beside a number that is low.

The word outranks the number it stands beside; the contradiction is shown. What is charted after it
was not known when it was said.
"""

from typing import Any

import pytest

from tests.spec.chart import charted, normal_vitals, readings
from tests.spec.test_contradictions import codes, decided


FEVER: dict[str, Any] = {**normal_vitals(1), "temperatures": readings("t", (1, 38.6))}
BELOW = "pressure-below-limit"


def course(stated: tuple[float, str], *pressures: tuple[float, float]) -> dict[str, Any]:
    return {
        **FEVER,
        "support": charted("s", stated),
        "systolic": readings("bp", *pressures),
        "infusions": (),
    }


@pytest.mark.parametrize(
    ("stated", "pressure", "grade", "told"),
    [
        pytest.param((1, "none"), (1, 118), (1, 1), False, id="a normal pressure agrees"),
        pytest.param((1, "none"), (1, 80), (1, 1), True, id="a low one at the same time: said"),
        pytest.param((1, "none"), (2, 80), (1, 1), True, id="a low one before: said"),
        pytest.param((2, "none"), (1, 80), (1, 2), True, id="a low one after it: not known then"),
        pytest.param((2, "none"), (1, 118), (1, 1), False, id="a normal one after it"),
        pytest.param((2, "fluids"), (1, 80), (2, 2), False, id="fluids and a low one agree"),
        pytest.param((1, "none"), (9, 80), (1, 1), False, id="a low one long ago"),
    ],
)
def test_a_low_pressure_beside_the_statement_that_nothing_is_needed(
    stated: tuple[float, str], pressure: tuple[float, float], grade: tuple[int, int], told: bool
) -> None:
    found = decided(**course(stated, pressure))
    crs = found.assessment.crs
    assert crs.grade is not None
    assert (crs.grade.at_least, crs.grade.at_most) == grade
    assert (BELOW in codes(found)) is told
    seen = [one.value for one in crs.axes["hypotension"].evidence]
    assert ("80" in seen) is told


def test_a_normal_pressure_after_a_low_one_settles_it() -> None:
    found = decided(**course((3, "none"), (2, 80), (1, 120)))
    assert found.assessment.crs.grade is not None
    assert found.assessment.crs.grade.at_most == 1


def test_the_pressure_of_a_child_is_not_compared() -> None:
    found = decided(**course((1, "none"), (1, 80)), age_years=9)
    assert BELOW not in codes(found)
