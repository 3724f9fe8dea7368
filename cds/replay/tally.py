"""The counts of one run: filled moment by moment, so that no evaluation is kept."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal, get_args

from msgspec import Struct

from cds.feedback import Feedback as Answer
from cds.pipeline import Evaluation
from cds.replay.differing import topic_of
from cds.replay.model import (
    Cards,
    Feedback,
    Graded,
    Missing,
    Moments,
    Overrides,
    TopicRow,
    Toxicity,
)
from cds.replay.values import counted, share
from knowledge.facts import QueryName


Source = Literal["request", "order", "administration"]
_QUERIES = frozenset(get_args(QueryName))
_SCALES: tuple[Toxicity, ...] = ("crs", "icans")


class Origin(Struct, frozen=True):
    """Where a moment comes from. `latest`: see `model.Moments.timed_by_latest`."""

    source: Source
    hook: str
    ordered: bool
    latest: bool = False


class Tally:
    """Mutable: one for each run."""

    def __init__(self) -> None:
        self.moments = 0
        self.ordered = 0
        self.latest = 0
        self.sources: Counter[str] = Counter()
        self.hooks: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.left: Counter[str] = Counter()
        self.actions: Counter[str] = Counter()
        self.answers: list[Answer] = []
        self._silent = 0
        self._assessed: Counter[str] = Counter()
        self._certain: Counter[str] = Counter()
        self._cards: Counter[tuple[str, str]] = Counter()
        self._at_orders: Counter[str] = Counter()
        self._missing: Counter[str] = Counter()
        self._notices: Counter[str] = Counter()
        self._topics_by_card: dict[str, str] = {}

    def add(self, origin: Origin, evaluation: Evaluation, keys: Iterable[str] = ()) -> None:
        """One evaluated moment. `keys`: of its prefetch, which may be anybody's words."""
        self.moments += 1
        self.ordered += origin.ordered
        self.latest += origin.latest
        self.sources[origin.source] += 1
        self.hooks[origin.hook] += 1
        assessment = evaluation.decision.assessment
        self.actions[assessment.disposition.action] += 1
        for scale, state in zip(_SCALES, (assessment.crs, assessment.icans), strict=True):
            if state.assessed and state.grade is not None:
                self._assessed[scale] += 1
                self._certain[scale] += state.grade.at_least == state.grade.at_most
        facts = (*evaluation.facts.missing, *assessment.crs.missing, *assessment.icans.missing)
        foreign = frozenset(keys) - _QUERIES
        self._missing.update(
            {"another-query" if one.fact in foreign else one.fact for one in facts}
        )
        self._notices.update({one.code for one in assessment.notices})
        self._add_cards(origin, evaluation)

    def _add_cards(self, origin: Origin, evaluation: Evaluation) -> None:
        self._silent += not evaluation.cards
        for card in evaluation.cards:
            topic = topic_of(card.source.topic)
            self._cards[topic, card.indicator] += 1
            self._at_orders[topic] += origin.ordered
            if origin.source == "request":
                self._topics_by_card[card.uuid] = topic

    def of_moments(self) -> Moments:
        """What was evaluated."""
        return Moments(
            total=self.moments,
            with_order=self.ordered,
            by_source=counted(self.sources),
            by_hook=counted(self.hooks),
            timed_by_latest=self.latest,
            refused=counted(self.refused),
        )

    def of_cards(self) -> Cards:
        """All cards, by topic."""
        indicators: Counter[str] = Counter()
        by_topic: dict[str, Counter[str]] = {}
        for (topic, indicator), count in self._cards.items():
            indicators[indicator] += count
            by_topic.setdefault(topic, Counter())[indicator] += count
        rows = [
            TopicRow(
                topic=topic,
                cards=found.total(),
                indicators=counted(found),
                at_orders=share(self._at_orders[topic], self.ordered),
            )
            for topic, found in by_topic.items()
        ]
        return Cards(
            total=self._cards.total(),
            by_indicator=counted(indicators),
            moments_without_a_card=share(self._silent, self.moments),
            topics=tuple(sorted(rows, key=lambda one: (-one.cards, one.topic))),
        )

    def of_grades(self) -> tuple[Graded, ...]:
        """How often each scale was assessed."""
        return tuple(
            Graded(
                scale=scale,
                assessed=share(self._assessed[scale], self.moments),
                certain=share(self._certain[scale], self._assessed[scale]),
            )
            for scale in _SCALES
        )

    def of_missing(self) -> tuple[Missing, ...]:
        """Facts that were missing."""
        return self._rates(self._missing)

    def of_notices(self) -> tuple[Missing, ...]:
        """Notices, by their code."""
        return self._rates(self._notices)

    def _rates(self, counts: Counter[str]) -> tuple[Missing, ...]:
        return tuple(Missing(one.what, share(one.count, self.moments)) for one in counted(counts))

    def of_feedback(self) -> Feedback | None:
        """What users did with the cards of saved requests; None: the folder holds no feedback."""
        if not self.answers:
            return None
        last = {one.card: one for one in sorted(self.answers, key=lambda one: (one.at, one.card))}
        known = {card: one for card, one in last.items() if card in self._topics_by_card}
        topics = sorted({self._topics_by_card[card] for card in known})
        return Feedback(
            items=len(self.answers),
            unknown_cards=len(last) - len(known),
            topics=tuple(
                _overrides(
                    topic,
                    [one for card, one in known.items() if self._topics_by_card[card] == topic],
                )
                for topic in topics
            ),
        )


def _overrides(topic: str, answers: list[Answer]) -> Overrides:
    overridden = [one for one in answers if one.outcome == "overridden"]
    reasons: Counter[str] = Counter()
    for one in overridden:
        reasons.update({reason.code for reason in one.reasons} or {"no reason given"})
    return Overrides(topic, len(answers) - len(overridden), len(overridden), counted(reasons))
