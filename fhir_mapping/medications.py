"""Which drug a resource names: by code, then by product code, then by whole words of its text.

An ingredient or brand counts wherever it stands as a word of its own; a part of a word never does.
"""

import re
from collections.abc import Iterable, Mapping

from fhir_mapping.codes import CodeSets, Drug, DrugKind, RouteWord
from fhir_mapping.datatypes import CodeableConcept, Reference
from fhir_mapping.readings import concept_text, shown
from fhir_mapping.record import contained_medication
from fhir_mapping.resources import Medication, MedicationAdministration, MedicationRequest


# Of several drugs in one product the first of these is what it is given for.
_PRIORITY: tuple[DrugKind, ...] = (
    "btce",
    "tocilizumab",
    "anakinra",
    "siltuximab",
    "vasopressor",
    "vasopressin",
    "inotrope",
    "not-counted",
    "corticosteroid",
    "antipyretic",
    "fluid",
)
_WORD = re.compile(r"[a-z0-9]+")
_LONGEST_TEXT = 2000  # characters of a text that are searched for names
_NDC_DIGITS = 11
_NDC_SHORT = 10
_VELO = {"mosunetuzumab", "velo"}  # Lunsumio VELO: under the skin, a product of its own
_SUBCUTANEOUS_WORDS = frozenset({"autoinjector", "actpen", "syringe", "subcutaneous", "subcut"})


def drug_in_concept(concept: CodeableConcept | None, codes: CodeSets) -> Drug | None:
    """The drug a CodeableConcept names, or None."""
    if concept is None:
        return None
    found = [_by_code(coding.system, coding.code, codes) for coding in concept.coding]
    known = [drug for drug in found if drug is not None]
    if known:
        drug = min(known, key=lambda item: _PRIORITY.index(item.kind))
        narrow = any(item.subcutaneous for item in known if item.ingredient == drug.ingredient)
        return Drug(drug.ingredient, drug.kind, narrow)
    drugs = drugs_in_text(concept_text(concept) or _local_codes(concept, codes), codes)
    return drugs[0] if drugs else None


def _local_codes(concept: CodeableConcept, codes: CodeSets) -> str:
    """Codes of a site's own system: without words beside them, the name may stand there."""
    local = (c.code for c in concept.coding if c.system not in codes.standard_systems)
    return " ".join(code for code in local if code)


def _by_code(system: str | None, code: str | None, codes: CodeSets) -> Drug | None:
    if system in codes.ndc_systems and code:
        return next((codes.ndc[key] for key in ndc_products(code) if key in codes.ndc), None)
    return codes.drugs.get((system, code))


def ndc_products(code: str) -> tuple[str, ...]:
    """The nine-digit labeller-and-product forms an NDC can mean, whichever way it is written."""
    parts = code.split("-")
    if not all(part.isascii() and part.isdigit() for part in parts):
        return ()
    if len(parts) in {2, 3}:
        return (parts[0].zfill(5)[-5:] + parts[1].zfill(4),)
    if len(code) == _NDC_DIGITS:
        return (code[:9],)
    if len(code) == _NDC_SHORT:  # without dashes: 4-4-2, 5-3-2 or 5-4-1
        return ("0" + code[:8], code[:5] + "0" + code[5:8], code[:9])
    return ()


def drugs_in_text(text: str, codes: CodeSets) -> tuple[Drug, ...]:
    """Every drug a text names by a whole word or two, in the order of mention, each once."""
    words = _WORD.findall(text[:_LONGEST_TEXT].lower())
    narrow = not _SUBCUTANEOUS_WORDS.isdisjoint(words)
    found: dict[str, Drug] = {}
    for index, word in enumerate(words):
        pair = f"{word} {words[index + 1]}" if index + 1 < len(words) else ""
        drug = codes.drug_names.get(word) or codes.drug_names.get(pair)
        if drug is not None and drug.ingredient not in found:
            only_sc = narrow and drug.kind == "tocilizumab"
            only_sc = only_sc or {drug.ingredient, *words} >= _VELO
            found[drug.ingredient] = Drug(drug.ingredient, drug.kind, only_sc)
    return tuple(found.values())


