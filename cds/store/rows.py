"""The values the store keeps, as frozen structs; every time is timezone-aware and kept as UTC.

Values only. JSON members are camelCase, as on the wire and in the spool.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct


Mode = Literal["live", "silent"]
Outcome = Literal["accepted", "overridden"]
SubscriptionKind = Literal["rest-hook", "topic"]  # R4 criteria, or a Backport 1.1 topic
Content = Literal["empty", "id-only", "full-resource"]
SubscriptionStatus = Literal["requested", "active", "error", "off"]


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
    exactly as it was sent, so that no number is ever rounded. `record`: what it was made from, so
    that it can be made again; empty: not kept. `crs_events`, `icans_events`: JSON of the events as
    later decisions are to find them; None: the request told nothing of that toxicity. In mode
    silent nobody saw the cards.
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
    record: bytes = b""
    crs_events: str | None = None
    icans_events: str | None = None


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


class WakeUp(Row, frozen=True):
    """A reason to read a patient of `site` again; `event` names it once within its `source`.

    `source`: a subscription's id, "poll" or "cohort". `patient` empty: not known, `ref` may tell
    ("Observation/12"); neither: every watched patient of the site.
    """

    site: str
    source: str
    event: str
    received_at: datetime
    patient: str = ""
    ref: str = ""


class Watched(Row, frozen=True):
    """A patient on a bispecific: its ingredient, the last dose, until when, last seen at."""

    site: str
    patient: str
    agent: str
    last_dose: datetime
    until: datetime
    seen_at: datetime


class SubscriptionRow(Row, frozen=True):
    """A FHIR Subscription of ours. `patient` empty: of the whole site. `last_event` -1: none yet.

    `gap_from`: the first event number that did not come, noticed at `gap_at`; `missing`: all of
    them, as "5-6,9". `heard_at`: when the server was last heard of it. `ends_at` None: no end.
    """

    id: str
    site: str
    criteria: str
    kind: SubscriptionKind
    content: Content
    status: SubscriptionStatus
    heard_at: datetime
    remote: str = ""
    patient: str = ""
    heartbeat_seconds: int | None = None
    ends_at: datetime | None = None
    last_event: int = -1
    gap_from: int | None = None
    gap_at: datetime | None = None
    missing: str = ""
