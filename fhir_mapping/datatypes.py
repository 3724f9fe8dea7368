"""The FHIR R4 data types that are read, as tolerant structs; it must not interpret any of them.

Numbers stay `Raw` until they are used: most are not, and the text is the evidence.
"""

from msgspec import Raw, Struct


NO_NUMBER = Raw()


class Part(Struct, frozen=True, gc=False, kw_only=True, rename="camel"):
    """Base of data types. Decoded JSON has no cycles, so the garbage collector need not look."""


class Changeable(Part, frozen=True, gc=False, kw_only=True):
    """What a `modifierExtension` may turn into something else, such as "not given".

    No such extension is known here, so whatever has one fails to decode and is reported. FHIR R4,
    Extensibility: a reader that does not know one must not use the element.
    """

    modifier_extension: tuple[()] = ()


class Coding(Part, frozen=True, gc=False, kw_only=True):
    """One code of one system."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(Part, frozen=True, gc=False, kw_only=True):
    """Codes that mean the same, and the words a person chose."""

    coding: tuple[Coding, ...] = ()
    text: str | None = None


class Quantity(Part, frozen=True, gc=False, kw_only=True):
    """A number with its unit, as text and as code."""

    value: Raw = NO_NUMBER
    unit: str | None = None
    system: str | None = None
    code: str | None = None
    comparator: str | None = None


class Identifier(Part, frozen=True, gc=False, kw_only=True):
    """A business identifier."""

    system: str | None = None
    value: str | None = None


class Reference(Part, frozen=True, gc=False, kw_only=True):
    """A pointer to another resource."""

    reference: str | None = None
    type: str | None = None
    identifier: Identifier | None = None
    display: str | None = None


class PatientLink(Changeable, frozen=True, gc=False, kw_only=True):
    """Another Patient resource for the same person."""

    other: Reference | None = None
    type: str | None = None


class Period(Part, frozen=True, gc=False, kw_only=True):
    """A start and an end, either of them open."""

    start: str | None = None
    end: str | None = None


class Meta(Part, frozen=True, gc=False, kw_only=True):
    """Which version of the resource this is."""

    version_id: str | None = None
    last_updated: str | None = None


class Component(Changeable, frozen=True, gc=False, kw_only=True):
    """One value inside an Observation."""

    code: CodeableConcept | None = None
    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: str | None = None
    value_integer: Raw = NO_NUMBER
    data_absent_reason: CodeableConcept | None = None


class Ingredient(Changeable, frozen=True, gc=False, kw_only=True):
    """One ingredient of a Medication."""

    item_codeable_concept: CodeableConcept | None = None
    item_reference: Reference | None = None


class DoseAndRate(Part, frozen=True, gc=False, kw_only=True):
    """Dose of a request."""

    dose_quantity: Quantity | None = None


class Repeat(Part, frozen=True, gc=False, kw_only=True):
    """The bounds of a repeated event."""

    bounds_period: Period | None = None


class Timing(Changeable, frozen=True, gc=False, kw_only=True):
    """When a request is to be carried out."""

    event: tuple[str, ...] = ()
    repeat: Repeat | None = None


class DosageInstruction(Changeable, frozen=True, gc=False, kw_only=True):
    """How a request is to be given."""

    text: str | None = None
    timing: Timing | None = None
    route: CodeableConcept | None = None
    dose_and_rate: tuple[DoseAndRate, ...] = ()


class DeviceName(Part, frozen=True, gc=False, kw_only=True):
    """One name of a device."""

    name: str | None = None


class Ratio(Part, frozen=True, gc=False, kw_only=True):
    """One quantity per another."""

    numerator: Quantity | None = None
    denominator: Quantity | None = None


class Dosage(Changeable, frozen=True, gc=False, kw_only=True):
    """How an administration was given."""

    text: str | None = None
    route: CodeableConcept | None = None
    dose: Quantity | None = None
    rate_quantity: Quantity | None = None
    rate_ratio: Ratio | None = None


class Issue(Part, frozen=True, gc=False, kw_only=True):
    """One problem told by an OperationOutcome."""

    severity: str | None = None
    code: str | None = None


class Head(Part, frozen=True, gc=False, kw_only=True):
    """What can be read of any resource: its type, id and patient."""

    resource_type: str | None = None
    id: str | None = None
    subject: Reference | None = None
    patient: Reference | None = None
