"""What is left of a malformed order: the same resource without the members that cannot be read.

An order whose dose is malformed still names its drug; to lose it whole would be silence about it.
"""

import msgspec
from msgspec import Raw

from fhir_mapping.bundles import BAD_INPUT
from fhir_mapping.resources import Readable


_TYPE = "resourceType"
_RESOURCE: msgspec.json.Decoder[Readable] = msgspec.json.Decoder(Readable)
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])


def salvaged(raw: Raw) -> tuple[Readable | None, tuple[str, ...]]:
    """The resource without its malformed members, and their names; None if nothing is left."""
    try:
        members = _MEMBERS.decode(raw)
    except BAD_INPUT:
        return None, ()
    kind = members.get(_TYPE, Raw(b"null"))
    bad = tuple(name for name, value in members.items() if not _reads({_TYPE: kind, name: value}))
    left = {name: value for name, value in members.items() if name not in bad}
    return (_decoded(left) if _reads(left) else None), bad


def _reads(members: dict[str, Raw]) -> bool:
    try:
        _decoded(members)
    except BAD_INPUT:
        return False
    return True


def _decoded(members: dict[str, Raw]) -> Readable:
    return _RESOURCE.decode(msgspec.json.encode(members))
