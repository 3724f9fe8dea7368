"""Which resources a request brought, by reference and version; reads nothing clinical from them."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from cds.store.rows import InputRef


# Hostile input can also be too deep or not be UTF-8; the mapping names what is wrong with it.
_BAD_INPUT = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


T = TypeVar("T")


class _Meta(Struct, rename="camel"):
    version_id: str = ""
    last_updated: str = ""


class _Entry(Struct):
    resource: Raw = Raw(b"null")


class _Resource(Struct, rename="camel"):
    resource_type: str
    id: str = ""
    meta: _Meta | None = None
    entry: list[Raw] = []


_RESOURCE = msgspec.json.Decoder(_Resource)
_ENTRY = msgspec.json.Decoder(_Entry)


def input_refs(values: Iterable[Raw | None]) -> tuple[InputRef, ...]:
    """Every resource with an id in these Bundles and resources, once, by reference.

    `values`: prefetch values and draft orders as they were sent. What is not FHIR is left out.
    """
    found = {one.ref + "|" + one.version + "|" + one.last_updated: one for one in _all(values)}
    return tuple(found[key] for key in sorted(found))


def _all(values: Iterable[Raw | None]) -> Iterator[InputRef]:
    for value in values:
        resource = None if value is None else _decoded(_RESOURCE, value)
        if resource is None:
            continue
        if resource.resource_type == "Bundle":
            entries = (_decoded(_ENTRY, entry) for entry in resource.entry)
            yield from _all(entry.resource for entry in entries if entry)
        elif resource.id:
            meta = resource.meta or _Meta()
            yield InputRef(
                ref=f"{resource.resource_type}/{resource.id}",
                version=meta.version_id,
                last_updated=meta.last_updated,
            )


def _decoded(decoder: msgspec.json.Decoder[T], value: Raw) -> T | None:
    try:
        return decoder.decode(value)
    except _BAD_INPUT:
        return None
