"""ICANS from a chart: one row, one sentence. Grades from ASTCT 2019, bounds by the rules of the
project for what is not known."""

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from knowledge.assemble import Context
from knowledge.assessment import Grade
from knowledge.decide import decide
from knowledge.facts import Background, Charted, Consciousness, Evidence, Sedative
from knowledge.library import load
from knowledge.toxicity import Standing, icans_standing
from tests.spec.chart import (
    ago,
    attribution,
    chart,
    charted,
    dose,
    graded,
    normal_vitals,
    readings,
    teclistamab_order,
)


LIBRARY = load()


def icans(**changes: Any) -> Standing:
    return icans_standing(chart(**changes), LIBRARY.icans, LIBRARY.rules)


def action(**changes: Any) -> str:
    zone = ZoneInfo("Europe/London")
    context = Context("demo", "live", "us-label", "0", LIBRARY.rules, zone)
    return decide(chart(**changes), LIBRARY, context).assessment.disposition.action


def grade(standing: Standing) -> tuple[int, int]:
    found = standing.state.grade
    assert found is not None
    return found.at_least, found.at_most


def codes(standing: Standing) -> set[str]:
    return {notice.code for notice in standing.notices}


def neuro(score: int | None = 10, level: str | None = "alert", **changes: Any) -> dict[str, Any]:
    """ICE and arousal one hour ago, where given."""
    made: dict[str, Any] = {}
    if score is not None:
        made["ice"] = readings("ice", (1, score))
    if level is not None:
        made["arousal"] = charted("a", (1, level))
    return {**made, **changes}


def doubt(hours: float, totals: Iterable[int], *, preliminary: bool = False) -> tuple[Charted, ...]:
    evidence = Evidence(
        "Observation/ice", "ice-total", "not usable", at=ago(hours), note="ICE: why"
    )
    return (Charted(ago(hours), tuple(map(str, totals)), evidence, preliminary),)


def preliminary(*series: Any) -> tuple[Any, ...]:
    return tuple(msgspec.structs.replace(one, preliminary=True) for part in series for one in part)


TWO_BRIEF = charted("s", (3, "brief"), (1, "brief"))


