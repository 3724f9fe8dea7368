"""The drawing: panels one below the other over one axis of time; a value the template writes.

Wide enough that its letters stay readable; a narrow screen scrolls it in a region of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from msgspec import Struct

from cards import terms
from cds.smart.timeline import curves, shapes, strips
from cds.smart.timeline.axis import Axis
from cds.smart.timeline.band import Sample
from cds.smart.timeline.curves import Curve
from cds.smart.timeline.item import LABELS, Item, What
from cds.smart.timeline.series import Series
from cds.smart.timeline.shapes import Shape
from cds.smart.timeline.shown import degrees, fahrenheit
from cds.smart.timeline.words import none_of
from knowledge.facts import ToxicityName


WIDTH = 720.0
LEFT, RIGHT = 48.0, WIDTH - 16
_HEADING = 24.0
_EMPTY = 24.0
_CURVE = 110.0
_GAP = 8.0
Draw = Callable[[float], tuple[list[Shape], float]]


class Drawing(Struct, frozen=True):
    """Its size in its own units, and its elements in the order they are painted."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    thinned: int


class Plan(Struct, frozen=True, kw_only=True):
    """What is drawn. `fever_cel`: the threshold of the scale. `most`: the highest of each score.

    `fresh`, `score_fresh`: how long a vital sign and a score may be relied on.
    """

    series: Series
    samples: tuple[Sample, ...]
    axis: Axis
    fever_cel: Decimal
    most: Mapping[What, Decimal]
    fresh: timedelta
    score_fresh: timedelta


def draw(plan: Plan) -> Drawing:
    """All panels; one without data says so in words."""
    y, found = 0.0, []
    for heading, panel in (
        ("Temperature, °C", _temperature(plan)),
        ("Blood pressure, mmHg: ● systolic, ■ mean", _pressure(plan)),
        ("SpO2, %", _saturation(plan)),
        ("Oxygen", _oxygen(plan)),
        ("Drugs", _drugs(plan)),
        ("CRS grade by this service; ◆ charted by a clinician", _grades("crs", plan)),
        ("ICANS grade by this service; ◆ charted by a clinician", _grades("icans", plan)),
        *((LABELS[what], _score(what, plan)) for what in plan.series.scores),
    ):
        found.append(shapes.text(4, y + 16, heading, "heading"))
        drawn, height = panel(y + _HEADING)
        found += drawn
        y += _HEADING + height + _GAP
    ticks = _ticks(plan.axis, y)
    kinds = plan.series.numbers
    thinned = len(plan.series.of(*kinds)) if any(_is_thinned(plan, one) for one in kinds) else 0
    return Drawing(WIDTH, y + 44, (*ticks, *found), thinned)


def _is_thinned(plan: Plan, what: What) -> bool:
    return len(plan.series.of(what)) > curves.MOST


def _ticks(axis: Axis, bottom: float) -> list[Shape]:
    found: list[Shape] = []
    for tick in axis.ticks():
        found.append(shapes.line(tick.x, 0, tick.x, bottom, "day" if tick.day else "grid"))
        if tick.label:
            room = min(max(tick.x, LEFT), RIGHT - 16)
            found.append(shapes.text(room, bottom + 16, tick.label, "label", "middle"))
    found.append(shapes.text(LEFT, bottom + 36, f"Time zone: {axis.zones()}", "label"))
    return found


def _temperature(plan: Plan) -> Draw:
    def panel(top: float) -> tuple[list[Shape], float]:
        items = _inside(plan, "temperature")
        if not items:
            return _nothing(top, plan, "temperature")
        limit = plan.fever_cel
        values = [*(_value(one) for one in items), limit]
        span = curves.span_of(values, Decimal(1), top, top + _CURVE)
        y = span.y(limit)
        words = f"fever from {degrees(limit)} °C ({fahrenheit(limit)} °F)"
        found = [
            *curves.frame(plan.axis, span),
            shapes.line(plan.axis.left, y, plan.axis.right, y, "limit"),
            shapes.text(plan.axis.left + 4, y - 4, words, "note"),
            *curves.drawn(
                Curve(items, shapes.dot, "first", "path-first"), plan.axis, span, plan.fresh
            ),
            *curves.extremes(items, plan.axis, span),
        ]
        return found, _CURVE

    return panel


