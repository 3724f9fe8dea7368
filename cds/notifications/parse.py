"""One request of a FHIR server, read for one purpose: to know whom to read again.

Pure. Nothing else of a body is kept, and no clinical value is looked at. Every spelling that
servers use is taken: an empty POST, a resource by POST or PUT, a DELETE, a Bundle of resources, and
the notifications of Subscriptions R5 Backport 1.1 in the form of R4, R4B and R5.
"""

from typing import Any, cast, get_args

from msgspec import Struct

from cds.body_limits import refuse_unbounded
from cds.errors import BadHookRequest
from cds.notifications.errors import UnreadableNotification
from cds.notifications.keys import event_key, mark, version_key
from cds.notifications.model import Change, Kind, Notification
from cds.notifications.references import Target, of_resource, patients_of, resolve
from cds.notifications.status import Event, Status, read_status
from cds.store.rows import SubscriptionRow, SubscriptionStatus
from cds.trust.strict_json import NotStrictJson, read_object


MAX_CHANGES = 500  # of one notification; with more, everybody of the subscription is read
_KINDS: dict[str, Kind] = {
    "handshake": "handshake",
    "heartbeat": "heartbeat",
    "query-status": "query",
    "query-event": "query",
}
_STATUSES = frozenset(get_args(SubscriptionStatus))
_EVERYBODY = Change()


class Sent(Struct, frozen=True, kw_only=True):
    """A request: its method, the path below the endpoint, the body, and what headers add.

    `version`: of `If-Match`, as HAPI FHIR sends it. `deleted`: of `X-Medplum-Deleted-Resource`.
    """

    method: str = "POST"
    below: str = ""
    body: bytes = b""
    version: str = ""
    deleted: str = ""


class _Entry(Struct, frozen=True):
    url: str
    target: Target
    resource: dict[str, Any]


def parse(sent: Sent, row: SubscriptionRow, base: str | None) -> Notification:
    """What the request says about the subscription `row` of a site whose FHIR base is `base`.

    Raises `UnreadableNotification`, `TooLarge`.
    """
    named = resolve(sent.below or sent.deleted, base)
    if sent.method == "DELETE" or not sent.body.strip():
        return Notification(kind="change", changes=(_change(named),))
    body = _object(sent.body)
    if not body:  # Medplum tells of a deletion like this
        return Notification(kind="change", changes=(_change(named),))
    if body.get("resourceType") == "Bundle":
        return _bundle(body, row, base)
    if not isinstance(body.get("resourceType"), str):
        raise UnreadableNotification("the body is not a FHIR resource")
    return Notification(kind="change", changes=_of_resource(body, named, sent.version, base))


def _object(body: bytes) -> dict[str, Any]:
    try:
        refuse_unbounded(body)
        return read_object(body)
    except BadHookRequest as error:
        raise UnreadableNotification(error.message) from None
    except NotStrictJson:
        raise UnreadableNotification("the body is not one JSON object") from None


def _of_resource(
    resource: dict[str, Any], named: Target, version: str, base: str | None
) -> tuple[Change, ...]:
    """A resource that was sent, and the one its address names if that is another."""
    own = of_resource(resource)
    patients = patients_of(resource, base)
    if not own:  # a resource without an id, or with one that cannot be an id
        return (_change(named, patients),)
    key = version_key(own, resource, version.strip().removeprefix("W/").strip('"'))
    made = (_change(own, patients, key),)
    other = bool(named) and named.text != own.text
    return (*made, _change(named)) if other else made


def _bundle(body: dict[str, Any], row: SubscriptionRow, base: str | None) -> Notification:
    entries = body.get("entry", [])
    if not isinstance(entries, list):
        raise UnreadableNotification("the entries of the Bundle are not an array")
    found = [entry for entry in entries if isinstance(entry, dict)]
    statuses = [read_status(entry.get("resource")) for entry in found]
    status = next(filter(None, statuses), None)
    if status is not None:
        rest = [entry for entry, one in zip(found, statuses, strict=True) if one is None]
        return _topic(body, status, _read(rest, base), row, base)
    changes = tuple(one for entry in _read(found, base) for one in _of_entry(entry, base))
    return Notification(kind="change", changes=_bounded(changes or (_EVERYBODY,)), bundle=True)


