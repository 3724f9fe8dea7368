"""One query read page by page, within limits; what was read before a failure is kept.

A page that is not followed leaves its `next` link in place: the mapping then knows that the answer
is a part. The reader is fhirclient's `FHIRServer` on a guarded session.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec
import requests
from fhirclient.server import (
    FHIRNotFoundException,
    FHIRPermissionDeniedException,
    FHIRServer,
    FHIRUnauthorizedException,
)
from msgspec import Raw, Struct
from urllib3.exceptions import ProtocolError

from cds.body_limits import refuse_unbounded
from cds.errors import ServiceError
from cds.fhir_guard import GuardedSession, Kind, ReadRefused
from cds.fhir_urls import is_below
from cds.prefetch import Enough, ToAsk, Value, classify, newest_only


MAX_PAGES = 10
MAX_ENTRIES = 5000
_STATUSES = (FHIRUnauthorizedException, FHIRPermissionDeniedException, FHIRNotFoundException)
# FHIR R4 http: a search that finds nothing is answered 200 with an empty Bundle. 404 and 410 say
# that the type is not served or the record is gone: nothing is known, not "none charted".
_KINDS: Mapping[int, Kind] = {
    401: "not-authorised",
    403: "not-authorised",
    404: "not-found",
    410: "not-found",
    429: "too-many-requests",
}


class Answer(NamedTuple):
    """What a query brought: a value if anything new was read; why it is not all, if it is not."""

    raw: Raw | None
    kind: Kind | None = None


class _Searchset(
    Struct, rename="camel", omit_defaults=True, tag_field="resourceType", tag="Bundle"
):
    type: Literal["searchset"] | None
    entry: list[Raw]
    link: list[dict[str, str]] = []


def read_pages(one: ToAsk, path: str, server: FHIRServer, enough: Enough) -> Answer:
    """`path` from its start, or what lies behind the page that is there already."""
    pages = [] if one.first is None else [one.first]
    link = path if one.first is None else one.first.next_link
    there = len(pages)
    seen: set[str] = set()
    kind: Kind | None = None
    try:
        while link:
            if pages:
                _refuse_page(link, pages, seen, server.session.base)
            seen.add(link)
            value = _page(one.template, link, server, alone=not pages)
            pages.append(value)
            link = value.next_link
            if value.state in {"failed", "caveats"}:
                kind = "failed"
                break
            if newest_only(one.template) or (link and enough(one.key, _joined(pages, link))):
                break
    except ReadRefused as error:
        kind = error.kind
    return Answer(_joined(pages, link) if len(pages) > there else None, kind)


def _refuse_page(link: str, pages: list[Value], seen: set[str], base: str) -> None:
    """Raises `ReadRefused` for a page that is not to be read."""
    if not is_below(base, link):
        raise ReadRefused("foreign-link", "the next page is not below the FHIR base")
    if link in seen:
        raise ReadRefused("endless-pages", "the next page was read before")
    if len(pages) >= MAX_PAGES or sum(len(page.entries) for page in pages) >= MAX_ENTRIES:
        raise ReadRefused("too-large", "there are more pages than are read")


def _page(template: str, path: str, server: FHIRServer, *, alone: bool) -> Value:
    """One answer of the server that is of the type asked for; raises `ReadRefused`."""
    try:
        # The bytes, not `request_json`: numbers are read as they were written.
        body: bytes = server.request_data(path)
        refuse_unbounded(body)
        raw = msgspec.json.decode(body, type=Raw)
    except ReadRefused:
        raise
    except (requests.RequestException, *_STATUSES) as error:
        raise ReadRefused(kind_of(error, server.session), "the server did not answer") from None
    except (ServiceError, msgspec.DecodeError):
        raise ReadRefused("not-fhir", "the answer is not JSON within the limits") from None
    value = classify(template, raw)
    if value.state == "none" and value.raw is None:  # the word `null`: good in a prefetch only
        raise ReadRefused("not-fhir", "the answer is not a resource")
    if value.state == "wrong-type" or ("?" not in template and value.entries):
        raise ReadRefused("not-fhir", "the answer is not the resource that was asked for")
    if value.state == "failed" and not alone:
        raise ReadRefused("failed", "the server reports an error for this page")
    return value


def kind_of(error: Exception, session: GuardedSession) -> Kind:
    response = getattr(error, "response", None)
    if response is not None:
        status: int = response.status_code
        return _KINDS.get(status, "server-error" if status >= 500 else "rejected")
    if isinstance(error, requests.Timeout) or session.left() <= 0:
        return "timeout"
    if not isinstance(error, requests.ConnectionError):
        return "refused"
    broken = bool(error.args) and isinstance(error.args[0], ProtocolError)
    return "cut-off" if broken else "unreachable"


def _joined(pages: list[Value], link: str) -> Raw:
    """All pages as one; as it came where there is one only."""
    if len(pages) == 1:
        return pages[0].raw or Raw()
    entries = [entry for page in pages for entry in page.entries]
    links = {"self": pages[0].self_link, "next": link}
    said = [{"relation": name, "url": url} for name, url in links.items() if url]
    return Raw(msgspec.json.encode(_Searchset("searchset", entries, said)))
