"""Cards on tocilizumab and other supportive drugs, and the sections on treatment."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cards import care
from knowledge.assessment import Tocilizumab
from knowledge.decision import OrderDecision, TocilizumabLine
from knowledge.facts import Allergy, Evidence, Missing, Notice, Reading, Unreadable
from knowledge.treatment import CurrentInfusion, Medication, NextDose
from tests.unit.cards.decisions import (
    LABEL,
    LONDON,
    NOW,
    cards,
    decision,
    disposition,
    order,
    row,
    state,
    tocilizumab,
    topic_code,
)


HOLD = disposition("withhold")
ALLOWED = Tocilizumab("allowed", "administer", Decimal(560), Decimal(560), 0, 0)
ALLERGY = Allergy("tocilizumab", Evidence("AllergyIntolerance/1", note="hives *2024*"))
LATER = datetime(2026, 11, 21, 9, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        pytest.param(
            tocilizumab("blocked", status="blocked", reasons=("interval",), earliest=LATER),
            (
                "critical",
                "Tocilizumab: blocked: too soon after the last dose; "
                "earliest 21 Nov 2026 09:40 GMT",
            ),
            id="blocked until the interval has passed",
        ),
        pytest.param(
            tocilizumab("blocked", status="blocked", reasons=("not-a-crs-route",)),
            ("critical", "Tocilizumab: blocked: a subcutaneous product is not for CRS"),
            id="blocked for good",
        ),
        pytest.param(
            tocilizumab("warning", ordered=400),
            ("warning", "Tocilizumab: check the order: 400 mg ordered, 560 mg calculated"),
            id="another dose than the rule gives",
        ),
        pytest.param(
            tocilizumab("warning", ordered=None),
            ("warning", "Tocilizumab: check the order: the ordered dose could not be read"),
            id="no dose in the order",
        ),
        pytest.param(
            tocilizumab("warning", status="not-addressed", dose_mg=None),
            ("warning", "Tocilizumab: check the order: see the limits"),
            id="a warning without a reason",
        ),
        pytest.param(
            tocilizumab("ok", indication="not-for-isolated-icans"),
            ("warning", "Tocilizumab: 560 mg, not for ICANS without CRS"),
            id="ICANS without CRS",
        ),
        pytest.param(
            tocilizumab(
                "cannot-evaluate", status="cannot-evaluate", dose_mg=None, reasons=("no-weight",)
            ),
            ("warning", "Tocilizumab: dose cannot be checked: no measured weight"),
            id="no weight",
        ),
        pytest.param(
            tocilizumab("ok"),
            ("info", "Tocilizumab: 560 mg, no checked limit speaks against this order"),
            id="nothing speaks against it",
        ),
        pytest.param(
            tocilizumab("ok", ordered=None, status="not-addressed", indication="not-addressed"),
            (
                "info",
                "Tocilizumab: within the hard limits; the active protocol does not address it",
            ),
            id="the protocol is silent",
        ),
    ],
)
def test_a_tocilizumab_order(check, expected):
    value = decision(disposition("not-applicable"), orders=(), tocilizumab_orders=(check,))
    (card,) = cards(value)
    assert (card.indicator, card.summary) == expected
    assert card.detail.endswith(
        "Not checked: allergy, infection, neutrophils, liver, interactions."
    )
    assert topic_code(card).isalnum()


def test_a_recorded_allergy_is_named_and_never_beside_an_info_card():
    value = decision(
        disposition("not-applicable"),
        orders=(),
        tocilizumab_orders=(tocilizumab("ok"),),
        allergies=(ALLERGY, Allergy("anakinra", Evidence("AllergyIntolerance/2"))),
        not_checked=("infection",),
    )
    (card,) = cards(value)
    assert card.indicator == "warning"
    assert card.summary.endswith("; allergy recorded")
    assert "- tocilizumab: hives \\*2024\\*" in card.detail
    assert "- anakinra: recorded" in card.detail
    assert card.detail.endswith("Not checked: infection.")


def weighed(kilograms: str) -> Reading:
    value = Evidence("Observation/3", "29463-7", kilograms, "kg", NOW)
    return Reading(NOW, Decimal(kilograms), value)


@pytest.mark.parametrize(
    ("dose", "uncapped", "weight", "line"),
    [
        (560, 560, "70", "Dose: 8 mg/kg × 70 kg = 560 mg"),
        (800, 960, "120.0", "Dose: 8 mg/kg × 120 kg = 960 mg; capped at 800 mg"),
        (800, 960, None, "Calculated dose 960 mg; capped at 800 mg"),
        (560, None, None, "Calculated dose 560 mg"),
    ],
    ids=["under the cap", "capped", "weight not handed over", "no uncapped dose"],
)
def test_the_dose_arithmetic_is_shown_uncapped_and_capped(dose, uncapped, weight, line):
    result = msgspec.structs.replace(
        ALLOWED,
        dose_mg=Decimal(dose),
        uncapped_mg=None if uncapped is None else Decimal(uncapped),
        earliest=NOW,
    )
    value = decision(
        HOLD,
        state(2),
        about={"tocilizumab": result},
        tocilizumab_weight=None if weight is None else weighed(weight),
        tocilizumab_mg_per_kg=Decimal(8),
        tocilizumab_lines=(TocilizumabLine("At most 800 mg a dose", LABEL),),
    )
    (card,) = cards(value)
    assert f"- {line}" in card.detail
    assert "Doses in the last 6 weeks: 0" in card.detail
    assert "At most 800 mg a dose. [table 1, grade 2]" in card.detail
    assert ("Weight used: " in card.detail) == (weight is not None)


@pytest.mark.parametrize(
    ("changes", "offered"),
    [
        ({}, True),
        ({"tocilizumab_indicated": False}, False),
        ({"tocilizumab_ordered": True}, False),
        ({"allergies": (ALLERGY,)}, False),
        ({"about": {"tocilizumab": None}}, False),
        ({"about": {"tocilizumab": Tocilizumab("allowed", "consider", Decimal(560))}}, False),
        ({"about": {"tocilizumab": Tocilizumab("allowed", "administer")}}, False),
        ({"about": {"tocilizumab": Tocilizumab("blocked", "administer", Decimal(560))}}, False),
    ],
    ids=[
        "a row says to give it",
        "no row reached",
        "already ordered",
        "allergy",
        "no result",
        "only consider",
        "no dose",
        "blocked",
    ],
)
def test_tocilizumab_is_offered_only_where_a_row_asks_and_limits_allow(changes, offered):
    given: dict[str, Any] = {
        "about": {"tocilizumab": ALLOWED},
        "tocilizumab_indicated": True,
        **changes,
    }
    (card,) = cards(decision(HOLD, state(2), **given), {})
    labels = [suggestion.label for suggestion in card.suggestions]
    expected = ["Order tocilizumab IV. Enter 560 mg: the EHR may use its own default"]
    assert labels == (expected if offered else [])


def test_a_drafted_tocilizumab_order_is_not_offered_again():
    value = decision(
        HOLD,
        state(2),
        about={"tocilizumab": ALLOWED},
        tocilizumab_indicated=True,
        tocilizumab_orders=(tocilizumab("ok"),),
    )
    hold, check = cards(value, {})
    assert hold.suggestions == check.suggestions == ()


def test_the_offered_order_is_a_draft_for_this_patient():
    given: dict[str, Any] = {"about": {"tocilizumab": ALLOWED}, "tocilizumab_indicated": True}
    action = cards(decision(HOLD, state(2), **given), {})[0].suggestions[0].actions[0]
    assert action.type == "create"
    assert action.resource["status"] == "draft"
    assert action.resource["subject"] == {"reference": "Patient/p1"}


def test_two_held_orders_offer_tocilizumab_once():
    second = OrderDecision(order(ref="MedicationRequest/d2", ingredient="talquetamab"), HOLD, True)
    both = (OrderDecision(order(), HOLD, True), second)
    about = {"tocilizumab": ALLOWED}
    value = decision(HOLD, state(2), orders=both, about=about, tocilizumab_indicated=True)
    assert [len(card.suggestions) for card in cards(value, {})] == [1, 0]


def test_a_dexamethasone_draft_gets_the_acute_management():
    drug = order(kind="corticosteroid", ingredient="dexamethasone", display="Dexamethasone PO")
    value = decision(
        HOLD,
        state(2),
        orders=(),
        supportive_orders=(drug,),
        rows=(row(),),
        event_open=True,
        about={
            "tocilizumab": ALLOWED,
            "medications": (
                Medication("acetaminophen", "as-needed"),
                Medication(
                    "dexamethasone",
                    "consider",
                    dose=Decimal(10),
                    unit="mg",
                    route="PO",
                    every="12 h",
                    rule="community-sop@1#g2",
                ),
                Medication(
                    "tocilizumab",
                    "administer",
                    dose=Decimal(8),
                    unit="mg",
                    per="kg",
                    computed=Decimal(560),
                    max_dose=Decimal(800),
                ),
                Medication(
                    "fluids",
                    "consider",
                    dose=Decimal(500),
                    dose_to=Decimal(1000),
                    unit="mL",
                    every="once",
                    duration="1 h",
                ),
            ),
        },
        tocilizumab_indicated=True,
    )
    (card,) = cards(value, {"MedicationRequest/d1": b"{}"})
    assert card.summary == "Dexamethasone: CRS grade 2: acute management in the source"
    assert card.indicator == "info"
    assert "Bispecific on board: teclistamab\n\nAdvice: hold." in card.detail
    assert "- acetaminophen: as needed (dose not stated in the source)" in card.detail
    assert "- dexamethasone: consider 10 mg PO every 12 h [rule community-sop@1#g2]" in card.detail
    assert "- tocilizumab: give 8 mg/kg = 560 mg (at most 800 mg)" in card.detail
    assert "- fluids: consider 500 to 1000 mL once for 1 h" in card.detail
    assert card.detail.endswith("interactions.")
    assert len(card.suggestions) == 1


def test_without_a_cytokine_drug_nothing_is_said_about_what_was_not_checked():
    drug = order(kind="antipyretic", ingredient="acetaminophen")
    value = decision(HOLD, state(1), orders=(), supportive_orders=(drug,), allergies=(ALLERGY,))
    (card,) = cards(value)
    assert "Not checked" not in card.detail
    assert card.suggestions == ()


def test_a_supportive_draft_without_toxicity_needs_no_card():
    drug = order(kind="antipyretic", ingredient="acetaminophen")
    value = decision(disposition("no-toxicity"), state(0), orders=(), supportive_orders=(drug,))
    assert cards(value) == ()


def test_unused_parts_and_notices_are_shown_and_counted():
    parts = tuple(Unreadable(f"prefetch.vitals.entry[{n}]", "no unit") for n in range(7))
    about = {"notices": (Notice("flow", "use <b>mask</b>"),), "unreadable": parts}
    detail = cards(decision(HOLD, state(2, missing=(Missing("ice", "x"),)), about=about))[0].detail
    assert "- use \\<b\\>mask\\</b\\>" in detail
    assert "- Not used: prefetch.vitals.entry[4]: no unit" in detail
    assert "- Not used: 2 more parts of the request" in detail


CONDITIONS = {
    "hospitalize": {"strength": "required", "hours": 48},
    "monitor": {"strength": "consider", "hours": 24, "hoursTo": 48},
    "premedicate": {"strength": "required"},
    "rate": {"strength": "required", "percent": 50},
    "maxInfusionHours": 4,
    "resolved": {"hours": 72, "strict": True},
    "restart": {"dose": 9, "unit": "mcg/day"},
    "escalate": {"dose": 28, "unit": "mcg/day", "afterDays": 7},
    "doseLevel": "same",
    "currentInfusion": {"action": "slow-down", "resumePercent": 50},
}


def test_each_next_dose_condition_is_worded_as_the_source_states_it():
    assert care.conditions(msgspec.convert(CONDITIONS, NextDose)) == (
        "hospitalise for 48 h",
        "consider monitoring for 24 to 48 h",
        "premedicate",
        "slower infusion (50 %, as the rule defines it)",
        "resolved, as the rule defines it, for more than 72 h",
        "infusion of at most 4 h",
        "same dose level",
        "restart at 9 mcg/day",
        "escalate to 28 mcg/day after 7 days",
        "current infusion: slow down, resume at 50 % of the rate",
    )
    lenient = msgspec.convert({"resolved": {"hours": 24, "strict": False}}, NextDose)
    assert care.conditions(lenient) == ("resolved, as the rule defines it, for at least 24 h",)
    stopped = NextDose(current_infusion=CurrentInfusion("stop"))
    assert care.conditions(stopped) == ("current infusion: stop",)
    assert care.tocilizumab(decision(HOLD), None, LONDON) == ""
