"""The project's CodeSystem and Questionnaire, the JSON files beside this module, ready for use.

A question is known by its linkId, which is the code of an Observation or of a component of one.
It maps and builds nothing.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

from fhir_mapping.datatypes import Coding, Part


HERE = Path(__file__).parent
CODE_SYSTEM = HERE / "CodeSystem-toxicity-assessment.json"
QUESTIONNAIRE = HERE / "Questionnaire-toxicity-assessment.json"
_LARGEST = "http://hl7.org/fhir/StructureDefinition/maxValue"
_SMALLEST = "http://hl7.org/fhir/StructureDefinition/minValue"


class Extension(Part, frozen=True, gc=False, kw_only=True):
    """A limit of a whole number; other extensions are for those who show the form."""

    url: str
    value_integer: int | None = None


class Option(Part, frozen=True, gc=False, kw_only=True):
    """One answer to choose."""

    value_coding: Coding


class Item(Part, frozen=True, gc=False, kw_only=True):
    """A heading (type `group`) or a question; `code` has one coding on every question."""

    link_id: str
    type: str
    text: str
    code: tuple[Coding, ...] = ()
    repeats: bool = False
    extension: tuple[Extension, ...] = ()
    answer_option: tuple[Option, ...] = ()
    item: tuple["Item", ...] = ()

    @property
    def answers(self) -> dict[str | None, Coding]:
        """What can be chosen, by code."""
        return {one.value_coding.code: one.value_coding for one in self.answer_option}

    @property
    def limits(self) -> tuple[int, int]:
        """The smallest and the largest answer of a question for a whole number."""
        found = {one.url: one.value_integer or 0 for one in self.extension}
        return found[_SMALLEST], found[_LARGEST]


class Form(Part, frozen=True, gc=False, kw_only=True):
    """The Questionnaire."""

    url: str
    version: str
    item: tuple[Item, ...]


@cache
def form() -> Form:
    """The Questionnaire as shipped; raises `msgspec.ValidationError` on a file that is damaged."""
    return msgspec.json.decode(QUESTIONNAIRE.read_bytes(), type=Form)


@cache
def questions() -> dict[str, Item]:
    """Every question by its linkId."""
    return {one.link_id: one for one in _questions(form().item)}


@cache
def ice_items() -> dict[str, int]:
    """The five ICE items and the most points of each."""
    links = questions().keys() - {"ice-total"}
    return {link: questions()[link].limits[1] for link in sorted(links) if link[:4] == "ice-"}


def _questions(items: tuple[Item, ...]) -> Iterator[Item]:
    for one in items:
        if one.type == "group":
            yield from _questions(one.item)
        else:
            yield one
