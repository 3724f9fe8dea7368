"""Cards on missing inputs, unsupported products, other causes and step-up intervals."""

import pytest

from knowledge.assessment import AxisState
from knowledge.decision import OrderDecision
from knowledge.facts import Missing, Notice
from tests.unit.cards.decisions import (
    FLOW,
    NOW,
    cards,
    decision,
    disposition,
    event,
    order,
    state,
    tocilizumab,
    topic_code,
)


QUIET = disposition("no-toxicity")
ICE = Missing("ice", "not assessed")


def test_complete_data_without_toxicity_need_no_card():
    assert cards(decision(QUIET, state(0), state(0))) == ()


def test_missing_inputs_make_one_info_card():
    value = decision(QUIET, state(0), state(None, missing=(ICE,)), missing=(FLOW, ICE))
    (card,) = cards(value)
    assert card.summary == ("Teclistamab: cannot evaluate fully: oxygen flow and 1 more missing")
    assert card.indicator == "info"
    assert card.detail.count("ICE score: not assessed") == 1
    assert topic_code(card) == "MISSINGICEOXYGENFLOW"


def test_missing_inputs_are_inside_the_hold_card_when_there_is_one():
    (card,) = cards(decision(disposition("withhold"), state(2), missing=(FLOW,)))
    assert card.summary.startswith("Hold")
    assert "- oxygen flow: nasal cannula without a flow" in card.detail


@pytest.mark.parametrize(
    ("missing", "summary"),
    [
        ((FLOW,), "Teclistamab: cannot evaluate: oxygen flow missing"),
        ((), "Teclistamab: cannot evaluate"),
    ],
)
def test_nothing_usable_is_a_warning(missing, summary):
    given = disposition("cannot-evaluate", reason="no-data")
    (card,) = cards(decision(given, state(None), missing=missing))
    assert (card.indicator, card.summary) == ("warning", summary)
    assert "Reason: no data." in card.detail


def test_without_a_bispecific_missing_vitals_are_not_our_matter():
    drug = order(kind="antipyretic", ingredient="acetaminophen")
    value = decision(
        disposition("not-applicable"), orders=(), supportive_orders=(drug,), missing=(FLOW,)
    )
    assert cards(value) == ()


def test_a_supportive_draft_names_what_is_missing_for_the_drug_on_board():
    drug = order(kind="antipyretic", ingredient="acetaminophen")
    value = decision(QUIET, orders=(), supportive_orders=(drug,), missing=(FLOW,))
    assert cards(value)[0].summary == "Teclistamab: cannot evaluate fully: oxygen flow missing"


def test_an_unsupported_product_is_named_and_not_evaluated():
    new = order(ref="MedicationRequest/n1", ingredient="", display="Novelmab 5 mg")
    value = decision(disposition("not-applicable"), orders=(), unsupported=(new,), missing=(FLOW,))
    (card,) = cards(value)
    assert card.summary == (
        "Novelmab 5 mg: recognised, not yet in the knowledge base: not evaluated"
    )
    assert card.indicator == "warning"


def test_an_order_we_do_not_know_is_reported_once():
    new = order(ingredient="novelmab")
    given = disposition("cannot-evaluate", reason="not-in-knowledge-base")
    unknown = OrderDecision(new, given, known=False)
    value = decision(given, state(0), orders=(unknown,), unsupported=(new,), missing=(FLOW,))
    (card,) = cards(value)
    assert card.summary.startswith("Novelmab: recognised")


@pytest.mark.parametrize(
    ("axes", "finding"),
    [
        ({"fever": AxisState("present")}, "fever"),
        ({"fever": AxisState("absent")}, "abnormal findings"),
    ],
)
def test_fever_before_a_first_dose_has_another_cause(axes, finding):
    crs = state(None, reason="not-exposed", axes=axes)
    never = {"agent": None}
    (card,) = cards(decision(disposition("not-stated", toxicity=""), crs, about=never))
    assert card.summary == (
        f"Teclistamab: {finding} before a first dose: look for another cause, evaluate infection"
    )
    assert card.indicator == "warning"
    assert "not assessed: no bispecific given in the look-back period" in card.detail


