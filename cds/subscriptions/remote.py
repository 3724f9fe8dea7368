"""A Subscription as the server has it, and what `$status` and `$events` say. Pure, tolerant."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, get_args

import msgspec
from msgspec import Raw, Struct

from cds.notifications.references import resolve
from cds.notifications.status import Status
from cds.notifications.status import read_status as status_of
from cds.store.rows import SubscriptionStatus
from cds.subscriptions.resource import BACKPORT


class Remote(Struct, frozen=True, kw_only=True):
    """What matters of it. `headers` empty: none, or the server does not show them."""

    id: str
    version: str = ""
    status: SubscriptionStatus = "off"
    endpoint: str = ""
    headers: tuple[str, ...] = ()
    criteria: str = ""
    filters: tuple[str, ...] = ()
    payload: str = ""
    content: str = ""
    end: datetime | None = None


class Said(Struct, frozen=True):
    """The answer to `$status`; `events`: how many there were, None where it does not say."""

    status: SubscriptionStatus | None
    events: int | None


def read_remote(raw: Raw) -> Remote | None:
    """The Subscription in `raw`; None: it is none."""
    found = _object(_decoded(raw))
    if found.get("resourceType") != "Subscription" or not _text(found, "id"):
        return None
    channel = _object(found.get("channel"))
    headers = channel.get("header")
    payload = _extensions(_object(channel.get("_payload")), "payload-content", "valueCode")
    criteria = _object(found.get("_criteria"))
    return Remote(
        id=_text(found, "id"),
        version=_text(_object(found.get("meta")), "versionId"),
        status=_status(found.get("status")) or "off",
        endpoint=_text(channel, "endpoint"),
        headers=tuple(one for one in headers if isinstance(one, str))
        if isinstance(headers, list)
        else (),
        criteria=_text(found, "criteria"),
        filters=tuple(_extensions(criteria, "filter-criteria", "valueString")),
        payload=_text(channel, "payload"),
        content=next(payload, ""),
        end=_instant(_text(found, "end")),
    )


def read_listing(raw: Raw | None) -> Iterator[Remote]:
    """The Subscriptions of a searchset Bundle."""
    entries = _object(_decoded(raw)).get("entry") if raw is not None else None
    for entry in entries if isinstance(entries, list) else []:
        resource = _object(entry).get("resource")
        if isinstance(resource, dict):
            found = read_remote(Raw(msgspec.json.encode(resource)))
            if found is not None:
                yield found


def read_status(raw: Raw, remote: str, base: str) -> Said:
    """What `$status` says of the subscription with this id at the server with this base."""
    for one in _statuses(raw):
        subject = resolve(one.subscription, base)
        if subject.id == remote or not one.subscription:
            return Said(_status(one.status), one.total)
    return Said(None, None)


def read_events(raw: Raw, base: str) -> tuple[str, ...]:
    """The resources the events of `$events` are about, "Type/id", each once, in their order.

    Empty where one of the events does not say: then nobody knows what all of them are about.
    """
    events = [event for one in _statuses(raw) for event in one.events]
    refs = [resolve(event.focus, base).text for event in events]
    return tuple(dict.fromkeys(refs)) if all(refs) else ()


def _statuses(raw: Raw) -> Iterator[Status]:
    """Each status in a Bundle, or one alone."""
    found = _object(_decoded(raw))
    entries = found.get("entry") if found.get("resourceType") == "Bundle" else [{"resource": found}]
    for entry in entries if isinstance(entries, list) else []:
        said = status_of(_object(entry).get("resource"))
        if said is not None:
            yield said


def _extensions(element: Mapping[str, Any], name: str, value: str) -> Iterator[str]:
    found = element.get("extension")
    for one in found if isinstance(found, list) else []:
        if _object(one).get("url") == f"{BACKPORT}{name}" and _text(one, value):
            yield _text(one, value)


def _decoded(raw: Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""


def _status(value: Any) -> SubscriptionStatus | None:
    known: tuple[SubscriptionStatus, ...] = get_args(SubscriptionStatus)
    return next((one for one in known if one == value), None)


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
