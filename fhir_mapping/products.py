"""Medications by the references that lead to them, and everything that says what one is made of.

A reference to another FHIR base leads to no resource of ours, and what stands in a resource of
another base is relative to that one. Each product is looked at once, whatever refers to it.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import msgspec
from msgspec import Raw

from fhir_mapping.bundles import BAD_INPUT, read_head
from fhir_mapping.datatypes import CodeableConcept, Reference
from fhir_mapping.resources import (
    Medication,
    MedicationAdministration,
    MedicationRequest,
    ServiceRequest,
)


Orderable: TypeAlias = MedicationAdministration | MedicationRequest | ServiceRequest
ELSEWHERE = "its Medication is on another FHIR base: not used"
MALFORMED = "a contained Medication that cannot be read: not used"
TOO_MUCH = "a product with too many parts: not all of them are read"
_MOST = 200  # parts and codings of one product; real ones have a few dozen
_DEEPEST = 9  # products within products
_DEEPEST = 9  # products within products
_HTTP = ("http://", "https://")
_MEDICATION = msgspec.json.Decoder(Medication)


class Said(NamedTuple):
    """What a resource says it gives: concepts, those of ingredients, and what was not read.

    `blank`: an ingredient says nothing, or it leads nowhere.
    """

    concepts: tuple[CodeableConcept, ...]
    ingredients: tuple[CodeableConcept, ...] = ()
    lost: tuple[str, ...] = ()
    blank: bool = False


class Products(dict[str, Medication]):
    """The Medications of one request by reference; `is_foreign`: whether a URL is elsewhere."""

    def __init__(self, is_foreign: Callable[[str], bool]) -> None:
        super().__init__()
        self.is_foreign = is_foreign

    def find(self, target: str) -> Medication | None:
        """By relative reference, or by a URL of our base; one of another base as it is sent."""
        if target in self or not _is_http(target) or self.is_foreign(target):
            return self.get(target)
        return self.get("/".join(target.rsplit("/", 2)[-2:]))


def reference_of(resource: Orderable) -> Reference | None:
    """The reference to what is given or ordered."""
    return None if isinstance(resource, ServiceRequest) else resource.medication_reference


def said_by(resource: Orderable, products: Products) -> Said:
    """Everything that says what is given: of the resource, its Medication and the ingredients."""
    walk = _Walk(products)
    if isinstance(resource, ServiceRequest):
        own = [resource.code, *resource.order_detail]
        walk.add_all(resource.contained)
    else:
        own = [resource.medication_codeable_concept]
        walk.follow(resource.medication_reference, resource.contained, "")
    concepts = (*(one for one in own if one is not None), *walk.concepts)
    return Said(concepts, tuple(walk.ingredients), tuple(walk.lost), walk.blank)


class _Walk:
    """One way through a product: every part once, and no more of them than anyone makes."""

    def __init__(self, products: Products) -> None:
        self.concepts: list[CodeableConcept] = []
        self.ingredients: list[CodeableConcept] = []
        self.lost: dict[str, None] = {}
        self.blank = False
        self._products = products
        self._seen: set[tuple[int, str]] = set()
        self._inside: dict[int, dict[str, Raw]] = {}
        self._left = _MOST
        self._depth = 0

    def add_all(self, contained: tuple[Raw, ...]) -> None:
        """Every contained Medication that has an id."""
        for local_id in self._medications_in(contained):
            self.follow(Reference(reference=f"#{local_id}"), contained, "")

    def follow(self, reference: Reference | None, contained: tuple[Raw, ...], base: str) -> bool:
        """One reference and all below it; False if it leads nowhere. `base`: of a foreign one."""
        target = reference.reference if reference is not None else None
        if not target:
            return False
        if target.startswith("#"):
            inner = self._contained(contained, target[1:])
            return inner is not None and self._product(inner, contained, base, target)
        target = target.partition("/_history/")[0]
        target = f"{base}/{target}" if base and not _is_http(target) else target
        foreign = _is_http(target) and self._products.is_foreign(target)
        product = self._products.find(target)
        if product is None:
            self.lost.update({ELSEWHERE: None} if foreign else {})
            return False
        base = target.rsplit("/", 2)[0] if foreign else ""
        return self._product(product, product.contained, base)

    def _contained(self, contained: tuple[Raw, ...], local_id: str) -> Medication | None:
        raw = self._medications_in(contained).get(local_id)
        try:
            return None if raw is None else _MEDICATION.decode(raw)
        except BAD_INPUT:
            self.lost[MALFORMED] = None
            return None

    def _medications_in(self, contained: tuple[Raw, ...]) -> dict[str, Raw]:
        """The contained Medications by id, of two with one id the first."""
        if id(contained) not in self._inside:
            found: dict[str, Raw] = {}
            for raw in contained:
                head = read_head(raw)
                if head is not None and head.resource_type == "Medication" and head.id:
                    found.setdefault(head.id, raw)
            self._inside[id(contained)] = found
        return self._inside[id(contained)]

    def _product(
        self, product: Medication, contained: tuple[Raw, ...], base: str, local: str = ""
    ) -> bool:
        key = (id(contained), local) if local else (id(product), "")
        if key in self._seen:
            return True
        self._seen.add(key)
        self._add(product.code)
        self._depth += 1
        for item in product.ingredient:
            if self._left <= 0 or self._depth > _DEEPEST:
                self.lost[TOO_MUCH] = None
                break
            self._add(item.item_codeable_concept)
            followed = self.follow(item.item_reference, contained, base)
            self.blank = self.blank or not (followed or item.item_codeable_concept)
        self._depth -= 1
        return True

    def _add(self, concept: CodeableConcept | None) -> None:
        self._left -= 1 if concept is None else 1 + len(concept.coding)
        if self._left < 0:
            self.lost[TOO_MUCH] = None
        elif concept is not None:
            self.concepts.append(concept)
            if self._depth:
                self.ingredients.append(concept)


def _is_http(text: str) -> bool:
    return text[:8].lower().startswith(_HTTP)
