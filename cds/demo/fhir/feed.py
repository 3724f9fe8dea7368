"""Follows every change of the store and tells the subscriptions whose criteria it meets.

Runs while the store is held, so that notifications leave in the order of the changes; sending
itself happens in the courier's threads.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from threading import Lock

from cds.clock import Clock
from cds.demo.fhir.dates import range_of
from cds.demo.fhir.delivery import Courier, Message, send
from cds.demo.fhir.errors import FhirError
from cds.demo.fhir.quirks import Quirks
from cds.demo.fhir.resource_json import encode
from cds.demo.fhir.storage import Sandbox, Version
from cds.demo.fhir.subscription_form import Form, form_of
from cds.demo.fhir.topics import Event, State, notification


KIND = "Subscription"


class Feed:
    """The subscriptions of one sandbox server; listens to its store from the start."""

    def __init__(self, store: Sandbox, *, base: str, clock: Clock, quirks: Quirks) -> None:
        self._store, self._base, self._clock, self._quirks = store, base, clock, quirks
        self._courier = Courier()
        self._lock = Lock()
        self._events: dict[str, list[Event]] = {}
        self._forms: dict[str, tuple[Version, Form | None]] = {}
        store.listen(self._changed)

    def events(self, id_: str) -> list[Event]:
        """What a topic subscription was to be told of so far, in order."""
        with self._lock:
            return list(self._events.get(id_, ()))

    def form(self, subscription: Version) -> Form | None:
        """What a Subscription asks for; None where it cannot be served (one that was loaded)."""
        with self._lock:
            there = self._forms.get(subscription.id)
        if there is not None and there[0] is subscription:
            return there[1]
        form = None
        with suppress(FhirError):
            form = form_of(subscription.resource or {}, base=self._base, quirks=self._quirks)
        with self._lock:
            self._forms[subscription.id] = (subscription, form)
        return form

    def state(self, subscription: Version) -> State:
        """A subscription as its notifications describe it; R4's own form has no topic."""
        resource, form = subscription.resource or {}, self.form(subscription)
        topic = form.topic if form is not None else ""
        count = len(self.events(subscription.id))
        error = resource.get("error", "")
        return State(subscription.ref, _status(subscription), topic, count, error)

    def _changed(self, version: Version) -> None:
        if version.kind == KIND:
            self._accept(version)
        with self._store.reading() as records:
            known = [one for one in records.all_of(KIND) if _status(one) == "active"]
        for one in known:
            form = self.form(one)
            if form is None or not form.is_about(version):
                continue
            if self._ended(one):
                self._set(one, "off", "its end has come")
            elif form.topic:
                event = self._count(one.id, version)
                self._post(one, self._bundle(one, form, "event-notification", [event]))
            else:
                self._post(one, self._plain(form, version))

    def _accept(self, version: Version) -> None:
        if version.resource is None:
            with self._lock:
                self._events.pop(version.id, None)
                self._forms.pop(version.id, None)
            return
        form = self.form(version)
        if form is not None and _status(version) == "requested":
            if form.topic:
                self._post(version, self._bundle(version, form, "handshake"))
            else:
                self._set(version, "active")

    def _ended(self, subscription: Version) -> bool:
        end = (subscription.resource or {}).get("end")
        span = range_of(end) if isinstance(end, str) else None
        return span is not None and span.low <= self._clock()

    def _count(self, id_: str, version: Version) -> Event:
        with self._lock:
            events = self._events.setdefault(id_, [])
            events.append(Event(len(events) + 1, version))
            return events[-1]

    def _plain(self, form: Form, version: Version) -> Message:
        """R4 subscription, "rest-hook": an empty POST, or an update of the resource."""
        if not form.payload:
            return Message("POST", form.endpoint, form.headers)
        body = encode(version.resource or {})
        if self._quirks.posts_resource:
            return Message("POST", form.endpoint, form.headers, body, form.payload)
        below = f"{form.endpoint.rstrip('/')}/{version.ref}"
        return Message("PUT", below, form.headers, body, form.payload)

    def _bundle(
        self, subscription: Version, form: Form, kind: str, events: Sequence[Event] = ()
    ) -> Message:
        content = form.content if events else "empty"
        now: datetime = self._clock()
        state = self.state(subscription)
        bundle = notification(state, kind, self._base, now=now, events=events, content=content)
        return Message("POST", form.endpoint, form.headers, encode(bundle), form.payload)

    def _post(self, subscription: Version, message: Message) -> None:
        self._courier.post(subscription.id, lambda: self._deliver(subscription, message))

    def _deliver(self, subscription: Version, message: Message) -> None:
        """Not where the subscription was removed, turned off or given up since."""
        with self._store.reading() as records:
            now = records.current(KIND, subscription.id)
        if now is None or _status(now) not in {"requested", "active"}:
            return
        problem = send(message)
        if problem:
            self._set(now, "error", problem)
        elif _status(subscription) == "requested":
            self._set(subscription, "active")

    def _set(self, subscription: Version, status: str, error: str = "") -> None:
        """Say so in the resource, unless its client changed it meanwhile."""
        with self._store.change() as records:
            if records.current(KIND, subscription.id) is not subscription:
                return
            kept = {**(subscription.resource or {}), "status": status}
            kept.pop("error", None)
            said = {**kept, "error": error} if error else kept
            now = self._clock()
            records.put(KIND, subscription.id, said, method="PUT", now=now)


def _status(version: Version) -> str:
    status: str = (version.resource or {}).get("status", "")
    return status
