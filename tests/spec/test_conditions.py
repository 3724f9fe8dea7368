"""Joining conditions, expiry, ages, diagnoses and other cases beside the main rows."""

import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from knowledge.assemble import Context
from knowledge.decide import decide
from knowledge.decision import Decision
from knowledge.facts import Diagnosis, Evidence
from knowledge.library import Library, load
from knowledge.next_dose import join
from knowledge.treatment import NextDose, Resolved, Restart, Strength
from tests.spec.chart import (
    NOW,
    ago,
    chart,
    charted,
    diagnosis,
    dose,
    graded,
    masking,
    normal_vitals,
    readings,
    teclistamab_order,
)


LIBRARY = load()


def decided(protocol: str = "us-label", library: Library = LIBRARY, **changes: Any) -> Decision:
    context = Context("demo", "live", protocol, "0", library.rules, ZoneInfo("Europe/London"))
    return decide(chart(**changes), library, context)


def test_of_two_conditions_the_stricter_stays() -> None:
    first = NextDose(
        hospitalize=Strength("consider"),
        resolved=Resolved(Decimal(72), strict=False),
        restart=Restart(Decimal(9), "ug"),
    )
    second = NextDose(
        hospitalize=Strength("required", hours=Decimal(48)),
        premedicate=Strength("required"),
        resolved=Resolved(Decimal(72), strict=True),
        restart=Restart(Decimal(5), "ug"),
    )
    joined = join([first, second])
    assert joined is not None
    assert joined.hospitalize == Strength("required", hours=Decimal(48))
    assert joined.premedicate == Strength("required")
    assert joined.resolved == Resolved(Decimal(72), strict=True)
    assert joined.restart == Restart(Decimal(9), "ug")
    assert join([]) is None


def at(moment: datetime, **changes: Any) -> dict[str, Any]:
    """The same chart moved so that it is evaluated at `moment`."""
    shift = moment - NOW
    moved = msgspec.structs.replace(chart(**changes).temperatures[-1], at=moment)
    return {
        "evaluated_at": moment,
        "temperatures": (moved,),
        "doses": (msgspec.structs.replace(dose("teclistamab", 30), start=ago(30) + shift),),
    }


FEVER: dict[str, Any] = {**normal_vitals(1), "temperatures": readings("t", (1, 38.6))}


@pytest.mark.parametrize(
    ("moment", "expired"),
    [
        (datetime(2027, 12, 11, 23, 59, tzinfo=UTC), False),
        (datetime(2027, 12, 12, 0, 0, tzinfo=UTC), True),
    ],
    ids=["the last day still counts", "after the last day"],
)
def test_nhs_guideline_expires_at_the_end_of_its_last_day(moment: datetime, expired: bool) -> None:
    found = decided("nhs-waht", **at(moment, **FEVER))
    assert found.assessment.crs.grade is not None, "grades are still shown"
    codes = {n.code for n in found.assessment.notices}
    assert ("protocol-expired" in codes) is expired
    assert (found.assessment.disposition.action == "not-stated") is expired
    assert (found.assessment.medications == ()) is expired


def test_vitals_elsewhere_may_be_twelve_hours_old() -> None:
    changes = {**normal_vitals(10), "temperatures": readings("t", (10, 38.6))}
    at_home = decided(**changes, in_hospital=False).assessment.crs
    assert at_home.missing == ()
    on_the_ward = decided(**changes, in_hospital=True).assessment.crs
    assert "temperature" in {m.fact for m in on_the_ward.missing}
    unknown = decided(**changes, in_hospital=None).assessment.crs
    assert "temperature" in {m.fact for m in unknown.missing}, "the strictest setting"


def test_a_drug_outside_its_window_hides_no_fever() -> None:
    changes = {
        **normal_vitals(1),
        "temperatures": readings("t", (20, 38.9), (1, 37.0)),
        "masking": (masking("steroid", 40, "dexamethasone"), masking("antipyretic", 19)),
    }
    assert decided(**changes).assessment.crs.axes["fever"].level == "absent"