def test_fever_long_after_the_last_dose_is_not_called_before_the_first():
    crs = state(None, reason="not-exposed", axes={"fever": AxisState("present")})
    (card,) = cards(decision(disposition("not-stated", toxicity=""), crs))
    assert "fever outside the look-back after the last dose" in card.summary
    assert "toxicity not excluded" in card.summary


def test_an_expired_protocol_without_any_finding_is_no_finding():
    crs = state(None, reason="not-exposed")
    found = cards(decision(disposition("not-stated", reason="protocol-expired"), crs))
    assert all("findings" not in card.summary for card in found)


def test_a_quiet_patient_before_a_first_dose_needs_no_card():
    assert cards(decision(QUIET, state(None, reason="not-exposed"))) == ()


@pytest.mark.parametrize(
    ("toxicities", "text"),
    [
        (("crs",), "active fever or hypotension attributed to another cause"),
        (("icans",), "active neurological findings attributed to another cause"),
        (
            ("crs", "icans"),
            "active fever, hypotension or neurological findings attributed to another cause",
        ),
    ],
)
def test_another_cause_is_shown_never_silent(toxicities, text):
    (card,) = cards(decision(disposition("not-stated"), state(2), other_cause=toxicities))
    assert (card.indicator, card.summary) == ("warning", f"Teclistamab: {text}")


def test_a_step_up_interval_is_its_own_warning_without_a_hold():
    early = OrderDecision(order(), QUIET, known=True, step_up="1 day after dose 1, 2 to 7 expected")
    (card,) = cards(decision(QUIET, state(0), state(0), orders=(early,)))
    assert card.summary == ("Teclistamab: step-up interval: 1 day after dose 1, 2 to 7 expected")
    assert (card.indicator, topic_code(card)) == ("warning", "STEPUPTECLISTAMAB")


def test_an_expired_protocol_gives_grades_and_no_advice():
    about = {"notices": (Notice("protocol-expired", "last day 11 Dec 2027"), Notice("x", "y"))}
    (card,) = cards(decision(QUIET, about=about))
    assert card.summary == "Teclistamab: protocol expired: no management advice"
    assert "- last day 11 Dec 2027" in card.detail
    (card,) = cards(decision(disposition("not-stated"), state(3), about=about))
    assert card.summary == ("Teclistamab: CRS grade 3: protocol expired: no management advice")
    assert card.indicator == "critical"


def test_opening_a_quiet_chart_is_silent():
    assert cards(decision(QUIET, orders=(), missing=(FLOW,)), {}) == ()


def test_opening_a_chart_with_an_event_that_cannot_be_evaluated_is_not():
    given = disposition("cannot-evaluate")
    crs = state(0, 4, event=event())
    value = decision(given, crs, orders=(), missing=(FLOW,), event_open=True)
    (card,) = cards(value, {})
    assert card.summary == "Teclistamab: cannot evaluate: oxygen flow missing"


def test_orders_outside_our_sets_get_no_card():
    open_event = decision(disposition("withhold"), state(2), orders=(), event_open=True)
    assert cards(open_event, {"MedicationRequest/other": b"{}"}) == ()


def test_a_draft_that_was_not_selected_gets_no_card():
    unselected = OrderDecision(order(selected=False), disposition("withhold"), known=True)
    value = decision(disposition("withhold"), state(2), orders=(unselected,))
    assert cards(value) == ()


def test_the_tocilizumab_card_carries_the_missing_inputs():
    check = tocilizumab("ok")
    value = decision(QUIET, tocilizumab_orders=(check,), orders=(), missing=(FLOW,))
    assert "oxygen flow" in "".join(card.detail for card in cards(value))
    assert NOW.tzinfo is not None
