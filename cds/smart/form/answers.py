"""What a person answered on the form, and for each answer that cannot be used what to do about it.

A blank is not answered: never "none", never normal. An answer with a problem counts as not given,
and so do answers that contradict each other. It knows no patient and builds no resource.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec import Raw, Struct

from cards.escape import plain
from cds.smart.form.fields import NOT_PERFORMED, TEMPERATURES, TOXICITIES, Field
from fhir_mapping.datatypes import Quantity
from fhir_mapping.definitions import ice_items
from fhir_mapping.units import UCUM, canonical
from knowledge.facts import ToxicityName


LONGEST_TEXT = 200  # characters of a reason
LONGEST_NUMBER = 8  # characters
_WHOLE = re.compile(r"[0-9]+")
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")
_BESIDE = frozenset({"csrf", "submission"})  # fields of the form that are no answers
_WITH_LIMITS = frozenset(
    {"systolic"}
)  # facts that `fhir_mapping.units` holds to limits of their own

_TWICE = "answered more than once: choose one answer"
_UNKNOWN = "not one of the answers: choose again"
_COMMA = "write the number with a point instead of the comma"
_DIGITS = "write the number in digits"
_LONG = "too long: at most {} characters"
_NOT_ASKED = "the form has no such question: load the page again"
_ONE_UNIT = "give it in one unit and clear the other"
_NO_SYSTOLIC = "give the systolic pressure too, or clear the diastolic"
_NOT_BELOW = "not below the systolic pressure: check both"
_NO_DEVICE = "choose the oxygen device, or clear the flow"
_NO_SEIZURE = "choose the kind of seizure, or clear its duration and number"
_ICE_BOTH = "answer the ICE items or give the reason why it was not performed, not both"


class Problem(Struct, frozen=True):
    """Why an answer is not used and what to do; `field` is empty where it is the whole form."""

    field: str
    text: str


class Answers(Struct, frozen=True, kw_only=True):
    """What was answered; everything else was not. `temperature`: value and UCUM unit.

    `ice`: points by item. mm[Hg], %, L/min, minutes.
    """

    ice: dict[str, int] = {}
    ice_not_performed: str = ""
    capd: int | None = None
    arousal: str = ""
    seizure: str = ""
    seizure_minutes: Decimal | None = None
    seizure_count: int | None = None
    motor: str = ""
    raised_icp: str = ""
    temperature: tuple[Decimal, str] | None = None
    systolic: Decimal | None = None
    diastolic: Decimal | None = None
    saturation: Decimal | None = None
    oxygen_device: str = ""
    oxygen_flow: Decimal | None = None
    hypotension_support: str = ""
    attribution: dict[ToxicityName, str] = {}
    grades: dict[ToxicityName, int] = {}


class Filled(Struct, frozen=True):
    """A form as it came back. `kept`: what to show in its controls again, as it was entered."""

    answers: Answers
    problems: tuple[Problem, ...]
    kept: dict[str, str]


BLANK = Filled(Answers(), (), {})


class _Values:
    """The usable values by field, while the form is read."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.numbers: dict[str, Decimal] = {}
        self.problems: list[Problem] = []

    def has(self, name: str) -> bool:
        return name in self.texts or name in self.numbers

    def refuse(self, name: str, text: str, *drop: str) -> None:
        """`name` has a problem; it and `drop` count as not answered."""
        self.problems.append(Problem(name, text))
        for one in (name, *drop):
            self.texts.pop(one, None)
            self.numbers.pop(one, None)

    def count(self, name: str) -> int | None:
        found = self.numbers.get(name)
        return None if found is None else int(found)


def read(sent: Mapping[str, Sequence[str]], fields: Iterable[Field]) -> Filled:
    """The form as it was sent, by the fields that were asked; several values by name."""
    values = _Values()
    kept: dict[str, str] = {}
    known = {field.name: field for field in fields}
    if not sent.keys() <= known.keys() | _BESIDE:
        values.refuse("", _NOT_ASKED)
    for name, field in known.items():
        given = [text for text in map(plain, sent.get(name, ())) if text]
        if given:
            kept[name] = given[0][:LONGEST_TEXT]
            _read_one(field, given, values)
    _contradictions(values)
    return Filled(_answers(values), tuple(values.problems), kept)


