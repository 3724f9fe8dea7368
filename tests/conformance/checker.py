"""Holds one HTTP exchange with the service to CDS Hooks 2.0; raises `RuleBroken`.

Every exchange of the whole test suite comes through here, whichever test made it: see `Recorder`.
Independent of the code that builds cards and errors.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from flask import Flask, Response, request
from msgspec import Struct

from cds.schemas import ASSESSMENT, FOLDER, HOOK_REQUEST, validator
from tests.conformance.card_rules import check_card, check_targets, check_unique
from tests.conformance.rules import (
    RuleBroken,
    extensions,
    no_empty_members,
    require,
    strict_json,
    text,
)


EXTENSION = "org.btce-cds.assessment"
ORIGINS = frozenset({"http://127.0.0.1:3000"})  # the one the settings of the tests list
SCHEMA_EVERY = "CHECK_SCHEMA_EVERY"  # app.config: validate the assessment of each nth answer only
STANDARD_HOOKS = {"order-sign", "order-select", "patient-view"}
_CALL = re.compile(r"/cds-services/[^/]+\Z")
_REVERSE_DOMAIN = re.compile(r"[a-z]+(\.[a-z0-9-]+)+\.[a-z0-9]+(-[a-z0-9]+)+\Z")
_CODES = {
    *("invalid", "structure", "required", "value", "invariant", "security", "login", "unknown"),
    *("expired", "forbidden", "suppressed", "processing", "not-supported", "duplicate"),
    *("multiple-matches", "not-found", "deleted", "too-long", "code-invalid", "extension"),
    *("too-costly", "business-rule", "conflict", "transient", "lock-error", "no-store"),
    *("exception", "timeout", "incomplete", "throttled", "informational"),
}  # http://hl7.org/fhir/R4/valueset-issue-type.html


class Exchange(Struct, frozen=True, kw_only=True):
    """One request and its answer; header names are in lower case."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    origin: str = ""
    sent: bytes = b""


def check_exchange(exchange: Exchange, *, schema: bool = True) -> None:
    """Every rule that applies to this exchange; `schema`: the assessment's JSON Schema too."""
    require(exchange.headers.get("x-content-type-options") == "nosniff", "nosniff", exchange.path)
    check_origin(exchange)
    if exchange.status >= 400 and exchange.path != "/readyz":  # 503 with the checks that failed
        check_error(exchange)
        return
    if exchange.method == "OPTIONS" or not exchange.path.startswith("/cds-services"):
        return
    require(exchange.status == 200, "status", exchange.path)
    if exchange.method == "HEAD" or not exchange.body:
        require(not _CALL.match(exchange.path) or exchange.method == "HEAD", "json", exchange.path)
        return
    answer = strict_json(exchange.body, exchange.path)
    fhir = exchange.path.endswith("/feedback") and answer.get("resourceType") == "OperationOutcome"
    media_type = "application/fhir+json" if fhir else "application/json"
    require(_media_type(exchange) == media_type, "media-type", exchange.path)
    if exchange.path == "/cds-services":
        check_discovery(answer)
    elif _CALL.match(exchange.path):
        check_response(answer, schema=schema)
        if exchange.sent:
            check_targets(answer["cards"], _sent(exchange))
    else:
        no_empty_members(answer, exchange.path)


def check_discovery(answer: Any) -> None:
    """2.0, "Discovery"."""
    require(isinstance(answer, dict), "discovery", "discovery")
    require(isinstance(answer.get("services"), list), "discovery", "discovery")
    no_empty_members(answer, "discovery", frozenset({"discovery.services"}))
    extensions(answer, "discovery")
    for number, service in enumerate(answer["services"]):
        at = f"services[{number}]"
        for name in ("hook", "id", "title", "description"):
            text(service, name, "service", at)
        prefetch = service.get("prefetch", {})
        require(isinstance(prefetch, dict), "service", at)
        require(all(isinstance(one, str) for one in prefetch.values()), "service", at)
        standard = service["hook"] in STANDARD_HOOKS
        require(standard or _REVERSE_DOMAIN.match(service["hook"]), "hook-name", at)


def check_response(answer: Any, *, schema: bool = True) -> None:
    """A 200 body of a service call."""
    require(isinstance(answer, dict), "response", "response")
    require(isinstance(answer.get("cards"), list), "cards", "response")
    require("systemActions" not in answer, "system-actions", "response")
    require(set(answer) <= {"cards", "extension"}, "response", "response")
    no_empty_members(answer, "response", frozenset({"response.cards"}))
    extensions(answer, "response")
    for number, card in enumerate(answer["cards"]):
        check_card(card, f"cards[{number}]")
    check_unique(answer["cards"])
    require(EXTENSION in answer.get("extension", {}), "assessment", "response.extension")
    if schema:
        for error in validator(ASSESSMENT).iter_errors(answer["extension"][EXTENSION]):
            place = ".".join(map(str, error.absolute_path))
            raise RuleBroken("assessment", f"{place} ({error.message})")


