"""CRS from a chart: one row, one sentence. Grades from ASTCT 2019, bounds from DESIGN 6a."""

from typing import Any

import msgspec
import pytest

from knowledge.library import load
from knowledge.toxicity import Standing, crs_standing
from tests.spec.chart import (
    attribution,
    bolus,
    chart,
    charted,
    diagnosis,
    dose,
    graded,
    infusion,
    masking,
    normal_vitals,
    readings,
)


LIBRARY = load()


def crs(**changes: Any) -> Standing:
    return crs_standing(chart(**changes), LIBRARY.crs, LIBRARY.rules)


def grade(standing: Standing) -> tuple[int, int]:
    found = standing.state.grade
    assert found is not None
    return found.at_least, found.at_most


FEVER: dict[str, Any] = {**normal_vitals(1), "temperatures": readings("t", (1, 38.6))}
LOW: dict[str, Any] = {"systolic": readings("bp", (1, 84))}
MASKED: dict[str, Any] = {
    **normal_vitals(1),
    "temperatures": readings("t", (6, 38.9), (1, 37.0)),
    "masking": (masking("antipyretic", 5),),
}
NOREPI = infusion("norepinephrine", 5, None)
PHENYL = infusion("phenylephrine", 3, None)
NOT_ANSWERED = frozenset({"vitals", "oxygen"})


@pytest.mark.parametrize(
    ("changes", "low", "high"),
    [
        pytest.param(FEVER, 1, 1, id="fever alone is grade 1"),
        pytest.param(
            {**FEVER, "temperatures": readings("t", (1, 38.0))}, 1, 1, id="38.00 is fever"
        ),
        pytest.param(
            {**FEVER, "temperatures": readings("t", (1, 37.99))}, 0, 0, id="37.99 is not fever"
        ),
        pytest.param(normal_vitals(1), 0, 0, id="a complete normal set is grade 0"),
        pytest.param({**FEVER, **LOW}, 1, 2, id="low pressure, no treatment: grade 1 or 2"),
        pytest.param(
            {**FEVER, **LOW, "boluses": (bolus(2),)}, 2, 2, id="low pressure and a bolus: grade 2"
        ),
        pytest.param(
            {**FEVER, "systolic": readings("bp", (3, 84), (1, 110)), "boluses": (bolus(2),)},
            2,
            2,
            id="pressure restored by a bolus still counts for 12 h",
        ),
        pytest.param(
            {**FEVER, "boluses": (bolus(2),)}, 1, 2, id="a bolus without low pressure: 1 or 2"
        ),
        pytest.param({**FEVER, "infusions": (NOREPI,)}, 3, 3, id="one vasopressor is grade 3"),
        pytest.param(
            {**FEVER, "infusions": (NOREPI, PHENYL)}, 4, 4, id="two vasopressors are grade 4"
        ),
        pytest.param(
            {**FEVER, "infusions": (NOREPI, infusion("vasopressin", 3, None, "vasopressin"))},
            3,
            3,
            id="vasopressin beside one vasopressor stays grade 3",
        ),
        pytest.param(
            {**FEVER, "infusions": (infusion("vasopressin", 3, None, "vasopressin"),)},
            3,
            3,
            id="vasopressin alone is grade 3 with a notice",
        ),
        pytest.param(
            {**FEVER, "infusions": (NOREPI, infusion("phenylephrine", 0.25, None))},
            3,
            4,
            id="an overlap of a quarter hour may be a change-over: 3 or 4",
        ),
        pytest.param(
            {**FEVER, "infusions": (NOREPI, infusion("dobutamine", 3, None, "inotrope"))},
            3,
            4,
            id="an inotrope beside a vasopressor: 3 or 4",
        ),
        pytest.param(
            {**FEVER, "infusions": (infusion("dobutamine", 3, None, "inotrope"),)},
            1,
            3,
            id="an inotrope alone is not a vasopressor, and not nothing",
        ),
        pytest.param(
            {**FEVER, "infusions": (infusion("norepinephrine", 5, 2),)},
            1,
            1,
            id="a stopped vasopressor does not count now",
        ),
        pytest.param(
            {**FEVER, "answered": NOT_ANSWERED}, 1, 4, id="administrations unanswered: 1 to 4"
        ),
        pytest.param({**FEVER, "oxygen": ()}, 1, 4, id="no oxygen device charted is not room air"),
        pytest.param(
            {**FEVER, "oxygen": charted("o2", (1, ("low-flow", "high-flow")))},
            2,
            3,
            id="cannula without a flow: 2 or 3",
        ),
        pytest.param(
            {**FEVER, "oxygen": charted("o2", (1, "positive-pressure"))}, 4, 4, id="CPAP: grade 4"
        ),
        pytest.param(
            {**FEVER, "saturations": readings("s", (1, 88))},
            1,
            2,
            id="88 % on room air: oxygen may be required, grade 1 or 2",
        ),
        pytest.param({**FEVER, "systolic": ()}, 1, 2, id="no pressure recorded: 1 or 2"),
        pytest.param(
            {**FEVER, "mean_pressure": readings("m", (1, 60))}, 1, 2, id="MAP 60 is suspected low"
        ),
        pytest.param(
            {**FEVER, **LOW, "age_years": 12}, 1, 2, id="a child's number is not used: unknown"
        ),
        pytest.param({**FEVER, "age_years": None}, 1, 2, id="age unknown: the number is not used"),
        pytest.param(MASKED, 0, 1, id="masked fever, both axes normal: 0 or 1"),
        pytest.param(
            {**MASKED, "infusions": (NOREPI,)}, 3, 3, id="masked fever on one vasopressor: 3"
        ),
        pytest.param(
            {**normal_vitals(1), "masking": (masking("steroid", 30),)},
            0,
            0,
            id="premedication alone and everything normal: 0",
        ),
        pytest.param(
            {**normal_vitals(1), "masking": (masking("steroid", 30),), "infusions": (NOREPI,)},
            0,
            3,
            id="premedication only, never a fever, one vasopressor: not gradable, 0 to 3",
        ),
        pytest.param(
            {**normal_vitals(1), "infusions": (NOREPI,)},
            0,
            0,
            id="no fever and nothing that hides it: not CRS",
        ),
        pytest.param(
            {**normal_vitals(1), "temperatures": ()}, 0, 1, id="temperature missing is not no fever"
        ),
        pytest.param(
            {**FEVER, "support": charted("s", (1, "fluids")), "infusions": ()},
            2,
            2,
            id="a clinician's statement outranks inference",
        ),
        pytest.param(
            {
                **FEVER,
                "support": charted("s", (2, "fluids")),
                "infusions": (infusion("norepinephrine", 1, None),),
            },
            3,
            3,
            id="a vasopressor started after the statement raises it",
        ),
    ],
)
def test_crs_grade(changes: dict[str, Any], low: int, high: int) -> None:
    assert grade(crs(**changes)) == (low, high)


