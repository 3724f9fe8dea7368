"""From a notification to the disk: what it asks to read is committed before anything is counted.

Knows no HTTP. Whatever fails, fails before the sender is answered: it will send again, and what
was committed by then is known by its key.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
from msgspec import Struct

from cds.notifications.counting import Counted, count_of, observe, with_count
from cds.notifications.model import Notification
from cds.notifications.wake_ups import Fresh, catch_up, everybody, wake_ups
from cds.store.rows import SubscriptionRow, WakeUp


# How exactly it is remembered when a subscription was last heard of, where nothing else changed.
HEARD_SECONDS = 10
_FAILING = frozenset({"error", "off"})


class Inbox(Protocol):
    """The part of `cds.store.inbox.Inbox` that is used here."""

    def put(self, wake_ups: Sequence[WakeUp]) -> int:
        """How many were new; all are on the disk."""
        ...


class Subscribed(Protocol):
    """The part of `cds.store.subscribed.Subscribed` that is used here."""

    def get(self, which: str) -> SubscriptionRow | None:
        """The subscription with this id."""
        ...

    def heard(
        self, which: str, counted: Callable[[SubscriptionRow], SubscriptionRow]
    ) -> SubscriptionRow | None:
        """Put what `counted` makes of the row in its place; nobody comes in between."""
        ...


class Taken(Struct, frozen=True):
    """What became of a notification. `new`: wake-ups that were not there yet."""

    new: int
    gap: bool = False
    restart: bool = False


class Intake:
    """Takes the notifications of every site. `fresh` gives a name that was never given before."""

    def __init__(self, inbox: Inbox, subscribed: Subscribed, fresh: Fresh) -> None:
        self._inbox = inbox
        self._subscribed = subscribed
        self._fresh = fresh

    def subscription(self, which: str) -> SubscriptionRow | None:
        """The subscription with this id. Raises `StoreDown`."""
        return self._subscribed.get(which)

    def everybody(self, row: SubscriptionRow, why: str, now: datetime) -> int:
        """Have everybody of the subscription read: something came that cannot be used."""
        return self._inbox.put((everybody(row, f"{why}/{self._fresh()}", now),))

    def take(self, notification: Notification, row: SubscriptionRow, now: datetime) -> Taken:
        """Commit what is to be read, then count. Raises `StoreDown`: then nothing is answered."""
        name = notification.mark or self._fresh()
        asked = wake_ups(notification, row, now=now, fresh=self._fresh)
        if _gets_worse(notification, row):  # what it could not deliver may be lost
            asked = (*asked, everybody(row, f"status/{name}", now))
        seen = _observed(row, notification, new=True)
        if seen.restarted:  # or an old one again: whether it was received before tells them apart
            new = self._inbox.put(asked or catch_up(seen, row, mark=name, now=now))
            seen = _observed(row, notification, new=new > 0)
            new += self._put(catch_up(seen, row, mark=name, now=now))
        else:
            new = self._put((*asked, *catch_up(seen, row, mark=name, now=now)))
        final = self._count(notification, row, now, expected=seen)
        if (final.gaps, final.restarted) != (seen.gaps, seen.restarted):  # counted meanwhile
            new += self._put(catch_up(final, row, mark=name, now=now))
        return Taken(new, gap=bool(final.gaps), restart=final.restarted)

    def _put(self, asked: Sequence[WakeUp]) -> int:
        return self._inbox.put(asked) if asked else 0

    def _count(
        self, notification: Notification, row: SubscriptionRow, now: datetime, *, expected: Counted
    ) -> Counted:
        """Count on the row as it is now, and remember that the server was heard of."""
        if _says_nothing(notification, row, now):
            return expected
        result = [expected]

        def counted(before: SubscriptionRow) -> SubscriptionRow:
            # What is low only by now was overtaken by another one, and is no restart.
            result[0] = _observed(before, notification, new=expected.restarted)
            after = with_count(before, result[0].count, now)
            status = notification.status
            if status is not None and notification.kind != "handshake":
                after = msgspec.structs.replace(after, status=status)
            return msgspec.structs.replace(after, heard_at=max(now, before.heard_at))

        self._subscribed.heard(row.id, counted)
        return result[0]


def _observed(row: SubscriptionRow, notification: Notification, *, new: bool) -> Counted:
    if notification.of_another:
        return Counted(count_of(row))
    return observe(count_of(row), notification.numbers, notification.total, new=new)


def _gets_worse(notification: Notification, row: SubscriptionRow) -> bool:
    return notification.status in _FAILING and row.status not in _FAILING


def _says_nothing(notification: Notification, row: SubscriptionRow, now: datetime) -> bool:
    """No number, no change of status, and the server was heard of a moment ago."""
    if notification.numbers or notification.total is not None:
        return False
    if notification.status not in {None, row.status}:
        return False
    return now - row.heard_at < timedelta(seconds=HEARD_SECONDS)
