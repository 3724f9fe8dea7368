"""`make validation`: the long runs, two at a time, and docs/safety/VALIDATION.md of their counts.

A part that held is not run again for the same commit; the page is written when all of them held.
With changes that are not committed nothing is kept.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from knowledge.library import load
from tests.properties.figures import REPORT, Figures


ROOT = Path(__file__).parents[1]
KEPT = ROOT / "build" / "validation"
AT_ONCE = 2
# The longest first, so that none is left alone at the end.
PARTS: tuple[tuple[str, ...], ...] = (
    ("tests/properties/test_mapping.py",),
    ("tests/crash",),
    ("tests/properties/test_convergence.py",),
    ("tests/properties/test_recompute.py",),
    ("tests/properties/test_courses.py", "tests/properties/test_wrong_patient.py"),
)


def main() -> int:
    """0: every part held, and the page is written."""
    commit = _git("rev-parse", "HEAD")
    whole = not _git("status", "--porcelain", "--untracked-files=no")
    files = {part: KEPT / f"{Path(part[0]).stem}.json" for part in PARTS}
    KEPT.mkdir(parents=True, exist_ok=True)
    waiting = [part for part, file in files.items() if not (whole and _counts(file, commit))]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ended = list(pool.map(lambda part: _run(part, files[part], commit), waiting))
    if any(ended):
        return 1
    figures = Figures()
    for file in files.values():
        for sentence, count in _counts(file, commit).items():
            figures.add(sentence, count)
    REPORT.write_text(figures.report(load(), commit[:12]), encoding="utf-8")
    return 0


def _run(part: Sequence[str], file: Path, commit: str) -> int:
    file.unlink(missing_ok=True)
    environment = os.environ | {
        "BTCE_VALIDATION": "1",
        "BTCE_FIGURES": str(file),
        "BTCE_COMMIT": commit,
    }
    command = [sys.executable, "-m", "pytest", "-q", *part]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603


def _counts(file: Path, commit: str) -> dict[str, int]:
    """What a part counted at this commit; empty where it did not hold or was of another."""
    if not file.exists():
        return {}
    found = json.loads(file.read_text(encoding="utf-8"))
    counts: dict[str, int] = found["counts"] if found["commit"] == commit else {}
    return counts


def _git(*arguments: str) -> str:
    found = subprocess.run(  # noqa: S603 - words of this module
        ["git", *arguments],  # noqa: S607 - the one that made this clone
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return found.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
