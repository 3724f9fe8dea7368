"""How a blood pressure was measured, and what that means where two ways disagree.

No code tells a cuff from an arterial line: the words of the code, the component, the method and the
body site may. They choose between values that a code makes pressures; they make none by themselves.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from fhir_mapping.datatypes import CodeableConcept
from fhir_mapping.readings import concept_text
from fhir_mapping.resources import Observation
from knowledge.facts import Reading


Way: TypeAlias = Literal["", "cuff", "arterial line"]
Axis: TypeAlias = Literal["systolic", "mean-pressure"]
_WORD = re.compile(r"[a-z]+")
_CUFF = frozenset({"cuff", "noninvasive", "nibp"})
_NOT_INVASIVE = frozenset({"non", "invasive"})
_LINE = frozenset({"invasive", "intraarterial", "intravascular", "ibp"})
_ARTERY = frozenset({"arterial", "art", "a"})
_INSIDE = frozenset({"line", "catheter", "intra"})
_ARTERIAL = frozenset({"arterial", "blood", "pressure"})
_AXES = frozenset({"systolic", "mean", "map"})
# Pressures of other places, and the one number that says nothing here.
_ELSEWHERE = frozenset(
    {
        "pulmonary",
        "venous",
        "central",
        "wedge",
        "atrial",
        "ventricular",
        "intracranial",
        "fetal",
        "diastolic",
    }
)
# A project decision: two ways of measuring within this time are one look at the same pressure.
TOGETHER = timedelta(minutes=15)


class Measured(NamedTuple):
    """A reading and the way it was taken; nothing where that is not charted."""

    reading: Reading
    way: Way


def way_of(observation: Observation, code: CodeableConcept | None) -> Way:
    """Cuff or arterial line, by the words around the number; `code`: what names the number."""
    return _way(code, observation.code, observation.method, observation.body_site)


def unknown_axis(observation: Observation, code: CodeableConcept) -> Axis | None:
    """Which arterial pressure a number under an unknown code would be, by its words; else None."""
    own = _words(code)
    if not own.isdisjoint(_ELSEWHERE) or own.isdisjoint(_AXES):
        return None
    way = way_of(observation, code)
    if way == "cuff" or (way == "" and not own.issuperset(_ARTERIAL)):
        return None
    return "systolic" if "systolic" in own else "mean-pressure"


def lower_of_both(found: Sequence[Measured]) -> Iterator[Reading]:
    """Each reading; and where another way gave less at that time, that one again beside it."""
    if len({one.way for one in found}) <= 1:
        yield from (one.reading for one in found)
        return
    last: dict[str, Reading] = {}
    for one, way in sorted(found, key=lambda m: (m.reading.at, m.reading.value)):
        yield one
        near = (
            other
            for their, other in last.items()
            if their != way and one.at - other.at <= TOGETHER and other.value < one.value
        )
        least = min(near, key=lambda other: other.value, default=None)
        if least is not None and least.at < one.at:
            yield msgspec.structs.replace(least, at=one.at)
        last[way] = one


@lru_cache(maxsize=256)
def _words(concept: CodeableConcept | None) -> frozenset[str]:
    return frozenset(_WORD.findall(concept_text(concept).lower()))


# Most numbers of a chart have the same words around them: these are looked at once.
@lru_cache(maxsize=256)
def _way(*concepts: CodeableConcept | None) -> Way:
    words = frozenset[str]().union(*map(_words, concepts))
    if not words.isdisjoint(_CUFF) or words.issuperset(_NOT_INVASIVE):
        return "cuff"
    in_artery = not words.isdisjoint(_ARTERY) and not words.isdisjoint(_INSIDE)
    return "arterial line" if in_artery or not words.isdisjoint(_LINE) else ""