def _read(entries: list[dict[str, Any]], base: str | None) -> list[_Entry]:
    """Each entry with what it is about: its resource, else its URL, else its request."""
    read = []
    for entry in entries:
        resource, request = entry.get("resource"), entry.get("request")
        resource = resource if isinstance(resource, dict) else {}
        request = request if isinstance(request, dict) else {}
        url = entry.get("fullUrl")
        own = of_resource(resource)
        target = own or resolve(url, base) or resolve(request.get("url"), base)
        read.append(_Entry(url if isinstance(url, str) else "", target, resource))
    return read


def _of_entry(entry: _Entry, base: str | None) -> tuple[Change, ...]:
    if entry.resource:
        return _of_resource(entry.resource, entry.target, "", base)
    return (_change(entry.target),)


def _topic(
    body: dict[str, Any],
    status: Status,
    entries: list[_Entry],
    row: SubscriptionRow,
    base: str | None,
) -> Notification:
    events = sorted(status.events, key=lambda one: -1 if one.number is None else one.number)
    kind = _KINDS.get(status.type, "event")  # what is not known here is read rather than dropped
    told = set()
    changes = []
    for position, event in enumerate(events):
        key = event_key(event, position, body, status)
        change, entry = _of_event(event, key, entries, base)
        changes.append(change)
        told |= {entry.target.text} if entry is not None else set()
    if kind == "event" or events:
        changes += _beside(entries, told, changes, base)
    made = mark(body, status)
    if kind == "event" and not changes:
        changes = [Change(key=f"event/-/{made}" if made else "")]
    numbers = tuple(event.number for event in events if event.number is not None)
    if kind == "event" and not numbers and status.total is not None:
        numbers = (status.total,)  # the count includes the event that is told
    code = status.status
    return Notification(
        kind=kind,
        changes=_bounded(tuple(changes)),
        numbers=numbers,
        total=status.total,
        status=cast("SubscriptionStatus", code) if code in _STATUSES else None,
        errors=status.errors,
        mark=made,
        of_another=_of_another(status.subscription, row.remote),
        bundle=True,
    )


def _of_event(
    event: Event, key: str, entries: list[_Entry], base: str | None
) -> tuple[Change, _Entry | None]:
    target = resolve(event.focus, base)
    entry = next((one for one in entries if _is_focus(one, event.focus, target)), None)
    if entry is not None and not target.foreign:
        target = target or entry.target
    patients = [target.patient, *(patients_of(entry.resource, base) if entry else ())]
    if not any(patients):
        context = [resolve(one, base).patient for one in event.context]
        patients = context if len(set(filter(None, context))) == 1 else []
    return _change(target, tuple(dict.fromkeys(filter(None, patients))), key), entry


def _is_focus(entry: _Entry, focus: str, target: Target) -> bool:
    if not focus:
        return False
    return entry.url == focus or (bool(target) and entry.target.text == target.text)


def _beside(
    entries: list[_Entry], told: set[str], changes: list[Change], base: str | None
) -> list[Change]:
    """Patients of resources that no event points to, where no event told of these patients."""
    known = {patient for change in changes for patient in change.patients}
    more = []
    for entry in entries:
        others = tuple(one for one in patients_of(entry.resource, base) if one not in known)
        if entry.target.text in told or not others:
            continue
        known.update(others)
        key = version_key(entry.target, entry.resource)
        more.append(_change(entry.target, others, key))
    return more


def _of_another(reference: str, remote: str) -> bool:
    """Whether a notification names a Subscription, and not the one its address belongs to."""
    named, own = _last(reference), _last(remote)
    return bool(named and own) and named != own


def _last(reference: str) -> str:
    return reference.partition("/_history/")[0].rstrip("/").rpartition("/")[2]


def _change(target: Target, patients: tuple[str, ...] = (), key: str = "") -> Change:
    return Change(key=key, patients=patients, ref=target.text, foreign=target.foreign)


def _bounded(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """Without repeats; everybody where nothing is named, and where too much is."""
    once = tuple(dict.fromkeys(changes))
    return once if len(once) <= MAX_CHANGES else (_EVERYBODY,)
