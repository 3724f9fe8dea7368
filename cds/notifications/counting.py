"""Which events of a subscription are missing, told from their numbers alone; pure.

Subscriptions R5 Backport 1.1, "Notifications": every event has the next number, a handshake and a
heartbeat tell the last one. A number may come again, late, or never; and a server that lost its
count begins again.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec import Struct

from cds.store.rows import SubscriptionRow


Ranges = tuple[tuple[int, int], ...]  # first and last number of each, ascending, apart
FIRST = 1  # the number of the first event; that some servers send a 0 leaves no gap
MAX_RANGES = 64


class Count(Struct, frozen=True):
    """`last`: the highest number known to exist, -1: none yet. `missing`: those that did not come.

    Beyond `MAX_RANGES` the nearest ranges are kept as one: then a number that came is in it too.
    """

    last: int = -1
    missing: Ranges = ()


class Counted(Struct, frozen=True):
    """What came of it. `gaps`: newly missed. `restarted`: the server counts from the beginning."""

    count: Count
    gaps: Ranges = ()
    restarted: bool = False

    @property
    def complete(self) -> bool:
        """Whether nothing needs to be caught up on its account."""
        return not self.gaps and not self.restarted


def observe(
    count: Count, numbers: Iterable[int], total: int | None = None, *, new: bool = True
) -> Counted:
    """After a notification with these numbers, and `total` events so far.

    `new`: it was not received before. A number below the last one is a repeat where it is not new,
    a late one where it was missing, and else the sign of a restart; unless `total` says otherwise.
    """
    came = frozenset(numbers)
    if not came and total is None:
        return Counted(count)
    highest = max(came) if came else total
    assert highest is not None  # noqa: S101 - for the type checker: one of the two is there
    known = max(highest, total) if total is not None else highest
    if known < count.last and not new:
        late = {one for one in came if _in(count.missing, one)}
        return Counted(Count(count.last, _without(count.missing, late)))
    restarted = known < count.last and not any(_in(count.missing, one) for one in came)
    before = Count() if restarted else count
    after = max(before.last, highest)
    missing = _without(_joined(before.missing, (max(before.last + 1, FIRST), after)), came)
    gaps = tuple(one for one in missing if one not in before.missing and one[1] > before.last)
    gaps = tuple((max(first, before.last + 1), last) for first, last in gaps)
    return Counted(Count(after, _bounded(missing)), gaps, restarted)


def _in(ranges: Ranges, number: int) -> bool:
    return any(first <= number <= last for first, last in ranges)


def _joined(ranges: Ranges, more: tuple[int, int]) -> Ranges:
    """With a range above all others."""
    if more[0] > more[1]:
        return ranges
    if ranges and ranges[-1][1] == more[0] - 1:
        return (*ranges[:-1], (ranges[-1][0], more[1]))
    return (*ranges, more)


def _without(ranges: Ranges, numbers: Iterable[int]) -> Ranges:
    for number in sorted(numbers):
        split = []
        for first, last in ranges:
            if first <= number <= last:
                split += [(first, number - 1), (number + 1, last)]
            else:
                split.append((first, last))
        ranges = tuple(part for part in split if part[0] <= part[1])
    return ranges


def _bounded(ranges: Ranges) -> Ranges:
    while len(ranges) > MAX_RANGES:
        apart = [ranges[i + 1][0] - ranges[i][1] for i in range(len(ranges) - 1)]
        at = apart.index(min(apart))
        ranges = (*ranges[:at], (ranges[at][0], ranges[at + 1][1]), *ranges[at + 2 :])
    return ranges


def count_of(row: SubscriptionRow) -> Count:
    """What the row remembers."""
    return Count(row.last_event, _read(row.missing))


def with_count(row: SubscriptionRow, count: Count, now: datetime) -> SubscriptionRow:
    """The row with this count; `gap_at` is when the oldest gap that is still open was noticed."""
    since = row.gap_at if count.missing and row.gap_from is not None else now
    return msgspec.structs.replace(
        row,
        last_event=count.last,
        missing=_written(count.missing),
        gap_from=count.missing[0][0] if count.missing else None,
        gap_at=since if count.missing else None,
    )


def _written(ranges: Ranges) -> str:
    return ",".join(f"{a}-{b}" if a != b else str(a) for a, b in ranges)


def _read(text: str) -> Ranges:
    parts = [part.partition("-") for part in text.split(",") if part]
    return tuple((int(a), int(b or a)) for a, _, b in parts)
