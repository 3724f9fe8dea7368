"""What a prefetch value is: answered, not answered, partial or not FHIR at all; no resource is
interpreted.

A Bundle is decoded in one go; only if that fails, entry by entry, so that one malformed resource
is named and costs nothing else.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, get_args

import msgspec
from msgspec import Raw, Struct

from fhir_mapping.datatypes import Head
from fhir_mapping.notes import Notes
from fhir_mapping.outcomes import ignored_any, trouble_of, was_sorted
from fhir_mapping.resources import (
    Bundle,
    Entry,
    Link,
    Observation,
    OperationOutcome,
    RawBundle,
    RawEntry,
    Readable,
)
from knowledge.facts import QueryName


# Hostile input can also be too deep or not be UTF-8.
BAD_INPUT = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
_BUNDLE = msgspec.json.Decoder(Bundle)
_RAW_BUNDLE = msgspec.json.Decoder(RawBundle)
_RAW_ENTRY = msgspec.json.Decoder(RawEntry)
_RESOURCE: msgspec.json.Decoder[Readable] = msgspec.json.Decoder(Readable)
_HEAD = msgspec.json.Decoder(Head)
_READ_TYPES = frozenset(
    {
        "Observation",
        "MedicationAdministration",
        "MedicationRequest",
        "ServiceRequest",
        "Medication",
        "Condition",
        "Procedure",
        "DeviceUseStatement",
        "Device",
        "Patient",
        "Encounter",
        "AllergyIntolerance",
        "OperationOutcome",
    }
)
_SINGLE = {"patient": "Patient", "encounter": "Encounter"}
_QUERIES = frozenset(get_args(QueryName))


class Place(Struct, frozen=True, gc=False):
    """Where in the request something is; written out only when it is needed."""

    key: str
    index: int | None = None

    def __str__(self) -> str:
        return self.key if self.index is None else f"{self.key}.entry[{self.index}]"


class Stranger(NamedTuple):
    """A resource that is not read, of which only the patient is looked at.

    `nested`: in a Bundle inside an entry, where nothing belongs; else `raw` is what came.
    """

    place: Place
    head: Head
    full_url: str | None
    raw: Raw = Raw()
    nested: bool = False


class Page(NamedTuple):
    """One prefetch value: its entries, and whether the query counts as answered.

    `ordered` False: the server says that it did not sort as it was asked to.
    """

    name: str
    answered: bool
    entries: tuple[Entry, ...] = ()
    strangers: tuple[Stranger, ...] = ()
    more: bool = False
    single: bool = False
    ordered: bool = True

    def place(self, index: int) -> Place:
        """Where the entry is in the request."""
        return Place(f"prefetch.{self.name}", None if self.single else index)


def is_null(raw: Raw) -> bool:
    """JSON null, or nothing at all; the rest of a large value is not copied to see that."""
    return memoryview(raw)[:16].tobytes().strip() in {b"null", b""}


def read_page(name: str, raw: Raw, notes: Notes) -> Page:
    """One prefetch value in any of its states; what cannot be read is noted by its place."""
    key = f"prefetch.{name}"
    if is_null(raw):
        return Page(name, answered=True)
    try:
        bundle = _BUNDLE.decode(raw)
    except BAD_INPUT:
        return _read_slowly(name, key, raw, notes)
    return _page(name, bundle.entry, (), bundle.link, notes)


def _page(
    name: str,
    entries: tuple[Entry, ...],
    strangers: tuple[Stranger, ...],
    links: Iterable[Link],
    notes: Notes,
    noted: frozenset[int] = frozenset(),
) -> Page:
    more = any(link.relation == "next" for link in links)
    ordered = was_sorted(links)
    failed = False
    for index, entry in enumerate(entries):
        if type(entry.resource) is Observation:
            continue  # most are, and there is nothing to say about them here
        at = f"prefetch.{name}.entry[{index}]"
        if entry.resource is None and index not in noted:
            notes.unreadable(at, "no resource in the entry")
        elif isinstance(entry.resource, OperationOutcome):
            trouble = trouble_of(entry.resource)
            failed = failed or bool(trouble)
            ordered = ordered and not ignored_any(entry.resource)
            if trouble:
                notes.unreadable(at, trouble)
    return Page(name, not failed, entries, strangers, more, ordered=ordered)


def _read_slowly(name: str, key: str, raw: Raw, notes: Notes) -> Page:
    head = read_head(raw)
    if head is None or head.resource_type is None:
        notes.unreadable(key, "not a FHIR resource")
        return Page(name, answered=False)
    if head.resource_type == "Bundle":
        return _read_entries(name, key, raw, notes)
    place = Place(key)
    strangers = (Stranger(place, head, None, raw),)
    if head.resource_type == "OperationOutcome":
        notes.unreadable(key, "the query failed: an OperationOutcome was sent instead of data")
        return Page(name, answered=False)
    if name in _QUERIES and _SINGLE.get(name) != head.resource_type:
        notes.unreadable(key, "not the type of resource that was asked for")
        return Page(name, answered=False, strangers=strangers)
    resource = read_resource(raw, head, place, notes)
    if resource is None:
        return Page(name, answered=False, strangers=strangers)
    return Page(name, answered=True, entries=(Entry(resource=resource),), single=True)


def _read_entries(name: str, key: str, raw: Raw, notes: Notes) -> Page:
    try:
        bundle = _RAW_BUNDLE.decode(raw)
    except BAD_INPUT:
        notes.unreadable(key, "a Bundle that cannot be read")
        return Page(name, answered=False)
    entries: list[Entry] = []
    strangers: list[Stranger] = []
    for index, raw_entry in enumerate(bundle.entry):
        place = Place(key, index)
        full_url, raw_resource = _open_entry(raw_entry)
        head = read_head(raw_resource)
        if head is None:
            notes.unreadable(str(place), "not a FHIR resource")
            entries.append(Entry())
            continue
        resource = read_resource(raw_resource, head, place, notes)
        if resource is None:
            strangers.append(Stranger(place, head, full_url, raw_resource))
            strangers.extend(_within(raw_resource, head, place))
        # One that is not used keeps its seat, so that places stay right.
        entries.append(Entry(full_url=full_url, resource=resource))
    said = frozenset(range(len(entries)))  # what is wrong with an entry has been said above
    return _page(name, tuple(entries), tuple(strangers), bundle.link, notes, said)


def _within(raw: Raw, head: Head, place: Place) -> Iterator[Stranger]:
    """The resources of a Bundle inside an entry: never read, but of the same patient."""
    inside = (read_raw_entries(raw) or ()) if head.resource_type == "Bundle" else ()
    for full_url, resource in inside:
        inner = read_head(resource)
        if inner is not None:
            yield Stranger(place, inner, full_url, nested=True)
            yield from _within(resource, inner, place)


def _open_entry(raw: Raw) -> tuple[str | None, Raw]:
    try:
        entry = _RAW_ENTRY.decode(raw)
    except BAD_INPUT:
        return None, Raw()
    return entry.full_url, entry.resource


def read_raw_entries(raw: Raw) -> tuple[tuple[str | None, Raw], ...] | None:
    """URL and resource of each entry of a Bundle, not decoded; None if it is no Bundle."""
    try:
        bundle = _RAW_BUNDLE.decode(raw)
    except BAD_INPUT:
        return None
    return tuple(_open_entry(entry) for entry in bundle.entry)


def read_head(raw: Raw) -> Head | None:
    """Type, id and patient of any resource, or None if it is not one."""
    try:
        return _HEAD.decode(raw)
    except BAD_INPUT:
        return None


def read_resource(raw: Raw, head: Head, place: Place, notes: Notes) -> Readable | None:
    """The resource if it is of a type that is read; one that is malformed is noted."""
    if head.resource_type not in _READ_TYPES:
        if head.resource_type in {None, "Bundle"}:
            notes.unreadable(str(place), "not a resource that can be read here")
        return None
    try:
        return _RESOURCE.decode(raw)
    except BAD_INPUT as error:
        notes.unreadable(str(place), _reason(head.resource_type, error))
        return None


def _reason(kind: str | None, error: Exception) -> str:
    """msgspec names the path and the types, never the value."""
    if not isinstance(error, msgspec.ValidationError):
        return f"malformed {kind}: too deep or not UTF-8"
    said = str(error)
    if said.endswith("modifierExtension`"):
        return f"{kind} with a modifierExtension, which may change what it says"
    return f"malformed {kind}: {said[:160]}"
