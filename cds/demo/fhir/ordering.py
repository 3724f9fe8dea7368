"""`_sort`: several keys, each up or down; resources without a value come last either way."""

from typing import Any, Literal

from cds.demo.fhir.dates import range_in
from cds.demo.fhir.definitions import Parameter
from cds.demo.fhir.elements import all_values, folded, member, strings, tokens, values
from cds.demo.fhir.query import SortKey
from cds.demo.fhir.resource_json import Resource, number
from cds.demo.fhir.storage import Version


_CODED = ("code.coding.code", "medicationCodeableConcept.coding.code")
_TIMED = ("effectiveDateTime", "effectivePeriod", "authoredOn", "onsetDateTime", "period")


def in_order(versions: list[Version], keys: tuple[SortKey, ...]) -> list[Version]:
    """A new list; what is equal by all keys stays in the order it was in."""
    ordered = list(versions)
    for key in reversed(keys):
        found = [
            (_value(key.parameter, one.resource or {}, key.descending), one) for one in ordered
        ]
        having = [pair for pair in found if pair[0] is not None]
        having.sort(key=lambda pair: pair[0], reverse=key.descending)
        ordered = [one for _, one in having] + [one for value, one in found if value is None]
    return ordered


def unsorted(
    versions: list[Version], how: Literal["as-made", "newest-first", "by-code"]
) -> list[Version]:
    """A new list; `by-code`: the codes as they were first met, newest first within each."""
    if how == "as-made":
        return list(versions)
    newest = sorted(versions, key=_age)
    if how == "newest-first":
        return newest
    places = {name: place for place, name in enumerate(dict.fromkeys(map(_code, versions)))}
    return sorted(newest, key=lambda one: places[_code(one)])


def _code(version: Version) -> str:
    names = (name for path in _CODED for name in values(version.resource, path))
    return next((name for name in names if isinstance(name, str)), "")


def _age(version: Version) -> float:
    times = (range_in(raw) for path in _TIMED for raw in values(version.resource, path))
    return next((-time.low.timestamp() for time in times if time is not None), 0.0)


def _value(parameter: Parameter, resource: Resource, descending: bool) -> Any:
    """The smallest value going up, the greatest going down; None: there is none."""
    found = [
        value
        for raw in all_values(parameter, resource)
        if (value := _comparable(parameter, raw)) is not None
    ]
    if not found:
        return None
    return max(found) if descending else min(found)


def _comparable(parameter: Parameter, raw: Any) -> Any:
    match parameter.kind:
        case "date":
            stored = range_in(raw)
            return None if stored is None else stored.low
        case "token":
            return next((code for _, code in tokens(raw)), None)
        case "quantity":
            return number(member(raw, "value"))
        case "reference":
            text = member(raw, "reference")
            return text if isinstance(text, str) else None
        case _:
            return next(map(folded, strings(raw)), None)
