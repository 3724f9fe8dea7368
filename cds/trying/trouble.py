"""Why a server could not be used, and what to do about it: one sentence, without an address, a
token or a word of the server's own.
"""

from collections.abc import Mapping
from http import HTTPStatus

from cds.fhir_guard import Kind


class Trouble(Exception):
    """What ends an attempt. `cause`: what was found; `step`: what the reader does next."""

    def __init__(self, cause: str, step: str) -> None:
        super().__init__(f"{cause}: {step}.")
        self.cause = cause
        self.step = step


OPEN = "CapabilityStatement"  # FHIR R4, "Capabilities": to be had without a token
NO_JSON = frozenset({HTTPStatus.NOT_ACCEPTABLE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE})
_GIVE_TOKEN = "put one into an environment variable and name that with --token-env"  # noqa: S105
_STEPS: Mapping[Kind, tuple[str, str]] = {
    "not-found": ("the server does not have it (404)", "check the base URL and what it serves"),
    "too-many-requests": ("the server is asked too often (429)", "wait, then try again"),
    "rejected": ("the server rejects the query", "see which search parameters it documents"),
    "server-error": ("the server reports a fault of its own", "ask its operator to read its log"),
    "timeout": ("the server did not answer in time", "try again, or allow more with --timeout"),
    "unreachable": ("the server cannot be reached", "check the address, the port and the network"),
    "cut-off": ("the answer broke off", "try again; a proxy between may end long answers"),
    "redirect": ("the server answers with a redirect", "give the URL that it leads to"),
    "too-large": ("there is more than is read at once", "ask for a server that honours _count"),
    "not-fhir": (
        "the answer is not FHIR JSON",
        "check that the URL is the FHIR base and not a page of a portal or a login",
    ),
    "failed": ("the server reports an error for this query", "see what its OperationOutcome says"),
    "foreign-link": (
        "the next page is not below the FHIR base",
        "give the base that the server uses in its own links",
    ),
    "endless-pages": ("the next page is one that was read before", "report it to its operator"),
    "refused": ("the query is not one that this program makes", "check the base URL"),
}


def of_kind(kind: Kind, status: int | None, *, token: bool, what: str = "") -> Trouble:
    """For a read that failed. `status`: of HTTP; `token`: one was sent; `what`: the type read."""
    if status in NO_JSON:
        return Trouble(
            f"the server does not answer in JSON ({status})",
            "give a FHIR base that answers application/fhir+json: XML is not read",
        )
    if kind != "not-authorised":
        return Trouble(*_STEPS[kind])
    if status == HTTPStatus.FORBIDDEN and not token:
        return Trouble(
            f"without a token the server does not allow reading {what or 'this'} (403)", _GIVE_TOKEN
        )
    if status == HTTPStatus.FORBIDDEN and what == OPEN:
        return Trouble(
            f"the server does not allow reading {what} (403)",
            "ask its operator to open /metadata, which no scope covers",
        )
    if status == HTTPStatus.FORBIDDEN:
        asked = f"{what}.rs" if what else "what is read"
        return Trouble(
            f"the token does not allow reading {what or 'this'} (403)",
            f"ask for a scope that covers {asked}",
        )
    if token:
        return Trouble(
            "the server does not accept the token (401)",
            "get a new one: it has expired, or was issued for another server",
        )
    return Trouble(
        "the server asks for a token (401)",
        _GIVE_TOKEN,
    )
