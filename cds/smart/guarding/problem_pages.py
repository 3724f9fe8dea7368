"""Answers whatever was raised below the app's prefix with a page that says what to do.

A script that asked for a part of a page (htmx) gets a part. The log line has the kind alone.
"""

import logging
from traceback import extract_tb

from flask import Blueprint, Response, current_app, g, make_response, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import RequestRedirect

from cds import log
from cds.config import Site
from cds.errors import ServiceError
from cds.smart.guarding.headers import below
from cds.smart.guarding.problem import BY_STATUS, SHOWN, Link, Problem, Shown, kind_of
from cds.smart.oauth import TEXTS, LaunchRefused, RefusedKind


RETRY_AFTER = "5"  # seconds
_LATER: frozenset[RefusedKind] = frozenset(
    {"discovery-unreachable", "server-busy", "token-unreachable"}
)
_ALARMING = frozenset({"another-patient", "csrf", "origin", "patient-mismatch"})


def add_problem_pages(page: Blueprint) -> None:
    """For every error of the blueprint, and for addresses below it where nothing is."""

    @page.errorhandler(Problem)
    def problem(error: Problem) -> Response:
        return _answer(error.kind, SHOWN[error.kind], link=error.link)

    @page.errorhandler(LaunchRefused)
    def refused(error: LaunchRefused) -> Response:
        return _answer(error.kind, shown_refusal(error.kind))

    @page.errorhandler(ServiceError)
    def service(error: ServiceError) -> Response:
        return _answer(error.code, SHOWN[kind_of(error.code, error.status)], status=error.status)

    @page.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        kind = BY_STATUS.get(status, "bad-request" if status < 500 else "fault")
        response = _answer(kind, SHOWN[kind], status=status)
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response

    @page.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        """Log the kind and the line, never the text: it may hold a value of the record."""
        last = extract_tb(error.__traceback__)[-1]
        where = f"{last.filename.rpartition('/')[2]}:{last.lineno}"
        log.event("fault", level=logging.ERROR, error=type(error).__name__, at=where)
        return _answer("fault", SHOWN["fault"])

    @page.before_app_request
    def nowhere() -> Response | None:
        """What is at no address of the app never reaches the blueprint's own handlers."""
        error = request.routing_exception
        if error is None or isinstance(error, RequestRedirect) or not below(page):
            return None
        return http(error)


def shown_refusal(kind: RefusedKind) -> Shown:
    """A refused launch in the words that belong to it."""
    text = TEXTS[kind]
    return Shown(503 if kind in _LATER else 403, text.title, "", text.what_to_do, text.tell)


def _answer(code: str, shown: Shown, *, status: int = 0, link: Link | None = None) -> Response:
    status = status or shown.status
    here, site = g.get("bedside"), g.get("framed_by")
    g.code = code
    log.event(
        "bedside-problem",
        level=logging.WARNING if code in _ALARMING else logging.INFO,
        code=code,
        status=status,
        site=site.id if isinstance(site, Site) else None,
    )
    response = make_response(
        render_template(
            _template(),
            problem=shown,
            code=code,
            link=link,
            here=here,
            offered=lambda endpoint: endpoint in current_app.view_functions,
        ),
        status,
    )
    if status == 503:
        response.headers["Retry-After"] = RETRY_AFTER
    if _renews_a_list():
        response.headers["HX-Retarget"] = "#renewal"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def _template() -> str:
    if _renews_a_list():
        return "smart/worklist_problem.html"
    return "smart/problem_part.html" if _is_part() else "smart/problem.html"


def _renews_a_list() -> bool:
    """The list that is there stays, with its time and its button; the problem is said above it."""
    return _is_part() and request.endpoint == "smart.worklist"


def _is_part() -> bool:
    return "HX-Request" in request.headers
