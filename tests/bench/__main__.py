"""Runs the comparison and leaves its figures on the screen and in build/bench.json."""

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cds.clock import system_clock
from tests.bench import events, healthchain_env, load, mapping, measure, payload, process, report
from tests.bench.candidates import floor, healthchain, service
from tests.bench.measure import Candidate, Result


ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"
SIZES = (100, 1000)
STARTS = 3


def main() -> int:
    """Run everything; 0 whatever the verdicts are, for a figure is not a test."""
    BUILD.mkdir(exist_ok=True)
    about = _about()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=BUILD) as folder:
        work = Path(folder)
        candidates = [service(work), floor()]
        try:
            python = healthchain_env.python_of(BUILD / "bench-healthchain")
            candidates.append(healthchain(python))
            about["healthchain"] = healthchain_env.versions(python)
        except healthchain_env.NotInstalled as error:
            about["healthchain"] = f"not installed: {error}"
        results, starts = _run(candidates, work)
    print("\n".join((*report.table(results, starts, about), "")))
    found = tuple(mapping.figures())
    print("\n".join(mapping.table(found)))
    document = report.document(results, starts, about, mapping.document(found))
    (BUILD / "bench.json").write_text(document)
    sys.stdout.write("\n")
    load.main()
    sys.stdout.write("\n")
    return events.main()


def _run(candidates: Sequence[Candidate], work: Path) -> tuple[list[Result], dict[str, float]]:
    results: list[Result] = []
    starts: dict[str, list[float]] = {candidate.name: [] for candidate in candidates}
    for size in SIZES:
        found, seconds = measure.compare(candidates, size, _bodies(size, candidates, work), work)
        results += found
        for name, value in seconds.items():
            starts[name].append(value)
    for candidate in candidates:
        while len(starts[candidate.name]) < STARTS:
            with measure.start(candidate, work) as server:
                starts[candidate.name].append(server.start_seconds)
    return results, {name: sorted(values)[STARTS // 2] for name, values in starts.items()}


def _bodies(size: int, candidates: Sequence[Candidate], work: Path) -> dict[str, Path]:
    """The requests of each hook; one `now` for all, so that all read the same vital signs."""
    now = system_clock()
    bodies = {}
    for hook in {candidate.hook for candidate in candidates}:
        bodies[hook] = work / f"{hook}-{size}.json"
        bodies[hook].write_bytes(b"\n".join(payload.requests(size, hook=hook, now=now)))
    return bodies


def _about() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "date": f"{system_clock():%Y-%m-%d %H:%M} UTC",
        "commit": _commit(),
        "machine": f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.machine()}",
        "python": platform.python_version(),
        "load before": f"{os.getloadavg()[0]:.2f}",
        "method": f"{measure.ROUNDS} interleaved rounds, {measure.CONNECTIONS} connections, "
        "one worker each; medians",
    }


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607 -- whichever git is installed
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except process.DidNotStart as error:
        sys.exit(f"bench: {error}")
