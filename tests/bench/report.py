"""The aims, and the words and JSON a run leaves; measures nothing."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.bench.measure import Result


SERVICE, FLOOR, PEER = "service", "floor", "healthchain"
CPU_OVER_FLOOR = 2.0  # at most
RATE_OVER_PEER = {100: 20.0, 1000: 50.0}  # at least, by number of Observations
START_SECONDS = 1.5  # at most
WORKER_MB = 160.0  # at most


@dataclass(frozen=True)
class Verdict:
    """One aim, the figure it was held against, and whether it was met (None: not measured)."""

    aim: str
    figure: str
    met: bool | None

    @property
    def line(self) -> str:
        """The verdict as it is printed."""
        word = {True: "met", False: "not met", None: "not measured"}[self.met]
        return f"{word:<13}{self.aim}: {self.figure}"


def verdicts(results: Sequence[Result], starts: Mapping[str, float]) -> list[Verdict]:
    """Every aim in a fixed order; an aim whose comparison is absent is `not measured`."""
    by_key = {(r.candidate, r.observations): r for r in results}
    found = [_cpu(by_key, size) for size in sorted(RATE_OVER_PEER)]
    found += [_rate(by_key, size) for size in sorted(RATE_OVER_PEER)]
    seconds = starts[SERVICE]
    found.append(
        Verdict(f"start-up <= {START_SECONDS} s", f"{seconds:.2f} s", seconds <= START_SECONDS)
    )
    memory = max(r.rss_mb for r in results if r.candidate == SERVICE)
    found.append(
        Verdict(f"worker memory <= {WORKER_MB:.0f} MB", f"{memory:.0f} MB", memory <= WORKER_MB)
    )
    return found


def _cpu(by_key: Mapping[tuple[str, int], Result], size: int) -> Verdict:
    aim = f"CPU at {size} Observations <= {CPU_OVER_FLOOR:g} x the floor"
    ours, floor = by_key[SERVICE, size], by_key[FLOOR, size]
    ratio = ours.cpu_ms / floor.cpu_ms
    figure = f"{ratio:.2f} x ({ours.cpu_ms:.2f} ms against {floor.cpu_ms:.2f} ms)"
    return Verdict(aim, figure, ratio <= CPU_OVER_FLOOR)


def _rate(by_key: Mapping[tuple[str, int], Result], size: int) -> Verdict:
    least = RATE_OVER_PEER[size]
    aim = f"requests/s at {size} Observations >= {least:g} x HealthChain"
    peer = by_key.get((PEER, size))
    if peer is None:
        return Verdict(aim, "HealthChain was not run", None)
    ours = by_key[SERVICE, size]
    ratio = ours.per_second / peer.per_second
    figure = f"{ratio:.1f} x ({ours.per_second:.1f} against {peer.per_second:.1f} requests/s)"
    return Verdict(aim, figure, ratio >= least)


def table(
    results: Sequence[Result], starts: Mapping[str, float], about: Mapping[str, Any]
) -> Iterator[str]:
    """The lines a person reads: machine, figures, verdicts."""
    yield from (f"{key}: {value}" for key, value in about.items())
    yield ""
    yield (
        f"{'candidate':<12}{'Obs':>6}{'sent':>7}{'req/s':>10}{'p50 ms':>10}{'p99 ms':>10}"
        f"{'CPU ms/req':>12}{'RSS MB':>8}{'start s':>9}"
    )
    for r in results:
        yield (
            f"{r.candidate:<12}{r.observations:>6}{r.requests:>7}{r.per_second:>10.1f}"
            f"{r.p50:>10.2f}{r.p99:>10.2f}{r.cpu_ms:>12.3f}{r.rss_mb:>8.0f}"
            f"{starts[r.candidate]:>9.2f}"
        )
    yield ""
    for verdict in verdicts(results, starts):
        yield verdict.line


def document(
    results: Sequence[Result],
    starts: Mapping[str, float],
    about: Mapping[str, Any],
    mapping: Mapping[str, Any],
) -> str:
    """The same as JSON, for comparing one run with another."""
    body = {
        "about": dict(about),
        "results": [asdict(r) for r in results],
        "startSeconds": dict(starts),
        "verdicts": [asdict(v) for v in verdicts(results, starts)],
        "mapping": dict(mapping),
    }
    return json.dumps(body, indent=2) + "\n"
