"""Cards on a drafted bispecific: hold, permanent, continue, not stated."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from knowledge.assessment import AxisState, ChartedAt, Disposition, Hours
from knowledge.decision import OrderDecision
from knowledge.facts import Evidence, Missing
from tests.unit.cards.decisions import (
    ENCODER,
    FLOW,
    LABEL,
    NOW,
    REF,
    cards,
    decision,
    disposition,
    draft,
    event,
    order,
    row,
    state,
    topic_code,
)


ICE = Missing("ice", "not assessed")
HOLD = disposition("withhold", until="crs-resolved")
CHARTED = ChartedAt(3, NOW, "Observation/9")


@pytest.mark.parametrize(
    ("action", "crs", "icans", "summary"),
    [
        pytest.param(
            "withhold",
            state(2, 3, (FLOW,)),
            state(),
            "Hold teclistamab: CRS grade at least 2 (2-3 possible): oxygen flow missing",
            id="the lower bound leads, the missing flow follows",
        ),
        pytest.param(
            "withhold", state(2), state(), "Hold teclistamab: CRS grade 2", id="a settled grade"
        ),
        pytest.param(
            "withhold",
            state(2, missing=(ICE,)),
            state(),
            "Hold teclistamab: CRS grade 2",
            id="a missing input that changes nothing is not in the headline",
        ),
        pytest.param(
            "withhold",
            state(0, 3, (FLOW, ICE), event=event()),
            state(),
            "Hold teclistamab: CRS grade 0-3 possible: oxygen flow and 1 more missing",
            id="an open event that cannot be seen",
        ),
        pytest.param(
            "withhold",
            state(0, event=event()),
            state(),
            "Hold teclistamab: CRS event not yet resolved",
            id="no findings now, the event is not over",
        ),
        pytest.param(
            "withhold",
            state(2),
            state(1),
            "Hold teclistamab: CRS grade 2; ICANS grade 1",
            id="both toxicities are shown",
        ),
        pytest.param(
            "interrupt", state(1), state(), "Interrupt teclistamab: CRS grade 1", id="interrupt"
        ),
        pytest.param(
            "discontinue-current",
            state(2),
            state(),
            "Stop the current dose of teclistamab: CRS grade 2",
            id="stop this dose, not the therapy",
        ),
        pytest.param(
            "withhold",
            state(None, missing=(FLOW,)),
            state(),
            "Hold teclistamab: CRS not assessed: oxygen flow missing",
            id="not assessed is never grade 0",
        ),
    ],
)
def test_a_hold_names_drug_grade_and_the_input_that_settles_it(action, crs, icans, summary):
    given = disposition(action)
    (card,) = cards(decision(given, crs, icans, rows=(row(action),)))
    assert card.summary == summary
    assert card.indicator == "warning"
    assert "Restart after a delay is not stated in the source." in card.detail
    assert "permanent" not in (card.summary + card.detail).lower()


def test_a_hold_without_a_named_toxicity_or_findings_still_has_a_summary():
    given = disposition("withhold", toxicity="", reason="exposure unknown")
    (card,) = cards(decision(given, state(None), state(None)))
    assert card.summary == "Hold teclistamab: toxicity not excluded"
    assert "Reason: exposure unknown." in card.detail
    assert card.source.label == (
        "btce-cds, protocol us-label version 1, knowledge 2026.11.21; not clinically reviewed"
    )
    assert topic_code(card) == "HOLD"


@pytest.mark.parametrize(
    ("crs", "indicator"),
    [
        pytest.param(state(3), "critical", id="grade 3 by an observed axis"),
        pytest.param(
            state(3, axes={}, charted=CHARTED), "critical", id="grade 3 charted by a clinician"
        ),
        pytest.param(state(2, 4), "warning", id="grade 4 only possible"),
        pytest.param(state(3, axes={}), "warning", id="no axis observed"),
        pytest.param(
            state(3, axes={"hypoxia": AxisState("unknown", (Evidence("Observation/2"),))}),
            "warning",
            id="an unknown axis is not observed",
        ),
    ],
)
def test_critical_needs_a_lower_bound_of_3_that_somebody_observed(crs, indicator):
    (card,) = cards(decision(HOLD, crs, rows=(row(),)))
    assert card.indicator == indicator
    assert card.override_reasons


def test_on_hold_keeps_the_whole_draft():
    (card,) = cards(decision(HOLD, state(2)), draft(note=[]))
    (suggestion,) = card.suggestions
    (action,) = suggestion.actions
    assert (action.type, action.resource["status"]) == ("update", "on-hold")
    dose = action.resource["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]
    assert ENCODER.encode(dose) == b'{"value":1.50,"unit":"mg"}'
    assert "note" not in action.resource
    assert card.selection_behavior == "any"


def test_a_draft_id_of_194_characters_is_kept():
    long = "e" * 194
    (card,) = cards(decision(HOLD, state(2)), draft(id=long))
    assert card.suggestions[0].actions[0].resource["id"] == long


@pytest.mark.parametrize(
    "drafts",
    [
        pytest.param({"MedicationRequest/other": b"{}"}, id="the draft was not sent"),
        pytest.param(draft(vendorField=1), id="the model refuses the draft"),
        pytest.param(draft(id=7), id="an id that is no text"),
        pytest.param(draft(resourceType="Task"), id="another type of order"),
        pytest.param({REF: b"[]"}, id="not an object"),
        pytest.param({REF: b"{"}, id="not JSON"),
    ],
)
def test_an_order_that_cannot_be_rebuilt_has_to_be_held_by_hand(drafts):
    (card,) = cards(decision(HOLD, state(2)), drafts)
    assert card.suggestions == ()
    assert "the order has to be held by hand" in card.detail


PERMANENT: dict[str, Any] = {"grade": 3, "condition": "grade 3 for 48 h or more"}


def test_an_unconfirmed_permanent_row_asks_for_the_grade_and_only_holds():
    given = disposition("discontinue-permanently")
    rows = (row("discontinue-permanently", **PERMANENT),)
    (card,) = cards(decision(given, state(0), rows=rows))
    assert card.summary == (
        "Teclistamab: meets permanent discontinuation (CRS: grade 3 for 48 h or more): "
        "confirm the grade"
    )
    assert card.indicator == "warning"
    assert [s.actions[0].type for s in card.suggestions] == ["update"]
    assert topic_code(card) == "PERMANENTCRSG3"
    assert "Not confirmed" in card.detail


def test_an_unconfirmed_permanent_row_at_grade_3_now_is_as_urgent_as_a_hold():
    given = disposition("discontinue-permanently")
    rows = (row("discontinue-permanently", **PERMANENT),)
    (card,) = cards(decision(given, state(3), rows=rows))
    assert card.indicator == "critical"
    assert card.summary.endswith("confirm the grade")
    assert [s.actions[0].type for s in card.suggestions] == ["update"]


def test_a_confirmed_permanent_row_is_critical_and_offers_removal():
    given = disposition("discontinue-permanently", confirmed=True)
    rows = (row("discontinue-permanently", grade=4, condition=""),)
    (card,) = cards(decision(given, state(4), rows=rows))
    assert card.summary == "Teclistamab: discontinue permanently (CRS: grade 4)"
    assert card.indicator == "critical"
    (action,) = card.suggestions[0].actions
    assert (action.type, action.resource_id, action.resource) == ("delete", REF, {})


@pytest.mark.parametrize(
    ("given", "crs", "summary"),
    [
        (
            disposition("discontinue-permanently"),
            state(4),
            "Teclistamab: meets permanent discontinuation (CRS grade 4): confirm the grade",
        ),
        (
            disposition("discontinue-permanently", toxicity=""),
            state(0),
            "Teclistamab: meets permanent discontinuation (rule reached): confirm the grade",
        ),
    ],
    ids=["the grade stands in for a row", "neither row nor grade"],
)
def test_permanent_without_its_row(given, crs, summary):
    (card,) = cards(decision(given, crs, state(None)))
    assert card.summary == summary


def test_a_permanent_row_of_another_rule_is_second_choice():
    other = Disposition(action="discontinue-permanently", confirmed=False, toxicity="crs")
    rows = (row("discontinue-permanently", grade=4, condition="grade 4"),)
    (card,) = cards(decision(other, state(4), rows=rows))
    assert "(CRS: grade 4)" in card.summary


def test_a_permanent_row_reached_only_by_the_upper_bound_is_one_line():
    rows = (row(), row("discontinue-permanently", reached=False, condition="on a mask: grade 4"))
    (card,) = cards(decision(HOLD, state(2, 4, (FLOW,)), rows=rows))
    assert card.summary.startswith("Hold teclistamab")
    assert "- if on a mask: grade 4: cannot exclude permanent discontinuation: confirm" in (
        card.detail
    )


def test_every_statement_carries_its_source():
    cited = msgspec.structs.replace(
        LABEL, publisher="Maker", url="https://label.example/1", reviewed_by="pharmacist"
    )
    elsewhere = msgspec.structs.replace(LABEL, published=None, rule="nhs-waht@1#crs-2")
    rows = (
        row(citation=cited, note="Read with the whole table."),
        row("interrupt", citation=elsewhere, other_source=True, condition="recurrent"),
        row("", reached=False, condition="", citation=elsewhere),
    )
    (card,) = cards(decision(HOLD, state(2, 3), rows=rows))
    assert card.source.url == "https://label.example/1"
    assert card.source.label.endswith("reviewed by pharmacist")
    assert "Maker, 18 Aug 2025, table 1, grade 2; rule teclistamab-label@1#crs-2" in card.detail
    assert "Other source, for information: CRS grade 2 (recurrent)" in card.detail
    assert "publisher not stated in our copy, date not stated in our copy" in card.detail
    assert "if CRS grade 2: disposition not stated in the source" in card.detail
    assert card.detail.count("Source: ") == 2


def test_a_relative_address_is_no_source_url():
    rows = (row(citation=msgspec.structs.replace(LABEL, url="documents/1")),)
    (card,) = cards(decision(HOLD, state(2), rows=rows))
    assert card.source.url == ""


def test_an_unknown_product_is_held_while_the_event_is_open():
    held = OrderDecision(order(ingredient="novelmab"), HOLD, known=False, step_up="3 days early")
    (card,) = cards(decision(HOLD, state(2), orders=(held,)))
    assert card.summary == "Hold novelmab: CRS grade 2"
    assert "not yet in the knowledge base: not evaluated" in card.detail
    assert "3 days early" in card.detail


def test_opening_the_chart_shows_an_open_event_without_a_suggestion():
    value = decision(HOLD, state(2, event=event(2)), orders=(), event_open=True)
    (card,) = cards(value, {})
    assert card.summary == "Hold teclistamab: CRS grade 2"
    assert (card.indicator, card.suggestions, card.selection_behavior) == ("warning", (), "")
    assert "Drug: teclistamab" in card.detail


def test_opening_the_chart_of_a_patient_without_an_agent():
    value = decision(HOLD, state(2), orders=(), event_open=True, about={"agent": None})
    assert cards(value, {})[0].summary == "Hold the bispecific: CRS grade 2"


@pytest.mark.parametrize(
    ("action", "crs", "expected"),
    [
        ("continue", state(1), ("info", "Teclistamab: CRS grade 1: continue")),
        (
            "not-stated",
            state(2),
            ("warning", "Teclistamab: CRS grade 2: disposition not stated in the source"),
        ),
        (
            "not-stated",
            state(3),
            ("critical", "Teclistamab: CRS grade 3: disposition not stated in the source"),
        ),
        (
            "not-stated",
            state(None, event=event(resolved_at=NOW)),
            ("info", "Teclistamab: CRS not assessed: disposition not stated in the source"),
        ),
    ],
    ids=["the source says continue", "a blank cell", "a blank cell at grade 3", "an event is over"],
)
def test_a_disposition_that_is_no_hold(action, crs, expected):
    (card,) = cards(decision(disposition(action), crs))
    assert (card.indicator, card.summary) == expected
    assert card.suggestions == ()
    assert "Restart after a delay" not in card.detail


def test_a_blank_cell_without_a_toxicity_has_a_summary():
    given = disposition("not-stated", toxicity="")
    (card,) = cards(decision(given, state(0), rows=(row("not-stated", reached=False),)))
    assert card.summary == "Teclistamab: disposition not stated in the source"


def test_continue_without_toxicity_needs_no_card():
    assert cards(decision(disposition("continue"), state(0))) == ()


def test_the_course_shows_what_was_seen_and_when():
    crs = state(
        3,
        charted=CHARTED,
        event=event(
            2,
            3,
            recurrent=True,
            agent="teclistamab",
            hours_at_grade3=Hours(Decimal(1), Decimal(3)),
        ),
        axes={
            "fever": AxisState("present", (Evidence("Observation/1", "", "101.3", "[degF]", NOW),)),
            "hypoxia": AxisState(
                "low-flow-or-high-flow", (Evidence("Observation/2", note="by phone"),)
            ),
            "arousal": AxisState("spontaneous"),
        },
    )
    detail = cards(decision(HOLD, crs))[0].detail
    assert "- Charted grade 3, 21 Nov 2026 02:10 GMT" in detail
    assert "- Event since 20 Nov 2026 22:00 GMT, highest grade 2 to 3, recurrent" in detail
    assert "- At grade 3 for 1 to 3 h" in detail
    assert "- Fever: present; 101.3 °F (38.5 °C), 21 Nov 2026 02:10 GMT" in detail
    assert "- Oxygen: low flow or high flow; by phone" in detail
    assert "- Arousal: drowsy, wakes by itself" in detail