def test_no_bispecific_at_all_is_not_applicable() -> None:
    changes = {**normal_vitals(1), "doses": (), "orders": ()}
    assert decided(**changes).assessment.disposition.action == "not-applicable"


def test_no_order_and_administrations_unanswered_still_grades() -> None:
    changes = {**FEVER, "doses": (), "orders": (), "answered": frozenset({"vitals"})}
    found = decided(**changes).assessment
    assert found.crs.assessed
    assert found.disposition.action == "cannot-evaluate"
    assert "exposure-unknown" in {n.code for n in found.notices}


NEURO: dict[str, Any] = {**normal_vitals(1), "arousal": charted("a", (1, "alert"))}


@pytest.mark.parametrize(
    ("age", "ice", "capd", "low", "high"),
    [
        pytest.param(11, 10, 9, 3, 3, id="under 12 CAPD 9 is grade 3 and ICE is ignored"),
        pytest.param(11, 2, 0, 0, 0, id="under 12 CAPD 0 and alert is grade 0"),
        pytest.param(12, 10, 20, 0, 0, id="from 12 ICE is used"),
        pytest.param(None, 10, 0, 0, 3, id="age unknown: neither score is used"),
        pytest.param(60, 11, 0, 0, 3, id="ICE 11 is not on the scale"),
    ],
)
def test_icans_score_by_age(age: int | None, ice: int, capd: int, low: int, high: int) -> None:
    scores: dict[str, Any] = {"ice": readings("i", (1, ice)), "capd": readings("c", (1, capd))}
    found = decided(**NEURO, **scores, age_years=age).assessment.icans
    assert found.grade is not None
    assert (found.grade.at_least, found.grade.at_most) == (low, high)
    assert (age == 12) is ("capd-age-boundary" in _codes(**NEURO, **scores, age_years=age))


def _codes(**changes: Any) -> set[str]:
    return {n.code for n in decided(**changes).assessment.notices}


def test_ice_without_arousal_leaves_the_grade_open() -> None:
    found = decided(**normal_vitals(1), ice=readings("i", (1, 0))).assessment.icans
    assert found.grade is not None
    assert (found.grade.at_least, found.grade.at_most) == (3, 4)
    assert {m.fact for m in found.missing} == {"arousal"}


def test_sedation_is_not_assessable_and_not_ice_0() -> None:
    found = decided(**normal_vitals(1), arousal=charted("a", (1, ()))).assessment.icans
    assert not found.assessed


def test_uncharted_signs_count_as_absent_beside_an_assessment_and_are_named() -> None:
    changes = {**NEURO, "ice": readings("i", (1, 10))}
    assert "charted-by-exception" in _codes(**changes)


def test_newer_neuro_data_can_only_raise_a_charted_icans_grade() -> None:
    changes: dict[str, Any] = {
        **NEURO,
        "ice": readings("i", (1, 5)),
        "grades": (graded("icans", 1, 2),),
    }
    acting = decided(**changes).assessment.icans.acting
    assert acting is not None
    assert (acting.at_least, acting.at_most) == (2, 2)
    older: dict[str, Any] = {
        **NEURO,
        "ice": readings("i", (3, 5)),
        "arousal": charted("a", (3, "alert")),
    }
    acting = decided(**older, grades=(graded("icans", 1, 2),)).assessment.icans.acting
    assert acting is not None
    assert (acting.at_least, acting.at_most) == (1, 1)


def test_earlier_events_are_shown_as_history() -> None:
    changes = {
        **FEVER,
        "doses": (dose("teclistamab", 400), dose("teclistamab", 30)),
        "grades": (graded("crs", 1, 390), graded("crs", 0, 340)),
    }
    assert "crs-earlier-events" in _codes(**changes)


def coded(low: int, high: int, onset: float | None, abated: float | None = None) -> Diagnosis:
    return Diagnosis(
        "crs",
        low,
        high,
        None if onset is None else ago(onset),
        None if abated is None else ago(abated),
        Evidence("Condition/c"),
    )


