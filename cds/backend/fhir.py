"""Requests to one site's FHIR server with a token of the service's own: read, search, write.

Each is made within its time and size below the site's base, and once more with a new token after
401. For one thread at a time; the connection is kept between requests.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec
import requests
from fhirclient.server import (
    FHIRNotFoundException,
    FHIRPermissionDeniedException,
    FHIRServer,
    FHIRUnauthorizedException,
)
from msgspec import Raw, Struct

from cds.backend.failure import BackendFailed
from cds.backend.retry_after import retry_after
from cds.backend.token import BackendTokens
from cds.backend.token_answer import Token
from cds.body_limits import refuse_unbounded
from cds.config import Site
from cds.errors import ServiceError
from cds.fhir_fetch import fhir_server
from cds.fhir_guard import GuardedSession, ReadRefused
from cds.fhir_pages import Answer, kind_of, read_pages
from cds.prefetch import Enough, ToAsk, never


_T = TypeVar("_T")
_STATUSES = (FHIRUnauthorizedException, FHIRPermissionDeniedException, FHIRNotFoundException)
_MEDIA = "application/fhir+json"
_GONE = frozenset({404, 410})
_LOCATION = re.compile(r"([A-Za-z]+)/([A-Za-z0-9.-]{1,64})(?:/_history/([A-Za-z0-9.-]{1,64}))?/?\Z")
_ETAG = re.compile(r'(?:W/)?"([A-Za-z0-9.-]{1,64})"')


class Written(NamedTuple):
    """What a server keeps now: id and version ("" where it does not say), and what it sent back."""

    id: str
    version: str
    raw: Raw | None


class _Meta(Struct, rename="camel", frozen=True):
    version_id: str = ""


class _Head(Struct, rename="camel", frozen=True):
    resource_type: str
    id: str = ""
    meta: _Meta = _Meta()


class FhirClient:
    """One site's FHIR server. Every method raises `BackendFailed`."""

    def __init__(
        self,
        site: Site,
        tokens: BackendTokens,
        *,
        seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seconds`: for each call of a method, its token, pages and second try included."""
        self.site = site
        self._base = (site.fhir_base or "").rstrip("/")
        self._tokens = tokens
        self._seconds = seconds
        self._monotonic = monotonic
        self._server: FHIRServer | None = None
        self._told: tuple[int, float | None] = (0, None)

    def __enter__(self) -> "FhirClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection and forget the token; the next request opens another."""
        if self._server is not None:
            self._server.session.close()
            self._server = None

    def read_json(self, path: str) -> Raw:
        """The resource at `path` below the base ("Observation/12", "metadata"), as it was sent."""
        return self._twice(lambda server: self._checked(_body(server, path)))

    def search(self, path: str, enough: Enough = never) -> Answer:
        """All pages of a search as one Bundle; `kind` says why it is a part, where it is one."""

        def job(server: FHIRServer) -> Answer:
            found = read_pages(ToAsk("search", path), path, server, enough)
            if found.kind is not None and (found.raw is None or self._told[0] == 401):
                raise self._failed(found.kind)
            return found

        return self._twice(job)

    def create(self, kind: str, resource: Mapping[str, Any], *, if_none_exist: str = "") -> Written:
        """Create a `kind`. `if_none_exist`: a query; what it finds is the answer instead (R4)."""
        headers = {"If-None-Exist": if_none_exist} if if_none_exist else {}
        return self._twice(lambda server: self._write(server, "POST", kind, resource, headers))

    def update(self, ref: str, resource: Mapping[str, Any], *, if_match: str = "") -> Written:
        """Put `resource` in the place of "Type/id", if its version is still `if_match`."""
        headers = {"If-Match": f'W/"{if_match}"'} if if_match else {}
        return self._twice(lambda server: self._write(server, "PUT", ref, resource, headers))

    def delete(self, ref: str) -> None:
        """Delete "Type/id"; one that is gone already is no failure."""
        try:
            self._twice(lambda server: self._write(server, "DELETE", ref, None, {}))
        except BackendFailed as error:
            if error.status not in _GONE:
                raise

    def scope(self) -> str:
        """The scope of the token in use; "" where none is needed."""
        token = self._tokens.token(self.site, seconds=self._seconds)
        return "" if token is None else token.scope

    def _twice(self, job: Callable[[FHIRServer], _T]) -> _T:
        until = self._monotonic() + self._seconds
        token = self._tokens.token(self.site, seconds=self._seconds)
        try:
            return self._once(job, token, until)
        except BackendFailed as error:
            if error.status != 401 or token is None:
                raise
            left = until - self._monotonic()
            other = self._tokens.instead_of(token, self.site, seconds=left)
            if other is None:
                raise
        return self._once(job, other, until)

    def _once(self, job: Callable[[FHIRServer], _T], token: Token | None, until: float) -> _T:
        left = until - self._monotonic()
        self._told = (0, None)
        try:
            server = self._open(token, left)
        except ReadRefused as error:
            raise BackendFailed(error.kind) from None
        session: GuardedSession = server.session
        alarm = threading.Timer(left, session.close)  # for what no timeout of a socket ends
        alarm.daemon = True
        alarm.start()
        try:
            return job(server)
        except ReadRefused as error:
            raise self._failed(error.kind) from None
        except (requests.RequestException, *_STATUSES) as error:
            raise self._failed(kind_of(error, session)) from None
        finally:
            alarm.cancel()
            if session.left() <= 0:  # the alarm may have ended its connections
                self.close()

    def _open(self, token: Token | None, seconds: float) -> FHIRServer:
        if self._server is None:
            session = GuardedSession(
                self._base, None, seconds=seconds, clock=self._monotonic, writes=True
            )
            session.hooks["response"].append(self._hear)
            self._server = fhir_server(self._base, session)
        held: GuardedSession = self._server.session
        held.renew(seconds)
        if token is not None:
            held.use(token.value)
        return self._server

    def _hear(self, response: requests.Response, **_: object) -> None:
        self._told = (response.status_code, retry_after(response.headers))

    def _failed(self, kind: Any) -> BackendFailed:
        status, wait = self._told
        whole = status if status and kind != "timeout" else None
        return BackendFailed(kind, status=whole, retry_after=wait)

    def _checked(self, body: bytes) -> Raw:
        head = _head(body)
        if head is None:
            raise self._failed("not-fhir")
        if head.resource_type == "OperationOutcome":
            raise self._failed("failed")
        return Raw(body)

    def _write(
        self,
        server: FHIRServer,
        method: Literal["POST", "PUT", "DELETE"],
        path: str,
        resource: Mapping[str, Any] | None,
        headers: Mapping[str, str],
    ) -> Written:
        sent = {"Accept": _MEDIA, **headers}
        if resource is not None:
            sent["Content-Type"] = _MEDIA
        data = None if resource is None else msgspec.json.encode(resource)
        response = server.session.request(method, f"{self._base}/{path}", headers=sent, data=data)
        response.raise_for_status()
        return _written(response, path)


def _body(server: FHIRServer, path: str) -> bytes:
    found: bytes = server.request_data(path)
    return found


def _head(body: bytes) -> _Head | None:
    try:
        refuse_unbounded(body)
        return msgspec.json.decode(body, type=_Head)
    except (ServiceError, msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _written(response: requests.Response, path: str) -> Written:
    """The id by the Location, else by the body, else the one that was put; and the version."""
    kind, _, put = path.partition("/")
    head = _head(response.content)
    if head is not None and head.resource_type != kind:  # an OperationOutcome with a success
        head = None
    place = _LOCATION.search(response.headers.get("Location", ""))
    if place is not None and place[1] != kind:
        place = None
    tag = _ETAG.fullmatch(response.headers.get("ETag", ""))
    found = (place[2] if place else "") or (head.id if head else "") or put
    version = tag[1] if tag else (place[3] or "" if place else "")
    version = version or (head.meta.version_id if head else "")
    return Written(found, version, Raw(response.content) if head is not None else None)
