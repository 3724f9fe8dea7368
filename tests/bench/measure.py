"""The measurement itself: warm-up, interleaved rounds, medians. Knows candidates only by value."""

import json
import math
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench import process


ROUNDS = 3
CONNECTIONS = 4
CLIENT_TIMEOUT = 120  # seconds


@dataclass(frozen=True)
class Candidate:
    """One server under test; `requests` is the number sent per round, by prefetch size."""

    name: str
    command: Callable[[int], Sequence[str]]
    ready: str
    path: str
    hook: str
    expected: str
    requests: Mapping[int, int]


@dataclass(frozen=True)
class Round:
    """What one round gave: rate, latencies in ms, server CPU per request in ms, worker memory."""

    per_second: float
    p50: float
    p99: float
    cpu_ms: float
    rss_mb: float


@dataclass(frozen=True)
class Result:
    """Medians over the rounds of one candidate at one size; `rss_mb` is the largest seen."""

    candidate: str
    observations: int
    requests: int
    per_second: float
    p50: float
    p99: float
    cpu_ms: float
    rss_mb: float
    rates: tuple[float, ...]


def compare(
    candidates: Sequence[Candidate], size: int, bodies: Mapping[str, Path], logs: Path
) -> tuple[list[Result], dict[str, float]]:
    """All candidates side by side at one size; also how long each took to start."""
    rounds: dict[str, list[Round]] = {candidate.name: [] for candidate in candidates}
    with ExitStack() as stack:
        servers = {c.name: stack.enter_context(start(c, logs)) for c in candidates}
        for candidate in candidates:
            warm_up = max(CONNECTIONS * 2, candidate.requests[size] // 10)
            _load(candidate, servers[candidate.name], bodies[candidate.hook], warm_up)
        for _ in range(ROUNDS):
            for candidate in candidates:
                server, body = servers[candidate.name], bodies[candidate.hook]
                one = _load(candidate, server, body, candidate.requests[size])
                rounds[candidate.name].append(one)
    results = [_median(c, size, rounds[c.name]) for c in candidates]
    return results, {name: server.start_seconds for name, server in servers.items()}


def start(candidate: Candidate, logs: Path) -> AbstractContextManager[process.Server]:
    """The candidate's server on a port of its own, as a context manager."""
    port = process.free_port()
    return process.running(
        candidate.name,
        candidate.command(port),
        port=port,
        ready=candidate.ready,
        log=logs / f"{candidate.name}.log",
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest-rank percentile: a value that was measured, never one in between."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def _load(candidate: Candidate, server: process.Server, body: Path, requests: int) -> Round:
    before = process.cpu_seconds(server.pid)
    done = subprocess.run(  # noqa: S603 -- this package's own client
        [
            *(sys.executable, "-m", "tests.bench.client", str(server.port), candidate.path),
            *(str(body), str(requests), str(CONNECTIONS), candidate.expected),
        ],
        check=True,
        stdout=subprocess.PIPE,
        timeout=CLIENT_TIMEOUT,
    )
    cpu = process.cpu_seconds(server.pid) - before
    answer = json.loads(done.stdout)
    latencies = answer["latencies"]
    return Round(
        per_second=requests / answer["seconds"],
        p50=percentile(latencies, 50),
        p99=percentile(latencies, 99),
        cpu_ms=cpu * 1000 / requests,
        rss_mb=process.worker_rss_mb(server.pid),
    )


def _median(candidate: Candidate, size: int, rounds: Sequence[Round]) -> Result:
    return Result(
        candidate=candidate.name,
        observations=size,
        requests=candidate.requests[size],
        per_second=statistics.median(r.per_second for r in rounds),
        p50=statistics.median(r.p50 for r in rounds),
        p99=statistics.median(r.p99 for r in rounds),
        cpu_ms=statistics.median(r.cpu_ms for r in rounds),
        rss_mb=max(r.rss_mb for r in rounds),
        rates=tuple(r.per_second for r in rounds),
    )
