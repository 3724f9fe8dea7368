"""Wake-ups in, decisions out: the inbox and its workers on PostgreSQL and on SQLite.

`python -m tests.bench.events` runs this part alone; the figures go to the screen and to
build/bench-events.json. Every acknowledgement counted here came after its commit was on the disk.
It is no test: nothing fails.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from cds.clock import system_clock
from cds.store import Store, StoreDown, open_store
from cds.store.inbox import Inbox
from cds.store.migrations import migrate
from cds.store.rows import WakeUp
from tests.bench.events_worker import OBSERVATIONS, SITE, regrader
from tests.bench.measure import percentile
from tests.bench.report import Verdict
from tests.postgres import binaries, cluster


ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"
CLIENTS = 16  # threads of one process, as a web worker has
NOTIFICATIONS = 10_000
PATIENTS = 2_000
REGRADED = 1_000  # patients
BURST = 10_000  # events, of so many patients:
BURST_PATIENTS = 1_000
INTAKE, REGRADES = 1_500, 300  # aims, a second, on PostgreSQL
WORKERS = {"PostgreSQL": 2, "SQLite": 1}


@dataclass(frozen=True)
class Figures:
    """One database. Acknowledgements in ms; `drained`: seconds from the first event of the burst
    until every patient had been read; `claims`: how many readings that took."""

    database: str
    intake: float
    p50: float
    p99: float
    worst: float
    workers: int
    regraded: float
    burst_p99: float
    drained: float
    claims: int


def main() -> int:
    """Run everything; 0 whatever the verdicts are."""
    BUILD.mkdir(exist_ok=True)
    before = os.getloadavg()[0]
    found = [_figures(name, url) for name, url in _databases()]
    lines = [
        f"load before: {before:.2f}",
        _evaluation(),
        *table(found),
        *(one.line for one in verdicts(found)),
    ]
    sys.stdout.write("\n".join((*lines, "")))
    document = {
        "loadBefore": before,
        "events": [asdict(one) for one in found],
        "verdicts": [asdict(one) for one in verdicts(found)],
    }
    (BUILD / "bench-events.json").write_text(json.dumps(document, indent=2) + "\n")
    return 0


def table(found: Sequence[Figures]) -> Iterator[str]:
    """The lines a person reads."""
    yield (
        f"{CLIENTS} clients; {OBSERVATIONS} Observations a patient; "
        f"burst of {BURST} events of {BURST_PATIENTS} patients"
    )
    heads = ("events/s", "p50 ms", "p99 ms", "worst ms", "workers", "regrades/s")
    burst = ("burst p99", "drained s", "readings")
    yield f"{'database':<12}" + "".join(f"{head:>12}" for head in (*heads, *burst))
    for one in found:
        yield (
            f"{one.database:<12}{one.intake:>12.0f}{one.p50:>12.2f}{one.p99:>12.2f}"
            f"{one.worst:>12.1f}{one.workers:>12}{one.regraded:>12.0f}"
            f"{one.burst_p99:>12.2f}{one.drained:>12.1f}{one.claims:>12}"
        )


def verdicts(found: Sequence[Figures]) -> Iterator[Verdict]:
    """Every aim in a fixed order; all of them are PostgreSQL's."""
    one = next((figures for figures in found if figures.database == "PostgreSQL"), None)
    intake = f"durable intake >= {INTAKE} notifications/s"
    regrades = f"re-grading >= {REGRADES} patients/s"
    if one is None:
        yield from (Verdict(aim, "no PostgreSQL here", None) for aim in (intake, regrades))
        return
    said = f"{one.intake:.0f}/s, acknowledged p99 {one.p99:.1f} ms"
    yield Verdict(intake, said, one.intake >= INTAKE)
    yield Verdict(regrades, f"{one.regraded:.0f}/s", one.regraded >= REGRADES)


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="bench-", dir=BUILD) as folder:
        yield f"sqlite:///{folder}/store.db"


