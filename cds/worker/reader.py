"""The FHIR servers of the sites as the worker uses them, with tokens of the service's own.

Not shared between threads: the worker does one thing at a time.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Raw

from cds.backend.failure import BackendFailed
from cds.backend.fhir import FhirClient
from cds.backend.token import BackendTokens
from cds.backend.token_answer import Token
from cds.config import Site
from cds.fhir_fetch import Failure, Fetched, read_missing
from cds.hook_request import HookRequest
from cds.prefetch import Enough
from cds.worker.ports import Created, Unread
from fhir_mapping.bundles import BAD_INPUT, read_raw_entries


READ_SECONDS = 20.0  # for everything of one patient; nobody waits for this answer
OTHER_SECONDS = 10.0


class Reader:
    """Every site's server; see `cds.worker.ports.Server`."""

    def __init__(
        self,
        tokens: BackendTokens,
        *,
        seconds: float = READ_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tokens = tokens
        self._seconds = seconds
        self._monotonic = monotonic
        self._clients: dict[str, FhirClient] = {}

    def everything(
        self, site: Site, request: HookRequest, templates: Mapping[str, str], enough: Enough
    ) -> Fetched:
        """What `templates` ask for; without a token, nothing, and each query says why."""
        try:
            token = self._tokens.token(site)
            found = self._read(site, request, templates, enough, token)
            if token is None or not _refused(found):
                return found
            token = self._tokens.instead_of(token, site)
            if token is None:
                return found
            return self._read(site, request, templates, enough, token)
        except BackendFailed as error:
            why = error.as_read
            return Fetched(request, tuple(Failure(key, why) for key in templates))

    def resource(self, site: Site, ref: str) -> Raw | None:
        """None: 404 or 410."""
        with _unread():
            try:
                return self._client(site).read_json(ref)
            except BackendFailed as error:
                if error.kind == "not-found":
                    return None
                raise

    def found(self, site: Site, query: str) -> tuple[Raw, ...]:
        """What was read of all pages; a part where the server gave no more."""
        with _unread():
            raw = self._client(site).search(query).raw
        entries = () if raw is None else read_raw_entries(raw) or ()
        return tuple(resource for _, resource in entries)

    def create(self, site: Site, resource: Mapping[str, Any], identifier: str) -> Created:
        """A conditional create (R4 http, "Conditional create")."""
        kind = str(resource["resourceType"])
        query = f"identifier={quote(identifier, safe='')}"
        with _unread():
            made = self._client(site).create(kind, resource, if_none_exist=query)
        if not made.id:
            raise Unread("not-fhir")
        return Created(f"{kind}/{made.id}", _as_sent(made.raw, resource))

    def update(self, site: Site, ref: str, resource: Mapping[str, Any]) -> None:
        """Whatever is there now."""
        with _unread():
            self._client(site).update(ref, resource)

    def close(self) -> None:
        """End every connection."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _read(
        self,
        site: Site,
        request: HookRequest,
        templates: Mapping[str, str],
        enough: Enough,
        token: Token | None,
    ) -> Fetched:
        return read_missing(
            request,
            templates,
            base=site.fhir_base or "",
            token=None if token is None else token.value,
            seconds=self._seconds,
            enough=enough,
        )

    def _client(self, site: Site) -> FhirClient:
        if site.id not in self._clients:
            self._clients[site.id] = FhirClient(
                site, self._tokens, seconds=OTHER_SECONDS, monotonic=self._monotonic
            )
        return self._clients[site.id]


def _refused(found: Fetched) -> bool:
    """Whether the patient may not be read: what a token that is no longer good looks like."""
    return any(one.key == "patient" and one.kind == "not-authorised" for one in found.failed)


def _as_sent(raw: Raw | None, resource: Mapping[str, Any]) -> bool:
    """Whether the answer shows every member as it was sent: it is ours, and not an older one."""
    if raw is None:
        return False
    try:
        kept = msgspec.json.decode(raw, type=dict[str, Any])
    except BAD_INPUT:
        return False
    return all(kept.get(name) == value for name, value in resource.items())


@contextmanager
def _unread() -> Iterator[None]:
    try:
        yield
    except BackendFailed as error:
        raise Unread(error.as_read) from None
