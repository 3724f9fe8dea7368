"""What became of every file and every line: used, or not, and why; numbers, never a name.

The number of a file is its place in the list of all files by path, in byte order, from 1.
"""

import os
import stat
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Literal

from msgspec import Struct

from cds.replay.errors import CannotReplay


Kind = Literal["request", "feedback", "ndjson", "not-used"]


class Source(Struct, frozen=True):
    """One file of the folder. `problem`: why it is not even opened."""

    number: int
    path: Path
    problem: str = ""


class Unused(Struct, frozen=True):
    """How many lines of one file were not used for one reason, and the first of them."""

    reason: str
    count: int
    first_line: int


def sources(folder: Path) -> tuple[Source, ...]:
    """Every file below the folder, links to folders not followed. Raises `CannotReplay`."""
    if not folder.is_dir():
        raise CannotReplay("DIR is not a folder: name the one that holds the requests or exports")
    found: list[tuple[bytes, Path]] = []
    for root, folders, names in os.walk(folder, onerror=_refuse):
        linked = [name for name in folders if Path(root, name).is_symlink()]
        paths = [Path(root, name) for name in (*names, *linked)]
        found += ((os.fsencode(path.relative_to(folder)), path) for path in paths)
    if not found:
        raise CannotReplay("DIR holds no file: put saved requests (.json) or exports (.ndjson) in")
    found.sort()
    return tuple(
        Source(number, path, _problem(path)) for number, (_, path) in enumerate(found, start=1)
    )


def _refuse(error: OSError) -> None:
    raise CannotReplay(f"a folder below DIR {cannot_read(error)}") from None


def _problem(path: Path) -> str:
    if path.is_dir():
        return "a link to a folder: not followed"
    if path.suffix.lower() not in {".json", ".ndjson"}:
        return "neither .json nor .ndjson"
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        return cannot_read(error)
    return "" if regular else "not a regular file"


def cannot_read(error: OSError) -> str:
    """Why a file cannot be read, without its name."""
    return f"cannot be read: {error.strerror or type(error).__name__}"


class Ledger:
    """The counts of one run; mutable, filled by the readers."""

    def __init__(self) -> None:
        self.kinds: dict[int, Kind] = {}
        self.problems: dict[int, str] = {}
        self.lines: Counter[int] = Counter()
        self.blank: Counter[int] = Counter()
        self.shared: Counter[int] = Counter()
        self._unused: dict[tuple[int, str], tuple[int, int]] = {}
        self._digests: dict[int, str] = {}

    def file(self, number: int, kind: Kind, problem: str = "") -> None:
        """What a file turned out to be."""
        self.kinds[number] = kind
        if problem:
            self.problems[number] = problem

    def not_used(self, file: int, reason: str, line: int, count: int = 1) -> None:
        """Lines that are not used; `line`: the first of them."""
        before, first = self._unused.get((file, reason), (0, line))
        self._unused[file, reason] = (before + count, min(first, line))

    def digest(self, file: int, hexadecimal: str) -> None:
        """The sha256 of a file's content."""
        self._digests[file] = hexadecimal

    def unused(self, file: int) -> tuple[Unused, ...]:
        """Of one file, by reason."""
        return tuple(
            Unused(reason, count, first)
            for (number, reason), (count, first) in sorted(self._unused.items())
            if number == file
        )

    def reasons(self) -> Counter[str]:
        """Lines not used, by reason, of all files."""
        found: Counter[str] = Counter()
        for (_, reason), (count, _) in self._unused.items():
            found[reason] += count
        return found

    def sha256(self) -> str:
        """Over the content of all files that were read, in the order of their numbers."""
        whole = "".join(one for _, one in sorted(self._digests.items()))
        return sha256(whole.encode()).hexdigest()
