"""One saved hook request: its moment, and the request as of it.

It carries no time of its own. When its drafts were written is the moment; without one, the latest
thing it holds, which is at most the time it was sent: that is counted apart.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import msgspec
from msgspec import Raw, Struct

from cds.hook_request import HookRequest
from cds.replay.as_of import Item, resources_of, then, then_sent, value_then
from cds.replay.known import about, head_of, moment_of, when_known
from cds.replay.patients import is_grade
from fhir_mapping.codes import CodeSets


_DRAFTS = frozenset({"MedicationRequest", "ServiceRequest"})


class When(Struct, frozen=True):
    """The moment; `latest`: taken from the latest thing in the request."""

    at: datetime
    latest: bool


def when(request: HookRequest, *, updates: bool) -> When | None:
    """The moment of a request, or None where nothing in it has a time with a zone."""
    drafts = resources_of(request.draft_orders) if request.draft_orders is not None else ()
    heads = [head for head in map(head_of, drafts) if head is not None]
    written = [moment_of(head) for head in heads if head.resource_type in _DRAFTS]
    times = [at for at in written if at is not None]
    if times:
        return When(max(times), latest=False)
    exact = [
        item.known.latest
        for item in _items(request, updates=updates)
        if item.known.latest is not None and item.known.latest == item.known.earliest
    ]
    return When(max(exact), latest=True) if exact else None


def as_of(request: HookRequest, at: datetime, left: Counter[str], *, updates: bool) -> HookRequest:
    """The request without what is surely later than `at`; `left` counts, see `Chart.prefetch`."""

    def keep(raw: Raw) -> bytes | None:
        item = _item(raw, updates=updates)
        if item is None:
            return bytes(raw)
        kept = then_sent(item, at)
        left["counted" if kept is not None else item.known.by] += 1
        return kept

    prefetch = {name: value_then(value, keep) for name, value in request.prefetch.items()}
    return msgspec.structs.replace(request, prefetch=prefetch)


def without_grades(
    request: HookRequest, at: datetime, known_by: datetime, codes: CodeSets, *, updates: bool
) -> HookRequest:
    """The chart of the request as it surely was at `at`, every clinician's grade hidden."""

    def keep(raw: Raw) -> bytes | None:
        item = _item(raw, updates=updates)
        if item is None:
            return bytes(raw)
        if item.type == "Observation" and is_grade(raw, codes):
            return None
        return then(item, at, known_by)

    prefetch = {name: value_then(value, keep) for name, value in request.prefetch.items()}
    return msgspec.structs.replace(
        request, hook="patient-view", draft_orders=None, selections=None, prefetch=prefetch
    )


def grades_of(request: HookRequest, codes: CodeSets) -> tuple[Item, ...]:
    """The clinicians' grades in a request."""
    return tuple(
        item
        for item in _items(request, updates=False)
        if item.type == "Observation" and is_grade(item.raw, codes)
    )


def last_time(items: tuple[Item, ...]) -> datetime | None:
    """A time that none of what the items are about is later than."""
    times = [about(item.head).latest for item in items]
    return max((at for at in times if at is not None), default=None)


def _items(request: HookRequest, *, updates: bool) -> Iterator[Item]:
    for value in request.prefetch.values():
        for raw in resources_of(value):
            item = _item(raw, updates=updates)
            if item is not None:
                yield item


def _item(raw: Raw, *, updates: bool) -> Item | None:
    head = head_of(raw)
    if head is None:
        return None
    return Item(raw=bytes(raw), head=head, known=when_known(head, updates=updates))
