"""Editions by date, rows by weight, route and flow, and what rows of the files leave open."""

import dataclasses
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from knowledge.assemble import Context
from knowledge.decide import decide
from knowledge.decision import Decision
from knowledge.facts import Charted, Order
from knowledge.library import Library, load
from tests.spec.chart import ago, bolus, chart, charted, dose, graded, normal_vitals, readings
from tests.spec.chart import teclistamab_order as order


LIBRARY = load()


def decided(ingredient: str, protocol: str = "us-label", **more: Any) -> Decision:
    """A draft of one product 30 h after its dose, with its library where one is given."""
    library: Library = more.pop("library", LIBRARY)
    contacts = more.pop("contacts", {})
    changes = {
        "orders": (order(ingredient=ingredient),),
        "doses": (dose(ingredient, 30),),
        "weights": readings("w", (2, 70)),
        **more,
    }
    context = Context(
        "demo", "live", protocol, "0", library.rules, ZoneInfo("UTC"), contacts=contacts
    )
    return decide(chart(**changes), library, context)


def fever(**more: Any) -> dict[str, Any]:
    return {**normal_vitals(1), "temperatures": readings("t", (3, 38.6), (1, 38.6)), **more}


def on_oxygen(levels: str, flow: float) -> dict[str, Any]:
    (one,) = charted("o2", (1, levels))
    oxygen: tuple[Charted, ...] = (msgspec.structs.replace(one, flow=Decimal(str(flow))),)
    return fever(oxygen=oxygen)


def codes(found: Decision) -> set[str]:
    return {notice.code for notice in found.assessment.notices}


def test_the_edition_in_force_on_the_day_speaks() -> None:
    old = LIBRARY.products["teclistamab"]
    new = msgspec.structs.replace(old, id="teclistamab-label-2", effective=date(2026, 11, 22))
    both = dataclasses.replace(LIBRARY, editions={**LIBRARY.editions, "teclistamab": (old, new)})
    assert LIBRARY.as_of(date(2026, 11, 21)) is LIBRARY
    assert both.as_of(date(2026, 11, 21)).products["teclistamab"] is old
    assert both.as_of(date(2026, 11, 22)).products["teclistamab"] is new
    assert both.as_of(date(2000, 1, 1)).products["teclistamab"] is old
    rules = decided("teclistamab", library=both, **fever()).assessment.disposition.rules
    assert rules == ("teclistamab-label@2#crs-1",)


@pytest.mark.parametrize(
    ("ingredient", "flow", "upper"),
    [("mosunetuzumab", 6, 3), ("mosunetuzumab", 5, 2), ("teclistamab", 6, 2)],
)
def test_exactly_6_litres_is_grade_2_or_3_where_the_label_calls_it_high_flow(
    ingredient: str, flow: float, upper: int
) -> None:
    grade = decided(ingredient, **on_oxygen("low-flow", flow)).assessment.crs.grade
    assert grade is not None
    assert (grade.at_least, grade.at_most) == (2, upper)


@pytest.mark.parametrize(
    ("protocol", "flow", "lower"), [("nhs-waht", 5, 2), ("nhs-waht", 6, 3), ("us-label", 5, 3)]
)
def test_a_mask_below_6_litres_is_grade_2_or_3_where_the_guideline_grades_by_flow(
    protocol: str, flow: float, lower: int
) -> None:
    found = decided("teclistamab", protocol, **on_oxygen("high-flow", flow))
    grade = found.assessment.crs.grade
    assert grade is not None
    assert (grade.at_least, grade.at_most) == (lower, 3)
    assert ("graded-by-flow" in codes(found)) is (lower == 2)


def test_contacts_of_the_site_stand_beside_the_role_the_guideline_names() -> None:
    contacts = {"outreach nurses": "extension 1", "intensive care registrar": "extension 2"}
    two = fever(oxygen=charted("o", (1, "low-flow")))
    found = decided("teclistamab", "nhs-waht", contacts=contacts, **two)
    said = " ".join(line.text for line in found.guidance)
    assert "outreach nurses: extension 1" in said
    assert "extension 2" not in said


