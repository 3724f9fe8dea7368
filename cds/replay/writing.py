"""Writes the files of a report; each is whole or not there."""

import os
from pathlib import Path

import msgspec

from cds.replay.errors import CannotReplay
from cds.replay.reporting import as_json
from cds.replay.run import Replayed


def refuse_inside(out: Path, folder: Path) -> None:
    """A report among the evidence would be read as evidence next time. Raises `CannotReplay`."""
    # Not `Path.resolve`: it raises for a link that leads to itself.
    if Path(os.path.realpath(out)).is_relative_to(os.path.realpath(folder)):
        raise CannotReplay("--out is inside DIR: name a folder outside, or it is read next time")


def write(out: Path, done: Replayed, page: str) -> None:
    """report.json and report.html, the same for the same input; timing.json, which is not."""
    out.mkdir(parents=True, exist_ok=True)
    _write(out / "report.json", as_json(done.report))
    _write(out / "report.html", page.encode())
    _write(out / "timing.json", msgspec.json.format(msgspec.json.encode(done.timing)) + b"\n")


def _write(path: Path, content: bytes) -> None:
    waiting = path.with_name(f".{path.name}.new")
    waiting.write_bytes(content)
    waiting.replace(path)