def test_stale_fever_holds_an_open_event_at_any_grade() -> None:
    standing = crs(**{**normal_vitals(30), "temperatures": readings("t", (29, 38.7))})
    assert standing.open
    assert grade(standing) == (0, 4)
    assert {m.fact for m in standing.state.missing} >= {"temperature", "oxygen-device"}


def test_nothing_usable_and_no_event_is_not_assessed() -> None:
    standing = crs()
    assert not standing.state.assessed
    assert standing.state.grade is None
    assert standing.state.reason == "not-assessed"


def test_before_a_first_dose_nothing_is_graded() -> None:
    standing = crs(**FEVER, doses=())
    assert not standing.state.assessed
    assert standing.state.reason == "not-exposed"
    assert standing.abnormal


def test_a_dose_longer_ago_than_the_look_back_starts_no_event() -> None:
    assert crs(**FEVER, doses=(dose("teclistamab", 15 * 24),)).state.reason == "not-exposed"


def test_administrations_unanswered_means_exposure_is_possible() -> None:
    assert crs(**FEVER, doses=(), answered=NOT_ANSWERED).state.assessed


def test_a_charted_grade_replaces_older_data() -> None:
    standing = crs(**FEVER, grades=(graded("crs", 2, 0.5),))
    acting = standing.state.acting
    assert acting is not None
    assert (acting.at_least, acting.at_most) == (2, 2)
    assert grade(standing) == (1, 1)
    assert [n.code for n in standing.notices] == ["crs-charted-differs"]


def test_newer_data_can_only_raise_a_charted_grade() -> None:
    changes = {**FEVER, "oxygen": charted("o2", (0.5, "high-flow"))}
    acting = crs(**changes, grades=(graded("crs", 1, 0.8),)).state.acting
    assert acting is not None
    assert (acting.at_least, acting.at_most) == (3, 3)
    acting = crs(**normal_vitals(0.5), grades=(graded("crs", 2, 0.8),)).state.acting
    assert acting is not None
    assert (acting.at_least, acting.at_most) == (2, 2)


