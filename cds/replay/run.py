"""One run over a folder: every file read, every moment evaluated, everything counted.

Nothing is sent anywhere and nothing is written; the report holds no id, time or value of a patient.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from cds.replay.errors import CannotReplay
from cds.replay.exported import read_exports
from cds.replay.judge import Setup
from cds.replay.ledger import sources
from cds.replay.model import Report
from cds.replay.reporting import Timing, report_of, timing_of
from cds.replay.saved_files import read_saved
from cds.replay.state import State


class Replayed(Struct, frozen=True):
    """The report, and how long it took, which differs from run to run."""

    report: Report
    timing: Timing


def replay(folder: Path, setup: Setup, *, monotonic: Callable[[], float]) -> Replayed:
    """Evaluate everything below `folder`. Raises `CannotReplay` where there was nothing to."""
    begun = monotonic()
    files = sources(folder)
    state = State(setup, monotonic)
    exports = []
    for file in files:
        if file.problem:
            state.ledger.file(file.number, "not-used", file.problem)
        elif file.path.suffix.lower() == ".ndjson":
            exports.append(file)
        else:
            read_saved(file, state)
    if exports:
        read_exports(exports, state)
    if not state.tally.moments:
        raise CannotReplay(_nothing(len(files), state))
    return Replayed(report_of(files, state), timing_of(state, monotonic() - begun))


def _nothing(files: int, state: State) -> str:
    """Why there is no moment: the reasons met, the most first, and where to read on."""
    reasons: Counter[str] = Counter(state.ledger.problems.values())
    reasons.update(state.ledger.reasons())
    reasons.update({why: count for why, count in state.tally.refused.items() if why not in reasons})
    said = "; ".join(f"{count} x {why}" for why, count in reasons.most_common(3))
    found = f" ({said})" if said else ""
    return (
        f"no moment to evaluate in {files} file{'' if files == 1 else 's'}{found}:"
        " DIR needs saved hook requests, or an export with Patient and with orders or"
        " administrations of a bispecific or of tocilizumab"
    )
