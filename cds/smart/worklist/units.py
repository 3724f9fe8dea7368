"""Where a patient is, by the newest encounter; and the units a reader may choose from.

A unit is chosen by a digest: no word of the record is in an address.
"""

from collections.abc import Iterable
from hashlib import sha256

import msgspec
from msgspec import Raw, Struct

from cards.escape import plain
from fhir_mapping.bundles import BAD_INPUT


_THERE = frozenset({"arrived", "triaged", "in-progress", "onleave"})
_NOT_NOW = frozenset({"planned", "reserved", "completed"})


class Unit(Struct, frozen=True, order=True):
    """A location: what it is called, and what stands for it in an address."""

    name: str
    key: str


class _Reference(Struct, frozen=True):
    reference: str = ""
    display: str = ""


class _Stay(Struct, frozen=True):
    location: _Reference = _Reference()
    status: str = ""


class _Resource(Struct, frozen=True, rename="camel"):
    resource_type: str = ""
    status: str = ""
    location: tuple[_Stay, ...] = ()


class _Entry(Struct, frozen=True):
    resource: _Resource = _Resource()


class _Bundle(Struct, frozen=True):
    entry: tuple[_Entry, ...] = ()


def units_of(encounters: Raw | None) -> tuple[Unit, ...]:
    """The locations of an encounter that goes on; none where that is not known."""
    if encounters is None:
        return ()
    try:
        found = msgspec.json.decode(encounters, type=_Bundle)
    except BAD_INPUT:
        return ()
    units = {
        _unit(stay.location)
        for entry in found.entry
        if entry.resource.resource_type == "Encounter" and entry.resource.status in _THERE
        for stay in entry.resource.location
        if stay.status not in _NOT_NOW and (stay.location.reference or stay.location.display)
    }
    return tuple(sorted(units))


def chosen(key: str, units: Iterable[Unit]) -> Unit | None:
    """The unit of this key, if it is one of `units`."""
    return next((one for one in units if one.key == key), None)


def _unit(location: _Reference) -> Unit:
    name = plain(location.display) or plain(location.reference)
    digest = sha256((location.reference or name).encode(errors="surrogatepass"))
    return Unit(name, digest.hexdigest()[:16])
