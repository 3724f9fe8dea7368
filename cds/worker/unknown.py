"""A claim whose patient nobody knows: asks whose the resources are, or wakes everybody watched."""

from collections.abc import Iterable
from datetime import datetime
from uuid import uuid4

from cds.config import Site
from cds.store.rows import WakeUp
from cds.worker.backoff import PASSING
from cds.worker.ports import Claim, Unread
from cds.worker.references import REFERENCE, patient_of, read_found
from cds.worker.workplace import Workplace


SOURCE = "cohort"
_MOST = 50  # resources read for one claim; with more, everybody watched is read instead
_OF_THE_WATCHED = "Observation/"  # a first dose makes a patient watched; a measurement does not


def resolved(place: Workplace, site: Site, claim: Claim, now: datetime) -> tuple[WakeUp, ...]:
    """A wake-up for each patient concerned. Raises `Unread` where asking again may help.

    A resource that is gone, cannot be read or names no patient may have been anybody's, and so may
    be a wake-up that names no resource: there are fewer references than wake-ups then.
    """
    watched = {row.patient for row in place.cohort.watched(site.id, now)}
    everybody = len(claim.refs) < len(claim.ids) or len(claim.refs) > _MOST
    found: set[str] = set()
    for ref in claim.refs:
        measured = ref.startswith(_OF_THE_WATCHED)
        if measured and everybody:
            continue
        patient = _patient(place, site, ref)
        if not patient:
            everybody = True
        elif not measured or patient in watched:
            found.add(patient)
    if everybody:
        found |= watched
    return wake_ups(site, found, now)


def wake_ups(site: Site, patients: Iterable[str], now: datetime) -> tuple[WakeUp, ...]:
    """One each, of no other reason than that somebody must look."""
    key = uuid4()
    return tuple(
        WakeUp(
            site=site.id,
            source=SOURCE,
            event=f"{key}/{patient}",
            received_at=now,
            patient=patient,
        )
        for patient in sorted(patients)
    )


def _patient(place: Workplace, site: Site, ref: str) -> str:
    if REFERENCE.fullmatch(ref) is None:
        return ""
    try:
        raw = place.server.resource(site, ref)
    except Unread as error:
        if error.kind in PASSING:
            raise
        return ""
    return "" if raw is None else patient_of(read_found(raw), site.fhir_base or "")
