"""The values the store keeps, as frozen structs; every time is timezone-aware and kept as UTC.

Values only. JSON members are camelCase, as on the wire and in the spool.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct


Mode = Literal["live", "silent"]
Outcome = Literal["accepted", "overridden"]


class Row(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Base of what is kept: immutable, and read back strictly."""


class InputRef(Row, frozen=True):
    """One resource that took part: "Type/id", and the version of it if the server named one.

    `last_updated` is the text the server sent.
    """

    ref: str
    version: str = ""
    last_updated: str = ""


class CardRow(Row, frozen=True):
    """One card: uuid, topic code, indicator, suggestion uuids, and the REMS programme it is of."""

    uuid: str
    topic: str
    indicator: str
    suggestions: tuple[str, ...] = ()
    program: str | None = None


class DecisionRow(Row, frozen=True):
    """One evaluation: what was asked and answered, on which inputs, by which rules and software.

    `patient` is the bare FHIR id; `protocol` and `rules` are id@version; `assessment` is JSON text
    exactly as it was sent, so that no number is ever rounded. In mode silent nobody saw the cards.
    """

    id: str
    site: str
    patient: str
    hook: str
    hook_instance: str
    service: str
    evaluated_at: datetime
    mode: Mode
    protocol: str
    knowledge_version: str
    knowledge_sha256: str
    engine_version: str
    source_commit: str
    assessment: str
    cannot_evaluate: bool
    rules: tuple[str, ...] = ()
    inputs: tuple[InputRef, ...] = ()
    cards: tuple[CardRow, ...] = ()


class Reason(Row, frozen=True):
    """One override reason as it was sent: a Coding."""

    code: str
    system: str = ""
    display: str = ""


class FeedbackRow(Row, frozen=True):
    """What a user of `site` did with a card at `at`. `comment` may hold health information."""

    site: str
    service: str
    card: str
    outcome: Outcome
    at: datetime
    suggestions: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    comment: str = ""
