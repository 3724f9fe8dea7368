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


def salvaged(raw: Raw) -> tuple[Readable, tuple[str, ...]]:
    """The resource without its malformed members, and their names.

    `raw`: an object whose `resourceType` is one that is read. Members are read apart from each
    other, so that those that can be read alone can be read together.
    """
    members = _MEMBERS.decode(raw)
    kind = members[_TYPE]
    bad = tuple(name for name, value in members.items() if not _reads({_TYPE: kind, name: value}))
    return _decoded({name: value for name, value in members.items() if name not in bad}), bad


def _reads(members: dict[str, Raw]) -> bool:
    try:
        _decoded(members)
    except BAD_INPUT:
        return False
    return True


def _decoded(members: dict[str, Raw]) -> Readable:
    return _RESOURCE.decode(msgspec.json.encode(members))