@pytest.mark.parametrize(
    ("changes", "low", "high"),
    [
        pytest.param(neuro(10), 0, 0, id="ICE 10 and alert is grade 0"),
        pytest.param(neuro(9), 1, 1, id="ICE 9 is grade 1"),
        pytest.param(neuro(3), 2, 2, id="ICE 3 is grade 2"),
        pytest.param(neuro(2), 3, 3, id="ICE 2 is grade 3"),
        pytest.param(neuro(0), 3, 3, id="ICE 0 and alert is grade 3: awake with aphasia"),
        pytest.param(neuro(0, "unarousable"), 4, 4, id="ICE 0 and unarousable is grade 4"),
        pytest.param(neuro(0, None), 3, 4, id="ICE 0 and arousal unknown is 3 or 4"),
        pytest.param(neuro(10, "voice"), 2, 2, id="ICE 10 and drowsy to voice is grade 2"),
        pytest.param(neuro(10, "spontaneous"), 1, 1, id="ICE 10, wakes by itself: grade 1"),
        pytest.param(neuro(10, None), 0, 4, id="ICE 10 and arousal not charted: 0 to 4"),
        pytest.param(neuro(None, "alert"), 0, 3, id="alert and ICE not performed: 0 to 3"),
        pytest.param(
            neuro(10, arousal=charted("a", (1, ()))),
            0,
            4,
            id="sedated: arousal is not assessable, 0 to 4 with an ICE of 10",
        ),
        pytest.param(
            neuro(None, ice_doubts=doubt(1, ())),
            0,
            3,
            id="ICE not performed is not ICE 0",
        ),
        pytest.param(
            {**neuro(), "ice": readings("i", (5, 10)), "ice_doubts": doubt(1, ())},
            0,
            3,
            id="an ICE not performed after one of 10 leaves it open again",
        ),
        pytest.param(
            {**neuro(), "ice": readings("i", (1, 10)), "ice_doubts": doubt(5, ())},
            0,
            0,
            id="an ICE of 10 after one not performed settles it",
        ),
        pytest.param(
            neuro(None, ice_doubts=doubt(1, range(7))),
            2,
            3,
            id="orientation 0 of 4 and no more: the total is 6 at most, grade 2 or 3",
        ),
        pytest.param(
            neuro(None, ice_doubts=doubt(1, (4, 9))),
            1,
            2,
            id="two totals at one time, 4 and 9: grade 1 or 2",
        ),
        pytest.param(
            {
                **neuro(),
                "ice": readings("i", (5, 10)),
                "ice_doubts": doubt(1, (3, 4, 5), preliminary=True),
            },
            0,
            2,
            id="a preliminary part of an ICE can raise and not lower what a full one said",
        ),
        pytest.param(
            {**neuro(), "ice": (*readings("i", (5, 5)), *preliminary(readings("p", (1, 10))))},
            2,
            2,
            id="a preliminary ICE of 10 does not lower grade 2",
        ),
        pytest.param(
            {**neuro(), "ice": (*readings("i", (5, 10)), *preliminary(readings("p", (1, 5))))},
            2,
            2,
            id="a preliminary ICE of 5 raises grade 0",
        ),
        pytest.param(
            {**neuro(), "ice": preliminary(readings("p", (1, 10)))},
            0,
            3,
            id="a preliminary ICE of 10 alone does not show that all is well",
        ),
        pytest.param(
            neuro(
                arousal=(
                    *charted("a", (3, "tactile")),
                    *preliminary(charted("p", (2, "voice"), (1, "alert"))),
                )
            ),
            3,
            3,
            id="preliminary arousal does not lower grade 3",
        ),
        pytest.param(
            neuro(age_years=8, capd=readings("c", (1, 4)), ice=readings("i", (1, 0))),
            1,
            1,
            id="under 12 years CAPD counts and ICE does not",
        ),
        pytest.param(neuro(seizure=charted("s", (1, "brief"))), 3, 3, id="a brief seizure: 3"),
        pytest.param(
            neuro(seizure=charted("s", (1, ("brief", "prolonged")))),
            3,
            4,
            id="a seizure whose duration is not known: 3 or 4",
        ),
        pytest.param(
            neuro(seizure=charted("s", (1, ("none", "brief")))),
            0,
            3,
            id="a brief seizure charted as functional: none or 3",
        ),
        pytest.param(
            neuro(seizure=charted("s", (1, "prolonged"))), 4, 4, id="five minutes or more: 4"
        ),
        pytest.param(
            neuro(seizure=charted("s", (1, ("brief", "repetitive")))),
            3,
            4,
            id="several seizures, return to baseline not charted: 3 or 4",
        ),
        pytest.param(
            neuro(seizure=TWO_BRIEF),
            3,
            4,
            id="two entries of a brief seizure, nobody awake in between: 3 or 4",
        ),
        pytest.param(
            neuro(seizure=TWO_BRIEF, arousal=charted("a", (2, "alert"), (0.5, "alert"))),
            3,
            3,
            id="two brief seizures with an alert patient in between: 3",
        ),
        pytest.param(
            neuro(seizure=charted("s", (3, "brief"), (1, "none"))),
            0,
            0,
            id="a seizure charted as over does not count now",
        ),
        pytest.param(
            neuro(motor=charted("m", (1, "focal-weakness"))), 4, 4, id="focal weakness: 4"
        ),
        pytest.param(
            neuro(motor=charted("m", (1, ()))),
            0,
            4,
            id="a motor finding that was charted and not understood may be weakness",
        ),
        pytest.param(
            neuro(raised_icp=charted("i", (1, "focal-edema"))), 3, 3, id="focal oedema: grade 3"
        ),
        pytest.param(
            neuro(raised_icp=charted("i", (1, "papilledema"))), 4, 4, id="papilloedema: grade 4"
        ),
        pytest.param(
            neuro(None, None, motor=charted("m", (1, "none"))),
            0,
            4,
            id="no weakness is no assessment: the other signs stay unknown",
        ),
    ],
)
def test_icans_grade(changes: dict[str, Any], low: int, high: int) -> None:
    assert grade(icans(**changes)) == (low, high)


def test_an_ice_that_is_not_usable_is_named_with_its_reason() -> None:
    missing = icans(**neuro(None, ice_doubts=doubt(1, ()))).state.missing
    assert ("ice", "ICE: why") in {(one.fact, one.reason) for one in missing}


def scale(name: str, value: str, depressed: bool | None, hours: float = 1) -> Any:
    evidence = Evidence(f"Observation/{name}", name, value, at=ago(hours))
    return Consciousness(ago(hours), name, value, depressed, evidence)  # type: ignore[arg-type]


GCS_9 = (scale("GCS", "9", True),)


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(scale("GCS", "3", True), id="GCS 3"),
        pytest.param(scale("AVPU", "U", True), id="AVPU unresponsive"),
        pytest.param(scale("RASS", "-5", True), id="RASS -5"),
    ],
)
def test_another_scale_is_shown_and_never_grades(one: Consciousness) -> None:
    standing = icans(**neuro(10), consciousness=(one,))
    assert grade(standing) == (0, 0)
    assert "consciousness-scale" in codes(standing)
    assert one.evidence in standing.state.axes["arousal"].evidence


def test_another_scale_at_its_best_is_evidence_without_a_notice() -> None:
    standing = icans(**neuro(10), consciousness=(scale("GCS", "15", False),))
    assert "consciousness-scale" not in codes(standing)
    assert standing.state.axes["arousal"].evidence[-1].value == "15"


def test_an_old_entry_of_another_scale_is_not_shown() -> None:
    old = (scale("GCS", "9", True, hours=13),)
    assert "consciousness-scale" not in codes(icans(**neuro(10), consciousness=old))


