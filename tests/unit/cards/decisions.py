"""Decisions built by hand for the card tests: no engine takes part."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from cards.build import build
from cards.model import Card
from knowledge.assessment import (
    Action,
    Agent,
    Assessment,
    AxisState,
    Disposition,
    Engine,
    Event,
    Grade,
    KnowledgeRef,
    ProtocolRef,
    Tocilizumab,
    ToxicityState,
)
from knowledge.decision import (
    AppliedRow,
    Citation,
    Decision,
    OrderDecision,
    TocilizumabDecision,
)
from knowledge.facts import Evidence, Missing, Order


NOW = datetime(2026, 11, 21, 2, 10, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")
HOOK = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
REF = "MedicationRequest/d1"
ENCODER = msgspec.json.Encoder(decimal_format="number")
LABEL = Citation(
    "teclistamab-label@1#crs-2",
    "Label tables",
    "",
    date(2025, 8, 18),
    "table 1, grade 2",
    "",
    "none",
)
TEMPERATURE = Evidence("Observation/1", "8310-5", "38.4", "Cel", NOW)
FLOW = Missing("oxygen-flow", "nasal cannula without a flow")
DRAFT = {
    "resourceType": "MedicationRequest",
    "id": "d1",
    "status": "draft",
    "intent": "order",
    "medicationCodeableConcept": {"text": "teclistamab"},
    "subject": {"reference": "Patient/p1"},
    "dosageInstruction": [
        {"doseAndRate": [{"doseQuantity": {"value": Decimal("1.50"), "unit": "mg"}}]}
    ],
}


Level = Literal["ok", "warning", "blocked", "cannot-evaluate"]


def draft(**changes: Any) -> dict[str, bytes]:
    """The draft resource by its reference, with members changed."""
    return {REF: ENCODER.encode({**DRAFT, **changes})}


def order(**changes: Any) -> Order:
    """A drafted teclistamab order."""
    given = {"ref": REF, "kind": "btce", "ingredient": "teclistamab", "display": "Teclistamab SC"}
    return msgspec.convert({**given, **changes}, Order)


def state(
    low: int | None = None,
    high: int | None = None,
    missing: tuple[Missing, ...] = (),
    **more: Any,
) -> ToxicityState:
    """A scale that is graded low to high, or not assessed."""
    if low is None:
        return ToxicityState("scale", assessed=False, missing=missing, **more)
    known = Grade(low, low if high is None else high)
    axes = {"fever": AxisState("present", (TEMPERATURE,))} if low else {}
    values = {"grade": known, "axes": axes, "missing": missing, **more}
    return ToxicityState("scale", assessed=True, **values)


def disposition(action: Action, *, confirmed: bool = False, **more: str) -> Disposition:
    """A disposition of the teclistamab rule for CRS unless told otherwise."""
    toxicity = more.pop("toxicity", "crs")
    rules = (LABEL.rule,)
    return Disposition(action=action, confirmed=confirmed, toxicity=toxicity, rules=rules, **more)


def row(action: str = "withhold", *, reached: bool = True, **more: Any) -> AppliedRow:
    """A CRS row of the label."""
    given = {
        "rule": LABEL.rule,
        "toxicity": "crs",
        "grade": 2,
        "condition": "grade 2",
        "statements": ("Give supportive care.",),
        "note": "",
        "citation": LABEL,
        **more,
    }
    return AppliedRow(action=action, reached=reached, **given)


def event(low: int = 3, high: int | None = None, **more: Any) -> Event:
    """A CRS event that started the evening before."""
    onset = datetime(2026, 11, 20, 22, tzinfo=UTC)
    known = Grade(low, low if high is None else high)
    return Event("request", onset, known, recurrent=bool(more.pop("recurrent", False)), **more)


def assessment(
    action: Disposition,
    crs: ToxicityState | None = None,
    icans: ToxicityState | None = None,
    **more: Any,
) -> Assessment:
    """An assessment of one patient under the label."""
    values = {"agent": Agent("teclistamab", NOW), **more}
    return Assessment(
        schema="btce-cds/assessment/1",
        evaluated_at=NOW,
        patient="Patient/p1",
        site="demo",
        mode="live",
        protocol=ProtocolRef("us-label", 1),
        engine=Engine("0.1.0"),
        knowledge=KnowledgeRef("2026.11.21", "ab" * 32, clinically_reviewed=False),
        crs=crs or state(0),
        icans=icans or state(),
        disposition=action,
        **values,
    )


def decision(
    action: Disposition,
    crs: ToxicityState | None = None,
    icans: ToxicityState | None = None,
    *,
    about: dict[str, Any] | None = None,
    **more: Any,
) -> Decision:
    """A decision with one drafted teclistamab order; `about` goes to the assessment."""
    values = {"orders": (OrderDecision(order(), action, known=True),), **more}
    return Decision(assessment(action, crs, icans, **(about or {})), **values)


def tocilizumab(level: Level, *, ordered: int | None = 560, **more: Any) -> TocilizumabDecision:
    """A drafted tocilizumab order with its check."""
    values = {"status": "allowed", "indication": "administer", "dose_mg": Decimal(560), **more}
    drafted = order(ref="MedicationRequest/t1", kind="tocilizumab", ingredient="tocilizumab")
    dose = None if ordered is None else Decimal(ordered)
    return TocilizumabDecision(drafted, Tocilizumab(**values), level, dose)


def cards(value: Decision, drafts: dict[str, bytes] | None = None, **more: Any) -> tuple[Card, ...]:
    """The cards of a decision, in London."""
    found = draft() if drafts is None else drafts
    return build(value, drafts=found, hook_instance=HOOK, zone=LONDON, **more)


def topic_code(card: Card) -> str:
    """The code a user's override of this card is tied to."""
    assert card.source.topic is not None
    return card.source.topic.code
