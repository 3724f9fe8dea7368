"""One patient of an export: what was known at a moment, as the prefetch of a hook call.

The whole record that was known counts, not only as much as one page of a search would hold.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

import msgspec
from msgspec import Raw, Struct

from cds.replay.as_of import Item, then
from cds.replay.export import Answered
from cds.replay.index import Index, Place
from cds.replay.known import Head, head_of, when_known
from cds.replay.moments import Found
from fhir_mapping.bundles import BAD_INPUT
from fhir_mapping.codes import CodeSets
from fhir_mapping.record import find_concept
from fhir_mapping.resources import Observation


GRADES = frozenset({"crs-grade", "icans-grade"})
_KEYS: Mapping[str, str] = {
    "MedicationAdministration": "administrations",
    "MedicationRequest": "orders",
    "ServiceRequest": "orders",
    "Condition": "conditions",
    "Procedure": "procedures",
    "Encounter": "encounter",
}
_OTHER = "record"  # resources are read from every key, whatever its name
_SHARED = re.compile(rb"(?:Medication|Device)/[A-Za-z0-9\-.]{1,64}")
_OBSERVATION = msgspec.json.Decoder(Observation)


class Chart(Struct, frozen=True):
    """Everything of one patient, and the products and devices it refers to."""

    patient: str
    items: tuple[Item, ...]
    shared: tuple[bytes, ...]
    answered: Answered

    def prefetch(
        self,
        at: datetime,
        *,
        without: Found | None = None,
        known_by: datetime | None = None,
        grades: bool = True,
        left: Counter[str] | None = None,
    ) -> dict[str, Raw]:
        """The prefetch of a call at `at`. `without`: the event that the call is about.

        `known_by`: see `as_of.then`. `grades` False: clinicians' grades are hidden. `left`: counts
        what is left out, by how it became known, and what is not.
        """
        found: dict[str, list[bytes]] = {
            name: [] for name in self.answered.by(at) if name != "patient"
        }
        for item in self.items:
            hidden = item.grade and not grades
            if hidden or item.type == "Patient" or (without is not None and without.is_own(item)):
                continue
            raw = then(item, at, known_by)
            if left is not None:
                left["counted" if raw is not None else item.known.by] += 1
            if raw is not None:
                found.setdefault(_KEYS.get(item.type, _OTHER), []).append(raw)
        found.setdefault(_OTHER, []).extend(self.shared)
        bundles = {name: _bundle(raws) for name, raws in sorted(found.items())}
        return {**bundles, "patient": self._patient(at)}

    def _patient(self, at: datetime) -> Raw:
        """The Patient in its newest version that was known; of later ones the earliest."""
        versions = [item for item in self.items if item.type == "Patient"]
        dated = [one for one in versions if one.known.latest is not None]
        newest_first = sorted(dated, key=_latest, reverse=True)
        known = [one for one in newest_first if one.known.surely(at)]
        plain = [one for one in versions if one.known.latest is None]
        chosen = next(iter((*known, *plain, *reversed(newest_first))), None)
        raw = then(chosen, at) if chosen is not None else None
        return Raw(b"null") if raw is None else Raw(raw)


def item_of(place: Place, raw: bytes, codes: CodeSets, *, updates: bool) -> Item:
    """A line that was read before, once more."""
    head = head_of(raw) or Head()
    grade = head.resource_type == "Observation" and is_grade(raw, codes)
    return Item(
        raw=raw,
        head=head,
        known=when_known(head, updates=updates),
        file=place.file,
        line=place.line,
        grade=grade,
    )


def is_grade(raw: bytes | Raw, codes: CodeSets) -> bool:
    """Whether an Observation is a clinician's grade, by the code sets of the site."""
    try:
        concept = find_concept(_OBSERVATION.decode(raw), codes.observations)
    except BAD_INPUT:
        return False
    return concept is not None and concept.fact in GRADES


def shared_by(raws: Iterable[bytes], index: Index) -> Iterator[bytes]:
    """The products and devices that resources refer to, and those that these refer to."""
    waiting = list(raws)
    seen: set[bytes] = set()
    while waiting:
        raw = waiting.pop()
        names = _SHARED.findall(raw) if b"Medication/" in raw or b"Device/" in raw else ()
        for name in names:
            if name not in seen:
                seen.add(name)
                for _, found in index.shared(name.decode()):
                    waiting.append(found)
                    yield found


def _latest(item: Item) -> datetime:
    return item.known.latest or datetime.max.replace(tzinfo=UTC)


def _bundle(raws: list[bytes]) -> Raw:
    entries = b",".join(b'{"resource":%b}' % raw.strip() for raw in raws)
    return Raw(b'{"resourceType":"Bundle","type":"searchset","entry":[%b]}' % entries)
