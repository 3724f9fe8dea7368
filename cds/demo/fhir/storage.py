"""Every version of every resource, in memory, behind one lock; a change happens whole or not.

Knows no FHIR rule but `meta`. Listeners hear of each change in the order of the changes.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import RLock

from msgspec import Struct

from cds.demo.fhir.resource_json import Resource, of_python


class Version(Struct, frozen=True):
    """One state of one resource. `resource` None: deleted. `method`: what made it."""

    kind: str
    id: str
    number: int
    updated: datetime
    method: str
    resource: Resource | None

    @property
    def ref(self) -> str:
        """Type/id."""
        return f"{self.kind}/{self.id}"

    @property
    def etag(self) -> str:
        """The weak entity tag R4 derives from the version id."""
        return f'W/"{self.number}"'


class Records:
    """All versions by type and id. Used only inside `Sandbox.reading` and `Sandbox.change`."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[str, tuple[Version, ...]]] = {}
        self._made: list[Version] = []
        self._last_id = 0

    def history(self, kind: str, id_: str) -> tuple[Version, ...]:
        """Oldest first; empty where there never was such a resource."""
        return self._versions.get(kind, {}).get(id_, ())

    def current(self, kind: str, id_: str) -> Version | None:
        """The newest version, which may be a deletion."""
        versions = self.history(kind, id_)
        return versions[-1] if versions else None

    def all_of(self, kind: str) -> list[Version]:
        """The newest version of each resource that is not deleted, in the order of creation."""
        newest = (versions[-1] for versions in self._versions.get(kind, {}).values())
        return [version for version in newest if version.resource is not None]

    def new_id(self, kind: str) -> str:
        """An id that no resource of this type has or had."""
        while True:
            self._last_id += 1
            if not self.history(kind, str(self._last_id)):
                return str(self._last_id)

    def put(
        self,
        kind: str,
        id_: str,
        resource: Resource | None,
        *,
        method: str,
        now: datetime,
    ) -> Version:
        """A new version; `resource` None deletes. Version id and time are written into `meta`."""
        before = self.history(kind, id_)
        number = len(before) + 1
        updated = now.replace(microsecond=now.microsecond // 1000 * 1000)
        if resource is not None:
            resource = _stamped(resource, id_, number, updated)
        version = Version(kind, id_, number, updated, method, resource)
        self._versions.setdefault(kind, {})[id_] = (*before, version)
        self._made.append(version)
        return version

    def take_made(self) -> list[Version]:
        """The versions made since the last time."""
        made, self._made = self._made, []
        return made

    def undo(self) -> None:
        """As if the versions made since then had never been."""
        for version in reversed(self.take_made()):
            before = self.history(version.kind, version.id)[:-1]
            if before:
                self._versions[version.kind][version.id] = before
            else:
                del self._versions[version.kind][version.id]


class Sandbox:
    """The store of one sandbox server; may be shared by threads."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._records = Records()
        self._listeners: list[Callable[[Version], None]] = []

    def load(self, resources: Iterable[Resource], *, now: datetime) -> None:
        """Put these resources, those with an id under their id; all of them or none."""
        with self.change() as records:
            for one in resources:
                resource = of_python(one)
                kind = resource["resourceType"]
                id_ = resource.get("id") or records.new_id(kind)
                records.put(kind, id_, resource, method="PUT", now=now)

    def listen(self, listener: Callable[[Version], None]) -> None:
        """Call this with each version made from now on, while the store is still held."""
        self._listeners.append(listener)

    @contextmanager
    def reading(self) -> Iterator[Records]:
        """The records, which nobody changes meanwhile."""
        with self._lock:
            yield self._records

    @contextmanager
    def change(self) -> Iterator[Records]:
        """The records, to be changed; an exception undoes what was changed."""
        with self._lock:
            whole = False
            try:
                yield self._records
                whole = True
            finally:
                if not whole:
                    self._records.undo()
            for version in self._records.take_made():
                for listener in self._listeners:
                    listener(version)


def instant(moment: datetime) -> str:
    """A time as FHIR's `instant` writes it, to the millisecond."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _stamped(resource: Resource, id_: str, number: int, updated: datetime) -> Resource:
    meta = {**resource.get("meta", {}), "versionId": str(number), "lastUpdated": instant(updated)}
    rest = {name: value for name, value in resource.items() if name not in {"id", "meta"}}
    return {"resourceType": resource["resourceType"], "id": id_, "meta": meta, **rest}
