"""When a patient that could not be read is read again, and when what is known is kept meanwhile.

Pure. The numbers are decisions of this project.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Literal

from cds.fhir_fetch import Failure
from cds.fhir_guard import Kind


FIRST = timedelta(seconds=5)
LONGEST = timedelta(minutes=5)
PATIENCE = 4  # readings that fail before what is known is kept
# These pass by themselves. Any other says the same however often the server is asked.
PASSING: frozenset[Kind] = frozenset(
    {"timeout", "unreachable", "cut-off", "server-error", "too-many-requests"}
)
# Without these nobody knows whose record it is, or whether a bispecific was given.
ESSENTIAL = frozenset({"patient", "administrations"})

Next = Literal[
    "done",  # read as well as it can be: keep the decision, the turn is over
    "again",  # read again soon; nothing is kept yet
    "kept-again",  # keep what is known, which names what was not read; and read again
]


def pause(attempts: int) -> timedelta:
    """How long to wait after so many failed readings before this one: 5 s, 10 s, ... 5 min."""
    doubled: timedelta = FIRST * 2 ** min(attempts, 10)
    return min(doubled, LONGEST)


def after(failed: Iterable[Failure], attempts: int) -> Next:
    """What follows a reading in which `failed` was not read, the earlier `attempts` having failed.

    An essential query that the server refuses is asked again too: a token may be at fault. One it
    does not have ("not-found") is an answer.
    """
    lost = [
        one
        for one in failed
        if one.kind in PASSING or (one.key in ESSENTIAL and one.kind != "not-found")
    ]
    if not lost:
        return "done"
    if attempts + 1 < PATIENCE:
        return "again"
    essential = any(one.key in ESSENTIAL and not one.partial for one in lost)
    return "kept-again" if essential else "done"
