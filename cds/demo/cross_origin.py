"""CORS of the demo for a page that plays an EHR in the browser: the public CDS Hooks sandbox.

Only in front of the demo, and only for what that page calls: the hook services and the FHIR doors
that ask for no token. The rule of the service itself (`origins` of its settings) is another one.
"""

import re
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING

from cds.demo.authorization.cross_origin import loopback


if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SANDBOXES = frozenset({"https://sandbox.cds-hooks.org", "http://sandbox.cds-hooks.org"})
# /cds-services, /<site>/cds-services/...; /open/fhir, /epic/fhir, /oracle/fhir
_OPEN = re.compile(r"(/[a-z-]+)?/cds-services(/.*)?\Z|/(open|epic|oracle)/fhir(/.*)?\Z")
_ORIGIN = re.compile(r"https?://([^/:]+)(:\d{1,5})?\Z")
Headers = list[tuple[str, str]]


def allowing(app: "WSGIApplication", *, origins: frozenset[str] = SANDBOXES) -> "WSGIApplication":
    """The demo, answering pages of `origins` and of this machine; cookies are never sent along."""

    def answered(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        origin = environ.get("HTTP_ORIGIN", "")
        if not _OPEN.fullmatch(environ.get("PATH_INFO", "")):
            return app(environ, start)
        if not _allowed(origin, origins):
            return app(environ, _adding(start, [("Vary", "Origin")]))
        if environ["REQUEST_METHOD"] == "OPTIONS":
            start("204 No Content", [*_headers(origin), *_preflight(environ)])
            return []
        return app(environ, _adding(start, _headers(origin)))

    return answered


def _allowed(origin: str, origins: frozenset[str]) -> bool:
    match = _ORIGIN.fullmatch(origin)
    return match is not None and (origin in origins or loopback(match[1]))


def _headers(origin: str) -> Headers:
    return [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Expose-Headers", "Location, ETag, Content-Location"),
        ("Vary", "Origin"),
    ]


def _preflight(environ: "WSGIEnvironment") -> Headers:
    """Chromium asks once more before a public page reaches this machine."""
    found = [
        ("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS"),
        ("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept, If-None-Exist"),
    ]
    if environ.get("HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK") == "true":
        found.append(("Access-Control-Allow-Private-Network", "true"))
    return found


_Problem = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None


def _adding(start: "StartResponse", more: Headers) -> "StartResponse":
    names = {name.lower() for name, _ in more if name != "Vary"}

    def started(
        status: str, headers: Headers, problem: _Problem = None, /
    ) -> Callable[[bytes], object]:
        kept = [one for one in headers if one[0].lower() not in names]
        return start(status, [*kept, *more], problem)

    return started
