"""Values that belong together, and values that an end charted after them leaves behind."""

from typing import Any

import msgspec
import pytest

from tests.spec.chart import charted, dose, graded, infusion, normal_vitals, readings
from tests.spec.test_contradictions import FEVER, decided, on, span


@pytest.mark.parametrize(
    ("minutes", "most"),
    [
        pytest.param(6, 1, id="pressure and saturation six minutes later: one round"),
        pytest.param(60, 1, id="an hour later: still one round"),
        pytest.param(90, 4, id="an hour and a half later: the time between is not known"),
    ],
)
def test_what_is_charted_minutes_later_says_what_was_possible(minutes: int, most: int) -> None:
    vitals = {**normal_vitals(0.5), "temperatures": readings("t", (0.5 + minutes / 60, 38.6))}
    event = decided(**vitals).assessment.crs.event
    assert event is not None
    assert (event.max_grade.at_least, event.max_grade.at_most) == (1, most)


def test_values_older_than_a_charted_end_do_not_open_the_event_again() -> None:
    """Grade 3 hours ago, grade 0 charted since, then a dose: nothing new was seen."""
    past: dict[str, Any] = {
        **normal_vitals(1),
        "temperatures": readings("t", (3.5, 38.6)),
        "systolic": (),
        "saturations": (),
        "oxygen": (),
        "in_hospital": False,
        "infusions": (infusion("norepinephrine", 3.5, 2.9),),
        "grades": (graded("crs", 0, 2),),
        "doses": (dose("teclistamab", 30), dose("teclistamab", 1)),
    }
    found = decided(**past).assessment
    assert found.crs.event is not None
    assert found.crs.event.recurrent is False
    assert found.crs.event.resolved_confirmed is True
    assert found.disposition.action != "discontinue-permanently"


def test_an_ice_older_than_a_charted_grade_0_does_not_open_icans_again() -> None:
    past = {
        **normal_vitals(1),
        "ice": readings("ice", (6, 4)),
        "arousal": charted("a", (6, "alert")),
        "grades": (graded("icans", 0, 2),),
    }
    event = decided(**past).assessment.icans.event
    assert event is not None
    assert event.resolved_confirmed is True


def test_a_diagnosis_charted_as_over_leaves_older_values_behind() -> None:
    past = {**normal_vitals(1), "temperatures": readings("t", (5, 38.6))}
    found = decided(**past, grades=(graded("crs", 1, 5), graded("crs", 0, 2))).assessment
    assert found.crs.event is not None
    assert found.crs.event.resolved_confirmed is True


def test_ice_0_of_a_sedated_patient_is_no_score() -> None:
    sedated = {**FEVER, "ice": readings("ice", (1, 0)), "arousal": charted("a", (1, ()))}
    found = decided(**sedated).assessment
    assert found.icans.assessed is False
    assert found.medications == ()
    assert any("not a score" in one.reason for one in found.icans.missing)


def test_a_childs_ice_is_named_and_not_used_and_capd_goes_by_its_name() -> None:
    child = {**normal_vitals(1), "age_years": 8}
    only_ice = decided(**child, ice=readings("ice", (1, 5))).assessment.icans
    assert any("not used under 12" in one.reason for one in only_ice.missing)
    alert = charted("a", (1, "alert"))
    capd = decided(**child, capd=readings("capd", (1, 9)), arousal=alert).assessment.icans
    assert span(capd) == (3, 3)
    assert "ice" not in capd.axes
    assert capd.axes["capd"].level == "9"


@pytest.mark.parametrize(("running", "exposed"), [(True, True), (False, False)])
def test_an_infusion_in_progress_is_exposure_however_long_ago_it_began(
    running: bool, exposed: bool
) -> None:
    given = msgspec.structs.replace(dose("blinatumomab", 25 * 24), running=running)
    changes = {**FEVER, **on("blinatumomab"), "doses": (given,)}
    assert decided(**changes).assessment.crs.assessed is exposed
