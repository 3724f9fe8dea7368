"""Keeps every decision before its answer leaves: in the store, or in the spool while that is down.

Neither taking it is logged and counted; the answer leaves all the same, because silence would harm
more than a gap in the record. What was spooled is put back beside the calls.
"""

import logging
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from cds import log
from cds.metrics import Metrics
from cds.store import (
    DecisionRow,
    FeedbackRow,
    Spool,
    SpoolDown,
    SpoolState,
    Store,
    StoreDown,
    StoreRefused,
)
from cds.store.earlier import earlier_events
from cds.store.rems import acknowledged_programs
from knowledge.earlier import EarlierEvent
from knowledge.model import SiteRules
from knowledge.product_model import RemsProgram


Start = Callable[[Callable[[], None]], None]


class Recorder:
    """The store and its spool as one. Shared by the threads of a process."""

    def __init__(self, store: Store, spool: Spool, *, metrics: Metrics, start: Start) -> None:
        """`start`: does work beside the calls, such as in a thread."""
        self._store = store
        self._spool = spool
        self._metrics = metrics
        self._start = start
        self._draining = threading.Lock()
        self._waiting = True  # an earlier process may have left some

    def record(self, decision: DecisionRow) -> None:
        """Keep a decision; raises nothing."""
        try:
            self._store.record(decision)
        except (StoreDown, StoreRefused) as error:
            self._keep(decision, error.code)
            return
        self._metrics.stored()
        if self._waiting:
            self._start(self.drain)

    def drain(self) -> None:
        """Put back what waits, if nobody else in this process does."""
        if not self._draining.acquire(blocking=False):
            return
        try:
            self._waiting = False
            done = self._spool.drain(self._store)
            if done.left:
                self._waiting = True
            if done.stored or done.set_aside:
                log.event("spool-drained", spooled=done.stored)
        finally:
            self._draining.release()

    def add_feedback(self, rows: Collection[FeedbackRow], now: datetime) -> None:
        """Keep feedback; raises `StoreDown`: the client sends it again."""
        self._store.add_feedback(tuple(rows), now)

    def acknowledged(
        self,
        site: str,
        patient: str,
        *,
        programs: Mapping[str, RemsProgram],
        rules: SiteRules,
        now: datetime,
    ) -> frozenset[str]:
        """REMS programmes whose duties somebody has read; none while the store is down."""
        try:
            return acknowledged_programs(
                self._store, site=site, patient=patient, programs=programs, rules=rules, now=now
            )
        except StoreDown:
            return frozenset()

    def earlier(self, site: str, patient: str, before: datetime) -> tuple[EarlierEvent, ...] | None:
        """Events that earlier decisions remember; None while the store is down."""
        try:
            return earlier_events(self._store, site, patient, before)
        except StoreDown:
            return None

    def store_answers(self) -> bool:
        """Whether the store can be used now."""
        try:
            self._store.ready()
        except StoreDown:
            return False
        return True

    def spool_state(self) -> SpoolState | None:
        """What waits; None where no more can be put there."""
        try:
            return self._spool.state() if self._spool.usable() else None
        except OSError:
            return None

    def _keep(self, decision: DecisionRow, why: str) -> None:
        self._waiting = True
        try:
            self._spool.keep(decision)
        except SpoolDown as error:
            log.event("not-recorded", level=logging.ERROR, code=error.code, decision=decision.id)
            return
        self._metrics.spooled()
        log.event("spooled", level=logging.WARNING, code=why, decision=decision.id)
