"""One answer of the form as FHIR JSON: its code, its value, and what is no answer is refused.

For `fhir_mapping.write`; it knows no resource.
"""

from decimal import Decimal
from typing import Any, TypeAlias

from msgspec import Raw

from fhir_mapping.datatypes import Coding, Quantity
from fhir_mapping.definitions import questions
from fhir_mapping.units import UCUM, Kind, canonical


Resource: TypeAlias = dict[str, Any]


class CannotWrite(ValueError):
    """What was charted does not make one fact; the message is for the person who charts."""


def part(code: str, value: Resource) -> Resource:
    """A component."""
    return {**coded(code), **value}


def coded(code: str) -> Resource:
    """The code of an Observation or of a component, with its words."""
    item = questions()[code]
    return {"code": {"coding": [_coding(item.code[0])], "text": item.text}}


def concept(coding: Coding) -> Resource:
    """A coded value, with its words."""
    return {"valueCodeableConcept": {"coding": [_coding(coding)], "text": coding.display}}


def chosen(question: str, answer: str) -> Resource:
    """One of the answers the form offers, by its code."""
    coding = questions()[question].answers.get(answer)
    if coding is None:
        raise CannotWrite(f"{question}: {answer} is not one of the answers")
    return concept(coding)


def whole(question: str, value: int) -> Resource:
    """A whole number within the limits the form gives."""
    item = questions().get(question)
    if item is None:
        raise CannotWrite(f"{question} is not a question")
    low, high = item.limits
    if type(value) is not int or not low <= value <= high:
        raise CannotWrite(f"{question}: {value} is not a whole number from {low} to {high}")
    return {"valueInteger": value}


def measured(kind: Kind, value: Decimal, unit: str) -> Resource:
    """A number with its UCUM unit, if it would be read back."""
    text = str(value)
    read = canonical(kind, Quantity(value=Raw(text.encode()), system=UCUM, code=unit))
    if isinstance(read, str):
        raise CannotWrite(read)
    return {"valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit}}


def _coding(coding: Coding) -> Resource:
    return {"system": coding.system, "code": coding.code, "display": coding.display}
