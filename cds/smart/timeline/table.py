"""The same course as a table: newest first, grouped by time, in parts where it is long.

Every charted value of the window is in it; none is thinned.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from msgspec import Struct

from cds.smart.timeline.band import Sample
from cds.smart.timeline.item import LABELS, Item
from cds.smart.timeline.marks import NOT_CHARTED
from cds.smart.timeline.series import Series
from cds.smart.timeline.strips import oxygen_words


ROWS = 400  # of one part, and what else belongs to its last time


class Row(Struct, frozen=True):
    """One value. `ref`: of the resource it is from; empty for what this service concludes.

    `kept`: stated here and not in the chart, so that its reference is of no use to a reader.
    """

    what: str
    value: str
    marks: tuple[str, ...]
    ref: str
    kept: bool = False


class Group(Struct, frozen=True):
    """What was charted at one time."""

    at: datetime
    rows: tuple[Row, ...]


class Part(Struct, frozen=True):
    """One part of the table: `number` from 1, of `parts`."""

    groups: tuple[Group, ...]
    number: int
    parts: int


def table(
    series: Series, samples: Sequence[Sample], number: int, time: Callable[[datetime], str]
) -> Part:
    """The part of this number; the nearest one where there is no such part."""
    found = parts(groups(series, samples, time))
    place = min(max(number, 1), len(found))
    return Part(found[place - 1], place, len(found))


def groups(
    series: Series, samples: Sequence[Sample], time: Callable[[datetime], str]
) -> tuple[Group, ...]:
    """All of it, newest first; at each time the grades come first."""
    rows: list[tuple[datetime, Row]] = []
    for sample in samples:
        for name, level in (("CRS", sample.crs), ("ICANS", sample.icans)):
            rows.append((sample.at, Row(f"{name} by this service", level.words, (), "")))
    rows += [(one.at, _row(one, time)) for one in series.items]
    rows.sort(key=itemgetter(0), reverse=True)
    return tuple(
        Group(at, tuple(row for _, row in same)) for at, same in groupby(rows, itemgetter(0))
    )


def parts(found: Sequence[Group]) -> tuple[tuple[Group, ...], ...]:
    """Groups together until they have `ROWS` rows; at least one part."""
    done: list[tuple[Group, ...]] = []
    open_: list[Group] = []
    count = 0
    for group in found:
        open_.append(group)
        count += len(group.rows)
        if count >= ROWS:
            done.append(tuple(open_))
            open_, count = [], 0
    return (*done, tuple(open_)) if open_ or not done else tuple(done)


def _row(item: Item, time: Callable[[datetime], str]) -> Row:
    value = item.shown
    if item.what == "oxygen":
        value = f"{value} ({oxygen_words(item)})"
    if item.until is not None and item.until != item.at:
        value = f"{value}, until {time(item.until)}"
    return Row(LABELS[item.what], value, item.marks, item.ref, item.ref.startswith(NOT_CHARTED))
