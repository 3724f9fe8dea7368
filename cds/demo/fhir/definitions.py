"""The resource types and search parameters this server has, from the R4 definitions of each type.

One table for search, subscriptions and the CapabilityStatement, so that none can say more than the
others do.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from msgspec import Struct


Kind: TypeAlias = Literal["token", "reference", "date", "string", "quantity", "uri"]


class Parameter(Struct, frozen=True):
    """One search parameter: the elements it looks at, and for a reference the types it may name."""

    name: str
    kind: Kind
    paths: tuple[str, ...]
    targets: tuple[str, ...] = ()


class Definition(Struct, frozen=True):
    """One resource type. `required`: members R4 demands; `a|b`: one of the two."""

    parameters: Mapping[str, Parameter]
    required: tuple[str, ...] = ()


def _token(name: str, *paths: str) -> Parameter:
    return Parameter(name, "token", paths or (name,))


def _date(name: str, *paths: str) -> Parameter:
    return Parameter(name, "date", paths or (name,))


def _string(name: str, *paths: str) -> Parameter:
    return Parameter(name, "string", paths or (name,))


def _uri(name: str, *paths: str) -> Parameter:
    return Parameter(name, "uri", paths or (name,))


def _ref(name: str, path: str, *targets: str) -> Parameter:
    return Parameter(name, "reference", (path,), targets)


def _moments(name: str, element: str) -> Parameter:
    """A date that may be a dateTime, a Period, an instant or the events of a Timing."""
    kinds = ("DateTime", "Period", "Instant", "Timing.event")
    return _date(name, *(element + kind for kind in kinds))


def _definition(*parameters: Parameter, required: str = "") -> Definition:
    every = (*COMMON, *parameters)
    return Definition(MappingProxyType({one.name: one for one in every}), tuple(required.split()))


COMMON = (
    _token("_id", "id"),
    _date("_lastUpdated", "meta.lastUpdated"),
    _token("_tag", "meta.tag"),
    _uri("_profile", "meta.profile"),
)
_IDENTIFIER = _token("identifier")
_STATUS = _token("status")
_CATEGORY = _token("category")
_ENCOUNTER = _ref("encounter", "encounter", "Encounter")
_PATIENT = _ref("patient", "subject", "Patient")
_SUBJECT = _ref("subject", "subject", "Patient", "Group", "Device", "Location")
_OF_PATIENT = (_PATIENT, _SUBJECT, _IDENTIFIER)
_MEDICATION = (
    _token("code", "medicationCodeableConcept"),
    _ref("medication", "medicationReference", "Medication"),
)
_PERFORMERS = ("Practitioner", "PractitionerRole", "Organization", "Patient")
_NAMES = (_string("name"), _string("family", "name.family"), _string("given", "name.given"))

TYPES: Mapping[str, Definition] = MappingProxyType(
    {
        "AllergyIntolerance": _definition(
            _ref("patient", "patient", "Patient"),
            _IDENTIFIER,
            _CATEGORY,
            _token("code", "code", "reaction.substance"),
            _token("clinical-status", "clinicalStatus"),
            _date("date", "recordedDate"),
            required="patient",
        ),
        "Communication": _definition(
            *_OF_PATIENT,
            _STATUS,
            _CATEGORY,
            _ENCOUNTER,
            _date("sent"),
            _date("received"),
            _ref("recipient", "recipient", *_PERFORMERS, "Device"),
            required="status",
        ),
        "Condition": _definition(
            *_OF_PATIENT,
            _token("code"),
            _CATEGORY,
            _ENCOUNTER,
            _token("clinical-status", "clinicalStatus"),
            _token("verification-status", "verificationStatus"),
            _date("recorded-date", "recordedDate"),
            _date("onset-date", "onsetDateTime", "onsetPeriod"),
            _date("abatement-date", "abatementDateTime", "abatementPeriod"),
            required="subject",
        ),
        "Device": _definition(
            _ref("patient", "patient", "Patient"), _IDENTIFIER, _STATUS, _token("type")
        ),
        "Encounter": _definition(
            *_OF_PATIENT,
            _STATUS,
            _token("class"),
            _token("type"),
            _date("date", "period"),
            required="status class",
        ),
        "Flag": _definition(
            *_OF_PATIENT,
            _ENCOUNTER,
            _date("date", "period"),
            _ref("author", "author", "Device", *_PERFORMERS),
            required="status code subject",
        ),
        "Medication": _definition(_IDENTIFIER, _token("code"), _STATUS),
        "MedicationAdministration": _definition(
            *_OF_PATIENT,
            *_MEDICATION,
            _STATUS,
            _moments("effective-time", "effective"),
            _ref("context", "context", "Encounter", "EpisodeOfCare"),
            _ref("request", "request", "MedicationRequest"),
            required=(
                "status medicationCodeableConcept|medicationReference subject"
                " effectiveDateTime|effectivePeriod"
            ),
        ),
        "MedicationRequest": _definition(
            *_OF_PATIENT,
            *_MEDICATION,
            _STATUS,
            _token("intent"),
            _CATEGORY,
            _ENCOUNTER,
            _date("authoredon", "authoredOn"),
            _ref("requester", "requester", *_PERFORMERS, "Device"),
            required="status intent medicationCodeableConcept|medicationReference subject",
        ),
        "Observation": _definition(
            *_OF_PATIENT,
            _token("code"),
            _token("combo-code", "code", "component.code"),
            _token("component-code", "component.code"),
            _CATEGORY,
            _STATUS,
            _ENCOUNTER,
            _moments("date", "effective"),
            Parameter("value-quantity", "quantity", ("valueQuantity",)),
            _token("value-concept", "valueCodeableConcept"),
            _ref("device", "device", "Device", "DeviceMetric"),
            _ref("performer", "performer", *_PERFORMERS, "CareTeam", "RelatedPerson"),
            required="status code",
        ),
        "Organization": _definition(_IDENTIFIER, _string("name"), _token("active")),
        "Patient": _definition(
            _IDENTIFIER, *_NAMES, _date("birthdate", "birthDate"), _token("gender")
        ),
        "Practitioner": _definition(_IDENTIFIER, *_NAMES, _token("active")),
        "PractitionerRole": _definition(
            _IDENTIFIER,
            _ref("practitioner", "practitioner", "Practitioner"),
            _ref("organization", "organization", "Organization"),
        ),
        "Procedure": _definition(
            *_OF_PATIENT,
            _token("code"),
            _STATUS,
            _CATEGORY,
            _ENCOUNTER,
            _date("date", "performedDateTime", "performedPeriod"),
            required="status subject",
        ),
        "Provenance": _definition(
            _ref("target", "target"), _date("recorded"), required="target recorded agent"
        ),
        "Questionnaire": _definition(_IDENTIFIER, _uri("url"), _STATUS, required="status"),
        "QuestionnaireResponse": _definition(
            *_OF_PATIENT,
            _STATUS,
            _ENCOUNTER,
            _ref("questionnaire", "questionnaire", "Questionnaire"),
            _date("authored"),
            required="status",
        ),
        "ServiceRequest": _definition(
            *_OF_PATIENT,
            _token("code"),
            _STATUS,
            _token("intent"),
            _CATEGORY,
            _ENCOUNTER,
            _date("authored", "authoredOn"),
            required="status intent subject",
        ),
        "Subscription": _definition(
            _STATUS,
            _string("criteria"),
            _uri("url", "channel.endpoint"),
            _token("type", "channel.type"),
            _token("payload", "channel.payload"),
            required="status reason criteria channel",
        ),
    }
)
