"""Reads NDJSON line by line, once, and files each line under its patient; keeps no resource.

A line that cannot be used is counted with its reason. Which queries an export answers, and from
when on, is seen here: a type that is nowhere in it was not exported, which is not "none charted".
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from cds.config import same_base
from cds.replay.index import Index, Place
from cds.replay.known import DATED, Head, head_of, when_known
from cds.replay.ledger import Ledger, cannot_read
from fhir_mapping.bundles import BAD_INPUT
from fhir_mapping.codes import CodeSets
from fhir_mapping.record import find_concept
from fhir_mapping.resources import Observation


LONGEST_LINE = 8 * 1024 * 1024
ORDERS = frozenset({"MedicationRequest", "ServiceRequest", "MedicationAdministration"})
SHARED = frozenset({"Medication", "Device"})
_BOM = b"\xef\xbb\xbf"
_RELATIVE = re.compile(r"Patient/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_QUERY_OF: Mapping[str, str] = {
    "Patient": "patient",
    "MedicationAdministration": "administrations",
    "MedicationRequest": "orders",
    "Condition": "conditions",
    "Procedure": "procedures",
    "Encounter": "encounter",
}
_CATEGORY_OF = {"vital-signs": "vitals", "survey": "assessments", "laboratory": "labs"}
_OXYGEN = frozenset({"oxygen-device", "oxygen-flow", "oxygen-fraction"})


class Answered(Struct):
    """From when on each query of the service has an answer in the export; mutable while read."""

    since: dict[str, datetime] = {}

    def add(self, query: str, at: datetime | None) -> None:
        """Something that answers `query` was surely known at `at`; None: nobody can say when."""
        if at is not None:
            self.since[query] = min(at, self.since.get(query, at))

    def by(self, at: datetime) -> frozenset[str]:
        """The queries that are answered at a moment."""
        return frozenset(query for query, since in self.since.items() if since <= at)


class Reader(Struct, frozen=True):
    """What reading a line needs. `base`: the site's FHIR base, where one is known."""

    index: Index
    ledger: Ledger
    answered: Answered
    codes: CodeSets
    base: str | None
    updates: bool = True


def read_file(number: int, path: Path, reader: Reader) -> None:
    """Every line of one file."""
    ledger = reader.ledger
    ledger.file(number, "ndjson")
    digest = sha256()
    line, start = 0, 0
    try:
        with path.open("rb") as file:
            while content := file.readline(LONGEST_LINE + 1):
                line += 1
                digest.update(content)
                length = len(content)
                if length > LONGEST_LINE and not content.endswith(b"\n"):
                    ledger.not_used(number, "line-too-long", line)
                    while rest := file.readline(LONGEST_LINE + 1):
                        digest.update(rest)
                        length += len(rest)
                        if rest.endswith(b"\n"):
                            break
                else:
                    skip = len(_BOM) if line == 1 and content.startswith(_BOM) else 0
                    place = Place(number, line, start + skip, length - skip)
                    _read_line(content[skip:], place, reader)
                start += length
    except OSError as error:
        ledger.file(number, "not-used", cannot_read(error))
    ledger.lines[number] = line
    ledger.digest(number, digest.hexdigest())


def _read_line(content: bytes, place: Place, reader: Reader) -> None:
    if not content.strip():
        reader.ledger.blank[place.file] += 1
        return
    head = head_of(content)
    reason = _file_it(head, content, place, reader) if head is not None else "not-a-json-object"
    if reason:
        reader.ledger.not_used(place.file, reason, place.line)


def _file_it(head: Head, content: bytes, place: Place, reader: Reader) -> str:
    """Put a line where it belongs; the reason if it belongs nowhere."""
    kind = head.resource_type
    if not isinstance(kind, str):
        return "not-a-resource"
    if kind in SHARED:
        if not _has_id(head):
            return "no-id"
        reader.index.add_shared(f"{kind}/{head.id}", place)
        reader.ledger.shared[place.file] += 1
        return ""
    if kind == "Patient":
        if not _has_id(head):
            return "no-id"
        reader.index.add_patient(head.id)
        reader.index.add(head.id, place, orders=False)
        reader.answered.add("patient", datetime.min.replace(tzinfo=UTC))
        return ""
    if kind not in DATED:
        return "type-not-read"
    patient, reason = patient_of(head, reader.base)
    if not reason:
        reader.index.add(patient, place, orders=kind in ORDERS)
        _note_answers(head, content, reader)
    return reason


def _has_id(head: Head) -> bool:
    return isinstance(head.id, str) and _ID.fullmatch(head.id) is not None


def patient_of(head: Head, base: str | None) -> tuple[str, str]:
    """The id of the patient a resource is about, or why it cannot be told."""
    reference = head.subject if head.subject is not None else head.patient
    text = reference.get("reference") if isinstance(reference, dict) else None
    if not isinstance(text, str):
        return "", "no-patient"
    if text[:8].lower().startswith(("http://", "https://")):
        own, _, tail = text.rpartition("/Patient/")
        if base is None:
            return "", "absolute-reference-and-no-site"
        if not own or not same_base(own, base):
            return "", "another-base"
        text = f"Patient/{tail}"
    found = _RELATIVE.fullmatch(text)
    return (found[1], "") if found else ("", "no-patient")


def _note_answers(head: Head, content: bytes, reader: Reader) -> None:
    at = when_known(head, updates=reader.updates).latest
    query = _QUERY_OF.get(head.resource_type)
    if query is not None:
        reader.answered.add(query, at)
    elif head.resource_type == "Observation" and at is not None:
        since = reader.answered.since
        wanted = (*_CATEGORY_OF.values(), "oxygen")
        if any(name not in since or at < since[name] for name in wanted):
            for name in _observation_queries(content, reader.codes):
                reader.answered.add(name, at)


class _Categories(Struct):
    category: list[dict[str, Any]] = []


def _observation_queries(content: bytes, codes: CodeSets) -> set[str]:
    """The queries that would have found an Observation: by category, and for oxygen by code."""
    found: set[str] = set()
    try:
        for concept in msgspec.json.decode(content, type=_Categories).category:
            for coding in concept.get("coding") or ():
                found.add(_CATEGORY_OF.get(coding.get("code"), ""))
        observation = msgspec.json.decode(content, type=Observation)
        oxygen = find_concept(observation, codes.observations)
    except (*BAD_INPUT, AttributeError, TypeError):
        return found - {""}
    if oxygen is not None and oxygen.fact in _OXYGEN:
        found.add("oxygen")
    return found - {""}
