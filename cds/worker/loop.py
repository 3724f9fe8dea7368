"""The life of one worker: due work, one claim after another, and sleep when there is nothing.

Ends when it is told to, after the claim in hand. While the store is down it waits and goes on.
"""

import logging
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from cds import log
from cds.store import StoreDown, StoreRefused
from cds.worker.faults import Contained
from cds.worker.rounds import Rounds
from cds.worker.tell import tell
from cds.worker.turn import Turn, take
from cds.worker.workplace import Workplace


IDLE_SECONDS = 1.0
DOWN_SECONDS = 5.0
CHORES = timedelta(minutes=1)
KEEP_DONE = timedelta(days=14)  # done wake-ups: as long as a server may repeat a notification
_PRUNING = timedelta(hours=1)


class Stop(Protocol):
    """When to end, and a sleep that ends with it; `threading.Event` is one."""

    def is_set(self) -> bool: ...
    def wait(self, timeout: float | None = None) -> bool: ...


class Ran(Struct):
    """What a worker did: claims by how they ended, and statements written to FHIR servers."""

    turns: dict[str, int] = {}
    told: int = 0
    store_down: int = 0


class Worker:
    """One of as many as the store allows: several on PostgreSQL, one on SQLite."""

    def __init__(self, place: Workplace) -> None:
        self.place = place
        self._rounds = Rounds(place)
        self._chores_at: datetime | None = None
        self._pruned_at: datetime | None = None
        self._refused: set[tuple[str, str]] = set()
        self.ran = Ran(turns={})

    def run(self, stop: Stop, *, once: bool = False) -> Ran:
        """Work until told to stop. Raises `AnotherWorker` where the store has another one.

        `once`: until nothing is due; raises `StoreDown` while the store is down.
        """
        while not stop.is_set():
            try:
                self._beside()
                worked = self._claim()
            except StoreDown as down:
                self.ran.store_down += 1
                log.event("store-down", level=logging.WARNING, code=down.cause)
                if once:
                    raise
                stop.wait(DOWN_SECONDS)
                continue
            if worked:
                continue
            if once:
                break
            stop.wait(IDLE_SECONDS)
        return self.ran

    def close(self) -> None:
        """End the connections; on SQLite, let another process be the worker."""
        self.place.server.close()
        self.place.inbox.close()

    def _beside(self) -> None:
        """What is due beside the claims."""
        now = self.place.clock()
        self._rounds.go(now)
        if self._chores_at is None or now - self._chores_at >= CHORES:
            self._chores_at = now
            with Contained("chore-fault", ""):
                self.place.records.drain()
            self._prune(now)

    def _prune(self, now: datetime) -> None:
        if self._pruned_at is not None and now - self._pruned_at < _PRUNING:
            return
        self._pruned_at = now
        with Contained("chore-fault", ""):
            self.place.inbox.prune(now - KEEP_DONE)
            self.place.cohort.forget(now - KEEP_DONE)

    def _claim(self) -> bool:
        """Whether there was one."""
        claimed = "", ""
        try:
            with self.place.inbox.claim(self.place.clock()) as claim:
                if claim is None:
                    return False
                claimed = claim.site, claim.patient
                turn = take(self.place, claim, refused=claimed in self._refused)
        except StoreRefused as error:
            log.event("not-recorded", level=logging.ERROR, code=error.code)
            self._refused.add(claimed)
            return True
        self._refused.discard(claimed)
        if turn.unnamed and turn.site is not None:
            self._rounds.look(turn.site)
        self.ran.turns[turn.result] = self.ran.turns.get(turn.result, 0) + 1
        self._tell(turn)
        return True

    def _tell(self, turn: Turn) -> None:
        if turn.regraded is None or turn.site is None or turn.result == "again":
            return
        with Contained("tell-fault", turn.site.id):
            self.ran.told += tell(self.place, turn.site, turn.regraded)
