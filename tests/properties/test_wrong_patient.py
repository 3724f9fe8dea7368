"""One patient: no foreign resource has a part in the answer, however it is spelled and placed."""

import json
from typing import Any

import msgspec
import pytest

from cds.errors import AnotherPatient
from cds.pipeline import Evaluation
from tests.properties.figures import Figures
from tests.properties.mutants import ALIEN, Mutant, baseline, mutants
from tests.properties.service import ask, assessed, conclusions, how_many


MUTANTS = mutants()
_PART = 200
PARTS = range(0, how_many(2000, len(MUTANTS)), _PART)


def test_there_are_more_than_five_thousand_mutants_and_each_is_another() -> None:
    assert len(MUTANTS) > 5000
    assert len({one.name for one in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("start", PARTS)
def test_no_advice_is_drawn_from_another_patient(start: int, figures: Figures) -> None:
    prefetch, drafts = baseline()
    plain = ask(prefetch, drafts)
    assert assessed(plain)["crs"]["grade"] == {"atLeast": 2, "atMost": 2}
    for mutant in MUTANTS[start : start + _PART]:
        if mutant.expected == "refused":
            with pytest.raises(AnotherPatient):
                _evaluate(mutant)
        else:
            found = _evaluate(mutant)
            said = json.loads(found.response)
            used = {"cards": _without_unread(said["cards"], found), **conclusions(found)}
            before = {"cards": json.loads(plain.response)["cards"], **conclusions(plain)}
            assert _same(used) == _same(before), mutant.name
            assert ALIEN not in _said(found), mutant.name
            if "contained" not in mutant.name:
                assert len(found.facts.unreadable) == 1, mutant.name
    figures.add("wrong-patient mutants", len(MUTANTS[start : start + _PART]))


def _without_unread(cards: list[Any], found: Evaluation) -> list[Any]:
    """The cards but the one that says that an order was not read, which is no advice: it is there
    exactly where a draft was not."""
    told = [card for card in cards if card["source"]["topic"]["code"] == "UNREADORDER"]
    assert bool(told) == bool(found.facts.unread_orders)
    return [card for card in cards if card not in told]


def _evaluate(mutant: Mutant) -> Evaluation:
    return ask(mutant.prefetch, mutant.drafts)


def _said(found: Evaluation) -> str:
    """Facts with their evidence, assessment and the words of the cards.

    A suggestion gives the draft back as it came, with whatever was contained in it.
    """
    cards = [msgspec.structs.replace(card, suggestions=()) for card in found.cards]
    parts = (found.facts, found.decision.assessment, cards)
    return msgspec.json.encode(parts).decode()


def _same(answer: dict[str, Any]) -> dict[str, Any]:
    """Cards with the same words; their ids are made from the request."""
    cards = [{"summary": c["summary"], "indicator": c["indicator"]} for c in answer["cards"]]
    return {**answer, "cards": cards}
