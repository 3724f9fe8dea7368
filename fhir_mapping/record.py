"""Sorts the resources of a request by what they can say, in one pass: bound to the patient, each
in its newest version, Observations by the fact their code names. It reads no values.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias, TypeVar

from msgspec import Raw, Struct

from fhir_mapping.binding import PATIENT_UNKNOWN, Binding
from fhir_mapping.bundles import Page, Place, Stranger, read_head
from fhir_mapping.codes import Code, CodeSets, Concept
from fhir_mapping.localised import localised
from fhir_mapping.notes import Notes
from fhir_mapping.products import Products
from fhir_mapping.resources import (
    AllergyIntolerance,
    Condition,
    Device,
    DeviceUseStatement,
    Encounter,
    Medication,
    MedicationAdministration,
    MedicationRequest,
    Observation,
    Patient,
    Procedure,
    Resource,
)
from fhir_mapping.versions import Versions, compare


R = TypeVar("R", bound=Resource)
Newest: TypeAlias = dict[type[Resource], Versions[Resource]]
_SAYS_MORE = frozenset({"saturation-room-air"})  # sent beside the code for any saturation
DROPPED = frozenset({"entered-in-error", "cancelled"})


class Seen(Struct, frozen=True, gc=False):
    """An Observation that names a fact, the coding that does, and its place."""

    observation: Observation
    concept: Concept
    page: Page
    index: int

    @property
    def place(self) -> Place:
        """Where it is in the request."""
        return self.page.place(self.index)


class Record(Struct):
    """Everything that takes part, by type; Observations by fact, and those of no code we know."""

    observations: dict[str, list[Seen]]
    unknown: list[tuple[Observation, Page, int]]
    patients: list[Patient]
    encounters: list[tuple[Encounter, Place]]
    administrations: list[tuple[MedicationAdministration, Place]]
    requests: list[tuple[MedicationRequest, Place]]
    conditions: list[tuple[Condition, Place]]
    procedures: list[tuple[Procedure, Place]]
    allergies: list[tuple[AllergyIntolerance, Place]]
    device_uses: list[tuple[DeviceUseStatement, Place]]
    medications: Products
    devices: dict[str, Device]


def sort_resources(
    pages: Iterable[Page], binding: Binding, codes: CodeSets, notes: Notes
) -> Record:
    """All pages to one `Record`; raises `AnotherPatient`."""
    newest: Newest = {}
    observations: Versions[Observation] = Versions()
    known = observations.newest
    medications = Products(binding.is_foreign)
    devices: dict[str, Device] = {}
    for page in pages:
        for stranger in page.strangers:
            _check_stranger(stranger, binding)
        for index, entry in enumerate(page.entries):
            resource, full_url = entry.resource, entry.full_url
            if type(resource) is Observation:
                key = resource.id
                if key and key not in known and binding.surely_owns(resource, full_url):
                    known[key] = (resource, page, index)
                elif _takes_part(resource, binding, page.place(index), full_url, notes):
                    observations.add(resource, page, index, notes)
            elif type(resource) is Medication:
                check_contained(resource.contained, binding, page.place(index))
                _add_shared(medications, resource, full_url, binding)
            elif type(resource) is Device:
                if _belongs(resource, binding, page.place(index), full_url, notes):
                    _add_shared(devices, resource, full_url, binding)
            elif resource is not None and _takes_part(
                resource, binding, page.place(index), full_url, notes
            ):
                newest.setdefault(type(resource), Versions()).add(resource, page, index, notes)
    unknown: list[tuple[Observation, Page, int]] = []
    return Record(
        observations=_by_fact(observations, unknown, codes, binding, notes),
        unknown=unknown,
        patients=[patient for patient, _ in _all(newest, Patient)],
        encounters=_all(newest, Encounter),
        administrations=_all(newest, MedicationAdministration),
        requests=_all(newest, MedicationRequest),
        conditions=_all(newest, Condition),
        procedures=_all(newest, Procedure),
        allergies=_all(newest, AllergyIntolerance),
        device_uses=_all(newest, DeviceUseStatement),
        medications=medications,
        devices=devices,
    )


def _check_stranger(stranger: Stranger, binding: Binding) -> None:
    """What is not read must not be another patient's either; raises `AnotherPatient`."""
    head, place = stranger.head, stranger.place
    if head.resource_type == "Patient":
        binding.is_patient(head, place, stranger.full_url)
    for reference in (head.subject, head.patient):
        binding.owns(reference, place, stranger.full_url)


