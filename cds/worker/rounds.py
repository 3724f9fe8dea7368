"""What a worker does once an interval for each site: poll the watched, look for more of them.

It looks in between where a notification names nobody. Also learns who is watched from decisions
that hook calls made. Each part stands alone: a server
that cannot be searched, or a fault, keeps no patient from being polled.
"""

import logging
from datetime import datetime, timedelta

from cds import log
from cds.config import Site
from cds.worker import polling, search
from cds.worker.faults import Contained
from cds.worker.ports import Unread
from cds.worker.watching import look_back, watched_from
from cds.worker.workplace import Workplace


_WEEK = timedelta(days=7)  # read at once; a database limits how long one query may take
_AGAIN = timedelta(hours=1)  # a decision may wait in a spool before it is stored


class Rounds:
    """What one worker has done of it. Raises `StoreDown`; then it is done again."""

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self._polled: dict[str, int] = {}
        self._learned: dict[str, datetime] = {}
        self._wanted: set[str] = set()
        self._searched: dict[str, datetime] = {}

    def look(self, site: Site) -> None:
        """Search for new patients soon: somebody who is not watched may have had a first dose."""
        self._wanted.add(site.id)

    def go(self, now: datetime) -> None:
        """Everything that is due at `now`."""
        for site in self._place.sites():
            number = polling.interval(site, now)
            if self._polled.get(site.id) != number:
                with Contained("poll-fault", site.id):
                    self._learn(site, now)
                with Contained("poll-fault", site.id):
                    self._poll(site, now)
                self._polled[site.id] = number
            if site.id in self._wanted and self._may_search(site, now):
                with Contained("poll-fault", site.id):
                    watched = self._place.cohort.watched(site.id, now)
                    self._search(site, frozenset(row.patient for row in watched), now)

    def _learn(self, site: Site, now: datetime) -> None:
        """From what was decided since the last time; at first, over the whole look-back."""
        rules = site.site_rules(self._place.library.rules)
        start = self._learned.get(site.id, now - look_back(rules)) - _AGAIN
        while start < now:
            end = min(start + _WEEK, now)
            for kept in self._place.history.between(site.id, start, end):
                row = watched_from(site.id, kept, rules, now)
                if row is not None:
                    self._place.watching.see(row)
            start = end
        self._learned[site.id] = now

    def _poll(self, site: Site, now: datetime) -> None:
        """Of several workers, the one that was first this interval asks the server."""
        watched = self._place.cohort.watched(site.id, now)
        new = self._place.inbox.put(polling.wake_ups(site, watched, now))
        log.event("polled", site=site.id, code="first" if new else "nothing-new")
        if new or not watched:
            self._search(site, frozenset(row.patient for row in watched), now)

    def _may_search(self, site: Site, now: datetime) -> bool:
        """However many notifications come, not more often than one patient is read."""
        least = timedelta(seconds=max(1, site.events.pause_seconds if site.events else 0))
        last = self._searched.get(site.id)
        return last is None or not timedelta(0) <= now - last < least

    def _search(self, site: Site, watched: frozenset[str], now: datetime) -> None:
        self._searched[site.id] = now
        self._wanted.discard(site.id)
        codes = self._place.codes[site.id]
        span = look_back(site.site_rules(self._place.library.rules))
        for query in search.queries(codes, now, span):
            try:
                found = self._place.server.found(site, query)
            except Unread as error:
                log.event(
                    "not-searched", level=logging.WARNING, site=site.id, upstream=[error.kind]
                )
                continue
            self._place.inbox.put(search.wake_ups(site, codes, found, watched, now))