def drug_of(
    resource: MedicationAdministration | MedicationRequest,
    medications: Mapping[str, Medication],
    codes: CodeSets,
) -> Drug | None:
    """The drug given or ordered, through its own code, a contained or a referenced Medication."""
    drug = drug_in_concept(resource.medication_codeable_concept, codes)
    if drug is not None or resource.medication_reference is None:
        return drug
    medication = find_medication(resource, medications)
    candidates: list[Drug | None] = []
    if medication is not None:
        candidates.append(drug_in_concept(medication.code, codes))
        for item in medication.ingredient:
            candidates.append(drug_in_concept(item.item_codeable_concept, codes))
    known = [item for item in candidates if item is not None]
    if known:
        return min(known, key=lambda item: (_PRIORITY.index(item.kind), not item.subcutaneous))
    named = drugs_in_text(resource.medication_reference.display or "", codes)
    return named[0] if named else None


def find_medication(
    resource: MedicationAdministration | MedicationRequest, medications: Mapping[str, Medication]
) -> Medication | None:
    """The Medication a resource points to: contained, by URL or by id, with or without version."""
    reference: Reference | None = resource.medication_reference
    target = reference.reference if reference is not None else None
    if not target:
        return None
    if target.startswith("#"):
        return contained_medication(resource.contained, target[1:])
    target = target.partition("/_history/")[0]
    if target in medications:
        return medications[target]
    return medications.get("/".join(target.rsplit("/", 2)[-2:]))


def name_of(
    resource: MedicationAdministration | MedicationRequest, medications: Mapping[str, Medication]
) -> str:
    """What the resource calls the drug, for people; empty if it does not say."""
    concepts = [resource.medication_codeable_concept]
    medication = find_medication(resource, medications)
    if medication is not None:
        concepts.append(medication.code)
        concepts.extend(item.item_codeable_concept for item in medication.ingredient)
    for concept in concepts:
        if concept is not None:
            displays = (coding.display for coding in concept.coding)
            name = next((text for text in (concept.text, *displays) if text), "")
            if name:
                return shown(name)
    reference = resource.medication_reference
    return shown(reference.display) if reference is not None and reference.display else ""


def is_identified(
    resource: MedicationAdministration, medications: Mapping[str, Medication], codes: CodeSets
) -> bool:
    """Whether the drug can be told at all: by its name, or by a code of a standard system."""
    medication = find_medication(resource, medications)
    concepts = [resource.medication_codeable_concept, medication.code if medication else None]
    if medication is not None:
        concepts.extend(item.item_codeable_concept for item in medication.ingredient)
    coded = any(
        coding.code and coding.system in codes.standard_systems
        for concept in concepts
        if concept is not None
        for coding in concept.coding
    )
    return coded or bool(name_of(resource, medications))


def has_code(
    resource: MedicationAdministration | MedicationRequest, medications: Mapping[str, Medication]
) -> bool:
    """Whether there is anything to recognise the drug by."""
    medication = find_medication(resource, medications)
    concepts = [resource.medication_codeable_concept, medication.code if medication else None]
    if medication is not None:
        concepts.extend(item.item_codeable_concept for item in medication.ingredient)
    coded = any(coding.code for concept in concepts if concept for coding in concept.coding)
    return coded or bool(name_of(resource, medications))


def read_route(concepts: Iterable[CodeableConcept | None], codes: CodeSets) -> RouteWord | None:
    """The route by code, else by a word of its text; None if it is not said."""
    for concept in concepts:
        for coding in concept.coding if concept is not None else ():
            route = codes.route_codes.get((coding.system, coding.code))
            if route is not None:
                return route
        for text in _route_texts(concept):
            for word in _WORD.findall(text.lower()[:_LONGEST_TEXT]):
                if word in codes.route_words:
                    return codes.route_words[word]
    return None


def _route_texts(concept: CodeableConcept | None) -> list[str]:
    if concept is None:
        return []
    return [concept_text(concept), *(coding.code or "" for coding in concept.coding)]


def says_local(texts: Iterable[str], codes: CodeSets) -> bool:
    """Whether a product's name says it acts where it is put (eye drops, nasal spray, cream)."""
    words = (word for text in texts for word in _WORD.findall(text.lower()[:_LONGEST_TEXT]))
    return any(codes.route_words.get(word) == "local" for word in words)
