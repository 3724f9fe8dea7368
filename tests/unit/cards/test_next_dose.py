"""Next-dose and REMS cards."""

from typing import Any

import msgspec
import pytest

from knowledge.assessment import Rems
from knowledge.decision import RemsDuty
from knowledge.treatment import NextDose
from tests.unit.cards.decisions import (
    LABEL,
    NOW,
    cards,
    decision,
    disposition,
    event,
    row,
    state,
    topic_code,
)


RESUME = disposition("resume-with-conditions")
STAY = msgspec.convert(
    {"hospitalize": {"strength": "required", "hours": 48}, "premedicate": {"strength": "required"}},
    NextDose,
)
OVER = state(0, event=event(3, resolved_at=NOW))
REMS: dict[str, Any] = {
    "about": {"rems": Rems("TECVAYLI and TALVEY REMS", "2025-08-18")},
    "rems_duties": (RemsDuty("prescriber", "Certify before the first order", LABEL),),
}


def test_conditions_on_the_next_dose_offer_an_admission_request():
    (card,) = cards(decision(RESUME, OVER, rows=(row(),), about={"next_dose": STAY}))
    assert card.summary == (
        "Teclistamab: next dose after CRS grade 3: hospitalise for 48 h, premedicate"
    )
    assert card.indicator == "warning"
    assert topic_code(card) == "NEXTDOSECRSG3"
    assert "- Appears resolved since 21 Nov 2026 02:10 GMT: confirm" in card.detail
    (action,) = card.suggestions[0].actions
    assert (action.type, action.resource["resourceType"]) == ("create", "ServiceRequest")
    assert "for 48 h" in action.description


def test_a_condition_that_is_only_considered_is_information_without_an_order():
    considered = msgspec.convert({"hospitalize": {"strength": "consider"}}, NextDose)
    settled = event(2, 3, resolved_at=NOW, resolved_confirmed=True)
    crs = state(0, event=settled)
    (card,) = cards(decision(RESUME, crs, about={"next_dose": considered}))
    assert card.summary == "Teclistamab: next dose after CRS grade 2: consider hospitalisation"
    assert (card.indicator, card.suggestions) == ("info", ())
    assert "Chart the event's maximum grade" in card.detail
    assert "- Resolved since 21 Nov 2026 02:10 GMT" in card.detail


def test_hospitalisation_without_hours_has_none():
    stay = msgspec.convert({"hospitalize": {"strength": "required"}}, NextDose)
    other = disposition("resume-with-conditions", toxicity="icans")
    (card,) = cards(decision(other, OVER, about={"next_dose": stay}))
    assert card.summary == "Teclistamab: next dose: hospitalise"
    assert (
        card.suggestions[0].label == "Request hospital admission for the next dose of teclistamab"
    )


def test_conditions_without_hospitalisation_offer_nothing():
    monitor = msgspec.convert({"monitor": {"strength": "required"}}, NextDose)
    (card,) = cards(decision(RESUME, OVER, about={"next_dose": monitor}))
    assert card.suggestions == ()


def test_opening_the_chart_shows_pending_conditions():
    (card,) = cards(decision(RESUME, OVER, orders=(), about={"next_dose": STAY}), {})
    assert card.summary.startswith("Teclistamab: next dose after CRS grade 3")


@pytest.mark.parametrize(
    "value",
    [
        decision(RESUME, OVER, about={"next_dose": STAY}, event_open=True),
        decision(RESUME, OVER),
        decision(disposition("no-toxicity"), state(0), about={"next_dose": STAY}),
        decision(disposition("no-toxicity"), orders=(), about={"next_dose": STAY}),
    ],
    ids=["something is active", "no conditions", "another disposition", "nothing drafted"],
)
def test_no_next_dose_card(value):
    assert cards(value, {}) == ()


def test_the_rems_card_names_programme_duties_and_its_age():
    (card,) = cards(decision(disposition("no-toxicity"), state(0), **REMS))
    assert card.summary == (
        "Teclistamab: TECVAYLI and TALVEY REMS, per source dated 18 Aug 2025: "
        "confirm current status at REMS@FDA"
    )
    assert card.indicator == "info"
    # Without one a client could not say that the duties were read, and would repeat them for ever.
    assert [one.code for one in card.override_reasons] == ["duties-read"]
    assert "- prescriber: Certify before the first order. Source: Label tables" in card.detail


def test_the_rems_card_without_duties_cites_this_software():
    value = decision(disposition("no-toxicity"), about=REMS["about"])
    assert cards(value)[0].source.label.startswith("btce-cds, protocol us-label")


def test_rems_is_not_beside_a_hold_and_needs_a_drafted_bispecific():
    (card,) = cards(decision(disposition("withhold"), state(2), **REMS))
    assert card.summary.startswith("Hold")
    assert cards(decision(disposition("no-toxicity"), orders=(), **REMS), {}) == ()
