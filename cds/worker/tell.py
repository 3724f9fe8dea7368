"""Writes to a site's FHIR server that the grade of an open event changed, where the site asks.

Off by default, and a function of its own: see docs/worker.md. Each statement has a name on the
server, so that a repetition after a crash finds it there. A silent site is told nothing.
"""

import logging

from cards.message import message, over
from cds import log
from cds.config import Site
from cds.store.told import ToldRow
from cds.worker.backoff import PASSING
from cds.worker.changes import Change, changes, event_key, step_key, upwards
from cds.worker.ports import Unread
from cds.worker.regrade import Regraded
from cds.worker.workplace import Workplace
from fhir_mapping.write_flag import About, communication, flag


SYSTEM = "https://btce-cds.org/fhir/NamingSystem/told"
_SWITCHED_OFF = "SWITCHEDOFF"  # the topic of the card that says so


def tell(place: Workplace, site: Site, found: Regraded) -> int:
    """Say what changed since it was last said; how many statements. Raises `StoreDown`.

    Compared with what was said, not with the last decision: what a crash left unsaid is said after
    the next reading.
    """
    assessment = found.evaluation.decision.assessment
    how = site.events.tell if site.events is not None else "nothing"
    if how == "nothing" or assessment.mode != "live":
        return 0
    told = place.told.of_patient(site.id, found.row.patient)
    written = 0
    for change in changes(assessment, told, whole=not found.failed):
        write = _flag if how == "flag" else _communicate
        try:
            ref = write(place, site, found, change)
        except Unread as error:
            log.event(
                "not-told", level=logging.WARNING, site=site.id, code=how, upstream=[error.kind]
            )
            if error.kind in PASSING:
                continue  # said after the next reading
            ref = change.last.ref if change.last is not None else ""
        else:
            written += 1
        place.told.keep(_row(site, found, change, ref))
    return written


def _flag(place: Workplace, site: Site, found: Regraded, change: Change) -> str:
    """One Flag an event, changed in place."""
    patient, decision = found.row.patient, found.evaluation.decision
    key = event_key(site.id, patient, change.toxicity, change.onset)
    about = About(patient, f"{SYSTEM}|{key}")
    ended = change.said is None
    made = flag(
        about,
        over(decision, change.toxicity, site.zone) if ended else _text(site, found, change),
        since=change.onset,
        until=found.row.evaluated_at if ended else None,
    )
    ref = change.last.ref if change.last is not None else ""
    if not ref:
        if ended:  # the server never took it
            return ""
        ref, as_sent = place.server.create(site, made, about.identifier)
        if as_sent:
            return ref
    place.server.update(site, ref, {**made, "id": ref.rpartition("/")[2]})
    return ref


def _communicate(place: Workplace, site: Site, found: Regraded, change: Change) -> str:
    """One Communication a change, and only upwards; what goes down is remembered alone."""
    if not upwards(change):
        return change.last.ref if change.last is not None else ""
    patient = found.row.patient
    about = About(patient, f"{SYSTEM}|{step_key(site.id, patient, change)}")
    text = _text(site, found, change)
    made = communication(about, text, sent=found.row.evaluated_at)
    return place.server.create(site, made, about.identifier).ref


def _text(site: Site, found: Regraded, change: Change) -> str:
    """Advice that the site switched off for its cards is not given here either."""
    topics = (card.source.topic for card in found.evaluation.cards)
    off = any(topic is not None and topic.code == _SWITCHED_OFF for topic in topics)
    return message(found.evaluation.decision, change.toxicity, site.zone, advised=not off)


def _row(site: Site, found: Regraded, change: Change, ref: str) -> ToldRow:
    return ToldRow(
        site=site.id,
        patient=found.row.patient,
        toxicity=change.toxicity,
        onset=change.onset,
        said=change.text,
        ref=ref,
        at=found.row.evaluated_at,
    )
