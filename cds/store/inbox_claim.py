"""One patient whose turn it is, as the worker gets it; holds nothing itself, decides nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from cds.store.errors import StoreRefused
from cds.store.rows import DecisionRow, WakeUp


class Seen(Struct, frozen=True):
    """A turn and the wake-ups that waited when it was taken; later ones are not part of it."""

    site: str
    patient: str
    attempts: int
    ids: tuple[int, ...]
    refs: tuple[str, ...]
    oldest_received: datetime


class Hold(Protocol):
    """What keeps a patient from everybody else, and ends the turn in one transaction each."""

    def finish(self, decision: DecisionRow | None, now: datetime, not_before: datetime) -> None:
        """See `Claim`."""
        ...

    def replace(self, wake_ups: Sequence[WakeUp], now: datetime) -> None:
        """See `Claim`."""
        ...

    def postpone(self, until: datetime) -> None:
        """See `Claim`."""
        ...


class Claim:
    """A patient of `site`, nobody else's until the block ends. `patient` empty: not known.

    `refs`: resources that may tell who it is, each once. `ids`: of the wake-ups. `attempts`: how
    often reading was put off since it last came to something. It is ended once, by one of the three
    methods; a block that ends without leaves everything as it was.
    """

    def __init__(self, seen: Seen, hold: Hold) -> None:
        self.site = seen.site
        self.patient = seen.patient
        self.refs = seen.refs
        self.ids = seen.ids
        self.attempts = seen.attempts
        self.oldest_received = seen.oldest_received
        self._hold = hold
        self._ended = False

    def finish(self, decision: DecisionRow | None, *, now: datetime, not_before: datetime) -> None:
        """Keep the decision, if there is a new one, and mark the wake-ups done: both or neither.

        On the disk when it returns. `not_before`: from when on the patient may be read again.
        Raises `StoreDown`, `StoreRefused`; the wake-ups wait then.
        """
        self._once()
        self._hold.finish(decision, now, not_before)
        self._ended = True

    def replace(self, wake_ups: Sequence[WakeUp], *, now: datetime) -> None:
        """Mark the wake-ups done and put others in their place: both or neither.

        Raises `StoreDown`, `StoreRefused`; the wake-ups wait then.
        """
        self._once()
        self._hold.replace(wake_ups, now)
        self._ended = True

    def postpone(self, until: datetime) -> None:
        """Reading came to nothing: the wake-ups wait, at least `until`. Raises `StoreDown`."""
        self._once()
        self._hold.postpone(until)
        self._ended = True

    def _once(self) -> None:
        if self._ended:
            raise StoreRefused("the claim has ended")
