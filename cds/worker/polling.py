"""Every watched patient is read once an interval, whatever was or was not notified.

This is the whole of what a site without Subscriptions has, and for the others the way back from
every notification that was lost. Any number of workers, started at any time, make one wake-up an
interval: it is named by the interval's number.
"""

from collections.abc import Iterable
from datetime import datetime

from cds.config import Site
from cds.store.rows import WakeUp, Watched


SOURCE = "poll"
LATE = 3  # intervals without a poll, after which nobody seems to be at work


def interval(site: Site, now: datetime) -> int:
    """The number of the interval that `now` is in, counted from 1970."""
    seconds = site.events.poll_seconds if site.events else 0
    return int(now.timestamp()) // max(1, seconds)


def wake_ups(site: Site, watched: Iterable[Watched], now: datetime) -> tuple[WakeUp, ...]:
    """One for each patient, the same for all of this interval."""
    number = interval(site, now)
    return tuple(
        WakeUp(
            site=site.id,
            source=SOURCE,
            event=f"{number}/{row.patient}",
            received_at=now,
            patient=row.patient,
        )
        for row in watched
    )


def still_polled(site: Site, now: datetime) -> str:
    """The least event name a poll would have, were anybody at work. Numbers of one length sort
    as text."""
    return f"{interval(site, now) - LATE}/"
