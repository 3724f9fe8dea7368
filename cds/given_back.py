"""Draft orders in a record: a reference each, and no word of what the EHR wrote into them.

A card that holds a draft gives it back whole; a record keeps that it did. For making the cards
again a stand-in takes the draft's place.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from cards.model import Action, Card, Suggestion
from cards.terms import HOLDS
from knowledge.decision import Decision


_KEPT = ("resourceType", "id", "status")
_NOTHING = b"null"


def without_drafts(cards: Iterable[Card]) -> tuple[Card, ...]:
    """The cards, but for the drafts in them: type, id and the new status stay."""
    return tuple(
        msgspec.structs.replace(card, suggestions=tuple(map(_reduced, card.suggestions)))
        if card.suggestions
        else card
        for card in cards
    )


def by_hand(decision: Decision, cards: Iterable[Card]) -> tuple[str, ...]:
    """The drafts to be held that no card offers on hold: why is in the draft alone."""
    offered = {
        f"{action.resource.get('resourceType')}/{action.resource.get('id')}"
        for card in cards
        for suggestion in card.suggestions
        for action in suggestion.actions
        if action.type == "update"
    }
    held = [one.order.ref for one in decision.orders if one.disposition.action in HOLDS]
    return tuple(dict.fromkeys(ref for ref in held if ref not in offered))


def stand_ins(drafts: Sequence[str], not_held: Sequence[str], patient: str) -> Mapping[str, bytes]:
    """For each draft a least order with its id, or nothing where it could not be put on hold.

    `patient`: its reference.
    """
    return {ref: _NOTHING if ref in not_held else _stand_in(ref, patient) for ref in drafts}


def _stand_in(ref: str, patient: str) -> bytes:
    kind, _, identifier = ref.partition("/")
    order = {
        "resourceType": kind,
        "id": identifier,
        "status": "draft",
        "intent": "order",
        "subject": {"reference": patient},
    }
    if kind == "MedicationRequest":
        order["medicationCodeableConcept"] = {"text": "not kept"}
    return msgspec.json.encode(order)


def _reduced(suggestion: Suggestion) -> Suggestion:
    actions = tuple(_without_draft(action) for action in suggestion.actions)
    return msgspec.structs.replace(suggestion, actions=actions)


def _without_draft(action: Action) -> Action:
    if action.type != "update":
        return action
    kept = {name: action.resource[name] for name in _KEPT if name in action.resource}
    return msgspec.structs.replace(action, resource=kept)
