"""The fields of FHIR R4 that are read, as tolerant structs; it must not interpret any of them.

Unknown fields are skipped. A wrong type fails the one resource, which is then reported. Numbers
stay `Raw` until they are used: most are not, and the text is the evidence.
"""

from typing import Literal, TypeAlias

from msgspec import Raw, field

from fhir_mapping.datatypes import (
    NO_NUMBER,
    Changeable,
    CodeableConcept,
    Coding,
    Component,
    DeviceName,
    Dosage,
    DosageInstruction,
    Identifier,
    Ingredient,
    Issue,
    Meta,
    Part,
    PatientLink,
    Period,
    Quantity,
    Reference,
    Timing,
)


class Resource(Changeable, frozen=True, gc=False, kw_only=True, tag_field="resourceType", tag=True):
    """Base of the resources that are read; the tag is the class name."""

    id: str | None = None
    meta: Meta | None = None


class Observation(Resource, frozen=True, gc=False, kw_only=True):
    """A measurement or an assessment, of any kind."""

    extension: Raw = NO_NUMBER
    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    focus: tuple[Reference, ...] = ()
    effective_date_time: str | None = None
    effective_instant: str | None = None
    effective_period: Period | None = None
    performer: tuple[Reference, ...] = ()
    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: str | None = None
    value_integer: Raw = NO_NUMBER
    data_absent_reason: CodeableConcept | None = None
    body_site: CodeableConcept | None = None
    method: CodeableConcept | None = None
    component: tuple[Component, ...] = ()
    contained: tuple[Raw, ...] = ()


class MedicationAdministration(Resource, frozen=True, gc=False, kw_only=True):
    """A medicine that was given, is being given, or was not given."""

    status: str | None = None
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Reference | None = None
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    dosage: Dosage | None = None
    contained: tuple[Raw, ...] = ()


class MedicationRequest(Resource, frozen=True, gc=False, kw_only=True):
    """An order for a medicine."""

    status: str | None = None
    intent: str | None = None
    do_not_perform: bool = False
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Reference | None = None
    subject: Reference | None = None
    dosage_instruction: tuple[DosageInstruction, ...] = ()
    contained: tuple[Raw, ...] = ()


class ServiceRequest(Resource, frozen=True, gc=False, kw_only=True):
    """An order for anything else; some systems order infusions and regimens with it."""

    status: str | None = None
    intent: str | None = None
    do_not_perform: bool = False
    code: CodeableConcept | None = None
    order_detail: tuple[CodeableConcept, ...] = ()
    subject: Reference | None = None
    occurrence_date_time: str | None = None
    occurrence_period: Period | None = None
    occurrence_timing: Timing | None = None
    contained: tuple[Raw, ...] = ()


class Medication(Resource, frozen=True, gc=False, kw_only=True):
    """A product; it belongs to no patient."""

    code: CodeableConcept | None = None
    ingredient: tuple[Ingredient, ...] = ()
    contained: tuple[Raw, ...] = ()


class Condition(Resource, frozen=True, gc=False, kw_only=True):
    """A diagnosis."""

    clinical_status: CodeableConcept | None = None
    verification_status: CodeableConcept | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    onset_date_time: str | None = None
    onset_period: Period | None = None
    recorded_date: str | None = None
    abatement_date_time: str | None = None
    abatement_period: Period | None = None
    contained: tuple[Raw, ...] = ()


class Procedure(Resource, frozen=True, gc=False, kw_only=True):
    """Something done: ventilation, an airway, fluid resuscitation."""

    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    performed_date_time: str | None = None
    performed_period: Period | None = None
    reason_code: tuple[CodeableConcept, ...] = ()
    reason_reference: tuple[Reference, ...] = ()
    contained: tuple[Raw, ...] = ()


class DeviceUseStatement(Resource, frozen=True, gc=False, kw_only=True):
    """A device a patient uses or used: an oxygen mask, a ventilator, a pacemaker."""

    status: str | None = None
    subject: Reference | None = None
    timing_date_time: str | None = None
    timing_period: Period | None = None
    timing_timing: Timing | None = None
    device: Reference | None = None
    reason_code: tuple[CodeableConcept, ...] = ()
    reason_reference: tuple[Reference, ...] = ()
    contained: tuple[Raw, ...] = ()


class Device(Resource, frozen=True, gc=False, kw_only=True):
    """What a device is; it may belong to a patient."""

    status: str | None = None
    type: CodeableConcept | None = None
    device_name: tuple[DeviceName, ...] = ()
    patient: Reference | None = None
    contained: tuple[Raw, ...] = ()


class Patient(Resource, frozen=True, gc=False, kw_only=True):
    """The one patient."""

    active: bool = True
    identifier: tuple[Identifier, ...] = ()
    link: tuple[PatientLink, ...] = ()
    gender: str | None = None
    birth_date: str | None = None
    deceased_boolean: bool = False
    deceased_date_time: str | None = None


class Encounter(Resource, frozen=True, gc=False, kw_only=True):
    """A stay or a visit."""

    status: str | None = None
    class_: Coding | None = field(default=None, name="class")
    subject: Reference | None = None
    period: Period | None = None
    contained: tuple[Raw, ...] = ()


class AllergyIntolerance(Resource, frozen=True, gc=False, kw_only=True):
    """An allergy or intolerance."""

    clinical_status: CodeableConcept | None = None
    verification_status: CodeableConcept | None = None
    code: CodeableConcept | None = None
    patient: Reference | None = None
    contained: tuple[Raw, ...] = ()


class OperationOutcome(Resource, frozen=True, gc=False, kw_only=True):
    """What the server has to say about its answer."""

    issue: tuple[Issue, ...] = ()


Readable: TypeAlias = (
    Observation
    | MedicationAdministration
    | MedicationRequest
    | ServiceRequest
    | Medication
    | Condition
    | Procedure
    | DeviceUseStatement
    | Device
    | Patient
    | Encounter
    | AllergyIntolerance
    | OperationOutcome
)


class Link(Part, frozen=True, gc=False, kw_only=True):
    """A link of a Bundle; `next` means there is more. `url` is not decoded."""

    relation: str | None = None
    url: Raw = Raw()


class Entry(Part, frozen=True, gc=False, kw_only=True):
    """One entry of a Bundle."""

    full_url: str | None = None
    resource: Readable | None = None


class Bundle(Part, frozen=True, gc=False, kw_only=True):
    """A Bundle whose entries are all of the types above: decoded in one go."""

    resource_type: Literal["Bundle"]
    link: tuple[Link, ...] = ()
    entry: tuple[Entry, ...] = ()


class RawEntry(Part, frozen=True, gc=False, kw_only=True):
    """One entry, its resource not looked at yet."""

    full_url: str | None = None
    resource: Raw = NO_NUMBER


class RawBundle(Part, frozen=True, gc=False, kw_only=True):
    """The same Bundle, entry by entry, to name the one that cannot be read."""

    resource_type: Literal["Bundle"]
    link: tuple[Link, ...] = ()
    entry: tuple[Raw, ...] = ()
