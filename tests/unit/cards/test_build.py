"""Choice and wire form of the cards: at most three, worst first, nothing empty, nothing hostile."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from cards import escape, suggestions, terms, units, wire, wording
from knowledge.assessment import Rems
from knowledge.decision import OrderDecision
from knowledge.facts import Evidence, Missing
from knowledge.treatment import NextDose
from tests.unit.cards.decisions import (
    ENCODER,
    FLOW,
    LONDON,
    cards,
    decision,
    disposition,
    draft,
    event,
    order,
    row,
    state,
    tocilizumab,
    topic_code,
)


HOSTILE = "**[x](https://evil.example)** <img src=x>\n# 1\u202eabc\u0000 " + "a" * 200
HOLD = disposition("withhold")
STAY = msgspec.convert({"hospitalize": {"strength": "required", "hours": 48}}, NextDose)


def held(number: int, ingredient: str) -> OrderDecision:
    ref = f"MedicationRequest/d{number}"
    return OrderDecision(order(ref=ref, ingredient=ingredient), HOLD, known=True)


def test_three_cards_at_most_and_no_hold_is_dropped():
    names = ("teclistamab", "talquetamab", "epcoritamab", "glofitamab")
    orders = tuple(held(number, name) for number, name in enumerate(names))
    drafts = {one.order.ref: draft()["MedicationRequest/d1"] for one in orders}
    found = cards(decision(HOLD, state(2), orders=orders), drafts)
    assert len(found) == 3
    assert len(found[2].suggestions) == 2
    assert "Also for this request: Hold glofitamab: CRS grade 2" in found[2].detail


def test_the_worst_card_is_first():
    blocked = tocilizumab("blocked", status="blocked")
    found = cards(decision(HOLD, state(2), tocilizumab_orders=(blocked,)))
    assert [card.indicator for card in found] == ["critical", "warning"]


VALUES = {
    "hold": decision(HOLD, state(2, 3, (FLOW,)), rows=(row(),)),
    "permanent": decision(
        disposition("discontinue-permanently", confirmed=True), state(4), rows=(row(),)
    ),
    "next dose": decision(
        disposition("resume-with-conditions"),
        state(0, event=event(resolved_at=datetime(2026, 11, 21, tzinfo=UTC))),
        about={"next_dose": STAY, "rems": Rems("TECVAYLI and TALVEY REMS", "2025-08-18")},
    ),
    "tocilizumab": decision(HOLD, orders=(), tocilizumab_orders=(tocilizumab("blocked"),)),
    "acute": decision(HOLD, state(2), orders=(), supportive_orders=(order(),)),
    "unsupported": decision(disposition("not-applicable"), orders=(), unsupported=(order(),)),
    "missing": decision(disposition("cannot-evaluate"), missing=(FLOW,)),
    "cause": decision(disposition("not-stated"), other_cause=("crs",)),
    "step-up": decision(
        disposition("no-toxicity"),
        orders=(OrderDecision(order(), disposition("no-toxicity"), True, "b" * 150),),
    ),
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_every_card_is_safe_on_the_wire(value):
    found = cards(value, smart_url="https://app.example/launch")
    body = msgspec.json.decode(ENCODER.encode({"cards": found}))
    assert list(wire.empties(body)) == []
    assert body["cards"]
    for card in body["cards"]:
        assert wording.fits(card["summary"])
        assert card["source"]["topic"]["code"].isalnum()
        assert card["source"]["label"].endswith("not clinically reviewed")
        assert card["links"][0]["type"] == "smart"
        assert msgspec.json.decode(card["links"][0]["appContext"]) == {
            "patient": value.assessment.patient
        }
        assert ("selectionBehavior" in card) == ("suggestions" in card)
        for suggestion in card.get("suggestions", []):
            assert suggestion["uuid"]
            assert len(suggestion["actions"]) == 1
            assert "isRecommended" not in suggestion
        for reason in card.get("overrideReasons", []):
            assert set(reason) == {"code", "system", "display"}


def rename(value, text):
    """The same decision about a drug whose order carries `text` as its only name."""
    named = {"ingredient": "", "display": text}
    return msgspec.structs.replace(
        value,
        orders=tuple(
            msgspec.structs.replace(one, order=msgspec.structs.replace(one.order, **named))
            for one in value.orders
        ),
        tocilizumab_orders=tuple(
            msgspec.structs.replace(one, order=msgspec.structs.replace(one.order, **named))
            for one in value.tocilizumab_orders
        ),
        unsupported=tuple(msgspec.structs.replace(one, **named) for one in value.unsupported),
        supportive_orders=tuple(
            msgspec.structs.replace(one, **named) for one in value.supportive_orders
        ),
    )


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
@pytest.mark.parametrize("text", [HOSTILE, "\n", "x" * 100], ids=["hostile", "blank", "long"])
def test_a_hostile_name_leaves_a_short_clean_summary_and_harmless_detail(value, text):
    for card in cards(rename(value, text)):
        assert wording.fits(card.summary)
        assert not set(card.summary) & set("*[]<>\n\u202e\u0000")
        assert "https://evil" not in card.detail
        assert "<img" not in card.detail.replace("\\<", "")
        assert "\u202e" not in card.detail


def test_ids_are_the_same_for_the_same_call_and_differ_between_orders():
    value = decision(HOLD, state(2), orders=(held(1, "teclistamab"), held(2, "talquetamab")))
    first, second = cards(value)
    assert cards(value) == (first, second)
    assert first.uuid != second.uuid


def test_a_grade_1_override_cannot_hide_grade_3():
    codes = {
        topic_code(cards(decision(HOLD, state(low, high)))[0])
        for low, high in [(1, 1), (3, 3), (1, 3)]
    }
    assert codes == {"CRSG1", "CRSG3", "CRSG1TO3"}


def test_a_summary_that_cannot_fit_is_an_error_not_a_cut():
    with pytest.raises(ValueError, match="short enough"):
        wording.shortest("x" * 140)
    assert wording.shortest("x" * 140, "y" * 139) == "y" * 139
    assert not wording.fits("😀" * 70)


@pytest.mark.parametrize(
    ("evidence", "shown"),
    [
        (Evidence("x", value="38.0", unit="Cel"), "38.0 °C (100.4 °F)"),
        (Evidence("x", value="100.4", unit="[degF]"), "100.4 °F (38.0 °C)"),
        (Evidence("x", value="88", unit="mm[Hg]"), "88 mmHg"),
        (Evidence("x", value="7", unit="{score}"), "7"),
        (Evidence("x", value="warm", unit="Cel"), "warm °C"),
        (Evidence("x", value="NaN", unit="Cel"), "NaN °C"),
        (Evidence("x", value="1E+999999", unit="Cel"), "1E+999999 °C"),
    ],
)
def test_values_are_shown_as_charted_with_the_other_temperature_unit(evidence, shown):
    assert units.quantity(evidence) == shown


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        (LONDON, "25 Oct 2026 01:30 GMT"),
        (ZoneInfo("America/Chicago"), "24 Oct 2026 20:30 CDT"),
        (ZoneInfo("America/Sao_Paulo"), "24 Oct 2026 22:30 UTC-0300"),
    ],
)
def test_a_time_says_its_zone(zone, shown):
    assert units.time(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), zone) == shown


def test_numbers_have_no_trailing_zeros_or_exponent():
    assert units.number(Decimal("560.0")) == "560"
    assert units.number(Decimal("5E+2")) == "500"
    assert units.day(date(2026, 1, 2)) == "2 Jan 2026"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a*b_c", "a\\*b\\_c"),
        ("see www.evil.example", "see www\\.evil.example"),
        ("https://evil.example", "https\\://evil.example"),
        ("me@evil.example", "me\\@evil.example"),
        ("&lt;b&gt;", "\\&lt;b\\&gt;"),
        ("a\r\n\u2028b", "a b"),
    ],
)
def test_text_from_the_record_is_shown_as_it_is(text, shown):
    assert escape.markdown(text) == shown


def test_empty_members_are_found_and_removed():
    body: dict[str, Any] = {
        "cards": [],
        "a": None,
        "b": [{"c": ""}, {}],
        "_given": [None, {"d": []}],
    }
    assert list(wire.empties(body)) == ["$.a", "$.b[0].c", "$.b[1]", "$._given[0].d"]
    twins = {"given": [None, "B"], "_given": [{"id": "x"}, None], "b": [{"c": ""}], "a": {}}
    cleaned = wire.without_empties(twins)
    assert cleaned == {"given": [None, "B"], "_given": [{"id": "x"}, None]}
    assert list(wire.empties({"given": [None, "B"], "_given": [{"id": "x"}, None]})) == []


def test_the_models_can_be_loaded_at_start():
    suggestions.warm()


def test_words_for_terms_nobody_listed():
    assert terms.missing((Missing("mean-pressure", "x"),)) == "mean pressure missing"
    assert terms.until("day-8") == "day 8"
    assert terms.agent(decision(HOLD, about={"agent": None}).assessment) == "the bispecific"
