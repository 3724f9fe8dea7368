"""What may be wrong with a request, to look at what the service makes of it.

Each is something integrations really get wrong. The request is spoilt after it was made.
"""

from collections.abc import Mapping
from typing import Any, Literal

from cds.demo.fhir.resource_json import Resource


Fault = Literal[
    "none", "no-vitals", "no-drug", "other-patient", "other-server", "no-instance", "no-service"
]
FAULTS: Mapping[Fault, str] = {
    "none": "nothing",
    "no-vitals": "the vital signs were not answered",
    "no-drug": "orders name a Medication that is left out",
    "other-patient": "an observation of another patient is in it",
    "other-server": "it names another FHIR server",
    "no-instance": "it has no hookInstance",
    "no-service": "it goes to a service that does not exist",
}
_OTHER = "somebody-else"


def spoilt(body: Resource, fault: Fault) -> Resource:
    """The request with this fault; what has nothing to do with the body leaves it as it is."""
    found = dict(body)
    prefetch: dict[str, Any] = dict(body["prefetch"])
    match fault:
        case "no-vitals":
            prefetch.pop("vitals", None)
        case "no-drug":
            found["context"] = _without_drugs(body["context"])
        case "other-patient":
            prefetch["vitals"] = _with_stranger(prefetch.get("vitals"))
        case "other-server":
            found["fhirServer"] = "https://elsewhere.example/fhir"
        case "no-instance":
            del found["hookInstance"]
        case _:
            pass
    return found | {"prefetch": prefetch}


def url_of(service: str, fault: Fault) -> str:
    """Where it is sent."""
    return f"{service}-that-does-not-exist" if fault == "no-service" else service


def _without_drugs(context: Resource) -> Resource:
    """Every draft refers to a Medication that is not in the request."""
    drafts = context.get("draftOrders")
    if drafts is None:
        return context
    entries = []
    for one in drafts["entry"]:
        order = {k: v for k, v in one["resource"].items() if k != "medicationCodeableConcept"}
        if order["resourceType"] != "Medication":
            entries.append(
                {"resource": order | {"medicationReference": {"reference": "Medication/left-out"}}}
            )
    return context | {"draftOrders": drafts | {"entry": entries}}


def _with_stranger(vitals: Any) -> Resource:
    """A searchset with one more Observation, whose subject is another patient."""
    stranger = {
        "resourceType": "Observation",
        "id": "of-somebody-else",
        "status": "final",
        "code": {"text": "Body temperature"},
        "subject": {"reference": f"Patient/{_OTHER}"},
    }
    entries = vitals.get("entry", []) if isinstance(vitals, dict) else []
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [*entries, {"resource": stranger, "search": {"mode": "match"}}],
    }
