"""What a search says about itself in entries of mode `outcome`, as Epic's sandbox words it."""

from uuid import uuid4

from cds.demo.fhir.query import Query
from cds.demo.fhir.quirks import Quirks
from cds.demo.fhir.resource_json import Resource


CODES = "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369"


def notes(query: Query, found: int, quirks: Quirks) -> list[Resource]:
    """One entry with every issue, or none. `found`: matches of this page."""
    issues = []
    if quirks.withheld:
        issues.append(
            _issue("warning", "suppressed", "59204", "Results of a sub-type are not returned.")
        )
    if quirks.notes and query.unknown:
        issues += [
            _issue("information", "invalid", "59100", f"{name.upper()}: unknown, ignored.")
            for name in dict.fromkeys(query.unknown)
        ]
    if quirks.notes and not found:
        issues.append(_issue("warning", "processing", "4101", "The request returns no results."))
    if not issues:
        return []
    outcome = {"resourceType": "OperationOutcome", "issue": issues}
    return [
        {
            "fullUrl": f"urn:uuid:{uuid4()}",
            "resource": outcome,
            "search": {"mode": "outcome"},
        }
    ]


def _issue(severity: str, code: str, number: str, text: str) -> Resource:
    coding = {"system": CODES, "code": number, "display": text}
    details = {"coding": [coding], "text": text}
    return {"severity": severity, "code": code, "details": details}
