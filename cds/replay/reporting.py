"""The report of a finished run, and the figures of its speed, which are no part of it."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from cds import __version__
from cds.replay.agreeing import agreement
from cds.replay.differing import knowledge_of
from cds.replay.ledger import Source
from cds.replay.model import (
    NOT_REVIEWED,
    SCHEMA,
    AsOf,
    FileRow,
    Input,
    Lines,
    Missing,
    Report,
    Unused,
)
from cds.replay.state import State
from cds.replay.values import counted, share


_ENCODER = msgspec.json.Encoder(decimal_format="number")
_COUNTED = "counted"


class Timing(Struct, frozen=True, rename="camel"):
    """How long it took; another on every run. Times of a moment in milliseconds."""

    seconds: float
    moments: int
    lines: int
    median_ms: float
    p95_ms: float
    longest_ms: float


def report_of(files: Sequence[Source], state: State) -> Report:
    """All counts, sorted."""
    setup, tally = state.setup, state.tally
    library = setup.library
    protocol = library.protocols[setup.site.protocol]
    left = {by: count for by, count in tally.left.items() if by != _COUNTED}
    return Report(
        schema=SCHEMA,
        says="" if library.clinically_reviewed else NOT_REVIEWED,
        engine=__version__,
        knowledge=knowledge_of(library),
        protocol=f"{protocol.id}@{protocol.version}",
        site=setup.site.id,
        last_updated_ignored=not setup.updates,
        input=_input(files, state),
        moments=tally.of_moments(),
        as_of=AsOf(tally.left[_COUNTED], counted(left)),
        actions=tuple(
            Missing(one.what, share(one.count, tally.moments)) for one in counted(tally.actions)
        ),
        cannot_evaluate=share(tally.actions["cannot-evaluate"], tally.moments),
        grades=tally.of_grades(),
        cards=tally.of_cards(),
        missing=tally.of_missing(),
        notices=tally.of_notices(),
        agreement=tuple(
            agreement(scale, state.compared, state.not_usable[scale]) for scale in ("crs", "icans")
        ),
        feedback=tally.of_feedback(),
        against=None if state.judge.differences is None else state.judge.differences.report(),
        files=tuple(_file(file, state) for file in files),
    )


def as_json(report: Report) -> bytes:
    """The document, indented, with a newline at its end."""
    return msgspec.json.format(_ENCODER.encode(report), indent=2) + b"\n"


def timing_of(state: State, seconds: float) -> Timing:
    """By the durations of the evaluations."""
    found = sorted(state.judge.durations)

    def at(part: float) -> float:
        return round(found[min(len(found) - 1, int(part * len(found)))] * 1000, 2) if found else 0.0

    return Timing(
        seconds=round(seconds, 2),
        moments=len(found),
        lines=state.ledger.lines.total(),
        median_ms=at(0.5),
        p95_ms=at(0.95),
        longest_ms=at(1.0),
    )


def _input(files: Sequence[Source], state: State) -> Input:
    ledger = state.ledger
    total = ledger.lines.total()
    shared, blank = ledger.shared.total(), ledger.blank.total()
    not_used = ledger.reasons().total()
    lines = Lines(
        total=total,
        evaluated=state.evaluated_lines,
        without_moment=total - shared - blank - not_used - state.evaluated_lines,
        shared=shared,
        blank=blank,
        not_used=not_used,
    )
    return Input(
        files=len(files),
        files_not_used=sum(1 for kind in ledger.kinds.values() if kind == "not-used"),
        sha256=ledger.sha256(),
        lines=lines,
        patients=state.patients,
        evaluated_patients=state.evaluated_patients,
    )


def _file(file: Source, state: State) -> FileRow:
    ledger = state.ledger
    return FileRow(
        number=file.number,
        kind=ledger.kinds.get(file.number, "not-used"),
        problem=ledger.problems.get(file.number, ""),
        lines=ledger.lines[file.number],
        unused=tuple(
            Unused(one.reason, one.count, one.first_line) for one in ledger.unused(file.number)
        ),
    )