def test_guidance_is_of_the_toxicity_that_is_active() -> None:
    said = " ".join(line.text for line in decided("teclistamab", "nhs-waht", **fever()).guidance)
    assert "NEWS" in said
    assert "Fundoscopy" not in said
    assert decided("teclistamab", "nhs-waht", **normal_vitals(1)).guidance == ()


def test_baseline_assessment_is_asked_for_before_a_first_dose() -> None:
    found = decided("teclistamab", "nhs-waht", **normal_vitals(1), doses=())
    assert any("cognition" in line.text for line in found.guidance)


def test_stock_and_funding_stand_beside_a_drafted_tocilizumab_order() -> None:
    toci = Order("MedicationRequest/t", "tocilizumab", "tocilizumab", "tocilizumab IV", "iv")
    found = decided("teclistamab", "nhs-waht", **{**fever(), "orders": (toci,)})
    assert any("Blueteq" in line.text for line in found.guidance)


def test_after_a_grade_the_label_says_continue_at_nothing_is_left() -> None:
    past = {**normal_vitals(1), "grades": (graded("icans", 1, 28), graded("icans", 0, 20))}
    past |= {"ice": readings("i", (1, 10)), "arousal": charted("a", (1, "alert"))}
    assert decided("glofitamab", **past).assessment.disposition.action == "no-toxicity"


def test_a_medicine_drafted_twice_is_named() -> None:
    steroids = tuple(
        Order(f"MedicationRequest/{n}", "corticosteroid", n, n)
        for n in ("dexamethasone", "methylprednisolone")
    )
    found = decided("teclistamab", **{**normal_vitals(1), "orders": steroids})
    assert "duplicate-steroid" in codes(found)
    assert [bool(one.problem) for one in found.supportive_checks] == [True, True]
    assert ago(0) == found.assessment.evaluated_at


def test_an_antipyretic_too_early_is_named() -> None:
    drug = Order("MedicationRequest/a", "antipyretic", "acetaminophen", "acetaminophen 1 g")
    found = decided("teclistamab", "community-sop", **{**fever(), "orders": (drug,)})
    (one,) = found.supportive_checks
    assert "could not be read" in one.problem


def test_only_rows_without_a_recommendation_are_possible_and_that_is_said() -> None:
    low = {**normal_vitals(1), "temperatures": (), "systolic": readings("b", (1, 85))}
    found = decided("blinatumomab", **low).assessment
    assert found.crs.grade is not None
    assert (found.crs.grade.at_least, found.crs.grade.at_most) == (0, 2)
    assert found.disposition.action == "not-stated"
    assert "us-label@3#crs-principle" in found.disposition.rules


def test_an_earlier_event_of_another_product_ends_nothing_here() -> None:
    past = {
        **fever(),
        "doses": (dose("talquetamab", 500), dose("teclistamab", 30)),
        "grades": (graded("crs", 4, 490), graded("crs", 0, 440)),
    }
    assert decided("teclistamab", **past).assessment.disposition.action == "withhold"


def test_a_drafted_anakinra_order_is_checked_with_its_lines() -> None:
    drug = Order("MedicationRequest/a", "anakinra", "anakinra", "anakinra 100 mg SC", "sc")
    found = decided("teclistamab", "nhs-waht", **{**fever(), "orders": (drug,)})
    (one,) = found.supportive_checks
    assert "could not be read" in one.problem
    assert found.assessment.anakinra is not None
    assert found.assessment.anakinra.status == "blocked"
    assert any("Not checked" in line.text for line in found.anakinra_lines)


def test_a_bolus_in_a_child_is_no_proof_of_low_pressure() -> None:
    """Numbers count from 18 years on: a bolus alone leaves none or fluids open."""
    child = {**fever(), "age_years": 9, "boluses": (bolus(2),)}
    axis = decided("blinatumomab", **child).assessment.crs.axes["hypotension"]
    assert axis.level == "none-or-fluids"


def test_a_slower_infusion_is_not_asked_for_a_drug_under_the_skin() -> None:
    def conditions(route: str) -> object:
        drafted = (order(ingredient="teclistamab", route=route),)
        two = fever(oxygen=charted("o", (1, "low-flow")), orders=drafted)
        found = decided("teclistamab", "nhs-waht", **two).assessment.next_dose
        assert found is not None
        return found.rate

    assert conditions("sc") is None
    assert conditions("iv") is not None
