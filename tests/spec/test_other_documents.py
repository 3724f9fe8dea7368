"""What other documents say beside the active one, and where the scale fills a silence."""

from typing import Any

import pytest

from tests.spec.chart import (
    attribution,
    charted,
    dose,
    graded,
    infusion,
    masking,
    normal_vitals,
    readings,
)
from tests.spec.test_contradictions import ALERT, FEVER, codes, decided, on


NOREPI = infusion("norepinephrine", 2, None)
VASO = infusion("vasopressin", 2, None, "vasopressin")


def test_european_product_information_stands_beside_the_guideline_for_its_product_alone() -> None:
    assert "product-information-epcoritamab" in codes(
        decided("nhs-waht", **FEVER, **on("epcoritamab"))
    )
    assert "product-information-epcoritamab" not in codes(decided("nhs-waht", **FEVER))
    assert "product-information-epcoritamab" not in codes(decided(**FEVER, **on("epcoritamab")))


@pytest.mark.parametrize(("protocol", "noticed"), [("nhs-waht", True), ("community-sop", False)])
def test_the_scale_is_named_where_the_guideline_is_silent_on_vasopressin(
    protocol: str, noticed: bool
) -> None:
    found = decided(protocol, **{**FEVER, "infusions": (NOREPI, VASO)})
    assert ("scale-vasopressin" in codes(found)) is noticed
    assert "scale-vasopressin" not in codes(decided(protocol, **{**FEVER, "infusions": (NOREPI,)}))


@pytest.mark.parametrize(("protocol", "noticed"), [("nhs-waht", True), ("us-label", False)])
def test_the_scale_is_named_where_the_guideline_is_silent_on_hidden_fever(
    protocol: str, noticed: bool
) -> None:
    changes: dict[str, Any] = {
        **normal_vitals(1),
        "temperatures": readings("t", (6, 38.9), (1, 37.0)),
        "masking": (masking("antipyretic", 5),),
    }
    assert ("scale-masked-fever" in codes(decided(protocol, **changes))) is noticed


@pytest.mark.parametrize("protocol", ["us-label", "community-sop", "nhs-waht"])
def test_every_protocol_asks_for_another_cause_of_an_active_crs(protocol: str) -> None:
    found = decided(protocol, **FEVER)
    lines = [line.text for line in found.guidance]
    statements = [text for row in found.rows for text in row.statements]
    words = " ".join((*lines, *statements)).lower()
    assert "infection" in words or "sepsis" in words


def test_ice_twice_daily_while_there_is_crs_without_icans_and_more_often_with_it() -> None:
    def said(**changes: Any) -> str:
        found = decided("nhs-waht", **{**FEVER, **ALERT, **changes})
        return " ".join(line.text for line in found.guidance)

    assert "ICE twice daily" in said()
    assert "ICE twice daily" not in said(ice=readings("ice", (1, 8)))
    assert "three to four times a day" in said(ice=readings("ice", (1, 8)))


def test_a_statement_on_one_product_is_not_shown_for_another() -> None:
    def said(name: str) -> str:
        return " ".join(line.text for line in decided(**FEVER, **on(name)).guidance)

    assert "Tarlatamab needs longer observation" in said("tarlatamab")
    assert "Tarlatamab needs longer observation" not in said("talquetamab")


def test_the_labelling_of_tocilizumab_is_named_beside_its_limits() -> None:
    lines = [line.text for line in decided("nhs-waht", **FEVER).tocilizumab_lines]
    assert any("CAR-T" in text for text in lines)


@pytest.mark.parametrize(
    ("product", "mild", "action"),
    [
        ("blinatumomab", 80, "resume-with-conditions"),
        ("blinatumomab", 70, "withhold"),
        ("mosunetuzumab", 80, "resume-with-conditions"),
        ("mosunetuzumab", 70, "withhold"),
    ],
)
def test_time_at_grade_1_still_counts_once_the_event_is_over(
    product: str, mild: float, action: str
) -> None:
    """The rows ask for grade 1 or less for 72 h; the last hours of it may be without any sign."""
    past: dict[str, Any] = {
        **normal_vitals(1),
        **ALERT,
        **on(product),
        "weights": readings("w", (1, 70)),
        "grades": (
            graded("icans", 3, mild + 20),
            graded("icans", 1, mild),
            graded("icans", 0, 40),
        ),
    }
    past["doses"] = (dose(product, mild + 30),)
    assert decided(**past).assessment.disposition.action == action


def test_an_attribution_of_today_does_not_undo_what_ended_therapy_before() -> None:
    past = {
        **FEVER,
        "doses": (dose("teclistamab", 320), dose("teclistamab", 30)),
        "grades": (graded("crs", 4, 300), graded("crs", 0, 250)),
        "attributions": (attribution("crs", "other-cause", 1),),
    }
    found = decided(**past).assessment.disposition
    assert (found.action, found.confirmed) == ("discontinue-permanently", True)


def test_a_hold_for_two_toxicities_lasts_until_both_are_over() -> None:
    both = {**FEVER, **ALERT, "ice": readings("ice", (1, 5))}
    assert decided(**both).assessment.disposition.until == "crs-resolved and icans-resolved"


def test_a_medicine_of_every_weight_band_is_named_with_each_dose() -> None:
    found = decided(**FEVER, **on("blinatumomab"), infusions=(NOREPI,), weights=())
    statements = [text for row in found.rows for text in row.statements]
    (said,) = [text for text in statements if text.startswith("Dexamethasone")]
    assert "8 mg" in said
    assert "5 mg/m2" in said


@pytest.mark.parametrize(("grade", "stricter"), [(1, False), (2, False)])
def test_a_label_that_only_holds_as_well_is_not_called_stricter(grade: int, stricter: bool) -> None:
    two = {"oxygen": charted("o", (1, "low-flow"))} if grade == 2 else {}
    assert ("label-stricter" in codes(decided("nhs-waht", **{**FEVER, **two}))) is stricter


def test_the_infusion_of_an_event_that_is_over_is_not_spoken_of() -> None:
    past: dict[str, Any] = {
        **normal_vitals(1),
        **on("glofitamab"),
        "doses": (dose("glofitamab", 150),),
        "grades": (graded("crs", 1, 140), graded("crs", 0, 100)),
    }
    found = decided(**past).assessment
    assert found.disposition.action == "resume-with-conditions"
    assert found.next_dose is not None
    assert found.next_dose.current_infusion is None
