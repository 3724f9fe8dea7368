"""Cards on drafted anakinra, corticosteroids and antipyretics; guidance of the protocol."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cards.model import Card
from knowledge.assessment import Anakinra
from knowledge.decision import SupportiveDecision, TocilizumabLine
from tests.unit.cards.decisions import (
    LABEL,
    NOW,
    cards,
    decision,
    disposition,
    event,
    order,
    row,
    state,
    topic_code,
)


QUIET = disposition("no-toxicity")
MET = Anakinra(
    "allowed",
    start_mg=Decimal(100),
    step_mg=Decimal(100),
    max_mg_per_day=Decimal(700),
    max_continuous_mg_per_day=Decimal(400),
    route="SC unless unsuitable: platelets 180 x10*9/L 3 h ago",
    renal="creatinine clearance 48 mL/min: caution",
)
SILENT = Anakinra("not-addressed", reasons=("protocol-silent",))
LINES = (
    TocilizumabLine("at most 10 mg/kg/day", LABEL),
    TocilizumabLine("Not checked: allergy, infection", LABEL),
)


def checked(kind: str, ingredient: str, problem: str, result: Anakinra | None = None) -> list[Card]:
    """The cards on one supportive draft, without any toxicity."""
    drug = order(kind=kind, ingredient=ingredient, display=ingredient)
    value = decision(
        QUIET,
        state(0),
        orders=(),
        supportive_orders=(drug,),
        supportive_checks=(SupportiveDecision(drug, problem),),
        anakinra_lines=() if result is None else LINES,
        about={"anakinra": result},
    )
    return list(cards(value, drafts={"MedicationRequest/d1": b"{}"}))


def test_anakinra_whose_conditions_are_met_is_an_info_card_with_both_ceilings() -> None:
    (card,) = checked("anakinra", "anakinra", "", MET)
    assert card.indicator == "info"
    assert card.summary == "Anakinra order: its conditions are met"
    for words in ("Start: 100 mg", "At most 700 mg a day", "SC unless", "48 mL/min", "10 mg/kg"):
        assert words in card.detail
    assert card.detail.rstrip().endswith("Not checked: allergy, infection.")
    assert topic_code(card) == "CHECKANAKINRA"


def test_anakinra_against_a_limit_is_a_warning_that_names_the_first_reason() -> None:
    (card,) = checked("anakinra", "anakinra", "800 mg is above 10 mg/kg/day; no weight", MET)
    assert card.indicator == "warning"
    assert card.summary == "Check this anakinra order: 800 mg is above 10 mg/kg/day and more"
    assert "- no weight" in card.detail


def test_a_protocol_without_a_dose_says_so() -> None:
    (card,) = checked("anakinra", "anakinra", "", SILENT)
    assert card.summary == "Anakinra order: the active protocol states no dose"
    assert "Start:" not in card.detail


def test_a_reason_too_long_for_a_summary_is_in_the_detail() -> None:
    long = "x" * 150
    (card,) = checked("antipyretic", "acetaminophen", long)
    assert card.summary == "Check this acetaminophen order: something speaks against it"
    assert long in card.detail


@pytest.mark.parametrize("kind", ["corticosteroid", "antipyretic"])
def test_a_draft_nothing_speaks_against_gets_no_card(kind: str) -> None:
    assert checked(kind, "dexamethasone", "") == []


def test_guidance_stands_with_its_place_and_its_document_once() -> None:
    lines = tuple(TocilizumabLine(text, LABEL) for text in ("NEWS every hour.", "Chest X-ray."))
    held: Any = disposition("withhold", until="crs-resolved")
    (card,) = cards(decision(held, state(1), guidance=lines))
    assert "- NEWS every hour. [table 1, grade 2]" in card.detail
    assert card.detail.count("Source: Label tables") == 1


@pytest.mark.parametrize(("days", "said"), [(366, True), (365, False)])
def test_a_rule_past_its_review_interval_shows_its_age(days: int, said: bool) -> None:
    checked_on = NOW.date() - timedelta(days=days)
    old = msgspec.structs.replace(LABEL, checked_on=checked_on, stale_after=365)
    value = decision(disposition("withhold"), state(1), rows=(row(citation=old),))
    (card,) = cards(value)
    assert (f"last checked {days} days ago" in card.source.label) is said


def test_a_hold_for_the_time_a_source_asks_for_says_how_long() -> None:
    held = disposition("withhold", until="crs-resolved-72-h")
    (card,) = cards(decision(held, state(0, event=event(3)), rows=(row(),)))
    assert "until the 72 h the source asks for after CRS are over" in card.detail


def test_anakinra_without_a_result_still_gets_its_card() -> None:
    (card,) = checked("anakinra", "anakinra", "the ordered dose could not be read")
    assert card.indicator == "warning"
    assert "Anakinra\n" not in card.detail


def test_sentences_of_several_documents_are_numbered() -> None:
    other = msgspec.structs.replace(LABEL, title="Guideline", rule="guideline@1")
    lines = (TocilizumabLine("NEWS every hour.", LABEL), TocilizumabLine("Chest X-ray.", other))
    (card,) = cards(decision(disposition("withhold"), state(1), guidance=lines))
    assert "- NEWS every hour. [1: table 1, grade 2]" in card.detail
    assert "- Chest X-ray. [2: table 1, grade 2]" in card.detail
    assert "- Source 2: Guideline" in card.detail
