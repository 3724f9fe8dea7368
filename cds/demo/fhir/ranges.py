"""Search parameters that compare: dates and quantities. The text asked for becomes a test."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from cds.demo.fhir.dates import COMPARISONS, range_in, range_of
from cds.demo.fhir.definitions import Parameter
from cds.demo.fhir.elements import all_values, member, split, unescaped
from cds.demo.fhir.errors import FhirError
from cds.demo.fhir.resource_json import Resource, number


Test: TypeAlias = Callable[[Resource], bool]
_FAR = 1000  # decimal places a quantity may be away from 1


def date_test(parameter: Parameter, text: str) -> Test:
    """`[prefix]date`: how the stored range of time lies to the one asked for."""
    prefix, rest = _prefixed(text)
    asked = range_of(rest.replace(" ", "+"))  # a plus sign that was not percent-encoded
    if asked is None:
        raise FhirError(400, "value", f"{parameter.name}: not a date of FHIR")
    compare = COMPARISONS[prefix]
    return lambda resource: any(
        compare(stored, asked)
        for stored in map(range_in, all_values(parameter, resource))
        if stored is not None
    )


def _prefixed(text: str) -> tuple[str, str]:
    if text[:2] in COMPARISONS:
        return text[:2], text[2:]
    if text[:2] == "ap":
        raise FhirError(400, "not-supported", "the prefix ap is not supported")
    return "eq", text


def quantity_test(parameter: Parameter, text: str) -> Test:
    """`[prefix]number|system|code`, the last two optional; units are not converted."""
    prefix, rest = _prefixed(text)
    parts = [*map(unescaped, split(rest, "|")), "", ""]
    try:
        asked = Decimal(parts[0])
        exponent = asked.as_tuple().exponent
    except InvalidOperation:
        raise FhirError(400, "value", f"{parameter.name}: not a number") from None
    if not isinstance(exponent, int) or not -_FAR < asked.adjusted() < _FAR or exponent < -_FAR:
        raise FhirError(400, "value", f"{parameter.name}: not a number that is measured")
    # R4 search, "quantity": 5.4 stands for what rounds to it.
    half = Decimal(5).scaleb(exponent - 1)

    def holds(value: Decimal) -> bool:
        equal = asked - half <= value < asked + half
        match prefix:
            case "eq":
                return equal
            case "ne":
                return not equal
            case "gt" | "sa":
                return value > asked
            case "lt" | "eb":
                return value < asked
            case "ge":
                return value >= asked
            case _:
                return value <= asked

    def test(resource: Resource) -> bool:
        for found in all_values(parameter, resource):
            value = number(member(found, "value"))
            unit = parts[2] in {"", member(found, "code"), member(found, "unit")}
            system = parts[1] in {"", member(found, "system")}
            if value is not None and unit and system and holds(value):
                return True
        return False

    return test
