"""Which codes the resources of an answer carry, and which of them nothing here knows; counts only.

Reads codes and never a value, so that what it gives can be shown to anybody.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import Raw

from fhir_mapping.bundles import BAD_INPUT, read_head, read_raw_entries
from fhir_mapping.codes import Code, CodeSets
from fhir_mapping.datatypes import CodeableConcept, Coding
from fhir_mapping.drug_names import drugs_in_concept
from fhir_mapping.record import find_concept
from fhir_mapping.resources import (
    Condition,
    MedicationAdministration,
    MedicationRequest,
    Observation,
    Procedure,
    Readable,
)


Use: TypeAlias = Literal["used", "left-out", "unknown"]
WORDS_ALONE = "(no code, words alone)"
NOTHING = "(neither code nor words)"
_LONGEST = 120
_RESOURCE: msgspec.json.Decoder[Readable] = msgspec.json.Decoder(Readable)


class Met(NamedTuple):
    """The codes of one resource, its type, and what becomes of it.

    `fact`: what it is read as, of an Observation. "left-out": known, and not to be used. "unknown":
    no coding of it is known here.
    """

    type: str
    codes: tuple[str, ...]
    use: Use
    fact: str = ""


def resources_in(raw: Raw) -> Iterator[Readable]:
    """The resources of one answer that can be read, outcomes and strangers left out."""
    found = read_raw_entries(raw) or ()
    for one in [resource for _, resource in found] if found else [raw]:
        head = read_head(one) if memoryview(one).nbytes else None
        if head is None or head.resource_type in {None, "Bundle", "OperationOutcome"}:
            continue
        try:
            yield _RESOURCE.decode(one)
        except BAD_INPUT:
            continue


def codings_of(resources: Iterable[Readable], codes: CodeSets) -> Iterator[Met]:
    """What was met, for each resource that says by a code what it is about."""
    for one in resources:
        if isinstance(one, Observation):
            yield _observation(one, codes)
        elif isinstance(one, MedicationAdministration | MedicationRequest):
            concept = one.medication_codeable_concept
            if concept is not None:  # by reference: its code is in another resource
                known = bool(drugs_in_concept(concept, codes))
                yield Met(type(one).__name__, shown(concept), "used" if known else "unknown")
        elif isinstance(one, Condition | Procedure):
            known = any(_is_known((coding.system, coding.code), codes) for coding in _of(one.code))
            yield Met(type(one).__name__, shown(one.code), "used" if known else "unknown")


def counted(met: Iterable[Met], use: Use) -> Mapping[str, Mapping[str, int]]:
    """How many resources carry each code, by type; the most frequent first."""
    found: dict[str, Counter[str]] = {}
    for one in met:
        if one.use == use:
            found.setdefault(one.type, Counter()).update(one.codes)
    return {
        kind: dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
        for kind, counts in sorted(found.items())
    }


def shown(concept: CodeableConcept | None) -> tuple[str, ...]:
    """Its codes as `system|code`, never a display or a text: a person may have written those."""
    codings = tuple(dict.fromkeys(_text(one) for one in _of(concept) if one.code))
    if codings:
        return codings
    return (WORDS_ALONE,) if concept is not None and concept.text else (NOTHING,)


def _observation(one: Observation, codes: CodeSets) -> Met:
    concept = find_concept(one, codes.observations)
    if concept is None:
        return Met("Observation", shown(one.code), "unknown")
    return Met(
        "Observation", shown(one.code), "left-out" if concept.excluded else "used", concept.fact
    )


def _is_known(code: Code, codes: CodeSets) -> bool:
    tables: tuple[Mapping[Code, object], ...] = (
        codes.conditions,
        codes.diagnoses,
        codes.procedures,
        codes.background,
    )
    return any(code in table for table in tables)


def _of(concept: CodeableConcept | None) -> tuple[Coding, ...]:
    return concept.coding if concept is not None else ()


def _text(coding: Coding) -> str:
    """Printable and short, whatever a server put there."""
    text = f"{coding.system or '(no system)'}|{coding.code}"
    plain = "".join(sign if sign.isprintable() and not sign.isspace() else "?" for sign in text)
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"
