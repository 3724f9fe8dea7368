"""Anakinra: conditions of CRS and ICANS, both ceilings, kidneys and platelets, three protocols."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from knowledge import anakinra
from knowledge.assessment import Anakinra
from knowledge.clearance import Computed, clearance
from knowledge.decision import TocilizumabLine
from knowledge.facts import Facts, Order
from knowledge.library import load
from knowledge.rulings import management
from knowledge.toxicity import crs_standing, icans_standing
from tests.spec.chart import (
    attribution,
    chart,
    charted,
    dose,
    infusion,
    masking,
    normal_vitals,
    readings,
)


LIBRARY = load()
NHS = "nhs-waht"
SILENT = ("us-label", "community-sop")
DRAFT = Order("MedicationRequest/d3", "anakinra", "anakinra", "anakinra", "sc")
KIDNEYS: dict[str, Any] = {
    "sex": "female",
    "weights": readings("w", (24, 70)),
    "creatinine": readings("cr", (5, 0.8)),
    "platelets": readings("plt", (5, 150)),
}
GRADE_2: dict[str, Any] = {
    **normal_vitals(1),
    **KIDNEYS,
    "temperatures": readings("t", (25, 38.6), (1, 38.6)),
    "oxygen": charted("o", (1, "low-flow")),
}
GRADE_3 = {**GRADE_2, "infusions": (infusion("norepinephrine", 2, None),)}
ICANS: dict[str, Any] = {**normal_vitals(1), **KIDNEYS}


def order(mg: str | None = "100", **changes: Any) -> Order:
    made = {"route": "sc", "dose_mg": None if mg is None else Decimal(mg), **changes}
    return Order(DRAFT.ref, DRAFT.kind, DRAFT.ingredient, DRAFT.display, **made)


def given(*hours: float, route: str = "iv") -> tuple[Any, ...]:
    doses = (dose("teclistamab", 80), *(dose("tocilizumab", h, route) for h in hours))
    return tuple(sorted(doses, key=lambda one: one.start))


def neuro(hours: float) -> dict[str, Any]:
    points = tuple((h, 5.0) for h in (hours, 1))
    return {
        **ICANS,
        "doses": given(),
        "ice": readings("ice", *points),
        "arousal": charted("a", *((h, "alert") for h, _ in points)),
    }


def found(protocol: str, facts: Facts) -> Anakinra | None:
    active = LIBRARY.protocols[protocol]
    standings = (
        crs_standing(facts, LIBRARY.crs, LIBRARY.rules),
        icans_standing(facts, LIBRARY.icans, LIBRARY.rules),
    )
    managed = management(standings, "teclistamab", facts, LIBRARY, active)
    return anakinra.check(facts, LIBRARY, active, standings, managed)


def checked(protocol: str, **changes: Any) -> Anakinra:
    result = found(protocol, chart(**{"orders": (DRAFT,), **GRADE_2, **changes}))
    assert result is not None
    return result


def problem(protocol: str, drafted: Order, **changes: Any) -> str:
    facts = chart(**{**GRADE_2, "doses": given(20, 10), **changes, "orders": (drafted,)})
    result = found(protocol, facts)
    assert result is not None
    return anakinra.problem(drafted, facts, result, LIBRARY)


def said(result: Anakinra) -> tuple[TocilizumabLine, ...]:
    return anakinra.lines(result, LIBRARY)


@pytest.mark.parametrize("protocol", [NHS, *SILENT])
def test_no_word_without_a_draft_or_a_toxicity(protocol: str) -> None:
    assert found(protocol, chart(**normal_vitals(1))) is None


@pytest.mark.parametrize(
    ("hours", "route", "status"),
    [
        pytest.param((), "iv", "blocked", id="no tocilizumab yet"),
        pytest.param((10,), "iv", "blocked", id="one dose"),
        pytest.param((20, 10), "iv", "allowed", id="two doses"),
        pytest.param((24, 17, 8), "iv", "allowed", id="three doses"),
        pytest.param((20, 10), "sc", "blocked", id="two subcutaneous doses are none for CRS"),
        pytest.param((60, 50), "iv", "blocked", id="two doses before this event"),
    ],
)
def test_crs_asks_for_two_tocilizumab_doses(
    hours: tuple[float, ...], route: str, status: str
) -> None:
    result = checked(NHS, doses=given(*hours, route=route))
    assert result.status == status
    assert ("tocilizumab-doses-not-given" in result.reasons) is (status == "blocked")


@pytest.mark.parametrize(
    ("drugs", "status"),
    [
        pytest.param((), "blocked", id="no corticosteroid"),
        pytest.param((masking("steroid", 6, "dexamethasone"),), "allowed", id="in this event"),
        pytest.param((masking("steroid", 30, "dexamethasone"),), "blocked", id="as premedication"),
        pytest.param((masking("antipyretic", 6),), "blocked", id="an antipyretic is none"),
    ],
)
def test_grade_3_asks_for_corticosteroid_too(drugs: Any, status: str) -> None:
    changes = {**GRADE_3, "doses": given(20, 10), "masking": drugs}
    result = checked(NHS, **changes)
    assert result.status == status
    assert ("corticosteroid-not-given" in result.reasons) is (status == "blocked")
    text = problem(NHS, order(), **changes)
    assert ("grade 3 or above without recent corticosteroid" in text) is (status == "blocked")


def test_grade_2_asks_for_no_corticosteroid() -> None:
    assert checked(NHS, doses=given(20, 10)).status == "allowed"


@pytest.mark.parametrize(
    ("hours", "status"),
    [((), "cannot-evaluate"), ((20,), "cannot-evaluate"), ((20, 10), "allowed")],
)
def test_unanswered_administrations_are_not_none(hours: tuple[float, ...], status: str) -> None:
    answered = frozenset({"vitals", "oxygen"})
    result = checked(NHS, doses=given(*hours), answered=answered)
    assert result.status == status
    text = problem(NHS, order(), doses=given(*hours), answered=answered)
    assert ("were not available" in text) is (status == "cannot-evaluate")


@pytest.mark.parametrize(
    ("hours", "status"),
    [(47, "blocked"), (48, "blocked"), (48.5, "allowed")],
    ids=["47 h", "exactly 48 h is not more", "48.5 h"],
)
def test_icans_asks_for_more_than_48_hours_and_no_tocilizumab(hours: float, status: str) -> None:
    facts = chart(**neuro(hours), orders=(DRAFT,))
    result = found(NHS, facts)
    assert result is not None
    assert result.status == status
    assert "tocilizumab-doses-not-given" not in result.reasons
    text = anakinra.problem(order(), facts, result, LIBRARY)
    assert ("ICANS has not lasted more than 48 h" in text) is (status == "blocked")


def test_icans_without_a_known_onset_cannot_be_evaluated() -> None:
    facts, active = chart(**neuro(50), orders=(DRAFT,)), LIBRARY.protocols[NHS]
    icans = icans_standing(facts, LIBRARY.icans, LIBRARY.rules)
    undated = msgspec.structs.replace(icans, events=())
    managed = management((icans, icans), "teclistamab", facts, LIBRARY, active)
    pair = ((undated, managed[0][1]),)
    result = anakinra.check(facts, LIBRARY, active, (undated,), pair)
    assert result is not None
    assert (result.status, result.reasons) == ("cannot-evaluate", ("icans-onset-not-known",))
    assert "onset of ICANS" in anakinra.problem(order(), facts, result, LIBRARY)


def test_with_both_toxicities_the_conditions_of_one_are_enough() -> None:
    result = checked(NHS, **{**neuro(50), **GRADE_2, "doses": given()})
    assert result.status == "allowed"
    assert result.reasons == ("tocilizumab-doses-not-given",)


def test_a_draft_without_a_toxicity_is_not_addressed() -> None:
    result = checked(NHS, **normal_vitals(1))
    assert (result.status, result.reasons) == ("not-addressed", ("no-active-toxicity",))


def test_a_toxicity_of_another_cause_reaches_no_rule() -> None:
    result = checked(NHS, attributions=(attribution("crs", "other-cause", 1),))
    assert (result.status, result.reasons) == ("not-addressed", ("no-rule-reached",))


@pytest.mark.parametrize(
    ("kg", "most"),
    [
        pytest.param(70, 700, id="70 kg: 700 mg a day"),
        pytest.param(62.56, 625, id="62.56 kg: 625.6 mg, rounded down"),
    ],
)
def test_both_ceilings_are_given(kg: float, most: int) -> None:
    result = checked(NHS, weights=readings("w", (24, kg)))
    assert result.start_mg == result.step_mg == 100
    assert result.max_mg_per_day == most
    assert result.max_continuous_mg_per_day == 400
    texts = [line.text for line in said(result)]
    assert f"At most 10 mg/kg/day ({most} mg at the recent weight)" in texts
    assert "Continuous IV infusion: at most 400 mg/day without the loading dose" in texts


@pytest.mark.parametrize(
    ("weights", "reason"),
    [((), "no-weight"), (readings("w", (8 * 24, 70)), "weight-too-old")],
)
def test_no_ceiling_in_milligrams_without_a_recent_weight(weights: Any, reason: str) -> None:
    result = checked(NHS, weights=weights)
    assert result.max_mg_per_day is None
    assert reason in result.reasons
    assert "At most 10 mg/kg/day" in [line.text for line in said(result)]


def test_no_start_dose_above_the_ceiling() -> None:
    result = checked(NHS, weights=readings("w", (1, 9)))
    assert result.start_mg is None
    assert result.max_mg_per_day == 90
    assert "start-above-ceiling" in result.reasons


@pytest.mark.parametrize(
    ("drafted", "text"),
    [
        pytest.param(order("100"), "", id="100 mg"),
        pytest.param(order("700"), "", id="exactly the ceiling"),
        pytest.param(
            order("701"), "701 mg is above 10 mg/kg/day (700 mg at 70 kg)", id="1 mg over"
        ),
        pytest.param(
            order("500", route="iv"),
            "as a continuous infusion 500 mg would be above 400 mg/day",
            id="over the other ceiling",
        ),
        pytest.param(order("400", route="iv"), "", id="exactly the other ceiling"),
        pytest.param(order(None, dose_mg_per_kg=Decimal(10)), "", id="10 mg/kg"),
        pytest.param(
            order(None, dose_mg_per_kg=Decimal("10.5")),
            "10.5 mg/kg is above 10 mg/kg/day",
            id="over 10 mg/kg",
        ),
        pytest.param(
            order(None),
            "the ordered dose could not be read: not checked against the ceilings",
            id="no dose to read",
        ),
    ],
)
def test_an_order_against_both_ceilings(drafted: Order, text: str) -> None:
    assert problem(NHS, drafted) == text
    for protocol in SILENT:
        found_there = problem(protocol, drafted)
        assert found_there == (f"for information, nhs-waht: {text}" if text else "")


def test_an_order_in_milligrams_needs_a_weight() -> None:
    assert "no recent measured weight" in problem(NHS, order(), weights=())
    assert problem(NHS, order(None, dose_mg_per_kg=Decimal(1)), weights=()) == ""


@pytest.mark.parametrize(
    ("count", "low"), [(19.9, True), (20, False), (150, False)], ids=["19.9", "20", "150"]
)
def test_platelets_under_20_speak_against_the_subcutaneous_route(count: float, low: bool) -> None:
    platelets = readings("plt", (5, count))
    route = checked(NHS, platelets=platelets).route
    assert route.startswith("IV may be considered" if low else "SC unless unsuitable")
    assert f"platelets {count} x10*9/L 5 h ago" in route
    assert ("SC ordered with platelets" in problem(NHS, order(), platelets=platelets)) is low
    assert problem(NHS, order(route="iv"), platelets=platelets) == ""


def test_a_platelet_count_older_than_72_hours_is_not_used() -> None:
    assert "no platelet count" in checked(NHS, platelets=readings("plt", (73, 5))).route
    assert "IV may" in checked(NHS, platelets=readings("plt", (72, 5))).route


@pytest.mark.parametrize(
    ("age", "sex", "kg", "creatinine", "expected"),
    [
        # by hand: (140 - 60) x 70 / (72 x 1.0) = 77.77..; x 0.85 = 66.11..
        pytest.param(60, "male", 70, 1.0, "77.77", id="a man"),
        pytest.param(60, "female", 70, 1.0, "66.11", id="a woman"),
        pytest.param(80, "female", 50, 1.5, "23.61", id="80 years, 50 kg, 1.5 mg/dL"),
        pytest.param(18, "male", 72, 1.0, "122.00", id="from 18 years on"),
    ],
)
def test_cockcroft_gault(age: int, sex: str, kg: float, creatinine: float, expected: str) -> None:
    facts = chart(age_years=age, sex=sex, creatinine=readings("cr", (5, creatinine)))
    limits = LIBRARY.anakinra.clearance
    result = clearance(facts, limits, readings("w", (24, kg))[0])
    assert isinstance(result, Computed)
    assert f"{result.value:.4f}".startswith(expected)
    assert f"{age} years, {sex}, " in result.inputs


@pytest.mark.parametrize(
    ("creatinine", "advice"),
    [
        # a man of 60 years and 72 kg: 80 / creatinine
        (1.33, "60 or above, no change stated"),
        (1.34, "30 to under 60, use with caution"),
        (2.66, "30 to under 60, use with caution"),
        (2.67, "under 30, consider a dose every other day"),
    ],
)
def test_renal_advice_with_its_inputs(creatinine: float, advice: str) -> None:
    changes = {"sex": "male", "weights": readings("w", (24, 72))}
    text = checked(NHS, creatinine=readings("cr", (5, creatinine)), **changes).renal
    assert text.endswith(advice)
    assert f"60 years, male, 72 kg 24 h ago, creatinine {creatinine} mg/dL 5 h ago" in text


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"age_years": None}, "age"),
        ({"age_years": 17}, "a formula for the age of 17 years"),
        ({"age_years": 140}, "a formula for the age of 140 years"),
        ({"sex": None}, "sex, female or male"),
        ({"sex": "other"}, "sex, female or male"),
        ({"weights": ()}, "a recent measured weight"),
        ({"weights": readings("w", (8 * 24, 70))}, "a recent measured weight"),
        ({"creatinine": ()}, "a creatinine of the last 72 h"),
        (
            {"creatinine": readings("cr", (73, 0.8))},
            "a creatinine of the last 72 h (last 73 h ago)",
        ),
    ],
)
def test_a_missing_input_is_named_never_assumed(changes: dict[str, Any], named: str) -> None:
    text = checked(NHS, **changes).renal
    assert text == f"Creatinine clearance not computed; missing: {named}"


def test_a_preliminary_result_is_called_so() -> None:
    def preliminary(name: str, value: float) -> Any:
        return (msgspec.structs.replace(readings(name, (5, value))[0], preliminary=True),)

    result = checked(NHS, creatinine=preliminary("c", 1), platelets=preliminary("p", 50))
    assert "5 h ago, preliminary" in result.renal
    assert result.route.endswith("5 h ago, preliminary")


@pytest.mark.parametrize("protocol", SILENT)
def test_nothing_is_computed_where_the_protocol_states_no_dose(protocol: str) -> None:
    result = checked(protocol, doses=given(20, 10))
    assert result.status == "not-addressed"
    assert (result.start_mg, result.step_mg, result.max_mg_per_day) == (None, None, None)
    assert (result.max_continuous_mg_per_day, result.route, result.renal) == (None, "", "")
    silent, by_weight, continuous, last = said(result)
    assert silent.text == f"The active protocol, {protocol}, states no anakinra dose"
    assert "WAHT" not in silent.citation.title
    for line in (by_weight, continuous):
        assert line.text.startswith("For information, nhs-waht: ")
        assert "WAHT-HAE-041" in line.citation.title
    assert last.text.startswith("Not checked: ")


@pytest.mark.parametrize("protocol", SILENT)
def test_without_a_draft_a_silent_protocol_shows_no_ceiling(protocol: str) -> None:
    assert [line.text for line in said(checked(protocol, orders=()))][0:1] == [
        f"The active protocol, {protocol}, states no anakinra dose"
    ]
    assert len(said(checked(protocol, orders=()))) == 2


def test_every_line_is_cited_and_both_texts_on_icans_are_shown() -> None:
    lines = said(checked(NHS, doses=given(20, 10)))
    text = " / ".join(line.text for line in lines)
    for part in (
        "100 mg once daily, more in steps of 100 mg",
        "platelets under 20 x10*9/L",
        "30 to under 60 mL/min: caution; under 30",
        "Not licensed for CRS or ICANS by any route",
        "2 or more doses of tocilizumab",
        "both are required",
        "asks for no tocilizumab first",
        "Until 24 h after",
        "3-5 days",
        "100 mg in 12 mL",
    ):
        assert part in text
    assert lines[-1].text.startswith("Not checked: allergy")
    assert all(line.citation.at for line in lines)
    assert {line.citation.rule for line in lines} == {"anakinra@3"}


def test_how_to_give_it_is_shown_once_the_conditions_are_met() -> None:
    text = " / ".join(line.text for line in said(checked(NHS, doses=given())))
    assert "100 mg in 12 mL" not in text


def test_the_event_counts_from_its_own_onset() -> None:
    over = {"temperatures": readings("t", (70, 38.6), (1, 38.6)), "doses": given(60, 50)}
    assert checked(NHS, **over).status == "allowed"
