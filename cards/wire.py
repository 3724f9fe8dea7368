"""What may not be on the wire: null, "", [] and {}; finds and removes them, decides nothing."""

from collections.abc import Iterator
from typing import Any


def empties(value: object, at: str = "$") -> Iterator[str]:
    """Places of empty members. Only `cards` itself may be an empty array (CDS Hooks 2.0).

    A FHIR primitive array and its twin (`given`, `_given`) hold null as a place keeper: allowed.
    """
    if isinstance(value, dict):
        for key, member in value.items():
            place = f"{at}.{key}"
            if member in (None, "", [], {}) and not (place == "$.cards" and member == []):
                yield place
            elif isinstance(member, list) and (key.startswith("_") or f"_{key}" in value):
                yield from empties([item for item in member if item is not None], place)
            else:
                yield from empties(member, place)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if item in (None, "", [], {}):
                yield f"{at}[{index}]"
            else:
                yield from empties(item, f"{at}[{index}]")


def without_empties(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource without empty members; null stays inside the arrays where FHIR needs it."""
    kept = {key: _pruned(member) for key, member in resource.items()}  # inside out
    return {key: member for key, member in kept.items() if member not in (None, "", [], {})}


def _pruned(value: object) -> object:
    if isinstance(value, dict):
        return without_empties(value)
    if isinstance(value, list):
        # Null keeps its place: FHIR pairs a primitive array with its twin by position.
        items = [_pruned(item) for item in value]
        return [item for item in items if item not in ("", [], {})]
    return value
