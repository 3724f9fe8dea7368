"""Fills the prefetch of a hook call as an EHR does: the service's own templates, asked of FHIR.

CDS Hooks 2.0, "Prefetch Template": the templates come from the discovery answer; a query that
fails leaves its key out. Every query is kept for the page. Judges nothing.
"""

import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import requests
from msgspec import Struct

from cds.demo.as_of import as_of
from cds.demo.fhir.resource_json import NotJson, decode


TIMEOUT_SECONDS = 10
_TOKEN = re.compile(r"\{\{([^{}]*)\}\}")
Resource = dict[str, Any]


class Query(Struct, frozen=True, kw_only=True):
    """One query: what was asked, what came. `found`: entries, of a search."""

    key: str
    path: str
    status: int = 0
    found: int | None = None
    elapsed_ms: int = 0
    problem: str = ""


class Prefetched(Struct, frozen=True):
    """The values by key, and the queries in the order of the templates."""

    values: dict[str, Any]
    queries: tuple[Query, ...] = ()


class _Service(Struct):
    id: str
    prefetch: dict[str, str] = {}


class _Discovery(Struct):
    services: list[_Service]


class NoDiscovery(Exception):
    """The service says nothing of itself, so an EHR does not know what to send."""


def templates_of(session: requests.Session, base: str, service: str) -> Mapping[str, str]:
    """The templates of one service by its discovery answer. Raises `NoDiscovery`."""
    url = f"{base}/cds-services"
    try:
        reply = session.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise NoDiscovery(f"GET {url}: no answer ({type(error).__name__})") from None
    if reply.status_code != requests.codes.ok:
        raise NoDiscovery(f"GET {url}: HTTP {reply.status_code}")
    try:
        found = msgspec.json.decode(reply.content, type=_Discovery).services
    except msgspec.DecodeError:
        raise NoDiscovery(f"GET {url}: not a discovery answer") from None
    for one in found:
        if one.id == service:
            return one.prefetch
    raise NoDiscovery(f"GET {url}: no service {service}")


class Source(Struct, frozen=True, kw_only=True):
    """Where it is asked: `door` is reached, and is the server that calls itself `base`.

    `until`: nothing charted later; None: everything.
    """

    door: str
    base: str
    until: datetime | None = None


def fill(
    session: requests.Session,
    templates: Mapping[str, str],
    context: Mapping[str, Any],
    source: Source,
) -> Prefetched:
    """Ask every template."""
    values: dict[str, Any] = {}
    queries = []
    for key, template in templates.items():
        value, query = _ask(session, key, _path(template, context), source)
        queries.append(query)
        if query.problem == "":
            values[key] = value
    return Prefetched(values, tuple(queries))


def _path(template: str, context: Mapping[str, Any]) -> str | None:
    """The template with its tokens; None where one is not known, as an EHR then skips the key."""
    user = str(context.get("userId", ""))
    known = {f"context.{name}": value for name, value in context.items() if isinstance(value, str)}
    if user.startswith("Practitioner/"):
        known["userPractitionerId"] = user.partition("/")[2]
    names = _TOKEN.findall(template)
    if not all(name.strip() in known for name in names):
        return None
    return _TOKEN.sub(lambda found: known[found[1].strip()], template)


def _ask(
    session: requests.Session, key: str, path: str | None, source: Source
) -> tuple[Resource | None, Query]:
    if path is None:
        return None, Query(key=key, path="", problem="a token of the template is not known here")
    started = time.perf_counter()
    try:
        reply = session.get(f"{source.door}/{path}", timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        return None, Query(key=key, path=path, problem=f"no answer ({type(error).__name__})")
    elapsed = round((time.perf_counter() - started) * 1000)
    query = Query(key=key, path=path, status=reply.status_code, elapsed_ms=elapsed)
    if reply.status_code != requests.codes.ok:
        why = f"HTTP {reply.status_code}: the key is left out"
        return None, msgspec.structs.replace(query, problem=why)
    try:
        # The door is another way into the server that the request names.
        value = decode(reply.content.replace(source.door.encode(), source.base.encode()))
    except NotJson as error:
        return None, msgspec.structs.replace(query, problem=str(error))
    if source.until is not None:
        value = as_of(value, source.until)
    found = len(value.get("entry", ())) if value.get("resourceType") == "Bundle" else None
    return value, msgspec.structs.replace(query, found=found)