def _read_one(field: Field, given: Sequence[str], values: _Values) -> None:
    text = given[0]
    most = LONGEST_NUMBER if field.kind in ("whole", "decimal") else LONGEST_TEXT
    if len(given) > 1:
        values.refuse(field.name, _TWICE)
    elif len(text) > most:
        values.refuse(field.name, _LONG.format(most))
    elif field.kind == "text":
        values.texts[field.name] = text
    elif field.kind == "choice":
        if text in {one.code for one in field.choices}:
            values.texts[field.name] = text
        else:
            values.refuse(field.name, _UNKNOWN)
    else:
        problem = _not_a_number(field, text)
        if problem:
            values.refuse(field.name, problem)
        else:
            values.numbers[field.name] = Decimal(text)


def _not_a_number(field: Field, text: str) -> str:
    """Why the text is no answer to a field for a number, or nothing."""
    if "," in text:
        return _COMMA
    if field.kind == "whole":
        low, high = field.limits
        whole = _WHOLE.fullmatch(text) is not None and low <= int(text) <= high
        return "" if whole else f"write a whole number from {low} to {high}"
    if _DECIMAL.fullmatch(text) is None or field.measure is None:
        return _DIGITS
    entered = Decimal(text)
    quantity = Quantity(value=Raw(str(entered).encode()), system=UCUM, code=field.unit)
    fact = field.name if field.name in _WITH_LIMITS else ""
    read_back = canonical(field.measure, quantity, fact)
    return f"{read_back}: check the number and its unit" if isinstance(read_back, str) else ""


def _contradictions(values: _Values) -> None:
    """What is answered beside something it cannot stand with."""
    numbers, texts = values.numbers, values.texts
    celsius, fahrenheit = TEMPERATURES
    if celsius in numbers and fahrenheit in numbers:
        values.refuse(fahrenheit, _ONE_UNIT, celsius)
    if "diastolic" in numbers:
        if "systolic" not in numbers:
            values.refuse("diastolic", _NO_SYSTOLIC)
        elif numbers["diastolic"] >= numbers["systolic"]:
            values.refuse("diastolic", _NOT_BELOW, "systolic")
    if "oxygen-flow" in numbers and "oxygen-device" not in texts:
        values.refuse("oxygen-flow", _NO_DEVICE)
    details = [one for one in ("seizure-duration", "seizure-count") if one in numbers]
    if details and texts.get("seizure", "none") == "none":
        values.refuse(details[0], _NO_SEIZURE, "seizure", *details)
    if NOT_PERFORMED in texts and any(item in texts for item in ice_items()):
        values.refuse(NOT_PERFORMED, _ICE_BOTH, *ice_items())


def _answers(values: _Values) -> Answers:
    numbers, texts = values.numbers, values.texts
    measured = [(numbers[name], unit) for name, unit in TEMPERATURES.items() if name in numbers]
    causes = {one: texts.get(f"attribution-{one}", "") for one in TOXICITIES}
    grades = {one: texts.get(f"{one}-grade", "") for one in TOXICITIES}
    return Answers(
        ice={item: int(texts[item]) for item in ice_items() if item in texts},
        ice_not_performed=texts.get(NOT_PERFORMED, ""),
        capd=values.count("capd-total"),
        arousal=texts.get("arousal", ""),
        seizure=texts.get("seizure", ""),
        seizure_minutes=numbers.get("seizure-duration"),
        seizure_count=values.count("seizure-count"),
        motor=texts.get("motor", ""),
        raised_icp=texts.get("raised-icp", ""),
        temperature=measured[0] if measured else None,
        systolic=numbers.get("systolic"),
        diastolic=numbers.get("diastolic"),
        saturation=numbers.get("saturation"),
        oxygen_device=texts.get("oxygen-device", ""),
        oxygen_flow=numbers.get("oxygen-flow"),
        hypotension_support=texts.get("hypotension-support", ""),
        attribution={one: cause for one, cause in causes.items() if cause},
        grades={one: int(grade) for one, grade in grades.items() if grade},
    )