def _all(newest: Newest, kind: type[R]) -> list[tuple[R, Place]]:
    versions = newest.get(kind)
    return [
        (resource, page.place(index))
        for resource, page, index in (versions.all() if versions is not None else ())
        if isinstance(resource, kind)
    ]


def _belongs(
    device: Device, binding: Binding, place: Place, full_url: str | None, notes: Notes
) -> bool:
    """A Device need not name a patient; one that does must name this one."""
    check_contained(device.contained, binding, place)
    if device.patient is None or binding.owns(device.patient, place, full_url, device.contained):
        return True
    notes.unreadable(str(place), f"{PATIENT_UNKNOWN}: no reference that leads to the patient")
    return False


def _add_shared(found: dict[str, R], resource: R, full_url: str | None, binding: Binding) -> None:
    """By its references; a product of another base is no answer to a relative one."""
    keys = set(medication_keys(resource, full_url))
    if full_url is not None and binding.is_foreign(full_url):
        keys = {full_url}
    for key in keys:
        if key not in found or compare(resource, found[key]) > 0:
            found[key] = resource


def medication_keys(resource: R, full_url: str | None) -> dict[str, R]:
    """The references by which a Medication or a Device can be meant."""
    kind = type(resource).__name__
    found = {} if resource.id is None else {f"{kind}/{resource.id}": resource}
    if full_url is not None:
        found[full_url] = resource
    return found


def _takes_part(
    resource: Resource, binding: Binding, place: Place, full_url: str | None, notes: Notes
) -> bool:
    if isinstance(resource, Patient):
        binding.is_patient(resource, place, full_url)
        if resource.id is None:
            notes.unreadable(str(place), f"{PATIENT_UNKNOWN}: a Patient without an id")
        return resource.id is not None
    subject = getattr(resource, "subject", None) or getattr(resource, "patient", None)
    contained: tuple[Raw, ...] = getattr(resource, "contained", ())
    check_contained(contained, binding, place)
    if subject is None and not hasattr(resource, "subject") and not hasattr(resource, "patient"):
        return False  # an OperationOutcome
    if not binding.owns(subject, place, full_url, contained):
        notes.unreadable(str(place), f"{PATIENT_UNKNOWN}: no reference that leads to the patient")
        return False
    return True


def check_contained(contained: tuple[Raw, ...], binding: Binding, place: Place) -> None:
    """A contained resource of another patient means a mix-up; raises `AnotherPatient`."""
    for raw in contained:
        head = read_head(raw)
        if head is not None:
            for reference in (head.subject, head.patient):
                binding.owns(reference, place)


def _by_fact(
    observations: Versions[Observation],
    unknown: list[tuple[Observation, Page, int]],
    codes: CodeSets,
    binding: Binding,
    notes: Notes,
) -> dict[str, list[Seen]]:
    found: dict[str, list[Seen]] = {}
    table = codes.observations
    for observation, page, index in observations.all():
        concept = find_concept(observation, table)
        if concept is None or concept.excluded or observation.status in DROPPED:
            if concept is None and observation.status not in DROPPED:
                unknown.append((observation, page, index))
            continue
        if codes.has_overlay and concept.fact in codes.project_facts:
            observation = localised(observation, concept.fact, codes)  # noqa: PLW2901
        seen = Seen(observation, concept, page, index)
        if observation.focus and any(
            binding.is_other(focus, seen.place) for focus in observation.focus
        ):
            reason = f"{PATIENT_UNKNOWN}: the observation is about someone or something else"
            notes.unreadable(str(seen.place), reason)
            continue
        found.setdefault(concept.fact, []).append(seen)
    return found


def find_concept(observation: Observation, table: Mapping[Code, Concept]) -> Concept | None:
    """What the code means, trying every coding; an excluded one wins, as it is narrower.

    Where the code itself says nothing, a component may (a pressure under a local panel code).
    """
    found: Concept | None = None
    if observation.code is not None:
        for coding in observation.code.coding:
            concept = table.get((coding.system, coding.code))
            if concept is not None:
                if concept.excluded:
                    return concept
                if found is None or concept.fact in _SAYS_MORE:
                    found = concept
    if found is not None or not observation.component:
        return found
    for component in observation.component:
        for coding in component.code.coding if component.code is not None else ():
            concept = table.get((coding.system, coding.code))
            if concept is not None and not concept.excluded:
                return concept
    return None
