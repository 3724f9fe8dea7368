"""What a resource must be before it is kept: its type, its id, the members R4 demands.

No profiles, no terminology and no check that a reference leads anywhere.
"""

import re

from cds.demo.fhir.definitions import TYPES
from cds.demo.fhir.errors import FhirError
from cds.demo.fhir.quirks import Quirks
from cds.demo.fhir.resource_json import Resource
from cds.demo.fhir.subscription_form import form_of


_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")  # R4 datatypes, "id"
# A client may ask to be served or to be left alone; the rest is the server's to say.
_ASKED = ("requested", "active", "off")


def checked(
    kind: str, resource: Resource, *, base: str, quirks: Quirks, id_: str | None = None
) -> Resource:
    """The resource as it is kept. Raises `FhirError` 400 (not what the URL says) or 422."""
    if resource.get("resourceType") != kind:
        raise FhirError(400, "invalid", "resourceType is not the type of the URL")
    if id_ is not None and resource.get("id") != id_:
        raise FhirError(400, "invalid", "id is not the id of the URL")
    if id_ is not None and not _ID.fullmatch(id_):
        raise FhirError(400, "value", "id: 1 to 64 letters, digits, hyphens and full stops")
    if not isinstance(resource.get("meta", {}), dict):
        raise FhirError(422, "structure", "meta is not an object")
    for demand in TYPES[kind].required:
        if not any(resource.get(name) not in (None, "", [], {}) for name in demand.split("|")):
            raise FhirError(422, "required", f"{demand} is required")
    return _asked(resource, base, quirks) if kind == "Subscription" else resource


def _asked(resource: Resource, base: str, quirks: Quirks) -> Resource:
    """A Subscription begins as `requested`, whatever its client already calls it."""
    if resource["status"] not in _ASKED:
        raise FhirError(422, "value", "status: a client asks with requested, active or off")
    form_of(resource, base=base, quirks=quirks)
    return resource | ({} if resource["status"] == "off" else {"status": "requested"})
