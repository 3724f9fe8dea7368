"""Notification Bundles and status of the topic form, as the R5 Backport 1.1 guide has them for R4.

http://hl7.org/fhir/uv/subscriptions-backport/STU1.1/notifications.html. Values in, resources out.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from cds.demo.fhir.resource_json import Resource
from cds.demo.fhir.storage import Version, instant
from cds.demo.fhir.subscription_form import BACKPORT


class Event(Struct, frozen=True):
    """One change a subscription was to be told of; `number` counts from 1."""

    number: int
    version: Version


class State(Struct, frozen=True):
    """A subscription as it is described; `topic` "": it has none. `count`: its events so far."""

    ref: str
    status: str
    topic: str
    count: int
    error: str = ""


def status(
    state: State, kind: str, base: str, events: Sequence[Event] = (), content: str = "empty"
) -> Resource:
    """The SubscriptionStatus, which R4 writes as Parameters; `kind`: type of the notification."""
    bare = content == "empty"
    reference = {"reference": f"{base}/{state.ref}"}
    parameters: list[Resource] = [{"name": "subscription", "valueReference": reference}]
    if state.topic and (not bare or kind.startswith("query")):
        parameters.append({"name": "topic", "valueCanonical": state.topic})
    parameters += [
        {"name": "status", "valueCode": state.status},
        {"name": "type", "valueCode": kind},
        {"name": "events-since-subscription-start", "valueString": str(state.count)},
    ]
    parameters += [_event(one, base, bare=bare) for one in events]
    if state.error:
        parameters.append({"name": "error", "valueCodeableConcept": {"text": state.error}})
    return {
        "resourceType": "Parameters",
        "id": str(uuid.uuid4()),
        "meta": {"profile": [f"{BACKPORT}backport-subscription-status-r4"]},
        "parameter": parameters,
    }


def notification(
    state: State,
    kind: str,
    base: str,
    *,
    now: datetime,
    events: Sequence[Event] = (),
    content: str = "empty",
) -> Resource:
    """The Bundle of one notification; its first entry is the status."""
    described = status(state, kind, base, events, content)
    first = {
        "fullUrl": f"urn:uuid:{described['id']}",
        "resource": described,
        "request": {"method": "GET", "url": f"{base}/{state.ref}/$status"},
        "response": {"status": "200"},
    }
    about = [] if content == "empty" else [_entry(one.version, base, content) for one in events]
    return {
        "resourceType": "Bundle",
        "id": str(uuid.uuid4()),
        "meta": {"profile": [f"{BACKPORT}backport-subscription-notification-r4"]},
        "type": "history",
        "timestamp": instant(now),
        "entry": [first, *about],
    }


def _event(event: Event, base: str, *, bare: bool) -> Resource:
    parts: list[Resource] = [
        {"name": "event-number", "valueString": str(event.number)},
        {"name": "timestamp", "valueInstant": instant(event.version.updated)},
    ]
    if not bare:
        focus = {"reference": f"{base}/{event.version.ref}"}
        parts.append({"name": "focus", "valueReference": focus})
    return {"name": "notification-event", "part": parts}


def _entry(version: Version, base: str, content: str) -> Resource:
    created = version.method == "POST"
    entry: Resource = {"fullUrl": f"{base}/{version.ref}"}
    if content == "full-resource":
        entry["resource"] = version.resource
    return entry | {
        "request": {"method": version.method, "url": version.kind if created else version.ref},
        "response": {"status": "201" if version.number == 1 else "200"},
    }
