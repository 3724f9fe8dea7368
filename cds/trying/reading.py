"""Every prefetch query of the service, one after the other: what came, how much, how long it took.

One at a time, so that a sandbox is not flooded and each query's own trouble is seen.
"""

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import NamedTuple

import requests
from msgspec import Raw, Struct

from cds.fhir_fetch import Failure, fetch_missing, fhir_server
from cds.hook_request import HookRequest
from cds.prefetch import Enough
from cds.trying.asking import Access, opened
from cds.trying.trouble import of_kind
from fhir_mapping.bundles import read_head, read_raw_entries


class Query(Struct, frozen=True, kw_only=True, rename="camel"):
    """One query: whether it was answered in full, in part or not, and why.

    `pages`: answers of the server; `resources`: in them, outcomes left out; `milliseconds`: for
    all its pages. `status`: of HTTP, of the last answer; None: there was none.
    """

    key: str
    answered: bool
    partial: bool
    resources: int
    pages: int
    milliseconds: int
    status: int | None = None
    problem: str = ""
    next_step: str = ""


class Read(NamedTuple):
    """The request with what came, and a line of evidence for each query."""

    request: HookRequest
    queries: tuple[Query, ...]
    failed: tuple[Failure, ...]


def read_all(
    request: HookRequest,
    templates: Mapping[str, str],
    access: Access,
    enough: Enough,
    monotonic: Callable[[], float],
) -> Read:
    """Ask for every key of `templates`; raises `Trouble` for a token that cannot be sent."""
    queries: list[Query] = []
    failed: list[Failure] = []
    for key, template in templates.items():
        request, query, more = _read(request, key, template, access, enough, monotonic)
        queries.append(query)
        failed += more
    return Read(request, tuple(queries), tuple(failed))


def _read(
    request: HookRequest,
    key: str,
    template: str,
    access: Access,
    enough: Enough,
    monotonic: Callable[[], float],
) -> tuple[HookRequest, Query, tuple[Failure, ...]]:
    told: list[int] = []

    def hear(response: requests.Response, **_: object) -> None:
        told.append(response.status_code)

    with opened(access) as session:
        session.hooks["response"].append(hear)
        begun = monotonic()
        server = fhir_server(access.base, session)
        found = fetch_missing(request, {key: template}, server, enough=enough)
        took = monotonic() - begun
    raw = found.request.prefetch.get(key)
    failure = next((one for one in found.failed if one.key == key), None)
    status = told[-1] if told else None
    trouble = None
    if failure is not None:
        what = template.partition("?")[0].partition("/")[0]
        trouble = of_kind(failure.kind, status, token=access.token is not None, what=what)
    query = Query(
        key=key,
        answered=raw is not None and (failure is None or failure.partial),
        partial=failure is not None and failure.partial,
        resources=0 if raw is None else sum(1 for _ in _matches(raw)),
        pages=sum(one == HTTPStatus.OK for one in told),
        milliseconds=round(took * 1000),
        status=status,
        problem="" if trouble is None else trouble.cause,
        next_step="" if trouble is None else trouble.step,
    )
    return found.request, query, found.failed


def _matches(raw: Raw) -> Iterator[Raw]:
    entries = read_raw_entries(raw)
    head = read_head(raw)
    single = head is not None and head.resource_type != "Bundle"
    for one in [raw] if single or entries is None else [resource for _, resource in entries]:
        found = read_head(one) if memoryview(one).nbytes else None
        if found is not None and found.resource_type not in {None, "OperationOutcome"}:
            yield one
