"""The moments of one patient of an export: each order and each administration of a bispecific or
of tocilizumab, as the order-sign call it would have been.

Which drug it is, the mapping says. The order itself is the draft; of an administration the draft is
made, with its drug, route and dose.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from cds.replay.as_of import Item
from cds.replay.known import moment_of
from fhir_mapping.bundles import BAD_INPUT
from fhir_mapping.codes import CodeSets
from fhir_mapping.medications import given, ordered
from fhir_mapping.products import Orderable, Products
from fhir_mapping.resources import (
    Medication,
    MedicationAdministration,
    MedicationRequest,
    ServiceRequest,
)
from fhir_mapping.versions import compare


WANTED = frozenset({"btce", "tocilizumab"})
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    kind.__name__: msgspec.json.Decoder(kind)
    for kind in (MedicationAdministration, MedicationRequest, ServiceRequest)
}
_MEDICATION = msgspec.json.Decoder(Medication)
_NEVER_GIVEN = frozenset({"not-done", "entered-in-error"})
_DRUG = ("medicationCodeableConcept", "medicationReference", "contained", "subject")
# What an order says when it is signed; its fate is left out.
_OF_ORDER = (
    "resourceType",
    "id",
    "intent",
    "authoredOn",
    "dosageInstruction",
    "code",
    "orderDetail",
    "occurrenceDateTime",
    "occurrencePeriod",
    "occurrenceTiming",
    *_DRUG,
)
UNREADABLE = "an order or administration that cannot be read"
UNTIMED = "an order or administration without a time and zone"
_ENCODER = msgspec.json.Encoder()
Members = dict[str, Raw]


class Found(Struct, frozen=True):
    """One moment: where it comes from, when it was, and the draft order."""

    source: Literal["order", "administration"]
    item: Item
    at: datetime
    draft: bytes

    def is_own(self, item: Item) -> bool:
        """Whether a resource is this very event, or what came of this order."""
        if item.type == self.item.type and item.head.id == self.item.head.id:
            return item is self.item or item.head.id is not None
        request = item.head.request
        mine = f"{self.item.type}/{self.item.head.id}"
        return isinstance(request, dict) and request.get("reference") == mine


def draft_bundle(found: Found) -> Raw:
    """`context.draftOrders` of the call."""
    return Raw(b'{"resourceType":"Bundle","entry":[{"resource":%b}]}' % found.draft)


def products_of(raws: Iterable[bytes]) -> Products:
    """Medications by their reference; one that cannot be read is none."""
    found = Products(lambda _: False)
    for raw in raws:
        try:
            product = _MEDICATION.decode(raw)
        except BAD_INPUT:
            continue
        if product.id is not None:
            found[f"Medication/{product.id}"] = product
    return found


def moments(items: Iterable[Item], products: Products, codes: CodeSets) -> Iterator[Found | str]:
    """Each moment; or of what may have been one, why it is none."""
    newest: dict[object, tuple[Item, Orderable]] = {}
    for item in items:
        try:
            resource: Orderable = _DECODERS[item.type].decode(item.raw)
        except BAD_INPUT:
            yield UNREADABLE
            continue
        key = (item.type, resource.id) if resource.id else (item.file, item.line)
        if key not in newest or compare(resource, newest[key][1]) > 0:
            newest[key] = (item, resource)
    for item, resource in newest.values():
        if _counts(resource) and _is_wanted(resource, products, codes):
            yield _moment(item, resource)


def _moment(item: Item, resource: Orderable) -> Found | str:
    at = moment_of(item.head)
    if at is None:
        return UNTIMED
    members = msgspec.json.decode(item.raw, type=Members)
    if isinstance(resource, MedicationAdministration):
        return Found("administration", item, at, _ordered_again(members, at))
    return Found("order", item, at, _as_signed(members))


def _counts(resource: Orderable) -> bool:
    """A later cancellation changes nothing: the order was signed."""
    if isinstance(resource, MedicationAdministration):
        return resource.status not in _NEVER_GIVEN
    return resource.status != "entered-in-error" and not resource.do_not_perform


def _is_wanted(resource: Orderable, products: Products, codes: CodeSets) -> bool:
    read = given if isinstance(resource, MedicationAdministration) else ordered
    named = read(resource, products, codes)  # type: ignore[arg-type]
    return any(drug.kind in WANTED for drug in named.drugs)


def _as_signed(members: Members) -> bytes:
    kept = {name: members[name] for name in _OF_ORDER if name in members}
    return _ENCODER.encode({**kept, "status": "draft"})


def _ordered_again(members: Members, at: datetime) -> bytes:
    """The administration as the order that could have led to it."""
    made: dict[str, Any] = {name: members[name] for name in _DRUG if name in members}
    try:
        dosage = msgspec.json.decode(members.get("dosage", b"{}"), type=Members)
    except BAD_INPUT:
        dosage = {}
    instruction: dict[str, Any] = {}
    if "route" in dosage:
        instruction["route"] = dosage["route"]
    if "dose" in dosage:
        instruction["doseAndRate"] = [{"doseQuantity": dosage["dose"]}]
    if instruction:
        made["dosageInstruction"] = [instruction]
    return _ENCODER.encode(
        {
            **made,
            "resourceType": "MedicationRequest",
            "id": "replayed",
            "status": "draft",
            "intent": "order",
            "authoredOn": at,
        }
    )
