"""What the FHIR server said of a patient a moment ago, so that each answer of a form is quick.

In the memory of one process, for seconds, by launch: another launch of the same patient reads
anew, and whoever confirms something reads anew as well.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from cds.fhir_fetch import Failure
from cds.hook_request import HookRequest


SECONDS = 30.0
MOST = 64  # launches at once in one process; the one not used for longest goes


class PatientRecord(Struct, frozen=True):
    """Everything a hook call would be given of one patient, and what could not be read of it."""

    request: HookRequest
    failed: tuple[Failure, ...]
    at: datetime


class AtHand:
    """Shared by the threads of a process."""

    def __init__(self, *, monotonic: Callable[[], float]) -> None:
        """`monotonic`: seconds."""
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._held: OrderedDict[str, tuple[float, PatientRecord]] = OrderedDict()

    def get(self, launch: str) -> PatientRecord | None:
        """What was read for this launch, unless it is too long ago."""
        with self._lock:
            found = self._held.get(launch)
            if found is None or self._monotonic() - found[0] > SECONDS:
                self._held.pop(launch, None)
                return None
            self._held.move_to_end(launch)
            return found[1]

    def put(self, launch: str, record: PatientRecord) -> None:
        """From now on this is at hand for the launch."""
        with self._lock:
            self._held[launch] = self._monotonic(), record
            self._held.move_to_end(launch)
            while len(self._held) > MOST:
                self._held.popitem(last=False)

    def drop(self, launch: str) -> None:
        """Read anew next time."""
        with self._lock:
            self._held.pop(launch, None)
