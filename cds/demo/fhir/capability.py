"""The CapabilityStatement, made from the tables the server works with; it promises nothing else."""

from datetime import datetime

from cds.demo.fhir.definitions import TYPES
from cds.demo.fhir.quirks import Quirks
from cds.demo.fhir.resource_json import Resource
from cds.demo.fhir.storage import instant
from cds.demo.fhir.subscription_form import BACKPORT, TOPIC


_TOPICS = f"{BACKPORT}capabilitystatement-subscriptiontopic-canonical"
_OPERATION = (
    "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-"
)
_INTERACTIONS = (
    *("read", "vread", "update", "delete", "history-instance", "create", "search-type"),
)


def statement(
    base: str, quirks: Quirks, now: datetime, security: Resource | None = None
) -> Resource:
    """What this server does, for `GET /metadata`; `security`: who may ask, where that matters."""
    served = [kind for kind in TYPES if kind not in quirks.left_out]
    secured = {"security": security} if security is not None else {}
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": instant(now),
        "kind": "instance",
        "software": {"name": "btce-cds sandbox FHIR server"},
        "implementation": {"description": "Test equipment with synthetic patients", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                **secured,
                "resource": [_resource(kind, base, quirks) for kind in served],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
    }


def _resource(kind: str, base: str, quirks: Quirks) -> Resource:
    parameters = [one for name, one in TYPES[kind].parameters.items() if name not in quirks.ignored]
    references = [one for one in parameters if one.kind == "reference"]
    described: Resource = {
        "type": kind,
        "interaction": [{"code": code} for code in _INTERACTIONS],
        "versioning": "versioned",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "not-supported",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal"],
        "searchInclude": [f"{kind}:{one.name}" for one in references],
        "searchRevInclude": [
            f"{other}:{one.name}"
            for other, definition in TYPES.items()
            for one in definition.parameters.values()
            if one.kind == "reference" and kind in one.targets and other not in quirks.left_out
        ],
        "searchParam": [{"name": one.name, "type": one.kind} for one in parameters],
    }
    for name, ignored in (("searchInclude", "_include"), ("searchRevInclude", "_revinclude")):
        if ignored in quirks.ignored or not described[name]:
            del described[name]
    if kind == "Subscription":
        described["extension"] = [{"url": _TOPICS, "valueCanonical": TOPIC}]
        described["operation"] = [
            {"name": name, "definition": f"{_OPERATION}{name}"} for name in ("status", "events")
        ]
    if kind == "Patient":
        definition = "http://hl7.org/fhir/OperationDefinition/Patient-everything"
        described["operation"] = [{"name": "everything", "definition": definition}]
    return described
