"""Sends the hook request over HTTP and reads the reply the way an EHR would.

I/O and decoding only: whatever the service says is shown, nothing is added or left out.
"""

import json
import time
from typing import Any

import msgspec
import requests
from msgspec import Struct


TIMEOUT_SECONDS = 10
ASSESSMENT = "org.btce-cds.assessment"


class Action(Struct, frozen=True):
    """One action of a suggestion, as it is described to the user."""

    type: str
    description: str


class Suggestion(Struct, frozen=True):
    """One suggestion; the workbench shows it and does not carry it out."""

    label: str
    actions: tuple[Action, ...] = ()


class Source(Struct, frozen=True):
    """Where a card says its guidance is from."""

    label: str
    url: str = ""


class Link(Struct, frozen=True, rename="camel"):
    """One link of a card."""

    label: str
    url: str
    type: str = "absolute"
    app_context: str = ""


class Card(Struct, frozen=True):
    """What of a card an EHR puts on the screen."""

    summary: str
    indicator: str
    source: Source
    detail: str = ""
    suggestions: tuple[Suggestion, ...] = ()
    links: tuple[Link, ...] = ()


class Reply(Struct, frozen=True):
    """The part of a hook response that is used here."""

    cards: tuple[Card, ...]
    extension: dict[str, Any] = {}


class Answer(Struct, frozen=True):
    """One round trip: what was sent, what came back, how long it took.

    `problem` is empty when the reply was a CDS Hooks response.
    """

    url: str
    elapsed_ms: int
    status: int
    cards: tuple[Card, ...]
    request: str
    response: str
    assessment: str
    problem: str = ""


def send(url: str, body: dict[str, Any]) -> Answer:
    """POST the request and read the reply; a failed call is an answer with a `problem`."""
    started = time.perf_counter()
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy variable must not take a loopback call elsewhere
            reply = session.post(url, json=body, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        return _failed(url, started, body, type(error).__name__)
    return _read(url, _since(started), body, reply)


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)


def _failed(url: str, started: float, body: dict[str, Any], reason: str) -> Answer:
    return Answer(
        url=url,
        elapsed_ms=_since(started),
        status=0,
        cards=(),
        request=_pretty(body),
        response="",
        assessment="",
        problem=f"The service did not answer ({reason}). This order was not evaluated.",
    )


def _read(url: str, elapsed: int, body: dict[str, Any], reply: requests.Response) -> Answer:
    cards: tuple[Card, ...] = ()
    assessment = ""
    problem = ""
    try:
        decoded = msgspec.json.decode(reply.content, type=Reply)
        cards = decoded.cards
        assessment = _pretty(decoded.extension.get(ASSESSMENT, {}))
    except msgspec.DecodeError:
        problem = "The reply is not a CDS Hooks response. This order was not evaluated."
    if reply.status_code != requests.codes.ok:
        problem = f"The service answered {reply.status_code}. This order was not evaluated."
    return Answer(
        url=url,
        elapsed_ms=elapsed,
        status=reply.status_code,
        cards=cards,
        request=_pretty(body),
        response=_indented(reply.text),
        assessment=assessment,
        problem=problem,
    )


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _indented(text: str) -> str:
    try:
        return _pretty(json.loads(text))
    except ValueError:
        return text