def test_a_grade_not_by_a_practitioner_does_not_act() -> None:
    standing = crs(**FEVER, grades=(graded("crs", 3, 0.5, usable=False),))
    assert standing.state.charted is None


def test_an_event_resolves_after_24_hours_observed_free() -> None:
    normal = normal_vitals(1)
    course = {**normal, "temperatures": readings("t", (26, 38.4), (1, 36.9))}
    standing = crs(**course)
    assert not standing.open
    assert standing.state.event is not None
    assert not standing.state.event.resolved_confirmed
    too_soon = {**normal, "temperatures": readings("t", (20, 38.4), (1, 36.9))}
    assert crs(**too_soon).open


def test_a_charted_zero_settles_the_end() -> None:
    course = {**normal_vitals(1), "temperatures": readings("t", (10, 38.4), (1, 36.9))}
    standing = crs(**course, grades=(graded("crs", 0, 1),))
    assert not standing.open
    assert standing.state.event is not None
    assert standing.state.event.resolved_confirmed


def test_a_second_fever_within_72_hours_without_a_dose_is_the_same_event() -> None:
    vitals: dict[str, Any] = {
        "temperatures": readings("t", (28, 38.4), (2, 36.9), (1, 38.5)),
        "systolic": readings("b", (28, 120), (2, 120), (1, 120)),
        "saturations": readings("s", (28, 97), (2, 97), (1, 97)),
        "oxygen": charted("o", (28, "none"), (2, "none"), (1, "none")),
    }
    standing = crs(**vitals)
    assert len(standing.events) == 1
    assert standing.open


def test_a_fever_after_a_later_dose_is_a_recurrence() -> None:
    vitals: dict[str, Any] = {
        "temperatures": readings("t", (100, 38.4), (70, 36.9), (1, 38.5)),
        "systolic": readings("b", (100, 120), (70, 120), (1, 120)),
        "saturations": readings("s", (100, 97), (70, 97), (1, 97)),
        "oxygen": charted("o", (100, "none"), (70, "none"), (1, "none")),
    }
    standing = crs(**vitals, doses=(dose("teclistamab", 110), dose("teclistamab", 20)))
    assert len(standing.events) == 2
    assert standing.state.event is not None
    assert standing.state.event.recurrent


def test_hours_at_grade_3_count_only_stretches_without_a_gap() -> None:
    hours = range(1, 51, 4)
    vitals: dict[str, Any] = {
        "temperatures": readings("t", *((h, 38.5) for h in hours)),
        "systolic": readings("b", *((h, 95) for h in hours)),
        "oxygen": charted("o", *((h, "high-flow") for h in hours)),
    }
    standing = crs(**vitals, doses=(dose("teclistamab", 60),))
    event = standing.state.event
    assert event is not None
    assert event.hours_at_grade3 is not None
    assert event.hours_at_grade3.at_least < 48
    assert event.hours_at_grade3.at_most >= 48


def test_a_charted_infusion_counts_as_observation_without_a_gap() -> None:
    standing = crs(
        temperatures=readings("t", (50, 38.5), (1, 38.5)),
        infusions=(infusion("norepinephrine", 49, None),),
        doses=(dose("teclistamab", 60),),
    )
    event = standing.state.event
    assert event is not None
    assert event.hours_at_grade3 is not None
    assert event.hours_at_grade3.at_least >= 48


def test_a_coded_diagnosis_lifts_the_maximum_and_never_acts() -> None:
    standing = crs(**FEVER, diagnoses=(diagnosis("crs", 3, 3, 1),))
    assert standing.maximum.at_least == 3
    acting = standing.state.acting
    assert acting is not None
    assert acting.at_most == 1


def test_attribution_to_another_cause_lapses_with_the_window() -> None:
    assert crs(**FEVER, attributions=(attribution("crs", "other-cause", 2),)).other_cause
    assert not crs(**FEVER, attributions=(attribution("crs", "other-cause", 5),)).other_cause
    later = (attribution("crs", "other-cause", 2), attribution("crs", "btce", 1))
    assert not crs(**FEVER, attributions=later).other_cause


def test_room_air_may_be_assumed_only_by_a_site_setting() -> None:
    rules = msgspec.structs.replace(LIBRARY.rules, oxygen_absent_means="room-air")
    facts = chart(**{**FEVER, "oxygen": ()})
    standing = crs_standing(facts, LIBRARY.crs, rules)
    assert grade(standing) == (1, 1)
    assert "oxygen-assumed-room-air" in {n.code for n in standing.notices}
