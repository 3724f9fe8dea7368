"""Which drugs a resource orders or gives: its own concept, its Medication and the ingredients.

Also what it calls them, and the route by code or word. A code outranks words; words that name
none of what the code says contradict it, and that is never settled here.
"""

from collections.abc import Iterable
from typing import NamedTuple

from fhir_mapping.codes import CodeSets, Drug, RouteWord
from fhir_mapping.datatypes import CodeableConcept
from fhir_mapping.drug_names import (
    LONGEST_TEXT,
    WORD,
    drugs_in_concept,
    drugs_in_text,
    each_once,
    given_in_concept,
    rank,
    without_local,
)
from fhir_mapping.products import TOO_MUCH, Orderable, Products, Said, reference_of, said_by
from fhir_mapping.readings import concept_text, shown
from fhir_mapping.resources import MedicationAdministration


class Named(NamedTuple):
    """The drugs of one resource, the weightiest first.

    `beside`: only words beside the code, or after the first name, mention them.
    `contradiction`: how code and words disagree, or nothing.
    `lost`: why a part of what it is made of was not read.
    """

    drugs: tuple[Drug, ...]
    beside: tuple[Drug, ...] = ()
    contradiction: str = ""
    lost: tuple[str, ...] = ()


def ordered(resource: Orderable, products: Products, codes: CodeSets) -> Named:
    """Every drug an order names: one for most, several for a regimen.

    Where code and words contradict each other it is read as an order of all they name.
    """
    said = said_by(resource, products)
    found = [drug for concept in said.concepts for drug in drugs_in_concept(concept, codes)]
    drugs = without_local(each_once(found), said.concepts, codes)
    drugs = drugs or each_once(drugs_in_text(display_of(resource), codes))
    words = _in_words(resource, said, codes)
    contradiction = _contradiction(drugs, words)
    if contradiction:
        drugs = each_once((*drugs, *words))
    return _named(drugs, words, contradiction, said)


def given(resource: MedicationAdministration, products: Products, codes: CodeSets) -> Named:
    """Every drug an administration gave: all by code, of words alone the first."""
    said = said_by(resource, products)
    found = [drug for concept in said.concepts for drug in given_in_concept(concept, codes)]
    drugs = without_local(each_once(found), said.concepts, codes)
    drugs = drugs or each_once(drugs_in_text(display_of(resource), codes))[:1]
    words = _in_words(resource, said, codes)
    return _named(drugs, words, _contradiction(drugs, words), said)


def drugs_of(resource: Orderable, products: Products, codes: CodeSets) -> tuple[Drug, ...]:
    """The drugs an order names."""
    return ordered(resource, products, codes).drugs


def _named(
    drugs: tuple[Drug, ...], words: tuple[Drug, ...], contradiction: str, said: Said
) -> Named:
    known = {drug.ingredient for drug in drugs}
    beside = tuple(drug for drug in words if known and drug.ingredient not in known)
    return Named(tuple(sorted(drugs, key=rank)), beside, contradiction, said.lost)


def _in_words(resource: Orderable, said: Said, codes: CodeSets) -> tuple[Drug, ...]:
    """What any of its words name, in the order of mention, without fluids."""
    texts = (*map(concept_text, said.concepts), display_of(resource))
    named = drugs_in_text(" ".join(texts), codes)
    active = (drug for drug in named if drug.kind != "fluid")
    return without_local(active, said.concepts, codes)


def _contradiction(drugs: tuple[Drug, ...], words: tuple[Drug, ...]) -> str:
    coded = [drug.ingredient for drug in drugs if not drug.by_name]
    said = [drug.ingredient for drug in words]
    if not coded or not said or not set(coded).isdisjoint(said):
        return ""
    return f"the code says {', '.join(coded)}, the words say {', '.join(said)}"


def display_of(resource: Orderable) -> str:
    """What its reference calls the Medication, or nothing."""
    reference = reference_of(resource)
    return (reference.display or "") if reference is not None else ""


def name_of(resource: Orderable, products: Products) -> str:
    """What the resource calls the drug, for people; empty if it does not say."""
    return _name(resource, said_by(resource, products))


def _name(resource: Orderable, said: Said) -> str:
    for concept in said.concepts:
        displays = (coding.display for coding in concept.coding)
        name = next((text for text in (concept.text, *displays) if text), "")
        if name:
            return shown(name)
    return shown(display_of(resource))


def words_of(resource: Orderable, products: Products) -> str:
    """Every word it has for what is given, of the resource, its product and all ingredients."""
    return " ".join(map(concept_text, said_by(resource, products).concepts))


def is_identified(resource: MedicationAdministration, products: Products, codes: CodeSets) -> bool:
    """Whether the drug can be told at all: by its name, or by a code of a standard system."""
    said = said_by(resource, products)
    coded = any(
        coding.code and coding.system in codes.standard_systems
        for concept in said.concepts
        for coding in concept.coding
    )
    return (coded or bool(_name(resource, said))) and TOO_MUCH not in said.lost


def label_of(resource: Orderable, products: Products) -> str:
    """What to call an order: its name, else its first code; empty if it has neither."""
    said = said_by(resource, products)
    codings = (coding for concept in said.concepts for coding in concept.coding)
    return _name(resource, said) or shown(next((c.code for c in codings if c.code), ""))


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
