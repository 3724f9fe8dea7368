"""The report as values, in the exact shape of report.json; it counts nothing itself.

No name, id, time or value of a patient: rows are named by the number of a file and of a line.
"""

from typing import Literal

from msgspec import field

from cds.replay.ledger import Kind
from cds.replay.values import Counted, Knowledge, Row, Share, Wire


SCHEMA = "btce-cds/replay/1"
NOT_REVIEWED = "The knowledge is not clinically reviewed."
Toxicity = Literal["crs", "icans"]
Outcome = Literal["exact", "inside", "too-low", "too-high", "not-assessed"]


class Unused(Wire, frozen=True):
    """Lines of one file not used, for one reason, and the first of them."""

    reason: str
    count: int
    first_line: int


class FileRow(Wire, frozen=True):
    """One file by its number. `problem`: why nothing of it is used."""

    number: int
    kind: Kind
    problem: str
    lines: int
    unused: tuple[Unused, ...]


class Lines(Wire, frozen=True):
    """Every line of every export: the others add up to `total`."""

    total: int
    evaluated: int
    without_moment: int
    shared: int
    blank: int
    not_used: int


class Input(Wire, frozen=True):
    """What was read. `patients`: of exports; `evaluated_patients`: those with a moment."""

    files: int
    files_not_used: int
    sha256: str
    lines: Lines
    patients: int
    evaluated_patients: int


class AsOf(Wire, frozen=True):
    """Resources at their moments: counted, or left out by how they would have become known."""

    counted: int
    left_out: tuple[Counted, ...]


class TopicRow(Wire, frozen=True):
    """Cards of one topic. `per_100_orders`: of those at a moment with an order."""

    topic: str
    cards: int
    indicators: tuple[Counted, ...]
    at_orders: Share = field(name="per100Orders")


class Cards(Wire, frozen=True):
    """All cards that a live site would have shown."""

    total: int
    by_indicator: tuple[Counted, ...]
    moments_without_a_card: Share
    topics: tuple[TopicRow, ...]


class Missing(Wire, frozen=True):
    """At how many moments a fact was missing."""

    fact: str
    moments: Share


class Graded(Wire, frozen=True):
    """How often a scale was assessed, and of these with one certain grade."""

    scale: Toxicity
    assessed: Share
    certain: Share


class Cell(Wire, frozen=True):
    """How often one charted grade met one interval of the service."""

    charted: int
    at_least: int
    at_most: int
    count: int


class Outside(Wire, frozen=True):
    """One charted grade outside the interval; `by`: grades between it and the nearer bound."""

    row: Row
    charted: int
    at_least: int
    at_most: int
    by: int


class Agreement(Wire, frozen=True):
    """Clinicians' grades beside what the service says without seeing any of them."""

    scale: Toxicity
    compared: int
    exact: Share
    inside: Share
    too_low: tuple[Counted, ...]
    too_high: tuple[Counted, ...]
    not_assessed: int
    not_usable: int
    cells: tuple[Cell, ...]
    outside: tuple[Outside, ...]


class Overrides(Wire, frozen=True):
    """Feedback on the cards of one topic; of several answers to a card the last one counts."""

    topic: str
    accepted: int
    overridden: int
    reasons: tuple[Counted, ...]


class Feedback(Wire, frozen=True):
    """All feedback in the folder; `unknown_cards`: of cards no saved request makes again."""

    items: int
    unknown_cards: int
    topics: tuple[Overrides, ...]


class Said(Wire, frozen=True):
    """What one knowledge says at a moment: action, cards as "topic indicator", rule ids."""

    action: str
    cards: tuple[str, ...]
    rules: tuple[str, ...]


class Changed(Wire, frozen=True):
    """A moment at which the two say something else; `what` names which of it."""

    row: Row
    what: tuple[Literal["action", "cards", "topics", "words"], ...]
    here: Said
    against: Said


class Difference(Wire, frozen=True):
    """This knowledge beside another. `only_rules`: the same said, by rules of another id."""

    knowledge: Knowledge
    same: int
    only_rules: int
    refused: int
    changed: tuple[Changed, ...]


class Moments(Wire, frozen=True):
    """What was evaluated. `timed_by_latest`: requests without a time of their own, taken as of the
    latest thing in them. `refused`: what could not be a moment or was refused, by reason."""

    total: int
    with_order: int
    by_source: tuple[Counted, ...]
    by_hook: tuple[Counted, ...]
    timed_by_latest: int
    refused: tuple[Counted, ...]


class Report(Wire, frozen=True, kw_only=True):
    """Everything; sorted, so that the same folder gives the same bytes."""

    schema: str
    says: str
    engine: str
    knowledge: Knowledge
    protocol: str
    site: str
    last_updated_ignored: bool
    input: Input
    moments: Moments
    as_of: AsOf
    actions: tuple[Missing, ...]
    cannot_evaluate: Share
    grades: tuple[Graded, ...]
    cards: Cards
    missing: tuple[Missing, ...]
    notices: tuple[Missing, ...]
    agreement: tuple[Agreement, ...]
    feedback: Feedback | None
    against: Difference | None
    files: tuple[FileRow, ...]
