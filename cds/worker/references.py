"""Whose a resource is, by its subject; tolerant, and blind to everything else in it.

Only to know whom to read: what is then read is held to one patient by the mapping.
"""

import re

import msgspec
from msgspec import Raw, Struct

from cds.config import same_base
from fhir_mapping.bundles import BAD_INPUT


REFERENCE = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64}")
_PATIENT = re.compile(r"(?:(?P<base>.*)/)?Patient/(?P<id>[A-Za-z0-9\-.]{1,64})(?:/_history/[^/]*)?")


class _Reference(Struct):
    reference: str | None = None


class _Meta(Struct, rename="camel"):
    version_id: str | None = None
    last_updated: str | None = None


class Found(Struct, rename="camel"):
    """What is looked at of any resource."""

    resource_type: str | None = None
    id: str | None = None
    meta: _Meta | None = None
    subject: _Reference | None = None
    patient: _Reference | None = None


def read_found(raw: Raw) -> Found | None:
    """The resource, as far as it is looked at; None where it is no resource."""
    try:
        return msgspec.json.decode(raw, type=Found)
    except BAD_INPUT:
        return None


def patient_of(found: Found | None, base: str) -> str:
    """The bare id of the patient it is about, on the server at `base`; "" if nothing says so."""
    if found is None:
        return ""
    if found.resource_type == "Patient":
        return found.id or ""
    named = found.subject or found.patient
    match = _PATIENT.fullmatch(named.reference or "") if named is not None else None
    if match is None or (match["base"] and not same_base(match["base"], base)):
        return ""
    return match["id"]


def version_key(found: Found) -> str:
    """What tells one state of a resource from the next; "" if the server names none."""
    meta = found.meta
    if meta is None:
        return ""
    return meta.version_id or meta.last_updated or ""