def test_a_depressed_scale_without_ice_is_neither_graded_nor_no_toxicity() -> None:
    assert not icans(consciousness=GCS_9).state.assessed
    assert action(**normal_vitals(1)) == "no-toxicity"
    assert action(**normal_vitals(1), consciousness=GCS_9) == "cannot-evaluate"
    assert action(**normal_vitals(1), **neuro(10), consciousness=GCS_9) == "no-toxicity"


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        pytest.param(20, None, True, id="propofol running"),
        pytest.param(20, 2, True, id="propofol stopped within the window"),
        pytest.param(30, 20, False, id="propofol stopped long ago"),
    ],
)
def test_sedation_is_said_and_changes_no_grade(start: float, end: float | None, said: bool) -> None:
    until = None if end is None else ago(end)
    given = (Sedative("propofol", ago(start), until, Evidence("MedicationAdministration/p")),)
    standing = icans(**neuro(10, "voice"), sedatives=given)
    assert grade(standing) == (2, 2)
    assert ("sedation" in codes(standing)) is said


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("haemorrhage", "intracranial-haemorrhage"),
        ("stroke", "stroke"),
        ("functional-seizure", "functional-seizure"),
        ("speech", "speech-problem"),
        ("seizure-disorder", "seizure-disorder"),
    ],
)
def test_a_coded_condition_is_said_and_lowers_no_grade(kind: Any, code: str) -> None:
    standing = icans(**neuro(2), background=(Background(kind, Evidence("Condition/c")),))
    assert code in codes(standing)
    assert grade(standing) == (3, 3)
    assert standing.active, "suspicion of another cause does not lower the urgency"


@pytest.mark.parametrize(
    ("before", "said"),
    [
        pytest.param(7, True, id="ICE 7 before the first dose is said beside ICE 7 now"),
        pytest.param(10, False, id="a full ICE before the first dose needs no word"),
    ],
)
def test_the_ice_before_treatment_is_said_and_the_score_counts_as_charted(
    before: int, said: bool
) -> None:
    standing = icans(**neuro(None, ice=readings("i", (40, before), (1, 7))))
    assert ("ice-baseline" in codes(standing)) is said
    assert grade(standing) == (1, 1)


def test_a_clinicians_grade_and_the_data_are_both_shown() -> None:
    state = icans(**neuro(2), grades=(graded("icans", 1, 0.5),)).state
    assert state.charted is not None
    assert (state.charted.grade, state.grade) == (1, Grade(3, 3))
    assert state.acting is not None
    assert state.acting.at_least == 1


def test_attribution_lapses_with_the_ice_window() -> None:
    assert icans(**neuro(5), attributions=(attribution("icans", "other-cause", 11),)).other_cause
    late = (attribution("icans", "other-cause", 13),)
    assert not icans(**neuro(5), attributions=late).other_cause


def test_two_attributions_at_one_time_that_differ_clear_nothing() -> None:
    both = (attribution("icans", "other-cause", 2), attribution("icans", "btce", 2))
    assert not icans(**neuro(5), attributions=both).other_cause


@pytest.mark.parametrize(
    ("days", "assessed"),
    [
        pytest.param(44, True, id="44 days after a dose: within the look-back of ICANS"),
        pytest.param(46, False, id="46 days after a dose: another cause is possible"),
    ],
)
def test_the_look_back_of_icans(days: int, assessed: bool) -> None:
    standing = icans(**neuro(5), doses=(dose("tarlatamab", days * 24),))
    assert standing.state.assessed is assessed
    assert standing.abnormal


BLINATUMOMAB = (teclistamab_order(ingredient="blinatumomab", display="blinatumomab"),)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        pytest.param(((1, 1),), "withhold", id="one seizure since the first dose"),
        pytest.param(((1, 2),), "discontinue-permanently", id="two seizures in one entry"),
        pytest.param(
            ((60 * 24, 2), (1, 1)),
            "discontinue-permanently",
            id="two seizures two months ago, during treatment",
        ),
        pytest.param(((100 * 24, 2), (1, 1)), "withhold", id="two seizures before the first dose"),
    ],
)
def test_more_than_one_seizure_ever_during_blinatumomab(
    counts: tuple[tuple[float, int], ...], expected: str
) -> None:
    changes = neuro(
        seizure=charted("s", (1, "brief")),
        seizure_counts=readings("n", *counts),
        doses=(dose("blinatumomab", 70 * 24), dose("blinatumomab", 30)),
        orders=BLINATUMOMAB,
        weights=readings("w", (20, 70)),
    )
    assert action(**normal_vitals(1), **changes) == expected


def test_an_event_is_not_over_while_a_sign_is_not_assessable() -> None:
    course: dict[str, Any] = {
        "ice": readings("i", (40, 5), (1, 10)),
        "arousal": charted("a", (40, "alert"), (1, "alert")),
        "doses": (dose("teclistamab", 60),),
    }
    assert not icans(**course).open
    assert icans(**course, motor=charted("m", (1, ()))).open
