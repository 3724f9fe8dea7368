"""The worklist of a unit, and the way from it to a patient; every patient with the user's rights.

A page that reads itself again says since when it could not, and shows no old grade as a new one.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from flask import Blueprint, Response, make_response, redirect, request

from cds import log
from cds.errors import AnotherPatient, DataUnavailable
from cds.smart.context import Context
from cds.smart.guarding.problem import Problem
from cds.smart.parts import AddRoutes, Bedside, Parts, bedside
from cds.smart.showing import page
from cds.smart.worklist.asking import refused
from cds.smart.worklist.reading import HIDDEN, Seen, at_bed_of, read_all
from cds.smart.worklist.rights import WANTED, missing_rights
from cds.smart.worklist.rows import listed, within
from cds.smart.worklist.units import chosen
from cds.store.cohort import Cohort
from cds.store.recent import Recent


LATELY = timedelta(days=14)  # decisions of so long count as lately
COMPARED = timedelta(hours=1)  # a decision this old or older is compared with
MOST = 60  # patients read for one page


def worklist_routes(
    derive: Callable[[Context, str], str], cohort: Cohort, recent: Recent
) -> AddRoutes:
    """The routes `worklist` and `open_patient`. `derive`: of a context and a patient's id, where
    the browser goes to see that patient."""

    def add_routes(smart: Blueprint, parts: Parts) -> None:
        @smart.get("/l/<launch>/worklist")
        def worklist(launch: str) -> Response:
            here, now = bedside(), parts.deployment.clock()
            part = "HX-Request" in request.headers
            lacking = missing_rights(here.context.scopes)
            if lacking and part:
                raise Problem("not-allowed")
            if lacking:
                shown = page(
                    "smart/worklist_rights.html", None, None, lacking=lacking, wanted=WANTED
                )
                return make_response(shown, 403)
            return make_response(_list(here, parts, cohort, recent, now, part=part))

        @smart.post("/l/<launch>/worklist/open")
        def open_patient(launch: str) -> Response:
            here, now = bedside(), parts.deployment.clock()
            patient = request.form.get("patient", "")
            if missing_rights(here.context.scopes):
                raise Problem("not-allowed")
            if patient not in known(here, cohort, recent, now):
                raise Problem("bad-request")
            _refuse(patient, here)
            return make_response(redirect(derive(here.context, patient), 303))

    return add_routes


def known(here: Bedside, cohort: Cohort, recent: Recent, now: datetime) -> tuple[str, ...]:
    """Whom this service watches or decided on lately at this site; those dosed last first."""
    watched = sorted(cohort.watched(here.site.id, now), key=lambda one: one.last_dose, reverse=True)
    lately = recent.patients(here.site.id, now - LATELY)
    return tuple(dict.fromkeys((*(one.patient for one in watched), *lately)))


def _refuse(patient: str, here: Bedside) -> None:
    """Raises where the FHIR server does not give this Patient to the user: `Problem` where that is
    the user's right, `DataUnavailable` where it is anything else."""
    kind = refused(at_bed_of(patient, here))
    if kind == "session-over":
        raise Problem("token-over")
    if kind in HIDDEN:
        raise Problem("not-allowed")
    if kind is not None:
        raise DataUnavailable("could not be read", field="patient")


def _list(
    here: Bedside, parts: Parts, cohort: Cohort, recent: Recent, now: datetime, *, part: bool
) -> str:
    patients = known(here, cohort, recent, now)
    asked = patients[:MOST]
    earlier = recent.before(here.site.id, asked, now - LATELY, now - COMPARED)
    seen = read_all(asked, here, parts, now)
    _report(seen, here)
    if any(one.why == "session-over" for one in seen):
        raise Problem("token-over")  # of everybody: nobody is hidden from this user
    found = listed(seen, earlier)
    key = request.args.get("unit", "")
    unit = chosen(key, found.units)
    return page(
        "smart/worklist_list.html" if part else "smart/worklist.html",
        None,
        None,
        found=found,
        rows=within(unit, found.rows),
        unit=unit,
        unknown_unit=bool(key) and unit is None,
        beyond=len(patients) - len(asked),
        now=now,
        renewed=part,
    )


def _report(seen: Sequence[Seen], here: Bedside) -> None:
    """A record that names another patient is a matter of security, not only of this page."""
    if any(one.why == "another-patient" for one in seen):
        log.event(
            "bedside-problem",
            level=logging.WARNING,
            code=AnotherPatient.code,
            site=here.site.id,
        )