def _databases() -> Iterator[tuple[str, str]]:
    if binaries() is not None:
        with cluster() as server:
            yield "PostgreSQL", server.new_database()
    with _sqlite() as url:
        yield "SQLite", url


def _evaluation() -> str:
    """What of a re-grading is no work of the store."""
    regrade, now = regrader(system_clock()), system_clock()
    for _ in range(10):
        regrade("p1", now)
    begun = time.process_time()
    for _ in range(100):
        regrade("p1", now)
    return f"evaluating a patient alone: {10 * (time.process_time() - begun):.1f} ms CPU"


def _figures(name: str, url: str) -> Figures:
    migrate(url)
    store = open_store(url, wait=5)
    seconds, times = _intake(store, NOTIFICATIONS, PATIENTS, "intake")
    _forget(store)
    _intake(store, REGRADED, REGRADED, "regrade")
    with _workers(url, WORKERS[name]) as go:
        regrading = go()
    _forget(store)
    with _workers(url, WORKERS[name]) as go:
        begun = time.monotonic()
        burst: list[float] = []
        claims = go(lambda: burst.extend(_intake(store, BURST, BURST_PATIENTS, "burst")[1]))[1]
        drained = time.monotonic() - begun
    store.close()
    return Figures(
        database=name,
        intake=NOTIFICATIONS / seconds,
        p50=percentile(times, 50),
        p99=percentile(times, 99),
        worst=max(times),
        workers=WORKERS[name],
        regraded=regrading[1] / regrading[0],
        burst_p99=percentile(burst, 99),
        drained=drained,
        claims=claims,
    )


def _intake(store: Store, count: int, patients: int, source: str) -> tuple[float, list[float]]:
    """Seconds, and each acknowledgement in ms; one wake-up a notification."""
    inbox = Inbox(store)
    times: list[list[float]] = [[] for _ in range(CLIENTS)]
    begun = time.monotonic()

    def client(number: int) -> None:
        for event in range(number, count, CLIENTS):
            one = _wake_up(source, event, event % patients, system_clock())
            sent = time.monotonic()
            while not _put(inbox, one):
                pass
            times[number].append(1000 * (time.monotonic() - sent))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - begun, [one for each in times for one in each]


def _put(inbox: Inbox, one: WakeUp) -> bool:
    try:
        inbox.put([one])
    except StoreDown:  # counted in the time until it is acknowledged
        return False
    return True


def _wake_up(source: str, event: int, patient: int, now: datetime) -> WakeUp:
    return WakeUp(
        site=SITE, source=source, event=str(event), received_at=now, patient=f"p{patient}"
    )


def _forget(store: Store) -> None:
    """The next part begins with an empty inbox."""
    with store.writing() as connection:
        for table_name in ("inbox", "turns"):
            connection.exec_driver_sql(f"DELETE FROM {table_name}")  # noqa: S608 - named here


Go = Callable[..., tuple[float, int]]


@contextmanager
def _workers(url: str, count: int) -> Iterator[Go]:
    """Workers that wait to be let go; then seconds and readings until nothing waits."""
    with ExitStack() as stack:
        found = [stack.enter_context(_worker(url)) for _ in range(count)]

        def go(meanwhile: Callable[[], object] = lambda: None) -> tuple[float, int]:
            begun = time.monotonic()
            for one in found:
                _stdin(one).write("go\n")
                _stdin(one).flush()
            meanwhile()
            readings = sum(int(one.communicate()[0]) for one in found)
            return time.monotonic() - begun, readings

        yield go


@contextmanager
def _worker(url: str) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(  # noqa: S603 -- this package's own worker
        [sys.executable, "-m", "tests.bench.events_worker", url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield process
        finally:
            process.kill()


def _stdin(process: "subprocess.Popen[str]") -> IO[str]:
    assert process.stdin is not None
    return process.stdin


if __name__ == "__main__":
    sys.exit(main())
