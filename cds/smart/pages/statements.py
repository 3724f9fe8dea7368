"""What was stated about this patient: the values, and whether the EHR has them. Sends them again.

The page is there also when the FHIR server cannot be read: that is when it is needed.
"""

from datetime import timedelta

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from cards.bedside import bedside as sheet
from cards.sheet import Section
from cds.deployment import Deployment
from cds.errors import DataUnavailable
from cds.pipeline import Evaluation
from cds.smart.advised import shown_of
from cds.smart.at_hand import PatientRecord
from cds.smart.evaluating import assessed, record_of
from cds.smart.parts import Bedside, Parts, bedside
from cds.smart.prose import blocks
from cds.smart.recording import keep_decision
from cds.smart.showing import page as render
from cds.smart.stated_words import confirmed
from cds.smart.writing import SHOWN, as_stated, counts, send_again
from cds.store.statements_kept import StatementRow


JUST_NOW = timedelta(minutes=10)  # a form this new is the one that was just confirmed
_SECTIONS = frozenset({"grade", "withheld", "rules"})


def add_routes(page: Blueprint, parts: Parts) -> None:
    """`smart.statements`, and the form on it."""

    @page.get("/l/<launch>/statements", endpoint="statements")
    def statements(launch: str) -> str:
        here, now = bedside(), parts.deployment.clock()
        rows = parts.kept.of_patient(here.site.id, here.context.patient, now - SHOWN)
        record, evaluation = _read(here, parts, rows)
        if record is not None and evaluation is not None:
            keep_decision(record, evaluation, parts.deployment, parts.latest)
        forms = confirmed(rows, now)
        fresh = bool(forms) and now - forms[0].at <= JUST_NOW
        return render(
            "smart/statements.html",
            record,
            evaluation,
            forms=forms,
            missing=sum(one.open for one in forms),
            said=() if evaluation is None else _said(here, parts.deployment, evaluation),
            blocks=blocks,
            fresh=forms[0] if fresh else None,
            days=SHOWN.days,
        )

    @page.post("/l/<launch>/statements/again", endpoint="send_again")
    def again(launch: str) -> Response:
        submission = request.form.get("submission", "")
        send_again(parts, bedside(), submission, parts.deployment.clock())
        return redirect(url_for("smart.statements", launch=launch), 303)


def _read(
    here: Bedside, parts: Parts, rows: tuple[StatementRow, ...]
) -> tuple[PatientRecord | None, Evaluation | None]:
    """The patient, evaluated with what the app counts; nothing where the record cannot be read."""
    now = parts.deployment.clock()
    try:
        record = record_of(here, parts.deployment, parts.at_hand)
    except DataUnavailable:
        return None, None
    stated = as_stated((row for row in rows if counts(row, now)), now)
    return record, assessed(record, here, parts.deployment, now=now, stated=stated)


def _said(here: Bedside, deployment: Deployment, evaluation: Evaluation) -> tuple[Section, ...]:
    """The grades, and the rules they reach, as the page of advice has them."""
    shown = shown_of(here, deployment, evaluation)
    found = sheet(evaluation.decision, deployment.library, shown).sections
    return tuple(one for one in found if one.code in _SECTIONS)
