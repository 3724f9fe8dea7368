"""Which subscriptions a cohort needs: four a patient, and one for patients not known yet. Pure."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from cds.store.rows import Content, SubscriptionKind, SubscriptionRow
from cds.subscriptions.resource import HEARTBEAT_SECONDS, Address, topic_and_filter, type_of


LASTS = timedelta(days=14)  # until `end`, at each renewal
TYPES = ("Observation", "MedicationAdministration", "Condition", "Procedure")
NEW_PATIENTS = "MedicationAdministration?"
_ID = re.compile(r"[A-Za-z0-9.-]+")


class Shape(Struct, frozen=True, kw_only=True):
    """How a site's server is asked: R4 criteria or a topic, and what a notification holds.

    `topic`: the canonical URL, for the kind topic. `types`: of which resources of a patient; a
    topic may not be about all of them. Raises `ValueError` where the parts do not fit.
    """

    kind: SubscriptionKind = "rest-hook"
    content: Content = "empty"
    topic: str = ""
    types: tuple[str, ...] = TYPES

    def __post_init__(self) -> None:
        if self.kind == "rest-hook" and self.content == "id-only":
            raise ValueError("--content id-only needs --kind topic: R4 knows empty or a resource")
        if (self.kind == "topic") != bool(self.topic):
            raise ValueError("--topic URL belongs to --kind topic, and is required there")
        if " " in self.topic:
            raise ValueError("--topic: a canonical URL has no space")
        if not self.types or not set(self.types) <= set(TYPES):
            raise ValueError(f"--type: one or more of {', '.join(TYPES)}")


def wanted(
    patients: Iterable[str], shape: Shape, address: Address, now: datetime
) -> Iterator[SubscriptionRow]:
    """A row for each, as it is before the server has heard of it.

    A topic without a filter would send every patient's events: there new patients are found by
    reading alone.
    """
    if shape.kind == "rest-hook":
        yield _row("", NEW_PATIENTS, shape, address, now)
    for patient in patients:
        if _ID.fullmatch(patient):  # any other would be read as more of the query
            for kind in shape.types:
                yield _row(patient, f"{kind}?patient=Patient/{patient}", shape, address, now)


def shape_of(rows: Iterable[SubscriptionRow]) -> Shape | None:
    """How the site is asked now, by the newest of its rows; None: it has none."""
    kept = tuple(rows)
    newest = max(kept, key=lambda one: (one.ends_at or one.heard_at, one.id), default=None)
    if newest is None:
        return None
    alike = [one for one in kept if (one.kind, one.content) == (newest.kind, newest.content)]
    seen = {type_of(one) for one in alike if one.patient}
    return Shape(
        kind=newest.kind,
        content=newest.content,
        topic=topic_and_filter(newest.criteria)[0] if newest.kind == "topic" else "",
        types=tuple(kind for kind in TYPES if kind in seen) or TYPES,
    )


def wish(row: SubscriptionRow) -> tuple[str, str, str, str]:
    """What makes two rows the same subscription."""
    return row.kind, row.content, row.patient, row.criteria


def _row(
    patient: str, query: str, shape: Shape, address: Address, now: datetime
) -> SubscriptionRow:
    criteria = f"{shape.topic} {query}" if shape.kind == "topic" else query
    return SubscriptionRow(
        id=address.new_id(shape.kind, shape.content, criteria),
        site=address.site,
        criteria=criteria,
        kind=shape.kind,
        content=shape.content,
        status="requested",
        heard_at=now,
        patient=patient,
        heartbeat_seconds=HEARTBEAT_SECONDS if shape.kind == "topic" else None,
        ends_at=now + LASTS,
    )
