"""Draft orders: which drug each is for, its dose, route and planned start; no judgement on them."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from msgspec import Raw

from fhir_mapping.administrations import to_route
from fhir_mapping.binding import PATIENT_UNKNOWN, Binding
from fhir_mapping.bundles import Place, is_null, read_head, read_raw_entries, read_resource
from fhir_mapping.codes import CodeSets, Drug
from fhir_mapping.datatypes import DosageInstruction, Head, Quantity, Timing
from fhir_mapping.medications import Named, label_of, ordered, read_route
from fhir_mapping.notes import Notes
from fhir_mapping.products import Products
from fhir_mapping.record import check_contained, medication_keys
from fhir_mapping.resources import Medication, MedicationRequest, Readable, ServiceRequest
from fhir_mapping.salvage import salvaged
from fhir_mapping.times import instant
from fhir_mapping.units import canonical, find_unit
from knowledge.facts import Order, OrderKind, Route, Unreadable


PLACE = "context.draftOrders"
_OVER = frozenset({"entered-in-error", "cancelled", "stopped", "completed", "revoked"})
_DRUG = frozenset({"medicationCodeableConcept", "medicationReference", "code", "contained"})
_KINDS: dict[str, OrderKind] = {
    "btce": "btce",
    "tocilizumab": "tocilizumab",
    "anakinra": "anakinra",
    "corticosteroid": "corticosteroid",
    "antipyretic": "antipyretic",
}


class Drafts(NamedTuple):
    """The orders read, each draft's own JSON by its reference, and the drafts not read at all."""

    orders: tuple[Order, ...]
    raw: Mapping[str, bytes]
    unread: tuple[Unreadable, ...] = ()


class Draft(NamedTuple):
    """One draft resource in its place."""

    place: Place
    full_url: str | None
    raw: Raw


def open_drafts(raw: Raw | None, notes: Notes) -> tuple[Draft, ...]:
    """The entries of `context.draftOrders`; one that is not a Bundle is noted."""
    if raw is None or is_null(raw):
        return ()
    entries = read_raw_entries(raw)
    if entries is None:
        notes.unreadable(PLACE, "not a Bundle of draft orders")
        return ()
    return tuple(
        Draft(Place(PLACE, index), full_url, resource)
        for index, (full_url, resource) in enumerate(entries)
    )


def draft_medications(
    drafts: tuple[Draft, ...], binding: Binding, notes: Notes
) -> dict[str, Medication]:
    """Medications that came along with the drafts, by reference; of another base by URL alone."""
    found: dict[str, Medication] = {}
    for draft in drafts:
        head = read_head(draft.raw)
        if head is not None and head.resource_type == "Medication":
            resource = read_resource(draft.raw, head, draft.place, notes)
            if isinstance(resource, Medication):
                check_contained(resource.contained, binding, draft.place)
                url = draft.full_url
                foreign = url is not None and binding.is_foreign(url)
                found |= {url: resource} if url and foreign else medication_keys(resource, url)
    return found


def read_drafts(
    drafts: tuple[Draft, ...],
    selections: tuple[str, ...] | None,
    binding: Binding,
    medications: Products,
    codes: CodeSets,
    notes: Notes,
) -> Drafts:
    """Every draft that orders something for this patient; raises `AnotherPatient`."""
    orders: list[Order] = []
    raws: dict[str, bytes] = {}
    chosen = None if selections is None else {_tail(selection) for selection in selections}
    unread: list[Unreadable] = []
    for draft, request in _requests(drafts, binding, notes, unread):
        ref = _ref(draft, request)
        display = label_of(request, medications)
        named = ordered(request, medications, codes)
        for reason in named.lost:
            notes.unreadable(str(draft.place), reason)
        if not display:
            notes.unreadable(str(draft.place), "an order with neither code nor text")
            continue
        _name_others(display, named, notes)
        selected = chosen is None or ref in chosen
        orders += _orders(ref, request, named.drugs, display, codes, selected=selected)
        raws[ref] = bytes(draft.raw)
    for one in unread:
        notes.unreadable(one.at, one.reason)
    return Drafts(tuple(orders), raws, tuple(unread))


def _requests(
    drafts: tuple[Draft, ...], binding: Binding, notes: Notes, unread: list[Unreadable]
) -> Iterator[tuple[Draft, MedicationRequest | ServiceRequest]]:
    """Those that can be read; `unread` gets the others, which may have been of any drug."""
    for draft in drafts:
        at = str(draft.place)
        head = read_head(draft.raw)
        if head is None or head.resource_type is None:
            unread.append(Unreadable(at, "not a FHIR resource"))
            continue
        ours = _is_ours(head, draft, binding)
        if head.resource_type == "Bundle":
            unread.append(Unreadable(at, "a Bundle inside the drafts: not read"))
        if head.resource_type not in {"MedicationRequest", "ServiceRequest"}:
            continue
        resource = _read(draft, head, notes)
        if not isinstance(resource, MedicationRequest | ServiceRequest):
            unread.append(Unreadable(at, f"a {head.resource_type} that cannot be read"))
            continue
        check_contained(resource.contained, binding, draft.place)
        if not ours:
            reason = f"{PATIENT_UNKNOWN}: no reference that leads to the patient"
            unread.append(Unreadable(at, reason))
        elif resource.status not in _OVER and not resource.do_not_perform:
            yield draft, resource


