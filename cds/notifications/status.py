"""The first entry of a topic notification, in each of its forms; interprets no reference.

Subscriptions R5 Backport 1.1: a Parameters resource in R4, a SubscriptionStatus in R4B and R5. The
same reader serves the answers to `$status` and `$events`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct


_NUMBER = re.compile(r"[0-9]{1,18}")


class Event(Struct, frozen=True, kw_only=True):
    """One event. `number` None: it has none that can be used. `focus`, `context`: references."""

    number: int | None = None
    timestamp: str = ""
    focus: str = ""
    context: tuple[str, ...] = ()


class Status(Struct, frozen=True, kw_only=True):
    """`type`, `status`: the codes as sent. `total`: events since the subscription began."""

    id: str = ""
    type: str = ""
    status: str = ""
    subscription: str = ""
    total: int | None = None
    events: tuple[Event, ...] = ()
    errors: int = 0


def read_status(resource: object) -> Status | None:
    """The status, if the resource is one."""
    if not isinstance(resource, dict):
        return None
    if resource.get("resourceType") == "SubscriptionStatus":
        return _of_status(resource)
    if resource.get("resourceType") == "Parameters":
        return _of_parameters(resource)
    return None


def _of_status(resource: dict[str, Any]) -> Status:
    events = _objects(resource.get("notificationEvent"))
    return Status(
        id=_text(resource.get("id")),
        type=_text(resource.get("type")),
        status=_text(resource.get("status")),
        subscription=_reference(resource.get("subscription")),
        total=_number(resource.get("eventsSinceSubscriptionStart")),
        events=tuple(
            Event(
                number=_number(event.get("eventNumber")),
                timestamp=_text(event.get("timestamp")),
                focus=_reference(event.get("focus")),
                context=tuple(map(_reference, _objects(event.get("additionalContext")))),
            )
            for event in events
        ),
        errors=len(_objects(resource.get("error"))),
    )


def _of_parameters(resource: dict[str, Any]) -> Status | None:
    parts = _objects(resource.get("parameter"))
    names = {part.get("name") for part in parts if isinstance(part.get("name"), str)}
    if not names & {"subscription", "type", "notification-event"}:
        return None
    return Status(
        id=_text(resource.get("id")),
        type=_text(_first(parts, "type")),
        status=_text(_first(parts, "status")),
        subscription=_reference(_first(parts, "subscription")),
        total=_number(_first(parts, "events-since-subscription-start")),
        events=tuple(
            Event(
                number=_number(_first(event, "event-number")),
                timestamp=_text(_first(event, "timestamp")),
                focus=_reference(_first(event, "focus")),
                context=tuple(map(_reference, _every(event, "additional-context"))),
            )
            for event in (_objects(p.get("part")) for p in parts if _is(p, "notification-event"))
        ),
        errors=sum(_is(part, "error") for part in parts),
    )


def _is(part: dict[str, Any], name: str) -> bool:
    return part.get("name") == name


def _every(parts: Iterable[dict[str, Any]], name: str) -> Iterator[object]:
    """The values of the parts of this name, whatever type of value[x] they are."""
    for part in parts:
        if _is(part, name):
            yield next((value for key, value in part.items() if key.startswith("value")), None)


def _first(parts: Iterable[dict[str, Any]], name: str) -> object:
    return next(_every(parts, name), None)


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _reference(value: object) -> str:
    return _text(value.get("reference")) if isinstance(value, dict) else _text(value)


def _number(value: object) -> int | None:
    """A count, sent as a number or as a string; R5's integer64 is a string in JSON."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value).strip() if isinstance(value, str) or abs(value) < 10**18 else ""
    return int(text) if _NUMBER.fullmatch(text) else None
