"""Suggestions with one action each: hold, delete, and the two orders a rule can ask for.

The on-hold update is the whole draft as it came, with another status. Nothing is pre-selected.
"""

from decimal import Decimal
from importlib import import_module
from typing import Any

import msgspec

from cards import wording
from cards.model import Action, Suggestion
from cards.units import number
from cards.wire import without_empties
from knowledge.decision import Decision


_HOLDABLE = frozenset({"MedicationRequest", "ServiceRequest"})
_ID_LENGTH = 64  # FHIR's limit; an EHR's draft ids may be longer (Epic: 194)
_RXNORM = "612865"


def warm() -> None:
    """Load the FHIR models at start, so that the first hold does not wait for them."""
    for kind in sorted(_HOLDABLE):
        _model(kind)


def on_hold(drug: str, draft: bytes | None) -> Suggestion | None:
    """Set the drafted order on hold; None where the draft cannot be rebuilt safely."""
    held = _held(draft)
    if held is None:
        return None
    text = f"Put this {drug} order on hold"
    return Suggestion(text, actions=(Action("update", text, held),))


def delete(drug: str, ref: str) -> Suggestion:
    """Remove the drafted order: only for a confirmed permanent discontinuation."""
    text = f"Remove this {drug} order"
    return Suggestion(text, actions=(Action("delete", text, resource_id=ref),))


def give_tocilizumab(decision: Decision) -> Suggestion | None:
    """A tocilizumab order where a row says to give it, the limits allow it and none is ordered.

    A recorded allergy to it, or a dose that could not be computed, leaves the order to people.
    """
    result = decision.assessment.tocilizumab
    if result is None or result.status != "allowed" or result.indication != "administer":
        return None
    if not decision.tocilizumab_indicated or result.dose_mg is None:
        return None
    if decision.tocilizumab_ordered or decision.tocilizumab_orders:
        return None
    if any(allergy.ingredient == "tocilizumab" for allergy in decision.allergies):
        return None
    text = f"Order tocilizumab IV. {wording.enter_dose(result.dose_mg)}"
    codings = [
        {"system": system, "code": _RXNORM, "display": "tocilizumab"}
        for system in (
            "http://www.nlm.nih.gov/research/umls/rxnorm",
            "urn:oid:2.16.840.1.113883.6.88",  # the spelling Epic looks up
        )
    ]
    dose = {
        "value": result.dose_mg,
        "unit": "mg",
        "system": "http://unitsofmeasure.org",
        "code": "mg",
    }
    resource = {
        "resourceType": "MedicationRequest",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"coding": codings, "text": "tocilizumab, intravenous"},
        "subject": {"reference": decision.assessment.patient},
        "dosageInstruction": [
            {
                "text": f"{wording.dose_text(result.dose_mg)} intravenously, one dose",
                "route": {"text": "intravenous"},
                "doseAndRate": [{"doseQuantity": dose}],
            }
        ],
    }
    return _create(text, resource)


def admit(decision: Decision, drug: str) -> Suggestion | None:
    """An admission request where the source requires hospitalisation for the next dose."""
    conditions = decision.assessment.next_dose
    stay = conditions.hospitalize if conditions is not None else None
    if stay is None or stay.strength != "required":
        return None
    hours = f" for {number(stay.hours)} h" if stay.hours is not None else ""
    text = f"Request hospital admission{hours} for the next dose of {drug}"
    resource = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        # No code: sites use their own catalogue, and name matching finds the text.
        "code": {"text": "Hospital admission for observation"},
        "subject": {"reference": decision.assessment.patient},
        "note": [{"text": text}],
    }
    return _create(text, resource)


def _create(text: str, resource: dict[str, Any]) -> Suggestion:
    _model(resource["resourceType"]).model_validate(resource)
    return Suggestion(text, actions=(Action("create", text, resource),))


def _held(draft: bytes | None) -> dict[str, Any] | None:
    if draft is None:
        return None
    try:
        whole: object = msgspec.json.Decoder(float_hook=Decimal).decode(draft)
    except msgspec.DecodeError:
        return None
    if not isinstance(whole, dict) or whole.get("resourceType") not in _HOLDABLE:
        return None
    held = {**without_empties(whole), "status": "on-hold"}
    identifier = held.get("id")
    if not isinstance(identifier, str):
        return None
    try:
        _model(held["resourceType"]).model_validate({**held, "id": identifier[:_ID_LENGTH]})
    except ValueError:  # the models' validation error is one
        return None
    return held


def _model(kind: str) -> Any:
    """The model of one resource type, imported when first needed: it takes half a second."""
    return getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
