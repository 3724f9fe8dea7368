"""The order-entry workbench: an EHR as far as CDS Hooks sees it; routes and headers.

Server-rendered, works without JavaScript. It calls the service over HTTP like any EHR and decides
nothing; what each button does is in `steps`, what a page shows in `bench_page`.
"""

from collections.abc import Mapping
from datetime import UTC

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from cds.demo import bench_page, steps
from cds.demo.bench import PROTOCOLS, Bench, launch_url
from cds.demo.launching import add_launch
from cds.demo.steps import NoSuch, Step
from cds.demo.visit import View, Visit, Visits


CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; frame-src {base}"
)
VIEWS: tuple[View, ...] = ("full", "epic", "oracle", "beside")


def create_workbench(bench: Bench, visits: Visits | None = None) -> Blueprint:
    """The blueprint of one demo."""
    page = Blueprint(
        "workbench",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/workbench",
    )
    kept = visits or Visits()
    # Style, htmx and the drawing of a timeline are those of the bedside app.
    page.register_blueprint(
        Blueprint(
            "assets",
            "cds.smart",
            template_folder="templates",
            static_folder="static",
            static_url_path="/assets",
        )
    )
    _add_reading(page, bench, kept)
    _add_steps(page, bench, kept)
    hospital = bench.hospital
    add_launch(
        page,
        fhir=hospital.fhir,
        patients=frozenset(bench.stories),
        apps=frozenset(launch_url(hospital.base, protocol) for protocol in PROTOCOLS),
    )
    _add_headers(page, hospital.base)
    return page


def _add_reading(page: Blueprint, bench: Bench, kept: Visits) -> None:
    @page.get("/")
    def choose() -> AnyResponse:
        name = request.args.get("patient", next(iter(bench.stories)))
        if name not in bench.stories:
            abort(404)
        visit = kept.begin(steps.begin(bench, bench.stories[name]))
        return redirect(url_for("workbench.visit", which=visit.id), 303)

    @page.get("/visits/<which>")
    def visit(which: str) -> str | tuple[str, int]:
        found = kept.get(which)
        if found is None:
            return render_template("workbench/over.html"), 404
        if {"view", "show"} & set(request.args):
            found = kept.change(which, lambda visit: _looked(visit, request.args)) or found
        return bench_page.render(bench, found, request.args)

    @page.get("/visits/<which>/stored")
    def stored(which: str) -> Response:
        found = _visit(kept, which)
        there = bench_page.held(bench, found)
        if request.args.get("seen") == there.digest:
            return Response(status=204)
        return Response(bench_page.stored_part(bench, found, there))

    @page.get("/visits/<which>/request/<hook>.json")
    def export(which: str, hook: str) -> Response:
        answer = _visit(kept, which).answers.get(hook)
        if answer is None or not answer.request or answer.at is None:
            abort(404)
        made = Response(answer.request, mimetype="application/json")
        at = answer.at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        made.headers["Content-Disposition"] = f'attachment; filename="{hook}-{at}.json"'
        return made


def _add_steps(page: Blueprint, bench: Bench, kept: Visits) -> None:
    """Each is a form without script: POST, then back to the page."""
    todo: dict[str, tuple[Step, str]] = {
        "settings": (lambda visit, _: steps.opened(bench, visit), "answer"),
        "select": (lambda visit, form: steps.chosen(bench, visit, form), "answer"),
        "sign": (lambda visit, form: steps.signed(bench, visit, form), "answer"),
        "file": (lambda visit, _: steps.filed(bench, visit), "order"),
        "remove": (steps.removed, "order"),
        "accept": (lambda visit, form: steps.accepted(bench, visit, form), "order"),
        "override": (lambda visit, form: steps.overridden(bench, visit, form), "answer"),
        "observe": (lambda visit, form: steps.observed(bench, visit, form), "stored"),
    }

    @page.post("/visits/<which>/<step>")
    def take(which: str, step: str) -> AnyResponse | tuple[str, int]:
        if step not in todo:
            abort(404)
        (work, place), form = todo[step], request.form
        try:
            after = kept.change(which, lambda visit: steps.taken(visit, form, work))
        except NoSuch:
            abort(400)
        if after is None:
            return render_template("workbench/over.html"), 404
        where = "message" if after.wrong else place
        return redirect(url_for("workbench.visit", which=which, _anchor=where), 303)


def _add_headers(page: Blueprint, base: str) -> None:
    policy = CONTENT_SECURITY_POLICY.format(base=base)

    @page.after_app_request
    def harden(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        if response.mimetype == "text/html":
            response.headers["Cache-Control"] = "no-store"
        return response


def _looked(visit: Visit, asked: Mapping[str, str]) -> Visit:
    view = next((one for one in VIEWS if one == asked.get("view")), visit.view)
    shown = asked.get("show", visit.shown)
    return visit.but(view=view, shown=shown if shown in visit.answers else visit.shown)


def _visit(kept: Visits, which: str) -> Visit:
    found = kept.get(which)
    if found is None:
        abort(404)
    return found