def _pressure(plan: Plan) -> Draw:
    def panel(top: float) -> tuple[list[Shape], float]:
        systolic, mean = _inside(plan, "systolic"), _inside(plan, "mean-pressure")
        if not systolic and not mean:
            return _nothing(top, plan, "systolic", "mean-pressure")
        values = [_value(one) for one in (*systolic, *mean)]
        span = curves.span_of(values, Decimal(20), top, top + _CURVE)
        first = Curve(systolic, shapes.dot, "first", "path-first")
        second = Curve(mean, shapes.square, "second", "path-second")
        found = [
            *curves.frame(plan.axis, span),
            *curves.drawn(first, plan.axis, span, plan.fresh),
            *curves.drawn(second, plan.axis, span, plan.fresh),
        ]
        return found, _CURVE

    return panel


def _saturation(plan: Plan) -> Draw:
    return _one_curve(plan, "saturation", Decimal(4), None, Decimal(100), plan.fresh)


def _score(what: What, plan: Plan) -> Draw:
    most = plan.most[what]
    return _one_curve(plan, what, most, Decimal(0), most, plan.score_fresh)


def _one_curve(
    plan: Plan, what: What, step: Decimal, least: Decimal | None, most: Decimal, fresh: timedelta
) -> Draw:
    def panel(top: float) -> tuple[list[Shape], float]:
        items = _inside(plan, what)
        if not items:
            return _nothing(top, plan, what)
        values = [*(_value(one) for one in items), *(() if least is None else (least, most))]
        span = curves.span_of(values, step, top, top + _CURVE, most)
        curve = Curve(items, shapes.dot, "first", "path-first")
        return [
            *curves.frame(plan.axis, span),
            *curves.drawn(curve, plan.axis, span, fresh),
        ], _CURVE

    return panel


def _oxygen(plan: Plan) -> Draw:
    def panel(top: float) -> tuple[list[Shape], float]:
        items = plan.series.of("oxygen")
        if not items:
            return _nothing(top, plan, "oxygen")
        return strips.oxygen(items, plan.axis, top, plan.fresh), strips.ROW

    return panel


def _drugs(plan: Plan) -> Draw:
    def panel(top: float) -> tuple[list[Shape], float]:
        items = plan.series.of(*strips.DRUGS)
        if not items:
            return _nothing(top, plan, "bispecific", "vasopressor")
        return strips.drugs(items, plan.axis, top), strips.drugs_height(items)

    return panel


def _grades(name: ToxicityName, plan: Plan) -> Draw:
    def panel(top: float) -> tuple[list[Shape], float]:
        levels = [(one.at, one.crs if name == "crs" else one.icans) for one in plan.samples]
        charted = plan.series.of(strips.of_scale(name))
        found = strips.grades(levels, charted, plan.axis, top)
        height = len(strips.GRADES) * strips.ROW
        if all(level.grade is None for _, level in levels):
            words = f"{terms.syndrome(name)}: not assessed at any time shown."
            found.append(shapes.text(LEFT + 6, top + height / 2 + 14, words, "note"))
        return found, height

    return panel


def _nothing(top: float, plan: Plan, *wanted: What) -> tuple[list[Shape], float]:
    lines = [none_of(what, plan.series) for what in wanted]
    drawn = [
        shapes.text(LEFT, top + 14 + place * _EMPTY, words, "note")
        for place, words in enumerate(lines)
    ]
    return drawn, _EMPTY * len(lines)


def _inside(plan: Plan, what: What) -> tuple[Item, ...]:
    since: Sequence[Item] = plan.series.of(what)
    return tuple(one for one in since if one.at >= plan.axis.since)


def _value(item: Item) -> Decimal:
    return item.value if item.value is not None else Decimal(0)
