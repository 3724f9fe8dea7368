"""Unsigned orders of a visit: how they are made, and what a card's suggestion does to them.

CDS Hooks 2.0, "Suggestion" and "Action". FHIR shapes only; no judgement on any order.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from cds.demo.answer import Action, Suggestion
from cds.demo.drugs import DemoOrder, medication, quantity, route
from cds.demo.fhir.resource_json import Resource, decode
from cds.demo.patients import PRACTITIONER, encounter_id, instant
from cds.demo.story import Story
from cds.demo.visit import Draft, Ehr


# Epic's public sample of an unsigned order has an id of this length; FHIR's own limit is 64.
_EPIC_ID = 194


class NotApplied(Exception):
    """A suggestion that an EHR could not carry out, with the reason."""


def draft(story: Story, order: DemoOrder, now: datetime, id_: str) -> Resource:
    """The unsigned MedicationRequest of one order."""
    return {
        "resourceType": "MedicationRequest",
        "id": id_,
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": medication(order.drug),
        "subject": {"reference": f"Patient/{story.id}"},
        "encounter": {"reference": f"Encounter/{encounter_id(story)}"},
        "authoredOn": instant(now),
        "requester": {"reference": PRACTITIONER},
        "dosageInstruction": [
            {
                "text": order.label,
                "route": route(order.route),
                "doseAndRate": [{"doseQuantity": quantity(order.dose, order.unit)}],
            }
        ],
    }


def draft_id(number: int, ehr: Ehr) -> str:
    """The id of the draft with this number, as long as this EHR's are."""
    id_ = f"draft-{number}"
    return id_.ljust(_EPIC_ID, "x") if ehr == "epic" else id_


def entries(drafts: Iterable[Draft], ehr: Ehr) -> list[dict[str, Any]]:
    """The entries of `draftOrders`. Epic names the drug by reference, the Medication beside it."""
    found: list[dict[str, Any]] = []
    for one in drafts:
        resource = one.resource
        concept = resource.get("medicationCodeableConcept")
        if ehr != "epic" or concept is None:
            found.append({"resource": resource})
            continue
        beside = f"medication-of-{one.id}"[:64]
        rest = {name: v for name, v in resource.items() if name != "medicationCodeableConcept"}
        reference = {"reference": f"Medication/{beside}", "display": concept.get("text", "")}
        found.append({"resource": {**rest, "medicationReference": reference}})
        found.append({"resource": {"resourceType": "Medication", "id": beside, "code": concept}})
    return found


def applied(
    drafts: tuple[Draft, ...], suggestion: Suggestion, *, next_id: str, ehr: Ehr
) -> tuple[Draft, ...]:
    """The drafts with every action of a suggestion carried out. Raises `NotApplied`."""
    for number, action in enumerate(suggestion.actions):
        match action.type:
            case "update":
                drafts = _updated(drafts, action)
            case "delete":
                drafts = _deleted(drafts, action)
            case "create":
                id_ = next_id if number == 0 else f"{next_id}-{number}"
                drafts = (*drafts, _created(action, id_, ehr))
            case other:
                raise NotApplied(f"an EHR does not know an action {other}")
    return drafts


def label_of(resource: Resource) -> str:
    """What the list calls an order."""
    texts = [
        one["text"]
        for one in resource.get("dosageInstruction", ())
        if isinstance(one, dict) and isinstance(one.get("text"), str)
    ]
    drug = resource.get("medicationCodeableConcept") or resource.get("code") or {}
    reference = resource.get("medicationReference") or {}
    name = drug.get("text") or reference.get("display") or resource["resourceType"]
    return str(texts[0]) if texts and name.split()[0] in texts[0] else ", ".join([name, *texts])


def _updated(drafts: tuple[Draft, ...], action: Action) -> tuple[Draft, ...]:
    resource = _resource(action)
    ref = f"{resource['resourceType']}/{resource.get('id')}"
    note = f"{action.description} (a card's suggestion)"

    def changed(one: Draft) -> Draft:
        told = one.resource.get("medicationCodeableConcept")
        whole = dict(resource)
        if told is not None and "medicationReference" in whole:  # as this EHR keeps it itself
            del whole["medicationReference"]
            whole["medicationCodeableConcept"] = told
        return Draft(resource=whole, note=note, from_card=one.from_card)

    _known(drafts, ref)
    return tuple(changed(one) if one.ref == ref else one for one in drafts)


def _deleted(drafts: tuple[Draft, ...], action: Action) -> tuple[Draft, ...]:
    _known(drafts, action.resource_id)
    note = f"{action.description} (a card's suggestion)"
    return tuple(
        Draft(resource=one.resource, note=note, removed=True, from_card=one.from_card)
        if one.ref == action.resource_id
        else one
        for one in drafts
    )


def _created(action: Action, id_: str, ehr: Ehr) -> Draft:
    resource = _resource(action)
    note = f"{action.description} (a card's suggestion)"
    if ehr == "epic":
        resource = {name: v for name, v in resource.items() if name != "dosageInstruction"}
        note = f"{note}; Epic takes the details from its own record, not from the card"
    return Draft(resource={**resource, "id": id_}, note=note, from_card=True)


def _resource(action: Action) -> Resource:
    if not bytes(action.resource):
        raise NotApplied(f"the action {action.type} has no resource")
    return decode(bytes(action.resource))


def _known(drafts: tuple[Draft, ...], ref: str) -> None:
    if ref not in set(_there(drafts)):
        raise NotApplied("the order it is about is not among the unsigned orders any more")


def _there(drafts: Iterable[Draft]) -> Iterator[str]:
    return (one.ref for one in drafts if not one.removed)
