"""A request the sandbox server refuses, and the OperationOutcome that says so."""

from cds.demo.fhir.resource_json import Resource


class FhirError(Exception):
    """Refused with an HTTP `status`; `code` is of R4's value set issue-type."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text

    def at(self, place: str) -> "FhirError":
        """The same refusal, saying which part of the request it is about."""
        return FhirError(self.status, self.code, f"{place}: {self.text}")


def outcome(error: FhirError) -> Resource:
    """The refusal as a resource."""
    issue = {
        "severity": "error",
        "code": error.code,
        "details": {"text": error.text},
        "diagnostics": error.text,
    }
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def all_well(text: str) -> Resource:
    """The outcome of something that was done."""
    issue = {"severity": "information", "code": "informational", "details": {"text": text}}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def unknown_type() -> FhirError:
    """The type is not served here."""
    return FhirError(404, "not-supported", "this server does not have that resource type")
