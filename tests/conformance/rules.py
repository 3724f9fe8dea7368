"""The rules a message is held to, by name, and the error that says which one was broken where."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Never
from urllib.parse import urlsplit


# "Epic": that client needs it. "ours": stricter than CDS Hooks 2.0, by this project's own design.
RULES: Mapping[str, str] = {
    "json": "the body is JSON: UTF-8, finite numbers, no member named twice",
    "not-empty": "no null, empty or blank member (2.0, Use of JSON)",
    "extension": "an extension is a JSON object with reverse-domain names (2.0, Extensions)",
    "media-type": "cards and services are application/json, an error is application/fhir+json",
    "nosniff": "X-Content-Type-Options is nosniff (ours)",
    "status": "a hook is answered with 200 and cards, or a 4xx or 5xx; never another 2xx or a 3xx",
    "discovery": "an object with a services array (2.0, Discovery)",
    "service": "hook, id, description: strings; prefetch: an object of strings (2.0, Discovery)",
    "hook-name": "a hook of ours has a reverse-domain name (2.0, Hook Definition Format)",
    "response": "an object with cards and our extension, nothing else (2.0, HTTP Response)",
    "cards": "cards is an array (2.0, HTTP Response)",
    "system-actions": "nothing is offered that bypasses a person (ours)",
    "assessment": "the assessment is as its JSON Schema says (ours)",
    "members": "only members that CDS Hooks 2.0 defines",
    "uuid": "a UUID, given once in a response (2.0, Card Attributes, Suggestion)",
    "summary": "a sentence on one line of under 140 characters (2.0, Card Attributes)",
    "detail": "Markdown without HTML (2.0, Card Attributes; some clients show HTML as it is)",
    "indicator": "info, warning or critical (2.0, Card Attributes)",
    "source": "an object with a label (2.0, Source)",
    "url": "an absolute http or https URL (2.0, Source, Link)",
    "topic": "a Coding with a display (2.0, Source)",
    "topic-code": "letters and digits, at most 100 (Epic)",
    "selection-behavior": "`any` with suggestions, absent without (2.0, Card Attributes; Epic)",
    "suggestions": "an array of objects with a label (2.0, Suggestion)",
    "preselected": "no suggestion is recommended: Epic selects it before anyone reads it (ours)",
    "one-action": "one action a suggestion (Epic)",
    "action": "type create, update or delete, and a description (2.0, Action)",
    "resource": "create and update carry a whole FHIR resource as an object (2.0, Action)",
    "resource-id": "a delete carries resourceId, Type/id, and no resource (2.0, Action)",
    "target": "what is updated or deleted is in the request, and is updated whole (2.0, Action)",
    "override-reasons": "Codings with a display (2.0, Reasons for rejecting a card)",
    "link": "label, url, type absolute or smart; appContext with smart only (2.0, Link)",
    "outcome": "a non-2xx is an OperationOutcome whose issues have severity, code and text",
    "outcome-value": "an error repeats no value of the request (ours)",
    "unauthorized": "401 has WWW-Authenticate: Bearer without a reason (RFC 9110, best practices)",
    "allow": "405 has Allow (RFC 9110)",
    "cors": "a listed origin, and no other, is permitted, errors included; Vary: Origin",
}


class RuleBroken(AssertionError):
    """A message breaks the rule named `rule` at the place `at`."""

    def __init__(self, rule: str, at: str) -> None:
        super().__init__(f"{at}: {rule}: {RULES[rule]}")
        self.rule = rule


def require(holds: object, rule: str, at: str) -> None:
    """Raises `RuleBroken` unless `holds`."""
    if not holds:
        raise RuleBroken(rule, at)


def strict_json(body: bytes, at: str) -> Any:
    """The JSON in `body`, read as the strictest client would."""

    def whole(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        require(len(dict(pairs)) == len(pairs), "json", at)
        return dict(pairs)

    def refused(_: str) -> Never:
        raise RuleBroken("json", at)

    try:
        text = body.decode("utf-8")
        return json.loads(text, object_pairs_hook=whole, parse_constant=refused)
    except ValueError:
        raise RuleBroken("json", at) from None


def no_empty_members(value: Any, at: str, allowed: frozenset[str] = frozenset()) -> None:
    """Nothing null, empty or blank at any depth, but the arrays at the places `allowed`."""
    for place in _empty(value):
        where = at + place
        require(where in allowed and _at(value, place) == [], "not-empty", where)


def _empty(value: Any) -> Iterator[str]:
    """The places below `value` that hold nothing; names are only made for these."""
    if value is None or (not value and isinstance(value, str | list | dict)):
        yield ""
    elif isinstance(value, str):
        if value.isspace():
            yield ""
    elif isinstance(value, dict):
        for name, member in value.items():
            for place in _empty(member):
                yield f".{name}{place}"
    elif isinstance(value, list):
        for number, item in enumerate(value):
            for place in _empty(item):
                yield f"[{number}]{place}"


def _at(value: Any, place: str) -> Any:
    """The member of an object at a place of one step."""
    return value.get(place.removeprefix(".")) if isinstance(value, dict) else None


def extensions(value: Any, at: str) -> None:
    """Every `extension` of CDS Hooks; FHIR's own, inside a resource, are arrays and not these."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            extensions(item, f"{at}[{number}]")
    if not isinstance(value, dict):
        return
    for name, member in value.items():
        if name == "extension":
            require(isinstance(member, dict), "extension", at)
            require(all("." in key for key in member), "extension", at)
        elif name != "resource":
            extensions(member, f"{at}.{name}")


def text(value: Any, name: str, rule: str, at: str) -> str:
    """A member that is a string with something in it."""
    require(isinstance(value, dict), rule, at)
    found = value.get(name)
    require(isinstance(found, str) and found.strip(), rule, f"{at}.{name}")
    return str(found)


def coding(value: Any, rule: str, at: str) -> None:
    """A Coding with code, system and display, and nothing else."""
    for name in ("code", "system", "display"):
        text(value, name, rule, at)
    require(set(value) <= {"code", "system", "display"}, "members", at)


def absolute(url: Any, at: str) -> None:
    """An absolute http or https URL."""
    require(isinstance(url, str), "url", at)
    parts = urlsplit(url)
    require(parts.scheme in {"http", "https"} and parts.hostname, "url", at)
