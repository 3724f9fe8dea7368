"""Whether somebody is at work: what waits in the inbox, and which sites are no longer polled.

Seen from the store alone, so that a web process can say it of workers that are other processes.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from cds.config import Site
from cds.health import Check
from cds.worker import polling
from cds.worker.ports import Cohort, History, Inbox


LATE = timedelta(minutes=5)  # a project decision: older than this, somebody should look


class Backlog(Struct, frozen=True):
    """Wake-ups that wait, for how long the oldest has, and sites with patients nobody polls."""

    waiting: int
    oldest_seconds: float
    unpolled: tuple[str, ...] = ()


def backlog(
    inbox: Inbox, cohort: Cohort, history: History, sites: Iterable[Site], now: datetime
) -> Backlog:
    """As it is at `now`. Raises `StoreDown`. `sites`: all that are configured."""
    found = inbox.waiting(now)
    unpolled = tuple(
        site.id
        for site in sites
        if site.events is not None and _unpolled(cohort, history, site, now)
    )
    oldest = 0.0 if found.oldest is None else max(0.0, (now - found.oldest).total_seconds())
    return Backlog(found.count, oldest, unpolled)


def check(found: Backlog) -> Check:
    """For the page that says whether the service is ready. Calls are answered all the same."""
    if found.unpolled:
        return Check("degraded", f"no worker polls: {', '.join(found.unpolled)}")
    if found.oldest_seconds > LATE.total_seconds():
        seconds = int(found.oldest_seconds)
        return Check("degraded", f"{found.waiting} wait, the oldest for {seconds} s")
    return Check("ready", f"{found.waiting} wait")


def _unpolled(cohort: Cohort, history: History, site: Site, now: datetime) -> bool:
    """A worker makes a wake-up an interval for each watched patient, whatever else happens."""
    seconds = site.events.poll_seconds if site.events else 0
    since = now - timedelta(seconds=polling.LATE * seconds)
    long_watched = any(row.seen_at <= since for row in cohort.watched(site.id, now))
    return long_watched and not history.put_since(
        site.id, polling.SOURCE, polling.still_polled(site, now)
    )
