"""The codings of a resource, for the shapes of vendors: read, replaced, made up.

Resources are kept as they came, so what has another shape than R4's counts as absent.
"""

from collections.abc import Callable
from typing import Any
from zlib import crc32

from cds.demo.fhir.elements import member, values
from cds.demo.fhir.resource_json import Resource


LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
BLOOD_PRESSURE = "85354-9"
Codings = list[Resource]


def codings_of(concept: Any) -> Codings:
    """The codings of a CodeableConcept."""
    return [one for one in values(concept, "coding") if isinstance(one, dict)]


def codes_of(codings: Codings, system: str) -> list[str]:
    """The codes of one system."""
    codes = (member(one, "code") for one in codings if member(one, "system") == system)
    return [code for code in codes if isinstance(code, str)]


def label_of(concept: Any) -> str:
    """What a reader is shown of a concept; empty if there is nothing."""
    shown = (member(concept, "text"), *values(concept, "coding.display"))
    return next((text for text in shown if isinstance(text, str) and text), "")


def recoded(concept: Any, codings: Codings) -> Resource:
    """The concept with these codings."""
    return {**(concept if isinstance(concept, dict) else {}), "coding": codings}


def observation_recoded(resource: Resource, change: Callable[[Codings], Codings]) -> Resource:
    """An Observation whose code has other codings; another resource as it is."""
    code = resource.get("code")
    if resource.get("resourceType") != "Observation" or not isinstance(code, dict):
        return resource
    return {**resource, "code": recoded(code, change(codings_of(code)))}


def made_up(codings: Codings, at_least: int) -> str:
    """A local code, always the same for the same first coding."""
    key = "".join(str(member(one, "code")) for one in codings[:1])
    return str(at_least + crc32(key.encode()) % 1_000_000)


def categories_of(resource: Resource) -> set[Any]:
    """The codes a resource is filed under."""
    return {code for code in values(resource, "category.coding.code") if isinstance(code, str)}


def without(resource: Resource, *names: str) -> Resource:
    """The resource without these members."""
    return {name: one for name, one in resource.items() if name not in names}
