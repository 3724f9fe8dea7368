"""The patient: age, sex, where they are, weight, allergies and active orders for known drugs."""

import re
from calendar import monthrange
from datetime import date, datetime

from fhir_mapping.codes import CodeSets
from fhir_mapping.drug_names import drugs_in_concept
from fhir_mapping.medications import drugs_of
from fhir_mapping.notes import Notes
from fhir_mapping.readings import Scope, concept_text, number_series
from fhir_mapping.record import Record, Seen
from fhir_mapping.resources import Encounter
from fhir_mapping.times import instant
from knowledge.facts import ActiveOrder, Allergy, Evidence, Reading


_IN_HOSPITAL = frozenset({"IMP", "ACUTE", "NONAC", "EMER", "OBSENC", "SS"})
_ELSEWHERE = frozenset({"AMB", "HH", "VR"})
_PRESENT = frozenset({"arrived", "triaged", "in-progress", "onleave"})
_SUPPORTIVE = frozenset({"tocilizumab", "anakinra", "siltuximab", "corticosteroid", "antipyretic"})
_NOT_MEASURED = ("stated", "reported", "estimated", "usual")
_NOT_SO = frozenset({"refuted", "entered-in-error", "inactive", "resolved"})
_PROPOSALS = frozenset({"proposal", "plan", "option"})
_BIRTH_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


def read_age(record: Record, now: datetime) -> int | None:
    """Whole years; for a birth date without a day, the youngest age it allows."""
    for patient in record.patients:
        born = _latest_birth(patient.birth_date or "")
        if born is not None and born <= now.date():
            before = (now.month, now.day) < (born.month, born.day)
            return now.year - born.year - int(before)
    return None


def _latest_birth(text: str) -> date | None:
    match = _BIRTH_DATE.fullmatch(text)
    if match is None:
        return None
    try:
        year, month = int(match[1]), int(match[2] or 12)
        day = int(match[3]) if match[3] else monthrange(year, month)[1]
        return date(year, month, day)
    except ValueError:
        return None


def read_sex(record: Record) -> str | None:
    """Administrative gender as recorded."""
    return next((patient.gender for patient in record.patients if patient.gender), None)


def note_death(record: Record, notes: Notes) -> None:
    """An order for a patient recorded as deceased is in the wrong chart, or the record is wrong."""
    if any(one.deceased_boolean or one.deceased_date_time for one in record.patients):
        reason = "the patient is recorded as deceased: check that this is the right chart"
        notes.missing("living-patient", reason)


def read_setting(record: Record, now: datetime, *, newest: bool = True) -> bool | None:
    """True in ED or inpatient, False elsewhere, None if no current encounter says.

    `newest` False: any encounter may be behind the ones that came, so none of them says elsewhere.
    """
    current = (encounter for encounter, _ in record.encounters if _is_now(encounter, now))
    settings = {_setting(encounter) for encounter in current}
    if True in settings:
        return True
    return False if False in settings and newest else None


def _is_now(encounter: Encounter, now: datetime) -> bool:
    if encounter.status not in _PRESENT:
        return False
    end = encounter.period.end if encounter.period is not None else None
    ended = instant(end) if end else None
    return ended is None or ended > now


def _setting(encounter: Encounter) -> bool | None:
    code = encounter.class_.code if encounter.class_ is not None else None
    if code in _IN_HOSPITAL:
        return True
    return False if code in _ELSEWHERE else None


def read_weights(record: Record, scope: Scope) -> tuple[Reading, ...]:
    """Measured weights in kg, oldest first; stated or usual weights are no basis for a dose."""
    items = record.observations.get("weight", ())
    return number_series(items, "weight", "weight", scope, _not_measured)


def _not_measured(seen: Seen) -> str:
    method = concept_text(seen.observation.method).lower()
    if any(word in method for word in _NOT_MEASURED):
        return "weight stated or estimated, not measured: not used"
    return ""


def read_allergies(record: Record, codes: CodeSets) -> tuple[Allergy, ...]:
    """Allergies that name a drug this service speaks about."""
    found: list[Allergy] = []
    for allergy, place in record.allergies:
        statuses = [allergy.verification_status, allergy.clinical_status]
        said = {coding.code for status in statuses if status for coding in status.coding}
        if said & _NOT_SO:
            continue
        ref = f"AllergyIntolerance/{allergy.id}" if allergy.id else str(place)
        for drug in drugs_in_concept(allergy.code, codes):
            evidence = Evidence(ref, drug.ingredient, note="by name" if drug.by_name else "")
            found.append(Allergy(drug.ingredient, evidence))
    return tuple(found)


def read_active_orders(
    record: Record, codes: CodeSets, drafts: frozenset[str]
) -> tuple[ActiveOrder, ...]:
    """Signed, active orders for supportive drugs that are not among the drafts."""
    found: list[ActiveOrder] = []
    for request, place in record.requests:
        ref = f"MedicationRequest/{request.id}" if request.id else str(place)
        proposed = request.intent in _PROPOSALS or request.do_not_perform
        if proposed or ref in drafts or request.status != "active":
            continue
        for drug in drugs_of(request, record.medications, codes):
            if drug.kind in _SUPPORTIVE:
                found.append(ActiveOrder(ref, drug.ingredient))
    return tuple(found)
