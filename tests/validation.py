"""`make validation`: the long runs, two at a time, and docs/safety/VALIDATION.md of their counts.

A part that held is not run again until what it runs has changed; the page is written when all of
them held. With changes that are not committed nothing is kept.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from knowledge.library import load
from tests import agreement
from tests.properties.figures import REPORT, Figures


ROOT = Path(__file__).parents[1]
KEPT = ROOT / "build" / "validation"
AT_ONCE = 2
PYTEST = ("-m", "pytest", "-q")
MUTATION, HOSTILE = "mutation", "hostile"
# What every part runs, and what of the tests each runs besides what its command names.
RUN = ("cards", "cds", "fhir_mapping", "knowledge", "pyproject.toml", "requirements-dev.lock")
BESIDES: dict[str, tuple[str, ...]] = {
    MUTATION: ("tests/mutation", "tests/spec", "tests/knowledge"),
    HOSTILE: ("tests/conformance", "tests/functional", "tests/counting.py"),
}
# By the name of what is kept. The longest first, so that none is left alone at the end.
PARTS: dict[str, tuple[str, ...]] = {
    MUTATION: ("-m", "tests.mutation", "--at-once", "1", "--out", str(KEPT / f"{MUTATION}.json")),
    "test_mapping": (*PYTEST, "tests/properties/test_mapping.py"),
    "crash": (*PYTEST, "tests/crash"),
    "test_convergence": (*PYTEST, "tests/properties/test_convergence.py"),
    "test_recompute": (*PYTEST, "tests/properties/test_recompute.py"),
    "test_courses": (
        *PYTEST,
        "tests/properties/test_courses.py",
        "tests/properties/test_wrong_patient.py",
    ),
    HOSTILE: (
        *(*PYTEST, "-p", "tests.counting"),
        "tests/conformance/test_mutated_requests.py",
        "tests/conformance/test_jwt.py",
        "tests/conformance/test_foreign_urls.py",
        "tests/functional/test_smart_injection.py",
    ),
}
_AGREEMENT = """
## Agreement

Of the software with the worked cases of [SPEC.md](../../knowledge/SPEC.md), and of the knowledge
files with a second transcription of the same documents, made without seeing the first
([DIFFERENCES.md](../../tests/knowledge/second/DIFFERENCES.md)). Cases, software and both
transcriptions are this project's: agreement shows that they say the same, not that it is right.
Nothing here was compared with a clinician's grade.

| compared | number | agree |
|---|---:|---:|
"""
_HOSTILE = """
## Hostile input

| sent | number |
|---|---:|
"""
_MUTATION = """
## Mutation

Small changes of the modules of `knowledge/` that grade, dose and dispose, made one at a time in a
copy: a comparison, a boundary by one, `and` for `or`, a removed `not`, `max` for `min`. The sample
is drawn by a seed; the tests run against each are those of `tests/spec` and `tests/knowledge`
that look at behaviour. What survived is a gap of those tests, or changes nothing that can be seen.

"""


def main() -> int:
    """0: every part held, and the page is written."""
    commit = _git("rev-parse", "HEAD")
    whole = not _git("status", "--porcelain", "--untracked-files=no")
    KEPT.mkdir(parents=True, exist_ok=True)
    waiting = [name for name in PARTS if not (whole and _counts(name, commit))]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ended = list(pool.map(lambda name: _run(name, commit), waiting))
    if any(ended):
        return 1
    REPORT.write_text(page(commit), encoding="utf-8")
    return 0


def page(commit: str) -> str:
    """The page, from what the parts kept for this commit."""
    library, held = load(), Figures()
    for name in PARTS:
        if name not in {MUTATION, HOSTILE}:
            for sentence, count in _counts(name, commit).items():
                held.add(sentence, count)
    compared = [
        f"| {what} | {of:,} | {agree:,} |" for what, of, agree in agreement.figures(library)
    ]
    sent = [f"| {what} | {count:,} |" for what, count in sorted(_counts(HOSTILE, commit).items())]
    return "".join(
        (
            held.report(library, commit[:12]),
            *(_AGREEMENT, _lines(compared)),
            *(_HOSTILE, _lines(sent)),
            *(_MUTATION, _lines(_mutation(_kept(MUTATION)))),
        )
    )


def _mutation(kept: dict[str, Any]) -> Iterator[str]:
    counts = kept["counts"]
    noticed = counts["mutants: killed"] + counts["mutants: took too long"]
    tried = noticed + counts["mutants: survived"]
    yield "| | |\n|---|---:|"
    yield f"| possible | {counts['mutants: possible']:,} |"
    yield f"| tried (seed {kept['seed']}) | {tried:,} |"
    yield f"| noticed by a test | {counts['mutants: killed']:,} |"
    yield f"| ran into the time limit | {counts['mutants: took too long']:,} |"
    yield f"| survived | {counts['mutants: survived']:,} |"
    yield f"| score | {100 * noticed / tried:.1f} % |"
    if kept["survived"]:
        yield "\nSurvived:\n"
        yield from (f"* `{one['where']}`: {one['change']}" for one in kept["survived"])


def _lines(lines: Sequence[str] | Iterator[str]) -> str:
    return "\n".join(lines) + "\n"


def _run(name: str, commit: str) -> int:
    file = _file(name)
    file.unlink(missing_ok=True)
    environment = os.environ | {
        "BTCE_VALIDATION": "1",
        "BTCE_FULL": "1",
        "BTCE_FIGURES": str(file),
        "BTCE_COMMIT": commit,
    }
    command = [sys.executable, *PARTS[name]]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603


def _file(name: str) -> Path:
    return KEPT / f"{name}.json"


def _kept(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_file(name).read_text(encoding="utf-8"))
    return found


def _counts(name: str, commit: str) -> dict[str, int]:
    """What a part counted; empty where it did not hold, or what it runs was another then."""
    if not _file(name).exists():
        return {}
    found = _kept(name)
    counts: dict[str, int] = found["counts"] if _same(name, found["commit"], commit) else {}
    return counts


def _same(name: str, before: str, now: str) -> bool:
    named = {
        str(Path(one).parent if one.endswith(".py") else one)
        for one in PARTS[name]
        if one.startswith("tests/")
    }
    paths = (*RUN, *sorted(named), *BESIDES.get(name, ()))
    return not _git("diff", "--name-only", before, now, "--", *paths)


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
