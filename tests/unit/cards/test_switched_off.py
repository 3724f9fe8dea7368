"""Advice a site has switched off: not shown, and said so; the grade stays."""

from cards.build import build
from cards.switched_off import SwitchedOff
from tests.unit.cards.decisions import (
    HOOK,
    LABEL,
    LONDON,
    decision,
    disposition,
    draft,
    event,
    row,
    state,
    tocilizumab,
)


HOLD = disposition("withhold")
HELD = decision(HOLD, state(2, event=event(2)), rows=(row(),))


def _cards(off: SwitchedOff, one=HELD):
    return build(one, drafts=draft(), hook_instance=HOOK, zone=LONDON, off=off)


def test_a_switched_off_topic_is_replaced_by_a_card_that_says_so():
    (before,) = _cards(SwitchedOff())
    (card,) = _cards(SwitchedOff(topics=frozenset({before.source.topic.code})))
    assert "CRS grade 2" in card.summary
    assert "switched off at this site" in card.summary
    assert card.source.topic.code == "SWITCHEDOFF"
    assert not card.suggestions
    assert f"topic {before.source.topic.code}" in card.detail
    assert "Give supportive care." not in card.detail


def test_a_switched_off_rule_is_replaced_too_and_named():
    (card,) = _cards(SwitchedOff(rules=frozenset({LABEL.rule})))
    assert f"rule {LABEL.rule}" in card.detail
    assert card.indicator == "warning"
    assert "Hold" not in card.summary


def test_another_topic_or_rule_changes_nothing():
    off = SwitchedOff(frozenset({"CRSG1"}), frozenset({"teclistamab-label@1#crs-20"}))
    assert _cards(off) == _cards(SwitchedOff())


def test_other_cards_stay_beside_it():
    both = decision(
        HOLD,
        state(2),
        rows=(row(),),
        tocilizumab_orders=(tocilizumab("blocked", status="blocked"),),
    )
    off = SwitchedOff(topics=frozenset({"CRSG2"}))
    topics = {one.source.topic.code for one in _cards(off, both)}
    assert "SWITCHEDOFF" in topics
    assert len(topics) == 2


def test_without_toxicity_it_is_information():
    one = decision(HOLD, state(0), rows=(row(),))
    (card,) = _cards(SwitchedOff(rules=frozenset({LABEL.rule})), one)
    assert card.indicator == "info"
