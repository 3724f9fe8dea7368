"""Which drugs a concept names: by code, else by a site's own name or whole words of its text.

An ingredient or brand counts wherever it stands as a word of its own; a part of a word never does.
A code that says the drug acts only locally (eye drops) wins over every other sign.
"""

import re
from collections.abc import Iterable

from fhir_mapping.codes import CodeSets, Drug, DrugKind
from fhir_mapping.codes.tables import one_text
from fhir_mapping.datatypes import CodeableConcept
from fhir_mapping.readings import concept_text


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
WORD = re.compile(r"[a-z0-9]+")
LONGEST_TEXT = 2000  # characters of a text that are searched for names
_NDC_DIGITS = 11
_NDC_SHORT = 10


def drugs_in_concept(concept: CodeableConcept | None, codes: CodeSets) -> tuple[Drug, ...]:
    """Every drug a CodeableConcept names, each once: by its codes, else by its words."""
    if concept is None:
        return ()
    found = _by_codes(concept, codes) or (*_by_own_name(concept, codes), *_by_words(concept, codes))
    return without_local(each_once(found), (concept,), codes)


def given_in_concept(concept: CodeableConcept, codes: CodeSets) -> tuple[Drug, ...]:
    """What was given: what codes or a site's own name stand for, else the first drug its words
    name; the others may be what it was given for.
    """
    found = _by_codes(concept, codes) or _by_own_name(concept, codes)
    first = each_once(found) or each_once(_by_words(concept, codes))[:1]
    return without_local(first, (concept,), codes)


def without_local(
    drugs: Iterable[Drug], concepts: Iterable[CodeableConcept], codes: CodeSets
) -> tuple[Drug, ...]:
    """Without the drugs that a code beside them says act only where they are put."""
    keys = ((coding.system, coding.code) for one in concepts for coding in one.coding)
    local = {codes.excluded_drugs[key] for key in keys if key in codes.excluded_drugs}
    return tuple(drug for drug in drugs if drug.ingredient not in local)


def _by_codes(concept: CodeableConcept, codes: CodeSets) -> tuple[Drug, ...]:
    found = [d for one in concept.coding for d in _by_code(one.system, one.code, codes)]
    words = _words(concept) if found else []
    return tuple(_in_product(drug, words, codes) for drug in found)


def _by_own_name(concept: CodeableConcept, codes: CodeSets) -> tuple[Drug, ...]:
    """What a site's own name stands for, of one drug or of a regimen."""
    texts = (concept.text, *(coding.display for coding in concept.coding))
    names = [one_text(text) for text in texts if text]
    found = [codes.drug_texts[name] for name in names if name in codes.drug_texts]
    found += [drug for name in names for drug in codes.regimen_texts.get(name, ())]
    words = _words(concept) if found else []
    return tuple(_named(drug, words, codes) for drug in found)


def _by_words(concept: CodeableConcept, codes: CodeSets) -> tuple[Drug, ...]:
    return drugs_in_text(concept_text(concept) or _local_codes(concept, codes), codes)


def _words(concept: CodeableConcept) -> list[str]:
    return WORD.findall(concept_text(concept)[:LONGEST_TEXT].lower())


def each_once(drugs: Iterable[Drug]) -> tuple[Drug, ...]:
    """In the order met; what dilutes another drug is left out.

    A product for under the skin is one by any sign; a name is only said where no code is.
    """
    found: dict[str, Drug] = {}
    for drug in drugs:
        known = found.get(drug.ingredient, drug)
        found[drug.ingredient] = Drug(
            drug.ingredient,
            drug.kind,
            known.subcutaneous or drug.subcutaneous,
            known.by_name and drug.by_name,
        )
    active = tuple(drug for drug in found.values() if drug.kind != "fluid")
    return active or tuple(found.values())


def rank(drug: Drug) -> int:
    """The smaller, the more a product with this drug is given for it."""
    return _PRIORITY.index(drug.kind)


def _local_codes(concept: CodeableConcept, codes: CodeSets) -> str:
    """Codes of a site's own system: without words beside them, the name may stand there."""
    local = (c.code for c in concept.coding if c.system not in codes.standard_systems)
    return " ".join(code for code in local if code)


def _by_code(system: str | None, code: str | None, codes: CodeSets) -> tuple[Drug, ...]:
    if system in codes.ndc_systems and code:
        return tuple(codes.ndc[key] for key in ndc_products(code) if key in codes.ndc)[:1]
    drug = codes.drugs.get((system, code))
    return codes.regimens.get((system, code), ()) if drug is None else (drug,)


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
    words = WORD.findall(text[:LONGEST_TEXT].lower())
    found: dict[str, Drug] = {}
    for index, word in enumerate(words):
        pair = f"{word} {words[index + 1]}" if index + 1 < len(words) else ""
        drug = codes.drug_names.get(word) or codes.drug_names.get(pair)
        if drug is not None and drug.ingredient not in found:
            found[drug.ingredient] = _named(drug, words, codes)
    return tuple(found.values())


def _in_product(drug: Drug, words: Iterable[str], codes: CodeSets) -> Drug:
    """The drug in the product its words speak of: a pen is for under the skin."""
    narrow = not codes.subcutaneous_words[drug.ingredient].isdisjoint(words)
    return Drug(drug.ingredient, drug.kind, drug.subcutaneous or narrow, drug.by_name)


def _named(drug: Drug, words: Iterable[str], codes: CodeSets) -> Drug:
    return _in_product(Drug(drug.ingredient, drug.kind, by_name=True), words, codes)
