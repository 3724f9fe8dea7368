"""The grading screen: what the record says, what is asked, and what both come to.

Every change of an answer is evaluated as a hook would evaluate it; nothing is written before it is
confirmed, and what is confirmed is kept and sent by `cds.smart.stating.writing`. It grades nothing
itself.
"""

import re
import secrets

import msgspec
from flask import Blueprint, redirect, request, url_for
from msgspec import Struct
from werkzeug.wrappers import Response

from cards.units import time
from cds.smart.advised import Look, look, shown_of
from cds.smart.evaluating import assessed
from cds.smart.form.answers import BLANK, Answers, Filled, Problem, read
from cds.smart.form.fields import Section, asked, sections
from cds.smart.form.result import result
from cds.smart.form.stating import Statement, draft, statements, with_response
from cds.smart.known import known
from cds.smart.parts import Bedside, Parts, bedside
from cds.smart.showing import page
from cds.smart.stating.statement import AlreadyStated
from cds.smart.stating.writing import state
from fhir_mapping.answers import CannotWrite
from fhir_mapping.definitions import ice_items
from fhir_mapping.write import Charting


_SUBMISSION = re.compile(r"[0-9a-f]{32}")
_NOBODY = "Practitioner/not-stated"  # in a preview of somebody who cannot chart
_NOTHING = Problem("", "Nothing is answered: answer at least one question.")
_PART_OF_ICE = Problem(
    "ice-orientation",
    "Answer all five items of the ICE score, or none, or say why it could not be performed.",
)
_STALE = Problem("", "The form could not be recognised: check the answers and confirm again.")
_NOT_YOURS = Problem(
    "",
    "Only a clinician can state this: the EHR does not name you as a practitioner. Ask one to"
    " sign in and confirm.",
)


class Screen(Struct, frozen=True, kw_only=True):
    """One look at the patient, and what is asked of whom."""

    look: Look
    sections: tuple[Section, ...]

    @property
    def by(self) -> Charting:
        """Who states what is answered, about whom and when."""
        context = self.look.here.context
        user = context.user if context.may_chart else _NOBODY
        return Charting(context.patient, user, self.look.now, context.encounter)


def add_routes(smart: Blueprint, parts: Parts) -> None:
    """The form, its preview at every change, and confirming it."""

    @smart.get("/l/<launch>/")
    def grade(launch: str) -> str:
        return _page(parts, _screen(parts, keep=True), BLANK, _new_submission())

    @smart.post("/l/<launch>/preview")
    def preview(launch: str) -> str:
        screen = _screen(parts)
        filled = _filled(screen)
        given = request.form.get("submission", "")
        submission = given if _SUBMISSION.fullmatch(given) else _new_submission()
        part = request.headers.get("HX-Request") == "true"
        return _page(parts, screen, filled, submission, part=part)

    @smart.post("/l/<launch>/confirm")
    def confirm(launch: str) -> Response | tuple[str, int]:
        return _confirmed(parts)


def _confirmed(parts: Parts) -> Response | tuple[str, int]:
    here = bedside()
    parts.at_hand.drop(here.context.launch)  # what is confirmed stands beside the record of now
    screen = _screen(parts)
    filled = _filled(screen)
    submission = request.form.get("submission", "")
    if not here.context.may_chart:
        return _again(parts, screen, filled, _NOT_YOURS), 403
    if not _SUBMISSION.fullmatch(submission):
        return _again(parts, screen, filled, _STALE), 422
    if filled.problems:
        return _page(parts, screen, filled, submission, refused=True), 422
    stated, problem = _stated(filled.answers, screen)
    if filled.answers.ice and filled.answers.ice.keys() != ice_items().keys():
        problem = _PART_OF_ICE  # as a statement it would stand in the way of a whole one
    if problem is not None or not stated:
        return _again(parts, screen, filled, problem or _NOTHING, submission), 422
    try:
        state(parts, here, submission, with_response(stated, screen.by), screen.look.now)
    except AlreadyStated as error:
        return _again(parts, screen, filled, _confirmed_before(error, here)), 422
    return redirect(url_for("smart.statements", launch=here.context.launch), code=303)


def _confirmed_before(error: AlreadyStated, here: Bedside) -> Problem:
    at = time(error.at, here.site.zone)
    return Problem(
        "",
        f"These answers were confirmed at {at}. To state them again, load the form anew and answer"
        " what you see now.",
    )


def _screen(parts: Parts, *, keep: bool = False) -> Screen:
    seen = look(parts, keep=keep)
    limit = int(parts.deployment.library.icans.capd_under_age.value)
    age = seen.evaluation.facts.age_years
    of = asked(age, limit, may_chart=seen.here.context.may_chart)
    return Screen(look=seen, sections=sections(of))


def _filled(screen: Screen) -> Filled:
    fields = [field for section in screen.sections for field in section.fields]
    return read(request.form.to_dict(flat=False), fields)


def _stated(answers: Answers, screen: Screen) -> tuple[tuple[Statement, ...], Problem | None]:
    try:
        return statements(answers, screen.by), None
    except CannotWrite as error:
        return (), Problem("", f"{error}: check the answers.")


def _again(
    parts: Parts, screen: Screen, filled: Filled, problem: Problem, submission: str = ""
) -> str:
    """The form with one more problem, and all of its answers."""
    more = msgspec.structs.replace(filled, problems=(problem, *filled.problems))
    return _page(parts, screen, more, submission or _new_submission(), refused=True)


def _page(
    parts: Parts,
    screen: Screen,
    filled: Filled,
    submission: str,
    *,
    part: bool = False,
    refused: bool = False,
) -> str:
    look, deployment = screen.look, parts.deployment
    before = look.evaluation
    stated, problem = _stated(filled.answers, screen)
    now = before
    if stated:
        every = (*look.kept, *draft(stated))
        now = assessed(look.record, look.here, deployment, now=look.now, stated=every)
    shown = shown_of(look.here, deployment, now)
    labels = {one.name: one.title for section in screen.sections for one in section.fields}
    return page(
        "smart/grade_result.html" if part else "smart/grade.html",
        look.record,
        before,
        sections=screen.sections,
        labels=labels,
        kept=filled.kept,
        problems=(*filled.problems, *([problem] if problem is not None else ())),
        refused=refused,
        notes=look.notes,
        age_known=before.facts.age_years is not None,
        may_chart=look.here.context.may_chart,
        known=known(before, look.here.site.zone),
        result=result(now, before, filled.answers, deployment.library, shown),
        answered=bool(stated),
        read_at=look.record.at,
        submission=submission,
        part=part,
    )


def _new_submission() -> str:
    return secrets.token_hex(16)
