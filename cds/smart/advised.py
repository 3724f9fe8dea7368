"""One look at a patient, as every page takes it: the record, and what was stated here and is not
in the chart yet, evaluated. Nothing clinical is known here.
"""

from datetime import datetime

from msgspec import Struct

from cards.bedside import Shown
from cards.switched_off import SwitchedOff
from cds.config import off_rules
from cds.deployment import Deployment
from cds.pipeline import Evaluation
from cds.smart.at_hand import PatientRecord
from cds.smart.evaluating import assessed, record_of
from cds.smart.parts import Bedside, Parts, bedside
from cds.smart.recording import keep_decision
from cds.smart.writing import as_stated, counted
from cds.store import StoreDown
from fhir_mapping.answers import Resource


KEPT_NOT_READ = "Statements kept here could not be read: look at the page Statements."
KEPT_USED = "Includes statements that are kept here and not in the chart: see the page Statements."


class Look(Struct, frozen=True, kw_only=True):
    """`kept`: what was stated here and counts as charted. `notes`: what the reader must know of
    it."""

    here: Bedside
    now: datetime
    record: PatientRecord
    kept: tuple[Resource, ...]
    evaluation: Evaluation
    notes: tuple[str, ...]


def look(parts: Parts, *, keep: bool = True) -> Look:
    """The patient of this request now. Raises `DataUnavailable` and `AnotherPatient`.

    `keep`: what is concluded is shown to somebody, so it is kept as a decision.
    """
    here, deployment = bedside(), parts.deployment
    record = record_of(here, deployment, parts.at_hand)
    now = deployment.clock()
    kept: tuple[Resource, ...] = ()
    notes: tuple[str, ...] = ()
    try:
        rows = counted(parts, here)
        kept = tuple(as_stated(rows, now))
        notes = (KEPT_USED,) if any(row.state != "written" for row in rows) else ()
    except StoreDown:
        notes = (KEPT_NOT_READ,)
    evaluation = assessed(record, here, deployment, now=now, stated=kept)
    if keep:
        keep_decision(record, evaluation, deployment, parts.latest)
    return Look(here=here, now=now, record=record, kept=kept, evaluation=evaluation, notes=notes)


def shown_of(here: Bedside, deployment: Deployment, evaluation: Evaluation) -> Shown:
    """How this site shows advice: the same as its cards."""
    site = here.site
    return Shown(
        zone=site.zone,
        off=SwitchedOff(site.off_topics, off_rules(site, deployment.library)),
        silent=evaluation.made_from.mode != "live",
        acknowledged=evaluation.made_from.acknowledged,
    )
