"""Sends a hook request over HTTP and reads the reply the way an EHR would.

I/O and decoding only: whatever the service says is shown, nothing is added or left out.
"""

import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import requests
from msgspec import Raw, Struct

from cds.demo.fhir.resource_json import encode
from cds.demo.meaning import NO_ANSWER, NOT_HOOKS, Meaning, of_status
from cds.demo.prefetching import Query


TIMEOUT_SECONDS = 10
ASSESSMENT = "org.btce-cds.assessment"


class Action(Struct, frozen=True, rename="camel"):
    """One action of a suggestion. `resource`: as it came; `resource_id`: of a delete."""

    type: str
    description: str
    resource: Raw = Raw(b"")
    resource_id: str = ""


class Suggestion(Struct, frozen=True):
    """One suggestion."""

    label: str
    uuid: str = ""
    actions: tuple[Action, ...] = ()


class Coding(Struct, frozen=True):
    """A topic or an override reason."""

    code: str
    system: str = ""
    display: str = ""


class Source(Struct, frozen=True):
    """Where a card says its guidance is from."""

    label: str
    url: str = ""
    topic: Coding | None = None


class Link(Struct, frozen=True, rename="camel"):
    """One link of a card."""

    label: str
    url: str
    type: str = "absolute"
    app_context: str = ""


class Card(Struct, frozen=True, rename="camel"):
    """What of a card an EHR puts on the screen."""

    summary: str
    indicator: str
    source: Source
    uuid: str = ""
    detail: str = ""
    suggestions: tuple[Suggestion, ...] = ()
    override_reasons: tuple[Coding, ...] = ()
    links: tuple[Link, ...] = ()


class Reply(Struct, frozen=True):
    """The part of a hook response that is used here."""

    cards: tuple[Card, ...]
    extension: dict[str, Any] = {}


class Answer(Struct, frozen=True, kw_only=True):
    """One round trip: what was sent, what came back, how long it took.

    `meaning` is None when the reply was a CDS Hooks response; then `found` is its assessment.
    `protocol`: of the site that was asked. `applied`: places of suggestions, card and suggestion.
    """

    url: str
    hook: str = ""
    elapsed_ms: int
    status: int
    cards: tuple[Card, ...]
    request: str
    response: str
    found: Mapping[str, Any] = {}
    meaning: Meaning | None = None
    queries: tuple[Query, ...] = ()
    at: datetime | None = None
    about: str = ""
    protocol: str = ""
    applied: frozenset[tuple[int, int]] = frozenset()

    @property
    def evaluated_at(self) -> str:
        """The time of the evaluation as the service says it, empty where it says none."""
        return str(self.found.get("evaluatedAt", ""))

    @property
    def assessment(self) -> str:
        """The assessment as text, empty where none came."""
        return pretty(dict(self.found)) if self.found else ""


def open_session() -> requests.Session:
    """A proxy variable must not take a loopback call elsewhere."""
    session = requests.Session()
    session.trust_env = False
    return session


def send(
    session: requests.Session,
    url: str,
    body: dict[str, Any],
    *,
    headers: Mapping[str, str] | None = None,
    seconds: float = TIMEOUT_SECONDS,
) -> Answer:
    """POST the request and read the reply; a failed call is an answer with a `meaning`."""
    sent = encode(body)
    started = time.perf_counter()
    try:
        reply = session.post(
            url,
            data=sent,
            headers={"Content-Type": "application/json", **(headers or {})},
            timeout=seconds,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        return Answer(
            url=url,
            elapsed_ms=_since(started),
            status=0,
            cards=(),
            request=indented(sent),
            response="",
            meaning=msgspec.structs.replace(NO_ANSWER, details=(type(error).__name__,)),
        )
    return _read(url, _since(started), sent, reply)


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)


def _read(url: str, elapsed: int, sent: bytes, reply: requests.Response) -> Answer:
    cards: tuple[Card, ...] = ()
    found: Mapping[str, Any] = {}
    meaning: Meaning | None = None
    if reply.status_code != requests.codes.ok:
        meaning = of_status(reply.status_code, reply.content)
    else:
        try:
            decoded = msgspec.json.decode(reply.content, type=Reply)
            cards, found = decoded.cards, decoded.extension.get(ASSESSMENT, {})
        except msgspec.DecodeError:
            meaning = NOT_HOOKS
    return Answer(
        url=url,
        elapsed_ms=elapsed,
        status=reply.status_code,
        cards=cards,
        request=indented(sent),
        response=indented(reply.content),
        found=found,
        meaning=meaning,
    )


def pretty(value: Any) -> str:
    """JSON as a person reads it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def indented(body: bytes) -> str:
    """The same of JSON as it was sent, its numbers as they were; other text as it is."""
    try:
        return msgspec.json.format(body, indent=2).decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body.decode(errors="replace")
