"""The one composition root: settings, knowledge, codes and clock become a Flask application.

Also what belongs to no endpoint: errors as OperationOutcome, CORS, the log line, health, /about.
"""

import logging
import os
import sys
import time
from pathlib import Path
from traceback import extract_tb

import msgspec
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from cds import __version__, errors, log
from cds.body_limits import MAX_BYTES
from cds.clock import Clock, system_clock
from cds.config import ConfigError, Settings, load, site_codes, unsound
from cds.errors import ServiceError, operation_outcome
from cds.hooks import blueprint
from cds.pipeline import effective_mode
from fhir_mapping.codes import CodeSets, load_codes
from knowledge import library as knowledge_library
from knowledge.library import Library


_BY_STATUS: dict[int, type[ServiceError]] = {
    400: errors.BadHookRequest,
    404: errors.UnknownPath,
    405: errors.WrongMethod,
    413: errors.TooLarge,
    415: errors.WrongMediaType,
}


def create_app(settings: Settings, *, library: Library, codes: CodeSets, clock: Clock) -> Flask:
    """The service, ready to be served. Raises `ConfigError` for settings that do not fit.

    `codes`: for every site that has no overlay of its own.
    """
    own, refused = site_codes(settings)
    problems = [*unsound(settings), *refused] + [
        f"sites.{site.id}.protocol: no protocol is called {site.protocol}"
        for site in settings.sites.values()
        if site.protocol not in library.protocols
    ]
    if problems:
        raise ConfigError(tuple(problems))
    app = Flask("cds", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES
    by_site = {site: own.get(site, codes) for site in settings.sites}
    app.register_blueprint(blueprint(settings, library=library, codes=by_site, clock=clock))
    _answer_errors(app)
    _answer_about(app, settings, library)
    app.before_request(_start)
    app.after_request(_log_request)
    app.after_request(lambda response: _allow_origin(response, settings))
    return app


def from_config(path: str) -> Flask:
    """The application a server process runs, with everything read from disk once."""
    log.configure(sys.stderr)
    settings = load(Path(path), os.environ)
    knowledge = knowledge_library.load()
    return create_app(settings, library=knowledge, codes=load_codes(), clock=system_clock)


def _answer_errors(app: Flask) -> None:
    @app.errorhandler(ServiceError)
    def refused(error: ServiceError) -> Response:
        g.code = error.code
        response = Response(
            msgspec.json.encode(operation_outcome(error)),
            status=error.status,
            mimetype="application/fhir+json",
        )
        response.headers["Link"] = f'<{error.spec_url}>; rel="help"'
        return response

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        kind = _BY_STATUS.get(error.code or 500, errors.Fault)
        response = refused(kind(error.name))
        response.status_code = error.code or 500
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        """Log the kind and the line, never the text: it may hold a value from the request."""
        last = extract_tb(error.__traceback__)[-1]
        where = f"{last.filename.rpartition('/')[2]}:{last.lineno}"
        log.event("fault", level=logging.ERROR, error=type(error).__name__, at=where)
        return refused(errors.Fault("internal fault"))


def _answer_about(app: Flask, settings: Settings, library: Library) -> None:
    reviewed = "clinically reviewed" if library.clinically_reviewed else "not clinically reviewed"
    knowledge = {
        "version": library.version,
        "sha256": library.sha256,
        "clinicallyReviewed": library.clinically_reviewed,
    }
    sites = [
        {"id": site.id, "protocol": site.protocol, "mode": effective_mode(site, library)}
        for site in settings.sites.values()
    ]
    about = {"software": "btce-cds", "version": __version__, "notice": reviewed}

    @app.get("/livez")
    def livez() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz")
    def readyz() -> dict[str, object]:
        return {"status": "ready", "knowledge": knowledge}

    @app.get("/about")
    def about_page() -> dict[str, object]:
        return {**about, "knowledge": knowledge, "sites": sites}


def _start() -> None:
    g.started = time.perf_counter()


def _log_request(response: Response) -> Response:
    seen = {**g.get("seen", {}), "code": g.get("code")}
    ms = round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1)
    level = logging.WARNING if seen["code"] == errors.AnotherPatient.code else logging.INFO
    log.event("request", level=level, status=response.status_code, ms=ms, **seen)
    return response


def _allow_origin(response: Response, settings: Settings) -> Response:
    """CORS for browser clients, on every answer: also on errors and on the POST itself."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    origin = request.headers.get("Origin", "")
    if settings.origins:
        response.headers.add("Vary", "Origin")
    if origin in settings.origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
    return response
