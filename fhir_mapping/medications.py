"""Which drugs a resource orders or gives: its own concept, its Medication and the ingredients.

Also what it calls them, and the route by code or word.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from fhir_mapping.bundles import read_head
from fhir_mapping.codes import CodeSets, Drug, RouteWord
from fhir_mapping.datatypes import CodeableConcept, Reference
from fhir_mapping.drug_names import (
    LONGEST_TEXT,
    WORD,
    drug_in_concept,
    drugs_in_concept,
    drugs_in_text,
    each_once,
    rank,
    without_local,
)
from fhir_mapping.readings import concept_text, shown
from fhir_mapping.record import contained_medication
from fhir_mapping.resources import (
    Medication,
    MedicationAdministration,
    MedicationRequest,
    ServiceRequest,
)


Orderable: TypeAlias = MedicationAdministration | MedicationRequest | ServiceRequest
_NESTED = 2  # a Medication may be made of Medications; deeper is not looked at


def drug_of(
    resource: Orderable, medications: Mapping[str, Medication], codes: CodeSets
) -> Drug | None:
    """The drug given or ordered, through its own code, a contained or a referenced Medication."""
    concepts = _concepts(resource, medications)
    found = [drug for concept in concepts if (drug := drug_in_concept(concept, codes)) is not None]
    known = without_local(each_once(found), concepts, codes)
    if known:
        return min(known, key=rank)
    named = _by_display(resource, codes)
    return named[0] if named else None


def drugs_of(
    resource: Orderable, medications: Mapping[str, Medication], codes: CodeSets
) -> tuple[Drug, ...]:
    """Every drug an order names: one for most, several for a regimen; the weightiest first."""
    concepts = _concepts(resource, medications)
    found = [drug for concept in concepts for drug in drugs_in_concept(concept, codes)]
    known = without_local(each_once(found), concepts, codes)
    return tuple(sorted(known or _by_display(resource, codes), key=rank))


def unordered(
    resource: Orderable,
    drugs: Iterable[Drug],
    medications: Mapping[str, Medication],
    codes: CodeSets,
) -> tuple[str, ...]:
    """Ingredients that only the words beside a code name, in the order of mention."""
    known = {drug.ingredient for drug in drugs}
    said = " ".join(map(concept_text, _concepts(resource, medications)))
    named = drugs_in_text(said, codes) if known else ()
    return tuple(
        drug.ingredient for drug in named if drug.ingredient not in known and drug.kind != "fluid"
    )


def _by_display(resource: Orderable, codes: CodeSets) -> tuple[Drug, ...]:
    reference = _reference(resource)
    text = reference.display if reference is not None else None
    return each_once(drugs_in_text(text or "", codes))


def _reference(resource: Orderable) -> Reference | None:
    return None if isinstance(resource, ServiceRequest) else resource.medication_reference


def _concepts(
    resource: Orderable, medications: Mapping[str, Medication]
) -> tuple[CodeableConcept, ...]:
    """Everything that says what is given: of the resource, its Medication and the ingredients."""
    if isinstance(resource, ServiceRequest):
        found = [resource.code, *resource.order_detail]
        heads = (read_head(raw) for raw in resource.contained)
        products = [
            contained_medication(resource.contained, head.id)
            for head in heads
            if head is not None and head.resource_type == "Medication" and head.id
        ]
    else:
        found = [resource.medication_codeable_concept]
        products = [find_medication(resource, medications)]
    for product in products:
        found += _product_concepts(product, resource, medications, _NESTED)
    return tuple(concept for concept in found if concept is not None)


def _product_concepts(
    product: Medication | None,
    resource: Orderable,
    medications: Mapping[str, Medication],
    depth: int,
) -> list[CodeableConcept | None]:
    if product is None:
        return []
    found = [product.code]
    for item in product.ingredient:
        found.append(item.item_codeable_concept)
        inner = _resolve(item.item_reference, resource, medications) if depth else None
        found += _product_concepts(inner, resource, medications, depth - 1)
    return found


def find_medication(
    resource: Orderable, medications: Mapping[str, Medication]
) -> Medication | None:
    """The Medication a resource points to: contained, by URL or by id, with or without version."""
    return _resolve(_reference(resource), resource, medications)


def _resolve(
    reference: Reference | None, resource: Orderable, medications: Mapping[str, Medication]
) -> Medication | None:
    target = reference.reference if reference is not None else None
    if not target:
        return None
    if target.startswith("#"):
        return contained_medication(resource.contained, target[1:])
    target = target.partition("/_history/")[0]
    if target in medications:
        return medications[target]
    return medications.get("/".join(target.rsplit("/", 2)[-2:]))


def name_of(resource: Orderable, medications: Mapping[str, Medication]) -> str:
    """What the resource calls the drug, for people; empty if it does not say."""
    for concept in _concepts(resource, medications):
        displays = (coding.display for coding in concept.coding)
        name = next((text for text in (concept.text, *displays) if text), "")
        if name:
            return shown(name)
    reference = _reference(resource)
    return shown(reference.display) if reference is not None and reference.display else ""


def is_identified(
    resource: MedicationAdministration, medications: Mapping[str, Medication], codes: CodeSets
) -> bool:
    """Whether the drug can be told at all: by its name, or by a code of a standard system."""
    coded = any(
        coding.code and coding.system in codes.standard_systems
        for concept in _concepts(resource, medications)
        for coding in concept.coding
    )
    return coded or bool(name_of(resource, medications))


def label_of(resource: Orderable, medications: Mapping[str, Medication]) -> str:
    """What to call an order: its name, else its first code; empty if it has neither."""
    codings = (c for concept in _concepts(resource, medications) for c in concept.coding)
    return name_of(resource, medications) or shown(next((c.code for c in codings if c.code), ""))


def read_route(concepts: Iterable[CodeableConcept | None], codes: CodeSets) -> RouteWord | None:
    """The route by code, else by a word of its text; None if it is not said."""
    for concept in concepts:
        for coding in concept.coding if concept is not None else ():
            route = codes.route_codes.get((coding.system, coding.code))
            if route is not None:
                return route
        for text in _route_texts(concept):
            for word in WORD.findall(text.lower()[:LONGEST_TEXT]):
                if word in codes.route_words:
                    return codes.route_words[word]
    return None


def _route_texts(concept: CodeableConcept | None) -> list[str]:
    if concept is None:
        return []
    return [concept_text(concept), *(coding.code or "" for coding in concept.coding)]


def says_local(texts: Iterable[str], codes: CodeSets) -> bool:
    """Whether a product's name says it acts where it is put (eye drops, nasal spray, cream)."""
    words = (word for text in texts for word in WORD.findall(text.lower()[:LONGEST_TEXT]))
    return any(codes.route_words.get(word) == "local" for word in words)
