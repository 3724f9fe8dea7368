"""The decision: the assessment plus the rule texts and checks that cards put into words.

Values only; serialisable to JSON. `Decision` is what `knowledge.decide` returns and all that the
cards need beside the draft resources.
"""

from datetime import date
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from knowledge.assessment import Assessment, Disposition, Tocilizumab
from knowledge.earlier import EarlierEvent
from knowledge.facts import Allergy, Missing, Order, Reading, ToxicityName, Unreadable


class Citation(Struct, frozen=True):
    """A source a reader can follow: document, publisher, date, place; and who reviewed the rule.

    `checked_on`: when the file was last checked; `stale_after`: days after which that is said.
    """

    rule: str
    title: str
    publisher: str
    published: date | None
    at: str
    url: str
    reviewed_by: str
    checked_on: date | None = None
    stale_after: int = 0


class AppliedRow(Struct, frozen=True):
    """One knowledge row that the facts reach: by their lower bound, or only by the upper one.

    `condition` says what would have to be true ("grade 3", "48 hours or more at grade 3").
    """

    rule: str
    toxicity: str
    grade: int
    reached: bool
    action: str
    condition: str
    statements: tuple[str, ...]
    note: str
    citation: Citation
    other_source: bool = False


class OrderDecision(Struct, frozen=True):
    """One drafted bispecific: its disposition and whether this service knows the product."""

    order: Order
    disposition: Disposition
    known: bool
    step_up: str = ""


class TocilizumabDecision(Struct, frozen=True):
    """The check of one tocilizumab draft; `problem` is empty when nothing speaks against it."""

    order: Order
    result: Tocilizumab
    level: Literal["ok", "warning", "blocked", "cannot-evaluate"]
    ordered_mg: Decimal | None


class SupportiveDecision(Struct, frozen=True):
    """The check of another supportive draft; `problem` is empty when nothing is against it."""

    order: Order
    problem: str = ""


class TocilizumabLine(Struct, frozen=True):
    """One sentence about a limit of tocilizumab or anakinra with the place it comes from."""

    text: str
    citation: Citation


class RemsDuty(Struct, frozen=True):
    """One REMS duty to show at the order, with its source."""

    role: str
    text: str
    citation: Citation


class Decision(Struct, frozen=True):
    """Everything concluded for one request, before it is put into words.

    `remember`: by toxicity, the events as later decisions are to find them; a toxicity of which
    the request told nothing is absent.
    """

    assessment: Assessment
    rows: tuple[AppliedRow, ...] = ()
    orders: tuple[OrderDecision, ...] = ()
    tocilizumab_orders: tuple[TocilizumabDecision, ...] = ()
    tocilizumab_lines: tuple[TocilizumabLine, ...] = ()
    tocilizumab_indicated: bool = False
    tocilizumab_ordered: bool = False
    not_checked: tuple[str, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    rems_duties: tuple[RemsDuty, ...] = ()
    missing: tuple[Missing, ...] = ()
    event_open: bool = False
    other_cause: tuple[str, ...] = ()
    unsupported: tuple[Order, ...] = ()
    unread_orders: tuple[Unreadable, ...] = ()
    supportive_orders: tuple[Order, ...] = ()
    supportive_checks: tuple[SupportiveDecision, ...] = ()
    anakinra_lines: tuple[TocilizumabLine, ...] = ()
    guidance: tuple[TocilizumabLine, ...] = ()
    tocilizumab_weight: Reading | None = None
    tocilizumab_mg_per_kg: Decimal | None = None
    remember: dict[ToxicityName, tuple[EarlierEvent, ...]] = {}
