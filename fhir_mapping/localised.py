"""A site's own codes and answers in an Observation, put into the project's CodeSystem beside them.

Only what a site's overlay maps is changed, and what was charted stays; it reads no value.
"""

from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from fhir_mapping.codes import CodeSets
from fhir_mapping.codes.tables import spaced
from fhir_mapping.datatypes import CodeableConcept, Coding, Component
from fhir_mapping.resources import Observation


_SYSTEM = "https://btce-cds.org/fhir/CodeSystem/toxicity-assessment"
V = TypeVar("V", Observation, Component)


def localised(observation: Observation, fact: str, codes: CodeSets) -> Observation:
    """With the project's codes on its components and its answers; `fact`: what it is about."""
    parts = tuple(_component(one, codes) for one in observation.component)
    changed = msgspec.structs.replace(observation, component=parts)
    return _answered(changed, fact, codes)


def _component(component: Component, codes: CodeSets) -> Component:
    if component.code is None:
        return component
    for coding in component.code.coding:
        concept = codes.observations.get((coding.system, coding.code))
        if concept is not None and concept.fact in codes.project_facts and not concept.excluded:
            codings = (Coding(system=_SYSTEM, code=concept.fact), *component.code.coding)
            code = CodeableConcept(coding=codings, text=component.code.text)
            return _answered(msgspec.structs.replace(component, code=code), concept.fact, codes)
    return component


def _answered(item: V, fact: str, codes: CodeSets) -> V:
    return msgspec.structs.replace(item, **_answer(item, fact, codes))


def _answer(item: Observation | Component, fact: str, codes: CodeSets) -> dict[str, Any]:
    """The value by the answers its codes mean, and its texts as a whole; a score is a number."""
    concept = item.value_codeable_concept
    codings = concept.coding if concept is not None else ()
    text = concept.text if concept is not None else item.value_string
    keys = [(fact, (coding.system, coding.code)) for coding in codings]
    texts = [(fact, spaced(one or "")) for one in (text, *(coding.display for coding in codings))]
    found = [codes.values[key] for key in keys if key in codes.values]
    found += [codes.value_texts[key] for key in texts if key in codes.value_texts]
    answers = tuple(dict.fromkeys(found))
    numbers = [answer for answer in answers if answer.isdecimal()]
    if not answers or (numbers and len(answers) > 1):
        return {}  # nothing mapped, or two scores in one answer, which is none
    if numbers:
        return {"value_integer": Raw(numbers[0].encode())}
    ours = (Coding(system=_SYSTEM, code=answer) for answer in answers)
    return {"value_codeable_concept": CodeableConcept(coding=(*ours, *codings), text=text)}
