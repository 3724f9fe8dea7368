"""Reads from the FHIR server what a request did not bring, all at the same time, until a deadline.

What cannot be read stays unanswered, so that its facts are unknown, and is named beside the
request by its key and a closed kind. CDS Hooks 2.0.1, "FHIR Resource Access".
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import NamedTuple

import msgspec
from fhirclient.server import FHIRServer
from msgspec import Struct

from cds.drafted import medications_to_read
from cds.fhir_guard import GuardedSession, Kind, ReadRefused
from cds.fhir_pages import Answer, read_pages
from cds.hook_request import HookRequest
from cds.prefetch import Enough, ToAsk, never, to_ask


_AT_ONCE = 16
_WAKING = 0.1  # seconds for threads to see that their connections were ended

REASONS: Mapping[Kind, str] = {
    "not-authorised": "the server does not allow it",
    "not-found": "the server does not have it",
    "too-many-requests": "the server is asked too often",
    "rejected": "the server rejects the query",
    "server-error": "the server reports a fault",
    "timeout": "the server did not answer in time",
    "unreachable": "the server cannot be reached",
    "cut-off": "the answer broke off",
    "redirect": "the server answered with a redirect",
    "too-large": "there is more than is read at once",
    "not-fhir": "the answer is not what was asked for",
    "failed": "the server reports an error for this query",
    "foreign-link": "the next page is not on the site's own server",
    "endless-pages": "the next page is one that was read before",
    "refused": "this server may not be read",
}


class Failure(Struct, frozen=True):
    """One query not answered, or (`partial`) not in full; `key` is one of a closed set of ours."""

    key: str
    kind: Kind
    partial: bool = False

    def __str__(self) -> str:
        part = "only a part was read: " if self.partial else ""
        return f"{self.key}: {part}{REASONS[self.kind]}"


class Fetched(NamedTuple):
    """The request with the answers added, and what could not be read, in the order asked."""

    request: HookRequest
    failed: tuple[Failure, ...]


def fhir_server(base: str, session: GuardedSession) -> FHIRServer:
    """fhirclient's server on a guarded session; it signs nothing itself."""
    server = FHIRServer(None, base_uri=base)
    server.session.close()
    server.session = session
    return server


def read_missing(
    request: HookRequest,
    templates: Mapping[str, str],
    *,
    base: str,
    token: str | None,
    seconds: float,
    enough: Enough = never,
) -> Fetched:
    """What the request lacks, from the server at `base` with `token`, within `seconds` in all."""
    try:
        session = GuardedSession(base, token, seconds=seconds)
    except ReadRefused as error:
        asked = _asked(request, templates, base, enough)
        return Fetched(request, tuple(Failure(one.key, error.kind) for one in asked))
    return fetch_missing(request, templates, fhir_server(base, session), enough=enough)


def fetch_missing(
    request: HookRequest,
    templates: Mapping[str, str],
    server: FHIRServer,
    *,
    enough: Enough = never,
) -> Fetched:
    """Ask the server for what the request lacks; its guarded session is closed afterwards.

    `templates`: prefetch templates by key. `enough`: whether the pages read are complete already.
    """
    session: GuardedSession = server.session
    asked = _asked(request, templates, session.base, enough)

    def job(one: ToAsk) -> Answer:
        path = one.template.replace("{{context.patientId}}", request.patient_id)
        return read_pages(one, path, server, enough)

    answers = _all_at_once(asked, job, session)
    prefetch = dict(request.prefetch)
    failed: list[Failure] = []
    for one, (raw, kind) in zip(asked, answers, strict=True):
        if raw is not None:
            prefetch[one.key] = raw
        if kind is not None:
            partial = kind != "failed" and (raw is not None or one.first is not None)
            failed.append(Failure(one.key, kind, partial))
    return Fetched(msgspec.structs.replace(request, prefetch=prefetch), tuple(failed))


def _asked(
    request: HookRequest, templates: Mapping[str, str], base: str, enough: Enough
) -> list[ToAsk]:
    drafted = medications_to_read(request, base)
    return [
        *to_ask(request, templates, base, enough),
        *(ToAsk(key, path) for key, path in drafted.items()),
    ]


def _all_at_once(
    asked: list[ToAsk], job: Callable[[ToAsk], Answer], session: GuardedSession
) -> list[Answer]:
    """Every answer there is at the deadline; threads still waiting lose their connections."""
    pool = ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(asked) or 1))
    try:
        futures = [pool.submit(job, one) for one in asked]
        _, late = wait(futures, timeout=session.left())
        session.close()
        wait(late, timeout=_WAKING)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return [_result(future) for future in futures]


def _result(future: "Future[Answer]") -> Answer:
    finished = future.done() and not future.cancelled()
    return future.result() if finished else Answer(None, "timeout")