def check_error(exchange: Exchange) -> None:
    """Not 2xx: an OperationOutcome that helps a developer and repeats nothing of the request."""
    at = f"{exchange.status} {exchange.path}"
    if exchange.method == "HEAD":
        return
    require(_media_type(exchange) == "application/fhir+json", "media-type", at)
    outcome = strict_json(exchange.body, at)
    no_empty_members(outcome, "outcome")
    require(outcome.get("resourceType") == "OperationOutcome", "outcome", at)
    require(isinstance(outcome.get("issue"), list), "outcome", at)
    for issue in outcome["issue"]:
        require(issue.get("severity") in {"fatal", "error"}, "outcome", at)
        require(issue.get("code") in _CODES, "outcome", at)
        details = issue.get("details", {})
        require(details.get("coding", [{}])[0].get("code"), "outcome", at)
        text(details, "text", "outcome", at)
    said = exchange.body.decode()
    for value in _values(_sent(exchange)):
        if value in said:  # as a whole: "other" is no part of "another"
            found = re.search(rf"(?<!\w){re.escape(value)}(?!\w)", said)
            require(not found, "outcome-value", at)
    if exchange.status == 401:
        challenge = exchange.headers.get("www-authenticate", "")
        require(re.fullmatch(r'Bearer( realm="[^"]*")?', challenge), "unauthorized", at)
    if exchange.status == 405:
        require(exchange.headers.get("allow"), "allow", at)


def check_origin(exchange: Exchange) -> None:
    """2.0, "Cross-Origin Resource Sharing": on every answer, the errors and the POST included."""
    permitted = exchange.headers.get("access-control-allow-origin")
    if exchange.origin not in ORIGINS:
        require(permitted is None, "cors", exchange.path)
        return
    names = ("vary", "access-control-allow-methods", "access-control-allow-headers")
    vary, methods, headers = (exchange.headers.get(name, "").lower() for name in names)
    require(permitted == exchange.origin and "origin" in vary, "cors", exchange.path)
    require({"get", "post", "options"} <= _listed(methods), "cors", exchange.path)
    require({"authorization", "content-type"} <= _listed(headers), "cors", exchange.path)


class Recorder:
    """Checks each exchange when the application has finished it, and keeps what was broken."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.seen = 0

    def finished(self, sender: Flask, response: Response, **_: object) -> None:
        """Receiver of Flask's `request_finished`, in the thread of the request."""
        if sender.name != "cds" or response.is_streamed:
            return
        self.seen += 1
        every = sender.config.get(SCHEMA_EVERY, 1)
        try:
            check_exchange(of_request(response), schema=self.seen % every == 0)
        except RuleBroken as error:
            self.broken.append(str(error))

    def take(self) -> list[str]:
        """What was broken since the last time."""
        found, self.broken = self.broken, []
        return found


def of_request(response: Response) -> Exchange:
    """The exchange that this answer ends; inside the request."""
    # Only a test client's body can be read again; over a real socket it is gone.
    sent = getattr(request.environ["wsgi.input"], "getvalue", bytes)()
    return Exchange(
        method=request.method,
        path=request.path,
        status=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=response.get_data(),
        origin=request.headers.get("Origin", ""),
        sent=sent,
    )


def _sent(exchange: Exchange) -> Any:
    try:
        return json.loads(exchange.sent)  # lenient: it reads what the service may have read
    except (ValueError, RecursionError):
        return None  # what is not JSON has no members to repeat


def _values(value: Any) -> Iterator[str]:
    """The texts and numbers in `value` that cannot be in an error by chance."""
    if isinstance(value, dict):
        for member in value.values():
            yield from _values(member)
    elif isinstance(value, list):
        for item in value:
            yield from _values(item)
    elif isinstance(value, str) and len(value) >= 5 and value not in _vocabulary():
        yield value
    elif isinstance(value, float) and not value.is_integer():
        yield str(value)


@cache
def _vocabulary() -> str:
    """The words that errors are made of: those of the request's schema, FHIR's own."""
    feedback = ("accepted", "overridden")
    fhir = " ".join(("OperationOutcome", "error", "fatal", *feedback, *sorted(_CODES)))
    return f"{(FOLDER / HOOK_REQUEST).read_text('utf-8')} {fhir}"


def _media_type(exchange: Exchange) -> str:
    return exchange.headers.get("content-type", "").partition(";")[0].strip()


def _listed(header: str) -> set[str]:
    return {part.strip() for part in header.split(",")}


RECORDER = Recorder()
