"""Rows to store, each with one thing of its own and the rest ordinary."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from cds.store import CardRow, DecisionRow, FeedbackRow, InputRef


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KNOWLEDGE = "ab" * 32
PROGRAM = "tecvayli-talvey-rems"
# Numbers that a float would change, and text that an encoder might.
ASSESSMENT = '{"doseMg":8.00,"big":12345678901234567890.10,"name":"Zoë"}'


def uuid(name: str) -> str:
    """The same UUID for the same name."""
    return str(uuid5(UUID(int=0), name))


def card(name: str = "card", topic: str = "HOLDCRS2", **changes: Any) -> CardRow:
    """One warning card."""
    fields = {"uuid": uuid(name), "topic": topic, "indicator": "warning"}
    return CardRow(**(fields | changes))


def decision(name: str = "decision", **changes: Any) -> DecisionRow:
    """One live answer for patient p1 of site north, with one card unless told."""
    fields: dict[str, Any] = {
        "id": uuid(name),
        "site": "north",
        "patient": "p1",
        "hook": "order-sign",
        "hook_instance": uuid(f"call of {name}"),
        "service": "btce-order-sign",
        "evaluated_at": NOW,
        "mode": "live",
        "protocol": "us-label@3",
        "knowledge_version": "2026.11",
        "knowledge_sha256": KNOWLEDGE,
        "engine_version": "0.1.0",
        "source_commit": "abc1234",
        "assessment": ASSESSMENT,
        "cannot_evaluate": False,
        "rules": ("teclistamab-label@1#crs-2",),
        "inputs": (
            InputRef(ref="Observation/t1", version="3", last_updated="2026-11-21T11:00:00Z"),
        ),
        "cards": (card(suggestions=(uuid("hold"),)),),
    }
    return DecisionRow(**(fields | changes))


def answer(name: str = "card", outcome: str = "overridden", **changes: Any) -> FeedbackRow:
    """A user of site north answered the card of this name."""
    fields: dict[str, Any] = {
        "site": "north",
        "service": "btce-order-sign",
        "card": uuid(name),
        "outcome": outcome,
        "at": NOW,
    }
    return FeedbackRow(**(fields | changes))
