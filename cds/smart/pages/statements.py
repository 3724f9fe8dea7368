"""What was stated about this patient: the values, and whether the EHR has them. Sends them again,
and takes back what is not in the chart.

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
from cds.smart.advised import Look, look, shown_of
from cds.smart.parts import Bedside, Parts, bedside
from cds.smart.prose import blocks
from cds.smart.showing import page as render
from cds.smart.stating.stated_words import confirmed
from cds.smart.stating.writing import SHOWN, send_again, withdraw


JUST_NOW = timedelta(minutes=10)  # a form this new is the one that was just confirmed
_SECTIONS = frozenset({"grade", "withheld", "rules"})


def add_routes(page: Blueprint, parts: Parts) -> None:
    """`smart.statements`, and the forms on it."""

    @page.get("/l/<launch>/statements", endpoint="statements")
    def statements(launch: str) -> str:
        here, now = bedside(), parts.deployment.clock()
        rows = parts.kept.of_patient(here.site.id, here.context.patient, now - SHOWN)
        seen = _read(parts)
        forms = confirmed(rows, now)
        fresh = bool(forms) and now - forms[0].at <= JUST_NOW
        return render(
            "smart/statements.html",
            None if seen is None else seen.record,
            None if seen is None else seen.evaluation,
            forms=forms,
            missing=sum(one.open for one in forms),
            said=() if seen is None else _said(here, parts.deployment, seen.evaluation),
            blocks=blocks,
            fresh=forms[0] if fresh else None,
            days=SHOWN.days,
        )

    @page.post("/l/<launch>/statements/again", endpoint="send_again")
    def again(launch: str) -> Response:
        submission = request.form.get("submission", "")
        send_again(parts, bedside(), submission, parts.deployment.clock())
        return redirect(url_for("smart.statements", launch=launch), 303)

    @page.post("/l/<launch>/statements/withdraw", endpoint="withdraw")
    def take_back(launch: str) -> Response:
        submission = request.form.get("submission", "")
        withdraw(parts, bedside(), submission, parts.deployment.clock())
        return redirect(url_for("smart.statements", launch=launch), 303)


def _read(parts: Parts) -> Look | None:
    """The patient, evaluated with what the app counts; nothing where the record cannot be read."""
    try:
        return look(parts)
    except DataUnavailable:
        return None


def _said(here: Bedside, deployment: Deployment, evaluation: Evaluation) -> tuple[Section, ...]:
    """The grades, and the rules they reach, as the page of advice has them."""
    shown = shown_of(here, deployment, evaluation)
    found = sheet(evaluation.decision, deployment.library, shown).sections
    return tuple(one for one in found if one.code in _SECTIONS)
