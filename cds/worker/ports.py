"""What the worker asks of others, as protocols: inbox, cohort, what was told, a FHIR server.

Values and signatures only. `cds.store` and `cds.worker.reader` have the real ones.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from msgspec import Raw

from cds.config import Site
from cds.fhir_fetch import Fetched
from cds.fhir_guard import Kind
from cds.hook_request import HookRequest
from cds.prefetch import Enough
from cds.store import DecisionRow
from cds.store.inbox import Waiting
from cds.store.latest import Kept
from cds.store.rows import WakeUp, Watched
from cds.store.told import ToldRow
from knowledge.earlier import EarlierEvent


class Unread(Exception):
    """Something at a FHIR server was not read or not written; `kind` is one of a closed list."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind)
        self.kind: Kind = kind


class Created(NamedTuple):
    """What is on the server now: "Type/id", and whether it surely reads as it was sent."""

    ref: str
    as_sent: bool


class Claim(Protocol):
    """One patient whose turn it is. `patient` empty: not known, `refs` may tell."""

    site: str
    patient: str
    refs: tuple[str, ...]
    ids: tuple[int, ...]
    attempts: int

    def finish(
        self, decision: DecisionRow | None, *, now: datetime, not_before: datetime
    ) -> None: ...
    def replace(self, wake_ups: Sequence[WakeUp], *, now: datetime) -> None: ...
    def postpone(self, until: datetime) -> None: ...


class Inbox(Protocol):
    """Reasons to read, and whose turn it is; see `cds.store.inbox`."""

    def put(self, wake_ups: Sequence[WakeUp]) -> int: ...
    def claim(self, now: datetime) -> AbstractContextManager[Claim | None]: ...
    def waiting(self, now: datetime) -> Waiting: ...
    def prune(self, before: datetime) -> int: ...
    def close(self) -> None: ...


class Cohort(Protocol):
    """Who is watched; see `cds.store.cohort`."""

    def watch(self, rows: Sequence[Watched]) -> object: ...
    def watched(self, site: str, now: datetime) -> tuple[Watched, ...]: ...
    def forget(self, before: datetime) -> object: ...


class History(Protocol):
    """What was decided before; see `cds.store.latest`."""

    def last(self, site: str, patient: str) -> Kept | None: ...
    def between(self, site: str, since: datetime, until: datetime) -> tuple[Kept, ...]: ...
    def put_since(self, site: str, source: str, event: str) -> bool: ...


class Told(Protocol):
    """What was written about the events of a patient; see `cds.store.told`."""

    def of_patient(self, site: str, patient: str) -> tuple[ToldRow, ...]: ...
    def keep(self, row: ToldRow) -> None: ...


class Records(Protocol):
    """Where a decision goes that ends no claim; see `cds.recorder`."""

    def record(self, decision: DecisionRow) -> None: ...
    def drain(self) -> None: ...
    def earlier(
        self, site: str, patient: str, before: datetime
    ) -> tuple[EarlierEvent, ...] | None: ...


class Server(Protocol):
    """A site's FHIR server, read and written without a user."""

    def everything(
        self, site: Site, request: HookRequest, templates: Mapping[str, str], enough: Enough
    ) -> Fetched:
        """The request with every answer; what could not be read is named, nothing is raised."""
        ...

    def resource(self, site: Site, ref: str) -> Raw | None:
        """One resource by "Type/id"; None: it is gone, or never was. Raises `Unread`."""
        ...

    def found(self, site: Site, query: str) -> tuple[Raw, ...]:
        """The resources a search finds, of all its pages. Raises `Unread`."""
        ...

    def create(self, site: Site, resource: Mapping[str, Any], identifier: str) -> Created:
        """Create it unless one with this "system|value" is there. Raises `Unread`."""
        ...

    def update(self, site: Site, ref: str, resource: Mapping[str, Any]) -> None:
        """Put it in the place of `ref`. Raises `Unread`."""
        ...

    def close(self) -> None:
        """End every connection; the next request opens another."""
        ...
