"""What a FHIR server's answer says of one resource, and the identifier a statement is known by.

Reads a few members of bodies nobody checked; sends nothing and decides nothing.
"""

import re
from typing import Any

import msgspec
from msgspec import Raw, Struct

from cds.body_limits import refuse_unbounded
from cds.errors import ServiceError
from fhir_mapping.bundles import BAD_INPUT


SYSTEM = "https://btce-cds.org/fhir/NamingSystem/statement"
_LOCATION = re.compile(r"([A-Za-z]+)/([A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?/?\Z")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


class _Reference(Struct, frozen=True):
    reference: str = ""


class Head(Struct, rename="camel", frozen=True):
    """Of a resource that a server sent; `id` empty: none that can be used."""

    resource_type: str
    id: str = ""
    subject: _Reference | None = None


class _Named(Struct, frozen=True):
    identifier: Any = ()


def named(resource: dict[str, Any], value: str) -> dict[str, Any]:
    """The resource with its identifier: a QuestionnaireResponse has one, others a list (R4)."""
    one = {"system": SYSTEM, "value": value}
    single = resource["resourceType"] == "QuestionnaireResponse"
    return {**resource, "identifier": one if single else [one]}


def is_named(resource: Raw, value: str) -> bool:
    """Whether the identifier `value` of ours is among those of the resource."""
    try:
        found = msgspec.json.decode(resource, type=_Named).identifier
    except BAD_INPUT:
        return False
    several = found if isinstance(found, list) else [found]
    return any(
        isinstance(one, dict) and (one.get("system"), one.get("value")) == (SYSTEM, value)
        for one in several
    )


def head_of(body: bytes, kind: str) -> Head | None:
    """Of a resource of this kind; None for anything else."""
    try:
        refuse_unbounded(body)
        found = msgspec.json.decode(body, type=Head)
    except (ServiceError, *BAD_INPUT):
        return None
    if found.resource_type != kind:
        return None
    return found if _ID.fullmatch(found.id) else msgspec.structs.replace(found, id="")


def belongs(head: Head, patient: str, base: str) -> bool:
    """Whether the resource is this patient's, as far as it says whose it is."""
    if head.subject is None:
        return True
    reference = head.subject.reference.removeprefix(f"{base}/").partition("/_history/")[0]
    return reference == f"Patient/{patient}"


def ref_of(location: str, head: Head | None, kind: str) -> str:
    """Where the server says it is, by its Location, else by the resource it sent back."""
    place = _LOCATION.search(location)
    if place is not None and place[1] == kind:
        return f"{kind}/{place[2]}"
    return f"{kind}/{head.id}" if head is not None and head.id else ""
