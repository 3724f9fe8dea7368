"""What a drawing is made of: SVG elements as values; the template escapes and writes them.

No colour alone, no style: looks are classes of static/timeline.css.
"""

from typing import Literal

from msgspec import Struct


Tag = Literal["line", "rect", "circle", "polyline", "polygon", "text"]
Class = Literal[
    "grid",
    "day",
    "frame",
    "limit",
    "label",
    "heading",
    "note",
    "value",
    "first",
    "second",
    "open",
    "path-first",
    "path-second",
    "sure",
    "wide",
    "charted",
    "strip",
    "strip-open",
    "bar",
    "bar-open",
    "inside",
]


class Shape(Struct, frozen=True):
    """One element. `text`: of a text element, without characters that hide text."""

    tag: Tag
    attributes: dict[str, str]
    text: str = ""


def line(x1: float, y1: float, x2: float, y2: float, look: Class) -> Shape:
    """A straight line."""
    places = {"x1": _n(x1), "y1": _n(y1), "x2": _n(x2), "y2": _n(y2)}
    return Shape("line", {"class": look, **places})


def rect(x: float, y: float, width: float, height: float, look: Class) -> Shape:
    """A rectangle, at least two units wide so that it can be seen."""
    size = {"width": _n(max(2.0, width)), "height": _n(height)}
    return Shape("rect", {"class": look, "x": _n(x), "y": _n(y), **size})


def dot(x: float, y: float, look: Class) -> Shape:
    """A round mark."""
    return Shape("circle", {"class": look, "cx": _n(x), "cy": _n(y), "r": "4"})


def square(x: float, y: float, look: Class) -> Shape:
    """A square mark."""
    return rect(x - 4, y - 4, 8, 8, look)


def triangle(x: float, y: float, look: Class) -> Shape:
    """A mark that points up."""
    corners = ((x - 5, y + 4), (x + 5, y + 4), (x, y - 5))
    return Shape("polygon", {"class": look, "points": _points(corners)})


def diamond(x: float, y: float, look: Class) -> Shape:
    """A mark that stands on its corner."""
    corners = ((x - 6, y), (x, y - 6), (x + 6, y), (x, y + 6))
    return Shape("polygon", {"class": look, "points": _points(corners)})


def path(places: tuple[tuple[float, float], ...], look: Class) -> Shape:
    """A line through these places."""
    return Shape("polyline", {"class": look, "points": _points(places)})


def text(
    x: float, y: float, words: str, look: Class, anchor: Literal["start", "middle", "end"] = "start"
) -> Shape:
    """Words, from `x` on or around it."""
    attributes = {"class": look, "x": _n(x), "y": _n(y), "text-anchor": anchor}
    return Shape("text", attributes, words)


def _points(places: tuple[tuple[float, float], ...]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in places)


def _n(value: float) -> str:
    return f"{value:.1f}"
