"""The closed family of errors the service answers with: stable code, HTTP status, place in a spec.

A missing vital, an unmapped unit or an unknown drug is not an error: those are facts with a
reason, and reach the clinician on a card. No message repeats a value from the request.
"""

from typing import ClassVar


_CDS_HOOKS = "https://cds-hooks.hl7.org/2.0/"
_HTTP = "https://www.rfc-editor.org/rfc/rfc9110.html"


class ServiceError(Exception):
    """A request this service refuses. `field` is the member of the request at fault, if one is."""

    code: ClassVar[str] = "fault"
    status: ClassVar[int] = 500
    issue: ClassVar[str] = "exception"
    spec_url: ClassVar[str] = _CDS_HOOKS + "#http-status-codes"

    def __init__(self, message: str = "", *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class BadHookRequest(ServiceError):
    """The body is not a CDS Hooks request this service can read."""

    code = "bad-hook-request"
    status = 400
    issue = "invalid"
    spec_url = _CDS_HOOKS + "#http-request_1"


class AnotherPatient(ServiceError):
    """A resource belongs to a patient or a server other than the request's: no advice at all."""

    code = "another-patient"
    status = 400
    issue = "security"
    spec_url = _CDS_HOOKS + "#security-and-safety"


class Unauthorized(ServiceError):
    """The caller's token is missing or not trusted. `kind` is for logs and metrics alone."""

    code = "unauthorized"
    status = 401
    issue = "login"
    spec_url = _CDS_HOOKS + "#trusting-cds-clients"

    def __init__(self, kind: str) -> None:
        super().__init__("a trusted client token is required")
        self.kind = kind


class DataUnavailable(ServiceError):
    """What nothing can be evaluated without was not sent and could not be read."""

    code = "data-unavailable"
    status = 412
    issue = "not-found"
    spec_url = _CDS_HOOKS + "#http-status-codes"


class NotAllowed(ServiceError):
    """The caller may not do this here."""

    code = "not-allowed"
    status = 403
    issue = "forbidden"
    spec_url = _CDS_HOOKS + "#trusting-cds-clients"


class UnknownService(ServiceError):
    """No service has this id."""

    code = "unknown-service"
    status = 404
    issue = "not-found"
    spec_url = _CDS_HOOKS + "#discovery"


class UnknownPath(ServiceError):
    """Nothing is at this address."""

    code = "unknown-path"
    status = 404
    issue = "not-found"
    spec_url = _HTTP + "#name-404-not-found"


class WrongMethod(ServiceError):
    """The address exists, the method does not."""

    code = "wrong-method"
    status = 405
    issue = "not-supported"
    spec_url = _HTTP + "#name-405-method-not-allowed"


class TooLarge(ServiceError):
    """The body is larger than the service reads."""

    code = "too-large"
    status = 413
    issue = "too-long"
    spec_url = _HTTP + "#name-413-content-too-large"


class WrongMediaType(ServiceError):
    """The body is not plain JSON in UTF-8."""

    code = "wrong-media-type"
    status = 415
    issue = "not-supported"
    spec_url = _CDS_HOOKS + "#use-of-json"


class Fault(ServiceError):
    """A fault of ours; the caller learns nothing about its inside."""


def operation_outcome(error: ServiceError) -> dict[str, object]:
    """The error as a FHIR OperationOutcome naming the field at fault."""
    issue: dict[str, object] = {
        "severity": "error",
        "code": error.issue,
        "details": {"coding": [{"code": error.code}], "text": error.message},
        "diagnostics": f"{error.field}: {error.message}" if error.field else error.message,
    }
    if error.field:
        issue["expression"] = [error.field]
    return {"resourceType": "OperationOutcome", "issue": [issue]}
