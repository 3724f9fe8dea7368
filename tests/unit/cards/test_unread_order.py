"""A draft nobody could read gets a card: silence would mean that it was evaluated."""

import pytest

from knowledge.decision import OrderDecision
from knowledge.facts import Unreadable
from tests.unit.cards.decisions import cards, decision, disposition, order, row, state


BAD = Unreadable("context.draftOrders.entry[0]", "not a FHIR resource")
NOTHING = decision(disposition("not-applicable"), state(0))


@pytest.mark.parametrize(
    ("unread", "said"),
    [
        pytest.param((BAD,), "One order could not be read: not evaluated", id="one"),
        pytest.param((BAD, BAD), "2 orders could not be read: not evaluated", id="two"),
    ],
)
def test_an_order_that_could_not_be_read_is_a_warning(
    unread: tuple[Unreadable, ...], said: str
) -> None:
    (card,) = cards(decision(disposition("not-applicable"), state(0), unread_orders=unread))
    assert (card.indicator, card.summary) == ("warning", said)
    assert "context.draftOrders.entry[0]: not a FHIR resource" in card.detail


def test_without_one_nothing_is_said() -> None:
    assert cards(NOTHING) == ()


def test_it_comes_beside_the_card_of_another_order() -> None:
    held = OrderDecision(order(), disposition("withhold"), known=True)
    one = decision(
        disposition("withhold"), state(2), rows=(row(),), orders=(held,), unread_orders=(BAD,)
    )
    assert [card.summary.split(":")[0] for card in cards(one)] == [
        "Hold teclistamab",
        "One order could not be read",
    ]
