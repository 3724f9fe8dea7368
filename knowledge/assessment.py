"""The assessment: what was concluded, in the exact shape it has on the wire beside the cards.

Values only. Absent members are omitted when encoded; field names become camelCase.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import field

from knowledge.facts import Evidence, Missing, Notice, Unreadable
from knowledge.treatment import Medication, NextDose
from knowledge.wire import Wire


Action = Literal[
    "withhold",
    "interrupt",
    "discontinue-current",
    "discontinue-permanently",
    "continue",
    "resume-with-conditions",
    "not-stated",
    "no-toxicity",
    "not-applicable",
    "cannot-evaluate",
]
TocilizumabStatus = Literal["blocked", "cannot-evaluate", "not-addressed", "allowed"]
Indication = Literal["administer", "consider", "not-addressed", "not-for-isolated-icans"]


class Grade(Wire, frozen=True):
    """A grade as the closed range of grades the facts allow, 0 to 4."""

    at_least: int
    at_most: int


class Hours(Wire, frozen=True):
    """Hours as a range; bounds come from gaps between observations."""

    at_least: Decimal
    at_most: Decimal


class ChartedAt(Wire, frozen=True):
    """The clinician's grade that was considered, its time and its resource."""

    grade: int
    at: datetime
    ref: str


class AxisState(Wire, frozen=True):
    """One axis: its level, or levels joined by "-or-", or "unknown", with the evidence."""

    level: str
    evidence: tuple[Evidence, ...] = ()


def _event_names(field: str) -> str:
    """`from` is a Python keyword: the field is `source` here and `from` on the wire."""
    return {
        "source": "from",
        "max_grade": "maxGrade",
        "hours_at_grade3": "hoursAtGrade3",
        "resolved_at": "resolvedAt",
        "resolved_confirmed": "resolvedConfirmed",
    }.get(field, field)


class Event(Wire, frozen=True, rename=_event_names):
    """One toxicity event: where its history is from, its course and whether it is over."""

    source: Literal["store", "request"]
    onset: datetime
    max_grade: Grade
    recurrent: bool
    hours_at_grade3: Hours | None = None
    resolved_at: datetime | None = None
    resolved_confirmed: bool = False
    agent: str = ""


class ToxicityState(Wire, frozen=True):
    """One scale: assessed or not, the interval, the charted grade, the event and the axes."""

    scale: str
    assessed: bool
    reason: str = ""
    grade: Grade | None = None
    acting: Grade | None = None
    charted: ChartedAt | None = None
    event: Event | None = None
    axes: dict[str, AxisState] = field(default_factory=dict)
    missing: tuple[Missing, ...] = ()


class Tocilizumab(Wire, frozen=True):
    """Whether tocilizumab may be given now, how much, and why not."""

    status: TocilizumabStatus
    indication: Indication
    dose_mg: Decimal | None = None
    uncapped_mg: Decimal | None = None
    doses_this_event: int | None = None
    doses_in_6_weeks: int | None = None
    earliest: datetime | None = None
    reasons: tuple[str, ...] = ()


class Anakinra(Wire, frozen=True):
    """Whether the active protocol's conditions for anakinra are met, and its limits.

    `renal`: what the creatinine clearance asks for, with its inputs, or why it is not known.
    """

    status: Literal["blocked", "cannot-evaluate", "not-addressed", "allowed"]
    start_mg: Decimal | None = None
    step_mg: Decimal | None = None
    max_mg_per_day: Decimal | None = None
    max_continuous_mg_per_day: Decimal | None = None
    route: str = ""
    renal: str = ""
    reasons: tuple[str, ...] = ()


class Rems(Wire, frozen=True):
    """The REMS programme of the drafted product, and when its status was last verified."""

    program: str
    verified_on: str


class Disposition(Wire, frozen=True, kw_only=True):
    """What to do with the bispecific, why, for how long, and by which rules."""

    action: Action
    confirmed: bool
    toxicity: str = ""
    until: str = ""
    reason: str = ""
    rules: tuple[str, ...] = ()


class OrderAssessment(Wire, frozen=True):
    """The disposition of one drafted bispecific order."""

    ref: str
    ingredient: str
    disposition: Disposition


class Agent(Wire, frozen=True):
    """The bispecific on board and when it was last given."""

    ingredient: str
    last_dose: datetime | None = None


class ProtocolRef(Wire, frozen=True):
    """Identity of the active protocol."""

    id: str
    version: int


class Engine(Wire, frozen=True):
    """Version of this software."""

    version: str


class KnowledgeRef(Wire, frozen=True):
    """Which knowledge was used; `clinically_reviewed` has no default on purpose."""

    version: str
    sha256: str
    clinically_reviewed: bool


class Assessment(Wire, frozen=True):
    """Everything concluded for one request; validated against the shipped JSON Schema."""

    schema: str
    evaluated_at: datetime
    patient: str
    site: str
    mode: Literal["live", "silent"]
    protocol: ProtocolRef
    engine: Engine
    knowledge: KnowledgeRef
    crs: ToxicityState
    icans: ToxicityState
    disposition: Disposition
    agent: Agent | None = None
    orders: tuple[OrderAssessment, ...] = ()
    next_dose: NextDose | None = None
    medications: tuple[Medication, ...] = ()
    tocilizumab: Tocilizumab | None = None
    anakinra: Anakinra | None = None
    rems: Rems | None = None
    notices: tuple[Notice, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