def _read(draft: Draft, head: Head, notes: Notes) -> Readable | None:
    """The draft, or what is left of a malformed one."""
    resource = read_resource(draft.raw, head, draft.place, notes)
    if resource is not None:
        return resource
    resource, bad = salvaged(draft.raw)
    if not _DRUG.isdisjoint(bad):
        return None
    names = ", ".join(sorted(bad))
    notes.missing("order", f"members of an order that cannot be read are not used: {names}")
    return resource


def _is_ours(head: Head, draft: Draft, binding: Binding) -> bool:
    """Every reference it has to a patient is to this one; raises `AnotherPatient`."""
    references = [one for one in (head.subject, head.patient) if one is not None]
    owned = [binding.owns(one, draft.place, draft.full_url) for one in references]
    return bool(owned) and all(owned)


def _tail(reference: str) -> str:
    return "/".join(reference.partition("/_history/")[0].rsplit("/", 2)[-2:])


def _ref(draft: Draft, request: MedicationRequest | ServiceRequest) -> str:
    if request.id:
        return f"{type(request).__name__}/{request.id}"
    return draft.full_url or str(draft.place)


def _name_others(display: str, named: Named, notes: Notes) -> None:
    """Says that an order is read as several, or that its words name what its code does not."""
    names = ", ".join(drug.ingredient for drug in named.drugs)
    if named.contradiction:
        text = f"the order {display} contradicts itself: {named.contradiction}"
        notes.missing("ordered-medicine", f"{text}; it is read as all of them: check the order")
    if len(named.drugs) > 1:
        text = (
            f"the order {display} names several medicines, read as one order of each: {names};"
            " its dose and route are not used, and a change of it changes all of them"
        )
        notes.notice("several-drugs-named", text)
    unread = ", ".join(drug.ingredient for drug in named.beside)
    if unread:
        text = f"the order {display} is read by its code as {names}; its text also names"
        notes.notice("several-drugs-named", f"{text} {unread}: check the order")


def _orders(
    ref: str,
    request: MedicationRequest | ServiceRequest,
    drugs: tuple[Drug, ...],
    display: str,
    codes: CodeSets,
    *,
    selected: bool,
) -> Iterator[Order]:
    """One order for each drug; what one dose or route of several belongs to, nobody can say."""
    instructions = request.dosage_instruction if isinstance(request, MedicationRequest) else ()
    usable = instructions if len(drugs) == 1 else ()
    dose, per_kg = _dose(usable)
    for drug in drugs or (None,):
        yield Order(
            ref,
            _KINDS.get(drug.kind, "other") if drug is not None else "other",
            drug.ingredient if drug is not None else "",
            display,
            route=_order_route(usable, codes),
            subcutaneous_product=drug is not None and drug.subcutaneous,
            dose_mg=dose,
            dose_mg_per_kg=per_kg,
            planned_start=_planned(request, instructions),
            selected=selected,
            by_name=drug is not None and drug.by_name,
        )


def _order_route(instructions: tuple[DosageInstruction, ...], codes: CodeSets) -> Route | None:
    return to_route(read_route((one.route for one in instructions), codes))


def _dose(instructions: tuple[DosageInstruction, ...]) -> tuple[Decimal | None, Decimal | None]:
    """mg and mg/kg of the one dose ordered; several different doses (a step-up plan): neither."""
    quantities = [
        item.dose_quantity
        for instruction in instructions
        for item in instruction.dose_and_rate
        if item.dose_quantity is not None
    ]
    doses = {_one_dose(quantity) for quantity in quantities}
    return doses.pop() if len(doses) == 1 else (None, None)


def _one_dose(quantity: Quantity) -> tuple[Decimal | None, Decimal | None]:
    unit = find_unit("dose", quantity.system, quantity.code, quantity.unit)
    value = canonical("dose", quantity)
    if unit is None or isinstance(value, str):
        return None, None
    return (None, value) if unit.name == "mg/kg" else (value, None)


def _planned(
    request: MedicationRequest | ServiceRequest, instructions: tuple[DosageInstruction, ...]
) -> datetime | None:
    """The first planned moment, if it has a time and a zone."""
    timings: list[Timing | None] = [one.timing for one in instructions]
    texts: list[str | None] = []
    if isinstance(request, ServiceRequest):
        period = request.occurrence_period
        texts = [request.occurrence_date_time, period.start if period is not None else None]
        timings = [request.occurrence_timing]
    for timing in timings:
        if timing is not None:
            bounds = timing.repeat.bounds_period if timing.repeat is not None else None
            texts += [*timing.event, bounds.start if bounds is not None else None]
    moments = [instant(text) for text in texts if text]
    return min((moment for moment in moments if moment is not None), default=None)
