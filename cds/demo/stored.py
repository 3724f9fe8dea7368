"""What the store and the FHIR server hold of a patient beside the answers: decisions and flags.

Read for the page alone. The worker of the demo makes the decisions with the hook `regrade`.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
import requests
from msgspec import Struct

from cds.demo.answer import TIMEOUT_SECONDS
from cds.demo.explanation import grade
from cds.store import Store, StoreDown


SHOWN = 8


class Kept(Struct, frozen=True, kw_only=True):
    """One decision that is kept, newest first in a list of them."""

    id: str
    at: datetime
    hook: str
    crs: str
    icans: str
    action: str


class Flagged(Struct, frozen=True, kw_only=True):
    """One Flag of the chart that this service wrote."""

    status: str
    text: str


class Holdings(Struct, frozen=True, kw_only=True):
    """Both, `problem` where one could not be read; `digest` changes with what is shown."""

    decisions: tuple[Kept, ...] = ()
    flags: tuple[Flagged, ...] = ()
    problem: str = ""

    @property
    def digest(self) -> str:
        """The same as long as nothing changed."""
        return sha256(msgspec.json.encode(self)).hexdigest()[:16]


class _Code(Struct, frozen=True):
    text: str = ""


class _Flag(Struct, frozen=True):
    status: str = ""
    code: _Code = _Code()


class _Entry(Struct):
    resource: _Flag


class _Bundle(Struct):
    entry: tuple[_Entry, ...] = ()


def holdings(
    store: Store | None, session: requests.Session, door: str, site: str, patient: str
) -> Holdings:
    """What there is now. `store` None: it is not at hand."""
    problem = ""
    decisions: tuple[Kept, ...] = ()
    try:
        decisions = _decisions(store, site, patient) if store is not None else ()
    except StoreDown:
        problem = "The store cannot be read now."
    try:
        flags = _flags(session, door, patient)
    except (requests.RequestException, msgspec.DecodeError):
        flags, problem = (), "The flags of the FHIR server cannot be read now."
    return Holdings(decisions=decisions, flags=flags, problem=problem)


def _decisions(store: Store, site: str, patient: str) -> tuple[Kept, ...]:
    rows = list(store.decisions(site=site, patient=patient))[-SHOWN:]
    found = []
    for row in reversed(rows):
        said: Mapping[str, Any] = msgspec.json.decode(row.assessment)
        found.append(
            Kept(
                id=row.id,
                at=row.evaluated_at,
                hook=row.hook,
                crs=grade(said.get("crs") or {}),
                icans=grade(said.get("icans") or {}),
                action=str((said.get("disposition") or {}).get("action", "")),
            )
        )
    return tuple(found)


def _flags(session: requests.Session, door: str, patient: str) -> tuple[Flagged, ...]:
    reply = session.get(
        f"{door}/Flag", params={"patient": patient}, timeout=TIMEOUT_SECONDS, allow_redirects=False
    )
    reply.raise_for_status()
    found = msgspec.json.decode(reply.content, type=_Bundle)
    return tuple(
        Flagged(status=one.resource.status, text=one.resource.code.text) for one in found.entry
    )
