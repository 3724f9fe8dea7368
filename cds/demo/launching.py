"""What an EHR does when somebody clicks a card's SMART link: a launch id, then the app in a frame.

The authorization server gives the id, as the CDS Hooks sandbox asks for it; the app learns the
patient from its token, never from the link.
"""

import re
from urllib.parse import urlencode

import msgspec
import requests
from flask import Blueprint, abort, render_template, request, url_for
from msgspec import Struct


TIMEOUT_SECONDS = 10
LAUNCH = "_services/smart/Launch"
_VISIT = re.compile(r"[0-9a-f]{32}")


class _Given(Struct):
    launch_id: str


def add_launch(
    page: Blueprint, *, fhir: str, patients: frozenset[str], apps: frozenset[str]
) -> None:
    """Add `POST /launch`. `fhir`: the FHIR base. `apps`: the launch URLs that may be opened."""

    @page.post("/launch")
    def launch() -> str | tuple[str, int]:
        patient, app = request.form.get("patient", ""), request.form.get("app", "")
        if patient not in patients or app not in apps:
            abort(400)
        context, visit = request.form.get("context", ""), request.form.get("visit", "")
        back = url_for("workbench.choose", patient=patient)
        if _VISIT.fullmatch(visit):
            back = url_for("workbench.visit", which=visit)
        try:
            given = launch_id(fhir, app, patient, context)
        except (requests.RequestException, msgspec.DecodeError):
            return render_template("workbench/not_launched.html", back=back), 502
        where = f"{app}?{urlencode({'iss': fhir, 'launch': given})}"
        return render_template(
            "workbench/ehr.html",
            url=where,
            app=app,
            patient=patient,
            context=context,
            visit=visit,
            back=back,
        )


def launch_id(fhir: str, app: str, patient: str, context: str) -> str:
    """An id of one launch of `app` for `patient`; `context`: the card's appContext, or empty.

    Raises `requests.RequestException` or `msgspec.DecodeError` where none is given.
    """
    parameters = {"patient": patient, **({"appContext": context} if context else {})}
    body = {"launch_url": app, "redirect_uri": app, "parameters": parameters}
    with requests.Session() as session:
        session.trust_env = False
        reply = session.post(f"{fhir}/{LAUNCH}", json=body, timeout=TIMEOUT_SECONDS)
    reply.raise_for_status()
    return msgspec.json.decode(reply.content, type=_Given).launch_id
