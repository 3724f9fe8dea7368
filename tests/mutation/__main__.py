"""Changes the modules that grade, dose and dispose, one place at a time, and runs their tests.

A change that no test notices survived. Each is made in a copy of the tree, never in place. mutmut
or cosmic-ray would do more; this little keeps the lock small, and its sample is always the same.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from msgspec import Struct

from tests.mutation.sites import Site, changed, sites


ROOT = Path(__file__).parents[2]
COPIED = ("cards", "cds", "docs", "fhir_mapping", "knowledge", "tests")
UNSEEN = shutil.ignore_patterns("__pycache__", "node_modules", "static", "*.png")
MODULES = (
    *("anakinra", "anakinra_order", "antipyretics", "baseline", "circumstances", "clearance"),
    *("cognition", "course", "crs_state", "disposition", "exposure", "flow_boundary", "grading"),
    *("history", "holds", "hypotension", "hypoxia", "icans_state", "levels", "newer_data"),
    *("next_dose", "permanent", "pressors", "remembered", "rows", "rulings", "seizures"),
    *("series", "settled", "step_up", "steroids", "tocilizumab", "tocilizumab_advice", "toxicity"),
    "weight_bands",
)
# Those that notice most changes come first: a run ends with the first failure.
TESTS = ("tests/knowledge/test_cases.py", "tests/spec", "tests/knowledge/test_content.py")
PYTEST = (sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *TESTS)
KILLED, SURVIVED, TIMEOUT = "killed", "survived", "took too long"


class Mutant(Struct, frozen=True):
    """One changed module: its path in a copy, its text as it was, and the change."""

    module: str
    text: str
    site: Site

    def told(self) -> dict[str, str]:
        return {"where": f"{self.module}:{self.site.line}", "change": self.site.change}


def main() -> int:
    """0: the sample was run; how many survived is a figure, not a failure."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--mutants", type=int, default=100)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--out", type=Path, default=ROOT / "build/validation/mutation.json")
    asked = parser.parse_args()
    copies: SimpleQueue[Path] = SimpleQueue()
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        for number in range(asked.at_once):
            copies.put(_copy(Path(folder) / str(number)))
        every = _possible(Path(folder) / "0")
        chosen = random.Random(asked.seed).sample(every, asked.mutants)  # noqa: S311
        began = time.monotonic()
        if _outcome(copies, None, None) != SURVIVED:
            sys.stderr.write(f"Without a change these fail: {' '.join(TESTS)}\n")
            return 1
        limit = 60 + 5 * (time.monotonic() - began)
        with ThreadPoolExecutor(asked.at_once) as pool:
            found = list(pool.map(lambda mutant: _outcome(copies, mutant, limit), chosen))
    counts = {f"mutants: {kind}": found.count(kind) for kind in (KILLED, SURVIVED, TIMEOUT)}
    survived = [one for one, how in zip(chosen, found, strict=True) if how == SURVIVED]
    survived.sort(key=lambda one: (one.module, one.site.line))
    kept = {
        "commit": os.environ.get("BTCE_COMMIT", ""),
        "counts": {"mutants: possible": len(every), **counts},
        "seed": asked.seed,
        "survived": [one.told() for one in survived],
    }
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    return 0


def _possible(copy: Path) -> list[Mutant]:
    texts = {f"knowledge/{name}.py": "" for name in MODULES}
    texts = {module: (copy / module).read_text("utf-8") for module in texts}
    return [Mutant(module, text, site) for module, text in texts.items() for site in sites(text)]


def _copy(to: Path) -> Path:
    for name in COPIED:
        shutil.copytree(ROOT / name, to / name, ignore=UNSEEN)
    shutil.copy(ROOT / "pyproject.toml", to)
    return to


def _outcome(copies: SimpleQueue[Path], mutant: Mutant | None, limit: float | None) -> str:
    """What the tests say of a copy with that change, or as it is; the copy is whole afterwards."""
    copy = copies.get()
    if mutant is not None:
        (copy / mutant.module).write_text(changed(mutant.text, mutant.site), encoding="utf-8")
    # No byte code is kept: it could outlive a change.
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        run = subprocess.run(  # noqa: S603 - words of this module
            PYTEST, cwd=copy, env=environment, timeout=limit, check=False, capture_output=True
        )
    except subprocess.TimeoutExpired:
        return TIMEOUT
    finally:
        if mutant is not None:
            (copy / mutant.module).write_text(mutant.text, encoding="utf-8")
        copies.put(copy)
    return KILLED if run.returncode else SURVIVED


if __name__ == "__main__":
    sys.exit(main())
