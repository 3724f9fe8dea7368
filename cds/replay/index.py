"""Where the lines of each patient are, kept in a temporary database on disk.

An export has one file for each type, so a patient is everywhere in it: only places are kept, and
one patient's lines are read at a time. SQLite removes the file by itself.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from msgspec import Struct

from cds.replay.errors import CannotReplay


_MOST_OPEN = 64  # files; an export may have more than a process may open
_TABLES = """
CREATE TABLE lines (patient TEXT, file INT, line INT, start INT, length INT, orders INT);
CREATE TABLE shared (name TEXT, file INT, line INT, start INT, length INT);
CREATE TABLE patients (id TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class Place(Struct, frozen=True):
    """One line of one file."""

    file: int
    line: int
    start: int
    length: int


class Index:
    """Places by patient, and of products and devices by their reference."""

    def __init__(self, paths: dict[int, Path]) -> None:
        self._paths = paths
        self._open: dict[int, BinaryIO] = {}  # the least lately read first
        self._db = sqlite3.connect("", isolation_level=None)  # "": temporary, on disk, unnamed
        self._db.executescript(_TABLES)
        self._db.execute("BEGIN")

    def __enter__(self) -> "Index":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for file in self._open.values():
            file.close()
        self._db.close()

    def add(self, patient: str, place: Place, *, orders: bool) -> None:
        """A line about a patient; `orders`: it may be an order or an administration."""
        row = (patient, place.file, place.line, place.start, place.length, orders)
        self._db.execute("INSERT INTO lines VALUES (?,?,?,?,?,?)", row)

    def add_shared(self, name: str, place: Place) -> None:
        """A line about a product or a device, by its relative reference."""
        row = (name, place.file, place.line, place.start, place.length)
        self._db.execute("INSERT INTO shared VALUES (?,?,?,?,?)", row)

    def add_patient(self, patient: str) -> None:
        """A patient whose Patient resource is in the export."""
        self._db.execute("INSERT OR IGNORE INTO patients VALUES (?)", (patient,))

    def finish(self) -> None:
        """Ready to be read."""
        self._db.execute("CREATE INDEX by_patient ON lines (patient, orders)")
        self._db.execute("CREATE INDEX by_name ON shared (name)")

    def patients(self) -> list[str]:
        """Those who are in the export and have a line that may be an order."""
        rows = self._db.execute(
            "SELECT DISTINCT patient FROM lines JOIN patients ON patient = id WHERE orders"
            " ORDER BY patient"
        )
        return [row[0] for row in rows]

    def count(self) -> int:
        """How many patients the export has."""
        return int(self._db.execute("SELECT count(*) FROM patients").fetchone()[0])

    def unknown(self) -> list[tuple[int, int, int]]:
        """File, first line and number of the lines about patients who are not in the export."""
        return self._db.execute(
            "SELECT file, min(line), count(*) FROM lines"
            " WHERE patient NOT IN (SELECT id FROM patients) GROUP BY file"
        ).fetchall()

    def lines(self, patient: str, *, orders: bool) -> Iterator[tuple[Place, bytes]]:
        """The lines of one patient that may be orders, or the others, in their order."""
        rows = self._db.execute(
            "SELECT file, line, start, length FROM lines WHERE patient = ? AND orders = ?"
            " ORDER BY file, line",
            (patient, orders),
        ).fetchall()
        for row in rows:
            place = Place(*row)
            yield place, self._read(place)

    def shared(self, name: str) -> Iterator[tuple[Place, bytes]]:
        """The lines of one product or device."""
        rows = self._db.execute(
            "SELECT file, line, start, length FROM shared WHERE name = ? ORDER BY file, line",
            (name,),
        ).fetchall()
        for row in rows:
            place = Place(*row)
            yield place, self._read(place)

    def _read(self, place: Place) -> bytes:
        """Raises `CannotReplay` for a file that was read before and cannot be any more."""
        try:
            file = self._opened(place.file)
            file.seek(place.start)
            return file.read(place.length)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise CannotReplay(
                f"file {place.file} of DIR cannot be read a second time ({why}): leave DIR as it is"
                " while this runs, and run it again"
            ) from None

    def _opened(self, number: int) -> BinaryIO:
        file = self._open.pop(number, None)
        if file is None:
            while len(self._open) >= _MOST_OPEN:
                self._open.pop(next(iter(self._open))).close()
            file = self._paths[number].open("rb")
        self._open[number] = file
        return file
