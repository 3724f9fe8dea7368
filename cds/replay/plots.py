"""Bars for the page, as the elements the bedside app draws with; every number is beside its bar."""

from collections.abc import Sequence
from decimal import Decimal
from math import ceil

from msgspec import Struct

from cds.replay.model import Agreement, Report
from cds.smart.timeline import shapes
from cds.smart.timeline.shapes import Class, Shape


WIDTH = 720.0
MOST = 30  # bars of one plot; the table beside it has all
_LEFT, _RIGHT = 8.0, WIDTH - 72
_ROW = 38.0
_BAR = 14.0
_AXIS = 24.0


class Bar(Struct, frozen=True):
    """`value` is drawn, `words` say it; `look` tells apart what colour also does."""

    label: str
    value: Decimal
    words: str
    look: Class = "bar"


class Plot(Struct, frozen=True):
    """One drawing with its name and its content in words. `left_out`: bars that are not drawn."""

    id: str
    title: str
    words: str
    height: float
    shapes: tuple[Shape, ...]
    left_out: int


def plot(id_: str, title: str, bars: Sequence[Bar], unit: str) -> Plot:
    """Horizontal bars from zero, one below the other."""
    drawn = bars[:MOST]
    most = max((one.value for one in drawn), default=Decimal(0))
    top = Decimal(_round_up(most))
    height = _AXIS + _ROW * len(drawn) + 8
    found: list[Shape] = []
    for part in range(5):
        x = _LEFT + (_RIGHT - _LEFT) * part / 4
        found.append(shapes.line(x, _AXIS, x, height, "grid"))
        found.append(
            shapes.text(x, 16, f"{top * part / 4:f}", "label", "middle" if part else "start")
        )
    for place, one in enumerate(drawn):
        y = _AXIS + place * _ROW
        width = float(one.value / top) * (_RIGHT - _LEFT)
        found.append(shapes.text(_LEFT + 4, y + 14, one.label, "label"))
        if one.value:
            found.append(shapes.rect(_LEFT, y + 19, width, _BAR, one.look))
        found.append(shapes.text(_LEFT + width + 6, y + 31, one.words, "value"))
    said = "; ".join(f"{one.label}: {one.words}" for one in bars) or "nothing"
    words = f"{title}, {unit}. {said}."
    return Plot(id_, title, words, height, tuple(found), len(bars) - len(drawn))


def of_cards(report: Report) -> Plot:
    """Cards per 100 orders, by topic."""
    bars = [
        Bar(one.topic, one.at_orders.per_hundred, f"{one.at_orders.per_hundred}")
        for one in report.cards.topics
        if one.at_orders.per_hundred is not None and one.at_orders.count
    ]
    return plot("cards", "Cards per 100 orders, by topic", bars, "cards per 100 orders")


def of_actions(report: Report) -> Plot:
    """What was advised at the moments."""
    bars = [_counted(one.fact, one.moments.count) for one in report.actions]
    return plot("actions", "Moments by action", bars, "moments")


def of_missing(report: Report) -> Plot:
    """Facts that were missing."""
    bars = [_counted(one.fact, one.moments.count) for one in report.missing]
    return plot("missing", "Missing facts", bars, "moments at which the fact was missing")


def of_agreement(found: Agreement) -> Plot:
    """Where clinicians' grades lie."""
    name = found.scale.upper()
    rows = [
        ("exact", found.exact.count, "bar"),
        ("inside the interval", found.inside.count, "sure"),
        *((f"service too low by {one.what}", one.count, "bar-open") for one in found.too_low),
        *((f"service too high by {one.what}", one.count, "bar-open") for one in found.too_high),
        ("not assessed by the service", found.not_assessed, "wide"),
    ]
    bars = [_counted(label, count, look) for label, count, look in rows]  # type: ignore[arg-type]
    return plot(
        f"agreement-{found.scale}", f"{name} grades charted by clinicians", bars, "statements"
    )


def _counted(label: str, count: int, look: Class = "bar") -> Bar:
    return Bar(label, Decimal(count), str(count), look)


def _round_up(value: Decimal) -> int:
    """The next number of a scale with four even parts."""
    return max(4, ceil(value / 4) * 4)
