"""Creates one statement on a site's FHIR server with the user's token, and finds one sent before.

What a statement is named by, its identifier, makes a repetition find the first one. Each answer
comes down to one outcome of a closed set; keeps nothing.
"""

import threading
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import quote

import requests

from cds.fhir_fetch import fhir_server
from cds.fhir_guard import GuardedSession, Kind, ReadRefused
from cds.fhir_pages import kind_of, read_pages
from cds.prefetch import ToAsk, never
from cds.smart.stating.sent_answer import SYSTEM, belongs, head_of, is_named, ref_of
from fhir_mapping.bundles import read_raw_entries


_MEDIA = "application/fhir+json"

Problem: TypeAlias = Literal[
    "not-granted",  # the launch gave no right to create such a resource: nobody was asked
    "session",  # 401, or a token that cannot be sent
    "not-allowed",  # 403
    "rejected",  # any other 4xx, or a redirect
    "another-patient",  # the answer shows a resource of somebody else
    "busy",  # 429
    "unreachable",  # no connection: it was not sent
    "unclear",  # it may have been written: a time-out, 5xx, an answer that names no resource
]
# What nobody refused: it waits. The others are for a person to look at.
WAITS = frozenset({"busy", "unreachable", "unclear"})
# What may be in the chart all the same.
PERHAPS = frozenset({"unclear", "another-patient"})
# After these the next statement would fare no better.
ENDS = frozenset({"session", "unreachable", "busy"})
_BY_STATUS: dict[int, Problem] = {401: "session", 403: "not-allowed", 429: "busy"}
_BY_KIND: dict[Kind, Problem] = {
    "unreachable": "unreachable",
    "redirect": "rejected",
    "refused": "session",
}


class Outcome(NamedTuple):
    """`ref`: "Observation/12", or empty, and then why not. `late`: the server kept us waiting."""

    ref: str = ""
    problem: Problem | None = None
    late: bool = False


class Found(NamedTuple):
    """What a search says: a reference, nothing (empty), or that it could not tell (None)."""

    ref: str | None


class Chart:
    """One patient's chart on one FHIR server, for one user and a limited time. For one thread."""

    def __init__(
        self,
        base: str,
        token: str,
        patient: str,
        *,
        seconds: float,
        monotonic: Callable[[], float],
    ) -> None:
        """`seconds`: for everything that is sent here. Raises `ReadRefused`: a token that cannot
        be sent."""
        self._base = base.rstrip("/")
        self._patient = patient
        self._session = GuardedSession(
            self._base, token, seconds=seconds, clock=monotonic, writes=True
        )
        self._server = fhir_server(self._base, self._session)
        # For what no timeout of a socket ends.
        self._alarm = threading.Timer(seconds, self._session.close)
        self._alarm.daemon = True

    def __enter__(self) -> "Chart":
        self._alarm.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._alarm.cancel()
        self._session.close()

    def create(self, kind: str, resource: str, value: str) -> Outcome:
        """Create it unless one with the identifier `value` is there (R4 http, "Conditional
        create"). `resource`: FHIR JSON of a `kind`."""
        headers = {
            "Accept": _MEDIA,
            "Content-Type": _MEDIA,
            "If-None-Exist": f"identifier={quote(f'{SYSTEM}|{value}', safe='')}",
        }
        url = f"{self._base}/{kind}"
        try:
            response = self._session.request("POST", url, headers=headers, data=resource.encode())
            response.raise_for_status()
        except requests.HTTPError as error:
            return self._refused(error.response.status_code, kind, value)
        except requests.RequestException as error:
            found = error.kind if isinstance(error, ReadRefused) else kind_of(error, self._session)
            return Outcome(problem=_BY_KIND.get(found, "unclear"), late=found == "timeout")
        head = head_of(response.content, kind)
        if head is not None and not belongs(head, self._patient, self._base):
            return Outcome(problem="another-patient")
        ref = ref_of(response.headers.get("Location", ""), head, kind)
        return Outcome(ref) if ref else self._looked(kind, value, "unclear")

    def find(self, kind: str, value: str) -> Found:
        """The statement with this identifier among this patient's. Servers that do not know the
        parameter answer with others too: each resource is looked at."""
        token = quote(f"{SYSTEM}|{value}", safe="")
        path = f"{kind}?patient={quote(self._patient, safe='')}&identifier={token}"
        answer = read_pages(ToAsk(kind, path), path, self._server, never)
        entries = () if answer.raw is None else read_raw_entries(answer.raw) or ()
        for _, resource in entries:
            head = head_of(bytes(resource), kind)
            if head is not None and head.id and is_named(resource, value):
                # Without a subject it cannot be told whose it is.
                ours = head.subject is not None and belongs(head, self._patient, self._base)
                return Found(f"{kind}/{head.id}" if ours else None)
        return Found("" if answer.kind is None else None)

    def _refused(self, status: int, kind: str, value: str) -> Outcome:
        if status == 412:  # several meet the condition: it is there
            return self._looked(kind, value, "rejected")
        if status >= 500:
            return Outcome(problem="unclear")
        return Outcome(problem=_BY_STATUS.get(status, "rejected"))

    def _looked(self, kind: str, value: str, otherwise: Problem) -> Outcome:
        ref = self.find(kind, value).ref
        return Outcome(ref) if ref else Outcome(problem=otherwise)
