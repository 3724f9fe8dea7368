"""What a Subscription asks for: which changes, how and where they are told. No store, no network.

Two forms: R4's own, a search string in `criteria`; and the topic form of the Subscriptions R5
Backport 1.1 guide (http://hl7.org/fhir/uv/subscriptions-backport/STU1.1/), a topic in `criteria`.
"""

import ipaddress
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

from cds.demo.fhir.elements import member, values
from cds.demo.fhir.errors import FhirError
from cds.demo.fhir.query import Query, parse
from cds.demo.fhir.quirks import Quirks
from cds.demo.fhir.resource_json import Resource
from cds.demo.fhir.storage import Version


TOPIC = "http://btce-cds.org/fhir/SubscriptionTopic/observation-changed"
TOPIC_TYPE = "Observation"
BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
CONTENTS = frozenset({"empty", "id-only", "full-resource"})
_JSON = frozenset({"application/fhir+json", "application/json"})
_HEADER = re.compile(r"([A-Za-z0-9-]+):[ \t]*([\x20-\x7e]*)")
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection"})


class Form(Struct, frozen=True):
    """One Subscription. `topic` "": R4's own form. `payload` "": nothing is sent along."""

    topic: str
    queries: tuple[Query, ...]
    endpoint: str
    headers: tuple[tuple[str, str], ...]
    payload: str
    content: str

    def is_about(self, version: Version) -> bool:
        """Whether this new state of a resource is one to tell of."""
        if version.resource is None:
            return False
        if self.topic and version.kind != TOPIC_TYPE:
            return False
        resource = version.resource
        return all(
            query.kind == version.kind and all(test(resource) for test in query.tests)
            for query in self.queries
        )


def form_of(resource: Resource, *, base: str, quirks: Quirks) -> Form:
    """The form of a Subscription. Raises `FhirError` 422 for one that could not be served."""
    criteria, channel = resource.get("criteria"), resource.get("channel")
    if not isinstance(criteria, str) or not isinstance(channel, dict):
        raise _refused("required", "criteria and channel are required")
    if channel.get("type") != "rest-hook":
        raise _refused("not-supported", "channel.type: only rest-hook is served")
    payload = channel.get("payload", "")
    if payload and (not isinstance(payload, str) or payload not in _JSON):
        raise _refused("not-supported", "channel.payload: only JSON is served")
    endpoint, headers = _endpoint(channel.get("endpoint")), tuple(_headers(channel))
    if "?" not in criteria and "://" in criteria:
        if criteria != TOPIC:
            raise _refused("not-supported", "criteria: this server does not have that topic")
        filters = list(_extension(resource.get("_criteria"), "filter-criteria", "valueString"))
        queries = tuple(_query(text, base, quirks) for text in filters)
        if any(query.kind != TOPIC_TYPE for query in queries):
            raise _refused("not-supported", f"the topic is about {TOPIC_TYPE} only")
        content = next(_extension(channel.get("_payload"), "payload-content", "valueCode"), "")
        if content not in CONTENTS or not payload:
            raise _refused("required", "channel.payload and its backport-payload-content")
        return Form(criteria, queries, endpoint, headers, payload, content)
    return Form("", (_query(criteria, base, quirks),), endpoint, headers, payload, "")


def _query(text: str, base: str, quirks: Quirks) -> Query:
    kind, _, search = text.partition("?")
    pairs = parse_qsl(search, keep_blank_values=True)
    try:
        return parse(kind, pairs, base=base, quirks=quirks, strict=True)
    except FhirError as error:
        raise _refused(error.code, f"criteria: {error.text}") from None


def _extension(element: Any, name: str, kind: str) -> Iterator[str]:
    for one in values(element, "extension"):
        if member(one, "url") == f"{BACKPORT}backport-{name}":
            text = member(one, kind)
            yield text if isinstance(text, str) else ""


def _endpoint(text: Any) -> str:
    """Only this machine: the sandbox must not be made to call anything else."""
    try:
        parts = urlsplit(text if isinstance(text, str) else "")
        host = parts.hostname or ""
        there = parts.scheme in {"http", "https"} and parts.username is None
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise _refused("value", "channel.endpoint: not a loopback address") from None
    if not there or not loopback:
        raise _refused("value", "channel.endpoint: not a loopback address")
    return str(text)


def _headers(channel: Resource) -> Iterator[tuple[str, str]]:
    for text in values(channel, "header"):
        found = _HEADER.fullmatch(text) if isinstance(text, str) else None
        if found is None or found[1].lower() in _OWN_HEADERS:
            raise _refused("value", "channel.header: not a header that may be set")
        yield found[1], found[2]


def _refused(code: str, text: str) -> FhirError:
    return FhirError(422, code, text)