def test_a_recent_coded_diagnosis_alone_opens_an_event() -> None:
    found = decided(diagnoses=(diagnosis("crs", 2, 2, 20),))
    assert found.event_open
    assert found.assessment.disposition.action == "withhold"


def test_a_coded_diagnosis_with_an_end_or_long_ago_is_history() -> None:
    assert not decided(**normal_vitals(1), diagnoses=(coded(2, 2, 20, 5),)).event_open
    assert not decided(**normal_vitals(1), diagnoses=(coded(2, 2, 40 * 24),)).event_open
    assert not decided(**normal_vitals(1), diagnoses=(coded(2, 2, None),)).event_open


def test_a_charted_abatement_settles_the_event_the_data_show() -> None:
    changes = {**normal_vitals(1), "temperatures": readings("t", (20, 38.6), (1, 36.9))}
    assert decided(**changes).event_open
    assert not decided(**changes, diagnoses=(coded(1, 1, 20, 3),)).event_open
    neuro: dict[str, Any] = {**NEURO, "ice": readings("i", (20, 5), (1, 10))}
    neuro["arousal"] = charted("a", (20, "alert"), (1, "alert"))
    assert decided(**neuro).event_open
    end = msgspec.structs.replace(coded(2, 2, 20, 3), toxicity="icans")
    assert not decided(**neuro, diagnoses=(end,)).event_open


def test_a_coded_grade_5_contradicts_and_is_not_used() -> None:
    wrong = msgspec.structs.replace(coded(4, 4, 20), contradictory=True)
    assert "diagnosis-contradictory" in _codes(**normal_vitals(1), diagnoses=(wrong,))


def test_an_earlier_event_of_another_bispecific_leaves_this_one_not_stated() -> None:
    vitals: dict[str, Any] = {
        "temperatures": readings("t", (60, 38.4), (30, 36.9), (1, 36.9)),
        "systolic": readings("b", (60, 120), (30, 120), (1, 120)),
        "saturations": readings("s", (60, 97), (30, 97), (1, 97)),
        "oxygen": charted("o", (60, "none"), (30, "none"), (1, "none")),
        "doses": (dose("talquetamab", 70),),
    }
    found = decided(**vitals).assessment.disposition
    assert found.action == "not-stated"
    assert "talquetamab" in found.reason


def test_a_product_without_rules_has_no_management_rows_from_a_label() -> None:
    kept = {name: file for name, file in LIBRARY.products.items() if name != "talquetamab"}
    library = dataclasses.replace(LIBRARY, products=kept)
    orders = (teclistamab_order(ingredient="talquetamab"),)
    found = decided(library=library, **FEVER, orders=orders, doses=(dose("talquetamab", 30),))
    assert found.rows == ()
    assert found.assessment.disposition.action == "cannot-evaluate"


def test_a_product_the_guideline_does_not_name_is_said() -> None:
    orders = (teclistamab_order(ingredient="tarlatamab"),)
    changes = {**normal_vitals(1), "orders": orders, "doses": (dose("tarlatamab", 30),)}
    found = decided("nhs-waht", **changes)
    assert "not-named-in-guideline" in {n.code for n in found.assessment.notices}


def test_the_same_facts_always_give_the_same_decision() -> None:
    assert decided(**FEVER) == decided(**FEVER)
    assert timedelta(0) == decided(**FEVER).assessment.evaluated_at - NOW


def test_a_dose_per_kilogram_is_computed_only_from_a_recent_weight() -> None:
    changes = {**NEURO, "ice": readings("i", (1, 2))}
    known = decided("nhs-waht", **changes, weights=readings("w", (20, 70)))
    computed = {(m.agent, m.dose, m.computed) for m in known.assessment.medications}
    assert ("methylprednisolone", Decimal(1), Decimal(70)) in computed
    unknown = decided("nhs-waht", **changes, weights=())
    computed = {(m.agent, m.dose, m.computed) for m in unknown.assessment.medications}
    assert ("methylprednisolone", Decimal(1), None) in computed
