"""Two versions of the knowledge at the same moment: what each says, and in what they differ."""

import re
from typing import Literal

from msgspec import Struct

from cds.pipeline import Evaluation
from cds.replay.model import Changed, Difference, Said
from cds.replay.values import Knowledge, Row
from knowledge.library import Library


What = Literal["action", "cards", "topics", "words"]
_VERSION = re.compile(r"@\d+")


class Sayings(Struct, frozen=True):
    """What an evaluation says, and its words without the versions of the rules."""

    said: Said
    topics: tuple[str, ...]
    words: tuple[str, ...]


def sayings(evaluation: Evaluation) -> Sayings:
    """Sorted, so that the order of cards is no difference."""
    decision = evaluation.decision
    disposition = decision.assessment.disposition
    topics = [topic_of(card.source.topic) for card in evaluation.cards]
    cards = sorted(
        f"{topic} {card.indicator}" for topic, card in zip(topics, evaluation.cards, strict=True)
    )
    words = sorted(_VERSION.sub("@", f"{one.summary}\n{one.detail}") for one in evaluation.cards)
    rules = {*disposition.rules, *(row.rule for row in decision.rows)}
    said = Said(disposition.action, tuple(cards), tuple(sorted(rules)))
    return Sayings(said, tuple(sorted(topics)), tuple(words))


def topic_of(topic: object) -> str:
    """The code of a card's topic; a card without one has the empty code."""
    code = getattr(topic, "code", "")
    return code if isinstance(code, str) else ""


def differ(one: Sayings, other: Sayings) -> tuple[What, ...]:
    """In what they differ, the gravest first; nothing where only rule ids do."""
    found: list[What] = []
    if one.said.action != other.said.action:
        found.append("action")
    if one.said.cards != other.said.cards:
        found.append("cards")
    if one.topics != other.topics:
        found.append("topics")
    if one.words != other.words:
        found.append("words")
    return tuple(found)


class Differences:
    """The moments of one run at which two versions were asked; mutable, filled while it runs."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._same = 0
        self._only_rules = 0
        self._refused = 0
        self._changed: list[Changed] = []

    def add(self, row: Row, here: Evaluation, there: Evaluation | None) -> None:
        """One moment; `there` None: the other version's evaluation was refused."""
        if there is None:
            self._refused += 1
            return
        one, other = sayings(here), sayings(there)
        what = differ(one, other)
        if what:
            self._changed.append(Changed(row, what, one.said, other.said))
        elif one.said.rules != other.said.rules:
            self._only_rules += 1
        else:
            self._same += 1

    def report(self) -> Difference:
        """All of them, by file and line."""
        return Difference(
            knowledge=knowledge_of(self.library),
            same=self._same,
            only_rules=self._only_rules,
            refused=self._refused,
            changed=tuple(
                sorted(self._changed, key=lambda one: (one.row.file, one.row.line, one.here.cards))
            ),
        )


def knowledge_of(library: Library) -> Knowledge:
    """Which version it is."""
    return Knowledge(library.version, library.sha256, library.clinically_reviewed)
