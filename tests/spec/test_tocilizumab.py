"""Tocilizumab: the same doses and weights under three protocols, each limit by its own document."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from knowledge.assemble import Context
from knowledge.assessment import Tocilizumab
from knowledge.decide import decide
from knowledge.decision import Decision
from knowledge.facts import ActiveOrder
from knowledge.library import load
from tests.spec.chart import (
    ago,
    chart,
    charted,
    dose,
    masking,
    normal_vitals,
    readings,
    tocilizumab_order,
)


LIBRARY = load()
GRADE_2: dict[str, Any] = {
    **normal_vitals(1),
    "temperatures": readings("t", (25, 38.6), (1, 38.6)),
    "oxygen": charted("o", (1, "low-flow")),
    "weights": readings("w", (24, 70)),
}
PROTOCOLS = ("us-label", "community-sop", "nhs-waht")


def decided(protocol: str, **changes: Any) -> Decision:
    context = Context("demo", "live", protocol, "0", LIBRARY.rules, ZoneInfo("UTC"))
    return decide(chart(**{**GRADE_2, **changes}), LIBRARY, context)


def toci(protocol: str, **changes: Any) -> Tocilizumab:
    found = decided(protocol, **changes).assessment.tocilizumab
    assert found is not None
    return found


def given(*hours: float, route: str = "iv") -> dict[str, Any]:
    doses = (dose("teclistamab", 30), *(dose("tocilizumab", h, route) for h in hours))
    return {"doses": tuple(sorted(doses, key=lambda d: d.start))}


@pytest.mark.parametrize(
    ("kg", "dose_mg", "uncapped"),
    [
        pytest.param(70, 560, 560, id="70 kg: 560 mg"),
        pytest.param(100, 800, 800, id="100 kg: 800 mg"),
        pytest.param(110, 800, 880, id="110 kg: 880 mg capped at 800 mg"),
        pytest.param(30.1, 241, 241, id="30.1 kg: 240.8 mg to 241 mg"),
        pytest.param(62.56, 500, 500, id="62.56 kg: 500.48 mg to 500 mg"),
        pytest.param(62.5625, 501, 501, id="exactly half a milligram goes up"),
    ],
)
@pytest.mark.parametrize("protocol", ["community-sop", "nhs-waht"])
def test_dose_by_weight(protocol: str, kg: float, dose_mg: int, uncapped: int) -> None:
    found = toci(protocol, weights=readings("w", (24, kg)))
    assert found.status == "allowed"
    assert found.dose_mg == Decimal(dose_mg)
    assert found.uncapped_mg == Decimal(uncapped)


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        pytest.param((), "no-weight", id="no weight: no dose"),
        pytest.param(readings("w", (8 * 24, 70)), "weight-too-old", id="8 days old: no dose"),
        pytest.param(readings("w", (1, 30)), "weight-not-over-floor", id="exactly 30 kg: no dose"),
        pytest.param(readings("w", (1, 24)), "weight-not-over-floor", id="24 kg: no dose"),
    ],
)
@pytest.mark.parametrize("protocol", ["community-sop", "nhs-waht"])
def test_no_dose_is_computed(protocol: str, weights: Any, reason: str) -> None:
    found = toci(protocol, weights=weights)
    assert found.status == "cannot-evaluate"
    assert found.dose_mg is None
    assert reason in found.reasons


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("hours", "blocked"),
    [(7.99, True), (8.0, False), (9.0, False)],
    ids=["7.99 h is too early", "exactly 8 h is allowed", "9 h is allowed"],
)
def test_interval_holds_under_every_protocol(protocol: str, hours: float, blocked: bool) -> None:
    found = toci(protocol, **given(hours))
    assert ("interval" in found.reasons) is blocked
    if blocked:
        assert found.status == "blocked"
        assert found.earliest is not None


@pytest.mark.parametrize(
    ("hours", "us", "community", "nhs"),
    [
        pytest.param((), "not-addressed", "allowed", "allowed", id="none given"),
        pytest.param((10,), "not-addressed", "allowed", "allowed", id="one given"),
        pytest.param((20, 10), "not-addressed", "blocked", "allowed", id="two in this event"),
        pytest.param((22, 16, 10), "not-addressed", "blocked", "allowed", id="three in this event"),
        pytest.param(
            (24.5, 20, 16, 9), "not-addressed", "blocked", "blocked", id="four in this event"
        ),
        pytest.param(
            (900, 800, 700), "not-addressed", "blocked", "allowed", id="three in six weeks"
        ),
        pytest.param(
            (1009, 800, 700), "not-addressed", "allowed", "allowed", id="the first is 42 days back"
        ),
    ],
)
def test_the_same_doses_give_three_answers(
    hours: tuple[float, ...], us: str, community: str, nhs: str
) -> None:
    answers = [toci(protocol, **given(*hours)).status for protocol in PROTOCOLS]
    assert answers == [us, community, nhs]


def test_each_answer_cites_its_own_document() -> None:
    titles = {
        protocol: " ".join(f"{x.text} {x.citation.title}" for x in lines)
        for protocol in PROTOCOLS
        for lines in [decided(protocol, **given(20, 10)).tocilizumab_lines]
    }
    assert "states no tocilizumab dose" in titles["us-label"]
    assert "at most 2 doses per CRS event" in titles["community-sop"]
    assert "at most 4 doses per CRS event" in titles["nhs-waht"]
    assert "For information, community-sop: at most 2" in titles["nhs-waht"]


def test_the_last_of_the_timed_limits_gives_the_earliest_time() -> None:
    found = toci("community-sop", **given(900, 800, 5))
    assert found.earliest == ago(900 - 42 * 24)
    assert set(found.reasons) == {"interval", "count-6-weeks"}


def test_a_full_event_count_has_no_earliest_time() -> None:
    assert toci("community-sop", **given(20, 5)).earliest is None


def test_subcutaneous_doses_are_not_crs_doses_but_in_the_six_weeks() -> None:
    found = toci("community-sop", **given(20, 5, route="sc"))
    assert found.status == "allowed"
    assert (found.doses_this_event, found.doses_in_6_weeks) == (0, 2)


def test_administrations_unanswered_cannot_be_evaluated() -> None:
    found = toci("community-sop", answered=frozenset({"vitals", "oxygen"}))
    assert found.status == "cannot-evaluate"
    assert found.doses_this_event is None
    assert found.doses_in_6_weeks is None


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("order", "level", "reason"),
    [
        pytest.param(tocilizumab_order("801"), "blocked", "above-cap", id="801 mg is over the cap"),
        pytest.param(
            tocilizumab_order("162", route="sc"),
            "blocked",
            "not-a-crs-route",
            id="a subcutaneous order is not a CRS route",
        ),
        pytest.param(
            tocilizumab_order("162", route=None, subcutaneous_product=True),
            "blocked",
            "not-a-crs-route",
            id="a subcutaneous product is not a CRS route",
        ),
    ],
)
def test_a_draft_is_blocked_under_every_protocol(
    protocol: str, order: Any, level: str, reason: str
) -> None:
    found = decided(protocol, orders=(order,)).tocilizumab_orders[0]
    assert found.level == level
    assert reason in found.result.reasons


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("weights", "level", "reason"),
    [
        pytest.param((), "cannot-evaluate", "no-weight", id="a draft without a weight"),
        pytest.param(
            readings("w", (200, 70)), "cannot-evaluate", "weight-too-old", id="an old weight"
        ),
        pytest.param(readings("w", (2, 30)), "blocked", "weight-not-over-floor", id="at 30 kg"),
    ],
)
def test_a_draft_needs_a_recent_weight_over_the_floor(
    protocol: str, weights: Any, level: str, reason: str
) -> None:
    found = decided(protocol, orders=(tocilizumab_order("240"),), weights=weights)
    assert found.tocilizumab_orders[0].level == level
    assert reason in found.tocilizumab_orders[0].result.reasons


@pytest.mark.parametrize(
    ("mg", "level"),
    [("560", "ok"), ("504", "ok"), ("503", "warning"), ("616", "ok"), ("617", "warning")],
)
def test_an_ordered_dose_may_differ_by_ten_percent(mg: str, level: str) -> None:
    found = decided("nhs-waht", orders=(tocilizumab_order(mg),)).tocilizumab_orders[0]
    assert found.level == level


def test_an_unreadable_ordered_dose_is_a_warning() -> None:
    found = decided("nhs-waht", orders=(tocilizumab_order(None),)).tocilizumab_orders[0]
    assert (found.level, found.ordered_mg) == ("warning", None)


def test_an_order_per_kilogram_is_multiplied_with_the_recent_weight() -> None:
    order = tocilizumab_order(None, dose_mg_per_kg=Decimal(8))
    assert decided("nhs-waht", orders=(order,)).tocilizumab_orders[0].ordered_mg == 560


def test_a_planned_start_after_the_interval_is_allowed() -> None:
    order = tocilizumab_order("560", planned_start=ago(-4))
    found = decided("nhs-waht", orders=(order,), **given(5)).tocilizumab_orders[0]
    assert found.level == "ok"


@pytest.mark.parametrize(
    ("protocol", "indication"),
    [("us-label", "not-addressed"), ("community-sop", "administer"), ("nhs-waht", "administer")],
)
def test_indication_at_crs_grade_2(protocol: str, indication: str) -> None:
    assert toci(protocol).indication == indication


def test_a_condition_that_a_person_must_judge_is_no_suggestion() -> None:
    assert not decided("community-sop").tocilizumab_indicated
    assert decided("nhs-waht").tocilizumab_indicated


def test_never_for_isolated_icans() -> None:
    changes = {
        **normal_vitals(1),
        "ice": readings("ice", (1, 5)),
        "arousal": charted("a", (1, "alert")),
    }
    found = toci("nhs-waht", **changes)
    assert found.indication == "not-for-isolated-icans"
    assert found.status == "not-addressed"
    assert found.dose_mg is None


def test_icans_with_crs_may_have_it() -> None:
    changes = {"ice": readings("ice", (1, 5)), "arousal": charted("a", (1, "alert"))}
    assert toci("nhs-waht", **changes).indication == "administer"


def test_no_word_on_tocilizumab_without_toxicity_or_order() -> None:
    changes = {**normal_vitals(1), "oxygen": charted("o", (1, "none"))}
    assert decided("nhs-waht", **changes).assessment.tocilizumab is None


def test_masking_by_tocilizumab_keeps_the_event_open() -> None:
    changes = {
        "temperatures": readings("t", (25, 38.6), (1, 36.8)),
        "masking": (masking("anticytokine", 20, "tocilizumab"),),
    }
    assert decided("nhs-waht", **changes).event_open


def test_the_condition_on_tocilizumab_is_always_shown() -> None:
    (row,) = [r for r in decided("community-sop").rows if r.rule == "community-sop@2#g2"]
    assert "unstable" in row.statements[0]
    assert row.statements[0].startswith("Tocilizumab, administer:")


def test_two_drafts_too_close_to_each_other_are_both_blocked() -> None:
    orders = (
        tocilizumab_order("560"),
        tocilizumab_order("560", ref="MedicationRequest/d3", planned_start=ago(-2)),
    )
    found = decided("community-sop", orders=orders)
    assert [one.level for one in found.tocilizumab_orders] == ["blocked", "blocked"]
    assert all("another-draft" in one.result.reasons for one in found.tocilizumab_orders)
    later = (orders[0], tocilizumab_order("560", ref="MedicationRequest/d3", planned_start=ago(-9)))
    found = decided("community-sop", orders=later)
    assert all("another-draft" not in one.result.reasons for one in found.tocilizumab_orders)


def test_an_active_order_is_named_beside_a_draft() -> None:
    active = (ActiveOrder("MedicationRequest/a1", "tocilizumab"),)
    changes = {"active_orders": active, "orders": (tocilizumab_order("560"),)}
    (one,) = decided("community-sop", **changes).tocilizumab_orders
    assert (one.level, one.result.reasons) == ("warning", ("another-order",))


def test_a_dose_between_the_bispecific_and_the_first_recorded_sign_is_named() -> None:
    doses = (dose("teclistamab", 30), dose("tocilizumab", 28))
    changes = {"doses": doses, "orders": (tocilizumab_order("560"),)}
    (one,) = decided("community-sop", **changes).tocilizumab_orders
    assert "doses-before-onset" in one.result.reasons
    assert one.result.doses_this_event == 0
