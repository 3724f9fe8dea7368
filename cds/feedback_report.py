"""What became of the cards, topic by topic: counts, and rates with the number they are of.

The words: an evaluation *fires* a topic when it makes such a card; a live site *shows* it; its
user accepts, overrides or ignores it. Of several answers to one card the last one counts.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

import msgspec
from msgspec import Struct

from cds.store.reading import TopicCount, counts, overridden
from cds.store.store import Store


class Rate(Struct, frozen=True):
    """`count` of `n`, never reduced; there is no rate of nothing."""

    count: int
    n: int

    @property
    def percent(self) -> Decimal:
        """To one decimal, half up."""
        return (Decimal(100 * self.count) / self.n).quantize(Decimal("0.1"), ROUND_HALF_UP)

    def __str__(self) -> str:
        return f"{self.count}/{self.n} ({self.percent} %)"


class ReasonCount(Struct, frozen=True):
    """How often a reason was given for overriding a card; code "" where none was."""

    code: str
    system: str
    count: int


class TopicRow(Struct, frozen=True, kw_only=True):
    """One topic over the period. `shown` = `accepted` + `overridden` + `ignored`, in cards."""

    topic: str
    fired: int
    shown: int
    accepted: int
    overridden: int
    ignored: int
    firing: Rate | None
    acceptance: Rate | None
    override: Rate | None
    reasons: tuple[ReasonCount, ...] = ()


class Report(Struct, frozen=True, kw_only=True):
    """All topics since a moment; `unknown` is feedback about cards that are not in the store."""

    since: datetime
    evaluations: int
    unknown: int
    topics: tuple[TopicRow, ...]


def feedback_report(store: Store, since: datetime, site: str | None = None) -> Report:
    """Of decisions evaluated at or after `since`, at one site or all. Raises `StoreDown`."""
    found = counts(store, since, site)
    reasons: dict[str, Counter[tuple[str, str]]] = {}
    for one in overridden(store, since, site):
        given = {(reason.code, reason.system) for reason in one.reasons} or {("", "")}
        reasons.setdefault(one.topic, Counter()).update(given)
    return Report(
        since=since,
        evaluations=found.evaluations,
        unknown=found.unknown,
        topics=tuple(
            _row(topic, found.evaluations, reasons.get(topic.topic, Counter()))
            for topic in found.topics
        ),
    )


def as_json(report: Report) -> str:
    """One JSON document: every rate as count, n and percent; members without a value left out."""
    document = {
        "since": report.since,
        "evaluations": report.evaluations,
        "unknownCards": report.unknown,
        "topics": [_topic(row) for row in report.topics],
    }
    return msgspec.json.encode(document).decode()


def as_text(report: Report) -> str:
    """A table for a terminal, then the reasons of each topic."""
    header = ("topic", "fired", "shown", "accepted", "overridden", "ignored")
    rates = ("firing", "acceptance", "override")
    lines: list[tuple[str, ...]] = [(*header, *rates)]
    for row in report.topics:
        numbers = (row.fired, row.shown, row.accepted, row.overridden, row.ignored)
        told = (row.firing, row.acceptance, row.override)
        lines.append((row.topic, *map(str, numbers), *(str(rate or "-") for rate in told)))
    text = [
        f"since {report.since:%Y-%m-%d %H:%M} UTC: {report.evaluations} evaluations,"
        f" feedback on unknown cards: {report.unknown}",
        *_table(lines),
    ]
    for row in report.topics:
        for reason in row.reasons:
            named = f"{reason.code} ({reason.system})" if reason.code else "no reason given"
            text.append(f"{row.topic}: overridden {reason.count} x {named}")
    return "\n".join(text)


def _row(found: TopicCount, evaluations: int, reasons: Counter[tuple[str, str]]) -> TopicRow:
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return TopicRow(
        topic=found.topic,
        fired=found.fired,
        shown=found.shown,
        accepted=found.accepted,
        overridden=found.overridden,
        ignored=found.shown - found.accepted - found.overridden,
        firing=_rate(found.fired, evaluations),
        acceptance=_rate(found.accepted, found.shown),
        override=_rate(found.overridden, found.shown),
        reasons=tuple(ReasonCount(code, system, count) for (code, system), count in ordered),
    )


def _rate(count: int, n: int) -> Rate | None:
    return Rate(count, n) if n else None


def _topic(row: TopicRow) -> dict[str, object]:
    numbers = ("topic", "fired", "shown", "accepted", "overridden", "ignored")
    found: dict[str, object] = {name: getattr(row, name) for name in numbers}
    for name in ("firing", "acceptance", "override"):
        rate = getattr(row, name)
        if rate is not None:
            found[name] = {"count": rate.count, "n": rate.n, "percent": str(rate.percent)}
    if row.reasons:
        found["overrideReasons"] = [
            {key: value for key, value in msgspec.structs.asdict(one).items() if value != ""}
            for one in row.reasons
        ]
    return found


def _table(lines: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
