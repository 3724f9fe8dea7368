"""What a failed call means to the person at the screen, and what to do; words of the demo only.

CDS Hooks 2.0, "HTTP Status Codes": an EHR shows nothing of it to a clinician. The workbench does.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct


class Meaning(Struct, frozen=True):
    """In one sentence each: what happened and what to do. `details`: the service's own words."""

    what: str
    todo: str
    details: tuple[str, ...] = ()


_BY_STATUS: Mapping[int, tuple[str, str]] = {
    400: (
        "The service refused the request: it is not a CDS Hooks request it can read, or a resource"
        " in it belongs to another patient or another FHIR server.",
        "Look at the place named below in the request; advice is never given on a part of it.",
    ),
    401: (
        "The service did not accept the token of the caller.",
        "Check issuer, audience (the exact URL), expiry and the key set registered for this site.",
    ),
    403: (
        "The caller may not ask this: without signed calls the service answers this machine only.",
        "Call it directly on the loopback address, not through a proxy that adds Forwarded.",
    ),
    404: (
        "The service has no such hook service.",
        "Compare the id with GET /cds-services.",
    ),
    405: ("The address exists and does not take this method.", "Send a POST."),
    412: (
        "The service needs data that were neither sent nor could be read.",
        "Send the prefetch key named below, or let the service read it with fhirAuthorization.",
    ),
    413: (
        "The request is larger than the service reads.",
        "Send fewer resources: the templates limit each query with _count.",
    ),
    415: ("The body was not sent as plain JSON.", "Send Content-Type: application/json in UTF-8."),
    429: ("Too many requests at once.", "Wait as long as Retry-After says."),
    500: ("A fault in the service.", "Look at the service's log: it names the kind and the line."),
    503: (
        "The service cannot keep what was sent: its store is down.",
        "Send it again after Retry-After; hooks are answered meanwhile, feedback is not.",
    ),
}
_SERVER = ("A fault in the service or before it.", "Look at the logs of the proxy and the service.")
_CLIENT = ("The service refused the request.", "Look at the words of the service below.")
_REDIRECT = (
    "The service's address answers with a redirect, which an EHR does not follow.",
    "Register the exact URL of the service.",
)
NO_ANSWER = Meaning(
    "The service did not answer in time, or cannot be reached.",
    "Check that it runs and that this address is its own; an EHR goes on without cards.",
)
NOT_HOOKS = Meaning(
    "The reply is not a CDS Hooks response.",
    "Check that the address is the service's and not a web page or a proxy's error page.",
)


def of_status(status: int, body: bytes) -> Meaning:
    """Of an answer that is not 200; `body`: an OperationOutcome, or anything."""
    if 300 <= status < 400:
        what, todo = _REDIRECT
    else:
        what, todo = _BY_STATUS.get(status, _SERVER if status >= 500 else _CLIENT)
    return Meaning(what, todo, tuple(_details(body)))


def _details(body: bytes) -> Iterator[str]:
    try:
        found: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return
    issues = found.get("issue") if isinstance(found, dict) else None
    for issue in issues if isinstance(issues, list) else ():
        if isinstance(issue, dict):
            text = issue.get("diagnostics") or (issue.get("details") or {}).get("text")
            if isinstance(text, str) and text:
                yield text
