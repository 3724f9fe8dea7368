"""Many patients read with the user's token: a few at a time, until a deadline, each by itself.

The failure of one is that one's alone. Whoever the user may not read is neither named nor kept.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct

from cds.errors import AnotherPatient, DataUnavailable
from cds.fhir_fetch import REASONS
from cds.fhir_guard import Kind
from cds.pipeline import Evaluation
from cds.smart.advised import stated_here
from cds.smart.at_hand import PatientRecord
from cds.smart.evaluating import assessed, read_record
from cds.smart.parts import Bedside, Parts
from cds.smart.worklist.asking import refused


AT_ONCE = 4
SECONDS = 20.0  # for all of them
HIDDEN: frozenset[Kind] = frozenset({"not-authorised", "not-found"})
Why = Literal["", "hidden", "late", "another-patient", "not-read", "session-over"]
T = TypeVar("T")


class Seen(Struct, frozen=True, kw_only=True):
    """One patient. `why`: empty where it was read and evaluated; `reason`: in words.

    `notes`: what the reader must know of statements that are kept here.
    """

    patient: str
    record: PatientRecord | None = None
    evaluation: Evaluation | None = None
    notes: tuple[str, ...] = ()
    why: Why = ""
    reason: str = ""


def read_all(
    patients: Sequence[str], here: Bedside, parts: Parts, now: datetime
) -> tuple[Seen, ...]:
    """Each of them, in this order; what is not done at the deadline could not be read in time."""

    def one(patient: str) -> Seen:
        return read_one(patient, here, parts, now)

    late = [Seen(patient=patient, why="late", reason=REASONS["timeout"]) for patient in patients]
    return all_within(patients, one, late, seconds=SECONDS)


def all_within(
    items: Sequence[str], job: Callable[[str], T], late: Sequence[T], *, seconds: float
) -> tuple[T, ...]:
    """`job` of each, at most `AT_ONCE` at a time; of `late` the same place where it took longer."""
    pool = ThreadPoolExecutor(max_workers=AT_ONCE)
    try:
        futures = [pool.submit(job, one) for one in items]
        wait(futures, timeout=seconds)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return tuple(_done(future, other) for future, other in zip(futures, late, strict=True))


def _done(future: "Future[T]", late: T) -> T:
    return future.result() if future.done() and not future.cancelled() else late


def read_one(patient: str, here: Bedside, parts: Parts, now: datetime) -> Seen:
    """This patient and nobody else, evaluated at `now` with what was stated here."""
    deployment = parts.deployment
    there = at_bed_of(patient, here)
    kind = refused(there)
    if kind == "session-over":
        return Seen(patient=patient, why=kind)
    if kind is not None:
        hidden = kind in HIDDEN
        why: Why = "hidden" if hidden else "not-read"
        return Seen(patient=patient, why=why, reason="" if hidden else REASONS[kind])
    try:
        record = read_record(there, deployment)
        kept = stated_here(parts, there)
        evaluation = assessed(record, there, deployment, now=now, stated=kept.by(now))
    except DataUnavailable:
        return Seen(patient=patient, why="not-read", reason="the Patient could not be read")
    except AnotherPatient:
        reason = "its record names another patient"
        return Seen(patient=patient, why="another-patient", reason=reason)
    return Seen(patient=patient, record=record, evaluation=evaluation, notes=kept.notes)


def at_bed_of(patient: str, here: Bedside) -> Bedside:
    """The same user with another patient; for reading, not for a page of that patient."""
    context = msgspec.structs.replace(here.context, patient=patient, encounter="")
    return Bedside(context=context, site=here.site)
