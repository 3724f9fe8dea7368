"""What is said about an event on a FHIR server: a Flag in the chart, or a Communication.

Built from plain values and checked through the models of fhir.resources (R4B; the fields used are
those of R4), as in `fhir_mapping.write`. The words are given; nothing is graded here.
"""

from datetime import UTC, datetime

from fhir.resources.R4B.communication import Communication
from fhir.resources.R4B.flag import Flag
from msgspec import Struct

from fhir_mapping.answers import Resource


_FLAG_CATEGORY = "http://terminology.hl7.org/CodeSystem/flag-category"
_MESSAGE_CATEGORY = "http://terminology.hl7.org/CodeSystem/communication-category"


class About(Struct, frozen=True):
    """Whom and what it is about: a bare patient id, and "system|value" that names it once."""

    patient_id: str
    identifier: str


def flag(about: About, text: str, *, since: datetime, until: datetime | None) -> Resource:
    """A clinical flag that is active until `until`; both times with a zone."""
    period = {"start": _instant(since), **({"end": _instant(until)} if until else {})}
    made: Resource = {
        "resourceType": "Flag",
        "identifier": [_identifier(about)],
        "status": "active" if until is None else "inactive",
        "category": [_concept(_FLAG_CATEGORY, "clinical", "Clinical")],
        "code": {"text": text},
        "subject": _subject(about),
        "period": period,
    }
    Flag.model_validate(made)
    return made


def communication(about: About, text: str, *, sent: datetime) -> Resource:
    """A notification, not an alert, about the patient; addressed to nobody."""
    made: Resource = {
        "resourceType": "Communication",
        "identifier": [_identifier(about)],
        "status": "completed",
        "category": [_concept(_MESSAGE_CATEGORY, "notification", "Notification")],
        "subject": _subject(about),
        "sent": _instant(sent),
        "payload": [{"contentString": text}],
    }
    Communication.model_validate(made)
    return made


def _identifier(about: About) -> Resource:
    system, _, value = about.identifier.partition("|")
    return {"system": system, "value": value}


def _subject(about: About) -> Resource:
    return {"reference": f"Patient/{about.patient_id}"}


def _concept(system: str, code: str, display: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
