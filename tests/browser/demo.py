"""`btce-cds demo` in a process of its own, and the two names under which a browser knows it.

To a browser `localhost` and `127.0.0.1` are different sites: a page of the one that frames a page
of the other is as far apart as an EHR and this app.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import requests


LOGS = Path("build/demos")


class Demo(NamedTuple):
    """`app`: the origin it announces. `ehr`: the same server as another site."""

    app: str
    ehr: str

    def fhir(self, path: str) -> requests.Response:
        """Read the sandbox FHIR server as its owner would."""
        return requests.get(f"{self.app}/open/fhir/{path}", timeout=10)


@contextmanager
def running_demo(folder: Path) -> Iterator[Demo]:
    """Started for the block; ends with it. What it logged stays in build/demos."""
    log = LOGS / f"{folder.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "cds", "demo", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=out,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline().decode()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert found is not None, log.read_text()
        yield Demo(found[0], f"http://localhost:{found[1]}")
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()
