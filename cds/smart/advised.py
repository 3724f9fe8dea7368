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
from cds.smart.stating.writing import as_stated, counted
from cds.store import StoreDown
from cds.store.statements_kept import StatementRow
from fhir_mapping.answers import Resource


KEPT_NOT_READ = "Statements kept here could not be read: look at the page Statements."
KEPT_USED = "Includes statements that are kept here and not in the chart: see the page Statements."


class StatedHere(Struct, frozen=True):
    """What was stated here of one patient and counts as charted. `notes`: what the reader must
    know of it."""

    rows: tuple[StatementRow, ...] = ()
    notes: tuple[str, ...] = ()

    def by(self, at: datetime) -> tuple[Resource, ...]:
        """What of it was charted by then, for `assessed`."""
        return tuple(as_stated(self.rows, at))


class Look(Struct, frozen=True, kw_only=True):
    """The patient at `now`, evaluated with what was stated here."""

    here: Bedside
    now: datetime
    record: PatientRecord
    stated_here: StatedHere
    evaluation: Evaluation

    @property
    def kept(self) -> tuple[Resource, ...]:
        """What was stated here and counts as charted now."""
        return self.stated_here.by(self.now)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader must know of it."""
        return self.stated_here.notes


def look(parts: Parts, *, keep: bool = True) -> Look:
    """The patient of this request now. Raises `DataUnavailable` and `AnotherPatient`.

    `keep`: what is concluded is shown to somebody, so it is kept as a decision.
    """
    here, deployment = bedside(), parts.deployment
    record = record_of(here, deployment, parts.at_hand)
    now = deployment.clock()
    found = stated_here(parts, here)
    stated = found.by(now)
    evaluation = assessed(record, here, deployment, now=now, stated=stated)
    if keep:
        keep_decision(record, evaluation, deployment, parts.latest, stated=stated)
    return Look(here=here, now=now, record=record, stated_here=found, evaluation=evaluation)


def stated_here(parts: Parts, here: Bedside) -> StatedHere:
    """Of the patient of `here`; where the store cannot be read nothing, and a note of that."""
    try:
        rows = counted(parts, here)
    except StoreDown:
        return StatedHere(notes=(KEPT_NOT_READ,))
    used = any(row.state != "written" for row in rows)
    return StatedHere(rows, (KEPT_USED,) if used else ())


def shown_of(here: Bedside, deployment: Deployment, evaluation: Evaluation) -> Shown:
    """How this site shows advice: the same as its cards."""
    site = here.site
    return Shown(
        zone=site.zone,
        off=SwitchedOff(site.off_topics, off_rules(site, deployment.library)),
        silent=evaluation.made_from.mode != "live",
        acknowledged=evaluation.made_from.acknowledged,
    )
