"""The request that is tried: order-sign for one drafted medicine, coded as the code sets have it.

No dose is written: this program knows none, and what an order lacks is named on the cards.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from cds.hook_request import HookRequest, parse
from cds.services import ORDER_SIGN
from cds.trying.trouble import Trouble
from fhir_mapping.codes import Code, CodeSets, DrugKind


_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
# What the service answers for (see its discovery text): another drug would bring no card.
_ORDERED: frozenset[DrugKind] = frozenset(
    {"btce", "tocilizumab", "anakinra", "corticosteroid", "antipyretic"}
)
_USER = "Practitioner/btce-cds-try"


class Product(NamedTuple):
    """A medicine and the code it is ordered by; `code` None: none is known, the name alone."""

    ingredient: str
    code: Code | None


def product_of(name: str, codes: CodeSets) -> Product:
    """The product of an ingredient or a brand name; raises `Trouble`."""
    drug = codes.drug_names.get(" ".join(name.lower().split()))
    if drug is None or drug.kind not in _ORDERED:
        known = ", ".join(sorted(_ingredients(codes)))
        raise Trouble("--order names no medicine this service speaks about", f"give one of {known}")
    found = [
        code
        for code, one in codes.drugs.items()
        if one.ingredient == drug.ingredient and not one.subcutaneous
    ]
    return Product(
        drug.ingredient,
        next((code for code in found if code[0] == _RXNORM), found[0] if found else None),
    )


def order_sign(patient: str, product: Product, *, base: str, now: datetime) -> HookRequest:
    """What an EHR would send when the order is signed at `now`, with nothing prefetched."""
    instance = uuid5(NAMESPACE_URL, f"{base} {patient} {product.ingredient} {now.isoformat()}")
    draft = _draft(patient, product, now)
    body: dict[str, Any] = {
        "hook": ORDER_SIGN.hook,
        "hookInstance": str(instance),
        "fhirServer": base,
        "context": {
            "userId": _USER,
            "patientId": patient,
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": draft}]},
        },
    }
    return parse(json.dumps(body).encode(), ORDER_SIGN.hook)


def _draft(patient: str, product: Product, now: datetime) -> dict[str, Any]:
    concept: dict[str, Any] = {"text": product.ingredient}
    if product.code is not None:
        system, code = product.code
        concept["coding"] = [{"system": system, "code": code, "display": product.ingredient}]
    return {
        "resourceType": "MedicationRequest",
        "id": "tried",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": concept,
        "subject": {"reference": f"Patient/{patient}"},
        "authoredOn": now.isoformat(),
    }


def _ingredients(codes: CodeSets) -> Iterator[str]:
    yield from {one.ingredient for one in codes.drug_names.values() if one.kind in _ORDERED}
