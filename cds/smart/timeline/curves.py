"""Panels of numbers over time: the vertical scale, marks, and lines between what belongs together.

Two values are joined only where the second came before the first was out of date: what was not
charted is a gap, never a line.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import groupby

from msgspec import Struct

from cds.smart.timeline import shapes
from cds.smart.timeline.axis import Axis
from cds.smart.timeline.item import Item
from cds.smart.timeline.shapes import Class, Shape


MOST = 240  # marks of one curve; beyond, the highest and the lowest of each stretch of time
_PAD = 10.0  # above the highest and below the lowest line
Mark = Callable[[float, float, Class], Shape]


class Curve(Struct, frozen=True):
    """One line of a panel: its items, all with a value; its mark; the class of its line."""

    items: tuple[Item, ...]
    mark: Mark
    look: Class
    path: Class


class Span(Struct, frozen=True):
    """The numbers a panel shows, between `top` and `bottom` of the drawing."""

    low: Decimal
    high: Decimal
    top: float
    bottom: float

    def y(self, value: Decimal) -> float:
        """Where a number is drawn."""
        share = float((value - self.low) / (self.high - self.low))
        return self.bottom - _PAD - (self.bottom - self.top - 2 * _PAD) * share


def span_of(
    values: Sequence[Decimal], step: Decimal, top: float, bottom: float, most: Decimal | None = None
) -> Span:
    """From the lowest to the highest value, out to whole steps; at least one step, to `most`."""
    low = (min(values) / step).to_integral_value(ROUND_FLOOR) * step
    high = (max(values) / step).to_integral_value(ROUND_CEILING) * step
    if most is not None:
        high = min(most, high) if max(values) <= most else high
    if high - low < step:
        low = high - step
    return Span(low, high, top, bottom)


def frame(axis: Axis, span: Span) -> list[Shape]:
    """The lines of the scale with their numbers."""
    found: list[Shape] = []
    for value in (span.low, (span.low + span.high) / 2, span.high):
        y = span.y(value)
        found.append(shapes.line(axis.left, y, axis.right, y, "grid"))
        found.append(shapes.text(axis.left - 6, y + 4, f"{value.normalize():f}", "label", "end"))
    return found


def drawn(curve: Curve, axis: Axis, span: Span, fresh: timedelta) -> list[Shape]:
    """Lines, then marks; a value that is not final is an open mark."""
    kept = thinned(tuple(one for one in curve.items if one.at >= axis.since), axis)
    found: list[Shape] = []
    for run in runs(kept, fresh):
        if len(run) > 1:
            places = tuple((axis.x(one.at), span.y(_number(one))) for one in run)
            found.append(shapes.path(places, curve.path))
    for one in kept:
        look: Class = "open" if "preliminary" in one.marks else curve.look
        found.append(curve.mark(axis.x(one.at), span.y(_number(one)), look))
    return found


def runs(items: Sequence[Item], fresh: timedelta) -> list[list[Item]]:
    """Stretches without a gap longer than `fresh`."""
    found: list[list[Item]] = []
    for one in items:
        if found and one.at - found[-1][-1].at <= fresh:
            found[-1].append(one)
        else:
            found.append([one])
    return found


def thinned(items: tuple[Item, ...], axis: Axis) -> tuple[Item, ...]:
    """All, or of each stretch the highest and the lowest."""
    if len(items) <= MOST:
        return items
    width = (axis.right - axis.left) / (MOST / 2)
    found: list[Item] = []
    for _, group in groupby(items, key=lambda one: int((axis.x(one.at) - axis.left) / width)):
        same = list(group)
        ends = {id(one): one for one in (min(same, key=_number), max(same, key=_number))}
        found += sorted(ends.values(), key=lambda one: one.at)
    return tuple(found)


def extremes(items: Sequence[Item], axis: Axis, span: Span) -> list[Shape]:
    """The highest value in words beside its mark."""
    inside = [one for one in items if one.at >= axis.since]
    if not inside:
        return []
    one = max(inside, key=_number)
    x = axis.x(one.at)
    late = x > (axis.left + axis.right) / 2
    shift = -8 if late else 8
    words = f"{_number(one).normalize():f}"
    return [
        shapes.text(x + shift, span.y(_number(one)) + 4, words, "value", "end" if late else "start")
    ]


def _number(item: Item) -> Decimal:
    return item.value if item.value is not None else Decimal(0)
