"""Whether the patient's own record may be used: merged into another, inactive, linked to others.

Who else the linked records are about is not looked up here.
"""

from fhir_mapping.binding import PATIENT_UNKNOWN, Binding
from fhir_mapping.datatypes import PatientLink
from fhir_mapping.notes import Notes
from fhir_mapping.record import Record


_REPLACED = "replaced-by"  # FHIR R4 link-type: this record is no longer to be used
_RIGHT_CHART = "check that this is the right chart"


def was_merged(record: Record, binding: Binding, notes: Notes) -> bool:
    """True if another record replaced this one: its data are no basis for advice.

    An inactive record and other linked records are named; their data are used.
    """
    links = [link for one in record.patients for link in one.link if _elsewhere(link, binding)]
    kinds = {link.type for link in links}
    if _REPLACED in kinds:
        reason = "this record was merged into another one: nothing of it is used, open the other"
        notes.missing("patient-record", reason)
        notes.unreadable("prefetch", f"{PATIENT_UNKNOWN}: {reason}")
        return True
    if not all(patient.active for patient in record.patients):
        reason = f"the patient's record is marked as not in use: {_RIGHT_CHART}"
        notes.missing("patient-record", reason)
    if kinds:
        text = "The patient has another record in this system: what it holds was not read."
        notes.notice("linked-record", text)
    return False


def _elsewhere(link: PatientLink, binding: Binding) -> bool:
    """A link to a Patient that is not this one; a RelatedPerson is not a patient's record."""
    other = link.other
    if other is None:
        return True
    return "RelatedPerson/" not in (other.reference or "") and binding.is_other(other, "")
