"""What the record says of the state of each resource, where that is not simply final or completed.

Reads the state alone; whether it makes a difference to a grade is not decided here.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec import Raw, Struct

from cds.smart.stating.statement import KEPT
from fhir_mapping.answers import Resource
from fhir_mapping.bundles import BAD_INPUT


NOT_CHARTED = f"Observation/{KEPT}"  # how the reference begins of what is not in the chart
_SAID: Mapping[str, Mapping[str, str]] = {
    "Observation": {
        "registered": "registered",
        "preliminary": "preliminary",
        "amended": "amended",
        "corrected": "corrected",
        "unknown": "status unknown",
    },
    "MedicationAdministration": {
        "in-progress": "in progress",
        "on-hold": "on hold",
        "stopped": "stopped",
        "unknown": "status unknown",
    },
}


class _Resource(Struct, rename="camel"):
    resource_type: str = ""
    id: str = ""
    status: str = ""


class _Entry(Struct):
    resource: _Resource | None = None


class _Bundle(Struct):
    entry: tuple[Raw, ...] = ()


def marks_of(prefetch: Mapping[str, Raw]) -> dict[str, str]:
    """By reference ("Observation/9") the state in words; absent: final or completed."""
    return {
        f"{one.resource_type}/{one.id}": said
        for raw in prefetch.values()
        for one in _resources(raw)
        if (said := _SAID.get(one.resource_type, {}).get(one.status, ""))
    }


def kept_marks(stated: Iterable[Resource]) -> dict[str, str]:
    """The same of what was stated here and is not in the chart."""
    refs = (f"Observation/{one['id']}" for one in stated)
    return {ref: "stated here, not in the EHR" for ref in refs if ref.startswith(NOT_CHARTED)}


def _resources(raw: Raw) -> Iterator[_Resource]:
    """Those that can be read; what cannot is named by the mapping."""
    try:
        entries = msgspec.json.decode(raw, type=_Bundle).entry
    except BAD_INPUT:
        return
    for entry in entries:
        try:
            found = msgspec.json.decode(entry, type=_Entry).resource
        except BAD_INPUT:
            continue
        if found is not None:
            yield found
