"""SIGKILL of who puts, who works and the database: nothing acknowledged is lost or done twice."""

import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from time import sleep

from cds.store import Store, open_store
from cds.store.migrations import migrate
from tests.crash.aftermath import CLEAN, aftermath
from tests.crash.processes import Child
from tests.postgres import Cluster, cluster
from tests.properties.figures import Figures


VALIDATION = bool(os.environ.get("BTCE_VALIDATION"))
PROCESSES, THREADS = (5, 10) if VALIDATION else (2, 4)
POSTGRESQL_KILLS, SQLITE_KILLS = (132, 98) if VALIDATION else (11, 9)
SENTENCE = f"a process is killed under {PROCESSES * THREADS} writers: nothing lost, nothing twice"

# Whom, and where: a child stops at the point it is told and is killed there; without, anywhere.
Kill = tuple[str, str]
IN_ONE_PROCESS: Sequence[Kill] = (
    ("put", "before-commit"),
    ("work", "claimed"),
    ("put", "committed"),
    ("work", "read"),
    ("put", ""),
    ("work", "before-commit"),
    ("work", ""),
    ("work", "committed"),
)
OF_A_SERVER: Sequence[Kill] = (
    *IN_ONE_PROCESS,
    ("server", "stop immediate"),
    ("server", "kill"),
)


class Field:
    """Writers and workers on one database; whoever is killed is replaced."""

    def __init__(self, url: str, server: Cluster | None) -> None:
        self.url = url
        self.server = server
        self.killed: Counter[Kill] = Counter()
        self.acked: list[str] = []
        self._names = iter(range(1_000_000))
        self._random = random.Random(7)  # noqa: S311 - which moment, and of whom
        self._writers = [self._writer() for _ in range(PROCESSES)]
        self._worker = self._child("work", url)
        for child in (*self._writers, self._worker):
            child.begin()

    def kill(self, kill: Kill) -> None:
        """One of them, and what was killed goes on in another process."""
        who, point = kill
        if who == "server":
            self._kill_server(point)
        elif who == "put":
            self._kill_writer(point)
        else:
            self._kill_worker(point)
        self.killed[kill] += 1

    def end(self) -> None:
        """Nobody says goodbye."""
        for child in (*self._writers, self._worker):
            self._end(child)

    def _kill_server(self, how: str) -> None:
        assert self.server is not None
        self._some_time()
        if how == "kill":
            self.server.kill()
        else:
            self.server.stop("immediate")
        self.server.start()

    def _kill_writer(self, point: str) -> None:
        if point:
            one = self._child("put", self.url, f"w{next(self._names)}", "1", point)
            self._stopped(one)
        else:
            number = self._random.randrange(len(self._writers))
            self._writers[number].begin()
            self._some_time()
            self._end(self._writers[number])
            self._writers[number] = self._writer()

    def _kill_worker(self, point: str) -> None:
        if not point or self.server is None:  # SQLite has one worker at a time
            self._worker.begin()
            self._some_time()
            self._end(self._worker)
        if point:
            one = self._child("work", self.url, point)
            self._stopped(one)
        if not self._worker.runs:
            self._worker = self._child("work", self.url)

    def _stopped(self, child: Child) -> None:
        """Killed where it stops, or where it is when it does not get there."""
        try:
            child.arrive()
        finally:
            self._end(child)

    def _writer(self) -> Child:
        return self._child("put", self.url, f"w{next(self._names)}", str(THREADS))

    def _child(self, *arguments: str) -> Child:
        return Child(*arguments)

    def _end(self, child: Child) -> None:
        assert child.runs, "it ended by itself"
        child.kill()
        self.acked += child.acked

    def _some_time(self) -> None:
        sleep(self._random.uniform(0.05, 0.5))


@contextmanager
def field(url: str, server: Cluster | None = None) -> Iterator[tuple[Field, Store]]:
    migrate(url)
    store = open_store(url, wait=20)
    found = Field(url, server)
    try:
        yield found, store
    finally:
        store.close()


def killed(found: Field, kills: Sequence[Kill], count: int) -> None:
    """So many kills, each kind in its turn; then everybody else."""
    try:
        for kill in islice(cycle(kills), count):
            found.kill(kill)
    finally:
        found.end()


def test_sqlite_loses_nothing_it_acknowledged(tmp_path: Path, figures: Figures) -> None:
    with field(f"sqlite:///{tmp_path / 'store.db'}") as (found, store):
        killed(found, IN_ONE_PROCESS, SQLITE_KILLS)

        assert len(found.acked) > SQLITE_KILLS
        assert aftermath(store, found.acked) == CLEAN
    figures.add(f"SQLite: {SENTENCE}", sum(found.killed.values()))
    figures.add("SQLite: acknowledged wake-ups that were there afterwards", len(found.acked))


def test_postgresql_loses_nothing_it_acknowledged(figures: Figures) -> None:
    with cluster() as server, field(server.new_database(), server) as (found, store):
        killed(found, OF_A_SERVER, POSTGRESQL_KILLS)

        assert len(found.acked) > POSTGRESQL_KILLS
        assert aftermath(store, found.acked) == CLEAN
    figures.add(f"PostgreSQL: {SENTENCE}", sum(found.killed.values()))
    figures.add("PostgreSQL: acknowledged wake-ups that were there afterwards", len(found.acked))
