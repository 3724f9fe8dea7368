"""The knowledge lock: which content each file version stands for; changes no knowledge."""

import hashlib
import json
from pathlib import Path

from knowledge.library import DATA, read_all


LOCK = Path(__file__).parent / "knowledge.lock.json"

Entries = dict[str, dict[str, str | int]]


def entries(root: Path = DATA) -> Entries:
    """Id to version and SHA-256 of the file's bytes, for every file under `root`."""
    found: Entries = {
        header.id: {
            "version": header.version,
            "sha256": hashlib.sha256((root / name).read_bytes()).hexdigest(),
        }
        for name, header in read_all(root).items()
    }
    return dict(sorted(found.items()))


def check(root: Path = DATA, lock: Path = LOCK) -> tuple[str, ...]:
    """What differs between the files and the lock, one sentence each; empty when all agree."""
    now, before = entries(root), _read(lock)
    return (
        *_reused(now, before),
        *(
            f"{name}: version {now[name]['version']} is not in the lock"
            for name in now
            if name not in before or before[name]["version"] != now[name]["version"]
        ),
        *(f"{name}: in the lock but no file has this id" for name in before if name not in now),
    )


def write(root: Path = DATA, lock: Path = LOCK, *, force: bool = False) -> tuple[str, ...]:
    """Write the lock, unless content changed under an old version: then say where and leave it.

    `force` is for versions that were never released.
    """
    now = entries(root)
    problems = () if force else _reused(now, _read(lock))
    if not problems:
        lock.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
    return problems


def _reused(now: Entries, before: Entries) -> tuple[str, ...]:
    return tuple(
        f"{name}: content changed under version {entry['version']}: raise the version"
        for name, entry in now.items()
        if name in before
        and before[name]["version"] == entry["version"]
        and before[name]["sha256"] != entry["sha256"]
    )


def _read(lock: Path) -> Entries:
    if not lock.exists():
        return {}
    found: Entries = json.loads(lock.read_text(encoding="utf-8"))
    return found
