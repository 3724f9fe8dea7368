"""Panels of states over time: oxygen, drugs, and the bands of the grades.

Where nothing is known nothing is drawn; what is not certain is drawn as everything it may be.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from cards import terms
from cards.escape import plain
from cds.smart.timeline import shapes
from cds.smart.timeline.axis import Axis
from cds.smart.timeline.band import Level
from cds.smart.timeline.item import LABELS, Item, What
from cds.smart.timeline.shapes import Shape
from knowledge.assessment import Grade
from knowledge.facts import ToxicityName
from knowledge.toxicity import ANY_GRADE


ROW = 20.0
_DRUG = 36.0  # a line for the name of the drug, one for its marks
_LETTER = 7.2  # width of a letter, in units of the drawing
OXYGEN_LEVELS = ("none", "low-flow", "high-flow", "positive-pressure")
DRUGS: tuple[What, ...] = (
    "bispecific",
    "tocilizumab",
    "anakinra",
    "siltuximab",
    "steroid",
    "antipyretic",
    "vasopressor",
    "bolus",
)
GRADES = tuple(range(ANY_GRADE.at_most, ANY_GRADE.at_least - 1, -1))


def oxygen(items: Sequence[Item], axis: Axis, top: float, fresh: timedelta) -> list[Shape]:
    """A block from each charting to the next, at most as long as it may be relied on."""
    found: list[Shape] = []
    ends = [*(one.at for one in items[1:]), axis.until]
    for one, following in zip(items, ends, strict=True):
        end = min(following, one.at + fresh)
        if end < axis.since:
            continue
        x, width = axis.x(one.at), axis.x(end) - axis.x(one.at)
        sure = len(one.levels) == 1
        found.append(shapes.rect(x, top, width, ROW - 2, "strip" if sure else "strip-open"))
        found += _inside(x, top, width, oxygen_words(one))
    return found


def oxygen_words(item: Item) -> str:
    """The level and the flow; several levels where the record cannot tell."""
    if not item.levels:
        return "not stated"
    if len(item.levels) == len(OXYGEN_LEVELS):
        return "not known"
    words = {"none": "no oxygen"}
    level = " or ".join(words.get(one, terms.level(one)) for one in item.levels)
    return level if item.flow is None else f"{level}, {item.flow.normalize():f} L/min"


def drugs(items: Sequence[Item], axis: Axis, top: float) -> list[Shape]:
    """A row for each kind of drug that was given: a diamond at its start, a bar while it ran."""
    found: list[Shape] = []
    for place, what in enumerate(kinds(items)):
        y = top + place * _DRUG
        found.append(shapes.text(axis.left, y + 13, LABELS[what], "note"))
        for one in items:
            if one.what == what:
                found += _given(one, axis, y + ROW + 6)
    return found


def drugs_height(items: Sequence[Item]) -> float:
    """How high the rows of these drugs are."""
    return len(kinds(items)) * _DRUG


def kinds(items: Sequence[Item]) -> tuple[What, ...]:
    """The kinds of drugs among the items, in the order of their rows."""
    present = {one.what for one in items}
    return tuple(what for what in DRUGS if what in present)


def _given(item: Item, axis: Axis, y: float) -> list[Shape]:
    end = item.until or (axis.until if item.running else None)
    found: list[Shape] = []
    if end is not None and end > item.at:
        sure = item.until is not None or "still running" in item.marks
        x = axis.x(item.at)
        found.append(shapes.rect(x, y - 4, axis.x(end) - x, 8, "bar" if sure else "bar-open"))
    if item.at >= axis.since:
        found.append(shapes.diamond(axis.x(item.at), y, "charted"))
    return found


def grades(
    samples: Sequence[tuple[datetime, Level]],
    charted: Sequence[Item],
    axis: Axis,
    top: float,
) -> list[Shape]:
    """From each moment to the next what its grade may be; nothing where it was not assessed."""
    found: list[Shape] = []
    for place, grade in enumerate(GRADES):
        y = top + place * ROW
        found.append(shapes.line(axis.left, y + ROW / 2, axis.right, y + ROW / 2, "grid"))
        found.append(shapes.text(axis.left - 6, y + ROW / 2 + 4, str(grade), "label", "end"))
    for at, end, grade_then in stretches(samples, axis.until):
        found += _block(axis.x(at), axis.x(end), grade_then, top)
    for one in charted:
        if one.at >= axis.since and one.value is not None:
            y = top + (GRADES[0] - int(one.value)) * ROW + ROW / 2
            found.append(shapes.diamond(axis.x(one.at), y, "charted"))
    return found


def stretches(
    samples: Sequence[tuple[datetime, Level]], until: datetime
) -> tuple[tuple[datetime, datetime, Grade], ...]:
    """From when to when a grade was the same; what was not assessed is in none of them."""
    found: list[tuple[datetime, datetime, Grade]] = []
    for (at, level), (end, _) in pairwise((*samples, (until, Level(None, "")))):
        if level.grade is None:
            continue
        if found and found[-1][1] == at and found[-1][2] == level.grade:
            found[-1] = (found[-1][0], end, level.grade)
        else:
            found.append((at, end, level.grade))
    return tuple(found)


def _block(x: float, end: float, grade: Grade, top: float) -> list[Shape]:
    low, high = grade.at_least, grade.at_most
    y, height = top + (GRADES[0] - high) * ROW + 2, (high - low + 1) * ROW - 4
    block = shapes.rect(x, y, end - x, height, "sure" if low == high else "wide")
    words = str(low) if low == high else f"{low} to {high}"
    return [block, *_inside(x, y + height / 2 - 9, end - x, words)]


def _inside(x: float, top: float, width: float, words: str) -> list[Shape]:
    """Words, where there is room for all of them: half a word says the wrong thing."""
    shown = plain(words)
    if len(shown) * _LETTER + 6 > width:
        return []
    return [shapes.text(x + 3, top + 13, shown, "inside")]


def of_scale(name: ToxicityName) -> What:
    """The kind of a clinician's grade of this scale."""
    return "crs-charted" if name == "crs" else "icans-charted"
