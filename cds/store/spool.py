"""Decisions that the store could not take, one file each, until it can; decides nothing.

A file is complete or absent: written beside, forced to the disk, then renamed. Only the owner may
read it: it holds clinical values.
"""

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct

from cds.store.errors import SpoolDown, SpoolFull, StoreDown, StoreRefused
from cds.store.rows import DecisionRow


MAX_BYTES = 256 * 1024 * 1024
MAX_FILES = 10_000
SET_ASIDE = "set-aside"
_SUFFIX = ".decision"


class Recorder(Protocol):
    """Where decisions belong: the store."""

    def record(self, decision: DecisionRow) -> None:
        """Keep it, once. Raises `StoreDown`, `StoreRefused`."""
        ...


class Drained(Struct, frozen=True):
    """What one `drain` did: put back, set aside as unusable, left because the store is down."""

    stored: int = 0
    set_aside: int = 0
    left: int = 0


class SpoolState(Struct, frozen=True):
    """How much waits, and how many files need somebody's eyes."""

    waiting: int
    bytes: int
    set_aside: int


class Spool:
    """A folder of waiting decisions, shared by the processes of one machine."""

    def __init__(
        self, path: Path, *, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES
    ) -> None:
        self.path = path
        self.max_bytes = max_bytes
        self.max_files = max_files

    def keep(self, decision: DecisionRow) -> None:
        """Write it down before this returns. Raises `SpoolFull`, `SpoolDown`."""
        document = msgspec.json.encode(decision)
        content = sha256(document).hexdigest().encode() + b"\n" + document
        name = f"{decision.evaluated_at:%Y%m%dT%H%M%S%f}-{decision.id}"
        beside = self.path / f"{name}.writing"
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._refuse_more(len(content))
            try:
                _write(beside, content)
                beside.rename(self.path / f"{name}{_SUFFIX}")
            except OSError:
                beside.unlink(missing_ok=True)
                raise
            _sync_folder(self.path)
        except OSError:  # its text names the path, and no more is known of it
            raise SpoolDown("the spool folder cannot be written") from None

    def drain(self, store: Recorder) -> Drained:
        """Put waiting decisions into the store, oldest first, each exactly once.

        Several processes may drain at the same time, and a decision that was stored before its
        file could be removed is not stored again: the store knows its id. A file that cannot be
        used is set aside and holds up no other.
        """
        stored = aside = 0
        waiting = self._waiting()
        for position, file in enumerate(waiting):
            try:
                store.record(_read(file))
            except FileNotFoundError:
                continue  # another process was faster
            except StoreDown:
                return Drained(stored, aside, len(waiting) - position)
            except (msgspec.DecodeError, UnicodeDecodeError, OSError, StoreRefused):
                aside += self._set_aside(file)
                continue
            with suppress(OSError):  # stored again next time, which changes nothing
                file.unlink()
            stored += 1
        return Drained(stored, aside)

    def usable(self) -> bool:
        """Whether another decision could be kept now; makes the folder, as `keep` does."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._refuse_more(0)
        except (OSError, SpoolFull):
            return False
        return os.access(self.path, os.W_OK | os.X_OK)

    def state(self) -> SpoolState:
        """Counted from the folder; a folder that is not there is empty."""
        waiting = self._waiting()
        aside = self.path / SET_ASIDE
        return SpoolState(
            waiting=len(waiting),
            bytes=sum(_size(file) for file in waiting),
            set_aside=sum(1 for _ in aside.iterdir()) if aside.is_dir() else 0,
        )

    def _waiting(self) -> list[Path]:
        return sorted(self.path.glob(f"*{_SUFFIX}"))

    def _refuse_more(self, size: int) -> None:
        """Counts what a crash left half written too."""
        with os.scandir(self.path) as entries:
            sizes = [_size(entry) for entry in entries]
        if len(sizes) >= self.max_files or sum(sizes) + size > self.max_bytes:
            raise SpoolFull("the spool has reached its limit")

    def _set_aside(self, file: Path) -> int:
        folder = self.path / SET_ASIDE
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            file.rename(folder / file.name)
        except OSError:
            return 0  # taken by another process, or nothing can be moved: tried again next time
        return 1


def _read(file: Path) -> DecisionRow:
    digest, _, document = file.read_bytes().partition(b"\n")
    if sha256(document).hexdigest().encode() != digest:
        raise msgspec.DecodeError("not what was written")
    return msgspec.json.decode(document, type=DecisionRow)


def _write(file: Path, content: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _size(file: Path | os.DirEntry[str]) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
