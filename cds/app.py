"""The one composition root: settings, knowledge, codes, clock and store become one application.

Also what belongs to no endpoint: errors as OperationOutcome, CORS, the log line.
"""

import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from traceback import extract_tb
from typing import get_args

import msgspec
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from cds import errors, hooks, log, operation
from cds.about import installed_commit
from cds.body_limits import MAX_BYTES
from cds.clock import Clock, system_clock
from cds.config import ConfigError, Settings, load, site_codes, unfit, unsound
from cds.deployment import Deployment
from cds.errors import ServiceError, operation_outcome
from cds.fhir_guard import Kind as UpstreamKind
from cds.metrics import Metrics
from cds.notifications import receiver
from cds.recorder import Recorder, Start
from cds.services import SERVICES, services_of
from cds.smart.compose import bedside_app
from cds.store import Spool, Store, StoreDown, open_store
from cds.store.cohort import Cohort
from cds.store.inbox import Inbox
from cds.store.latest import Latest
from cds.store.subscribed import Subscribed
from cds.trust import FirstUse, Keys
from cds.trust import Kind as RefusalKind
from cds.trust.keys import in_thread
from cds.worker.backlog import backlog
from fhir_mapping.codes import CodeSets, load_codes
from knowledge import library as knowledge_library
from knowledge.library import Library


RETRY_AFTER = "5"  # seconds, for what was refused because the store is down
_BY_STATUS: dict[int, type[ServiceError]] = {
    400: errors.BadHookRequest,
    404: errors.UnknownPath,
    405: errors.WrongMethod,
    413: errors.TooLarge,
    415: errors.WrongMediaType,
}


def create_app(
    settings: Settings,
    *,
    library: Library,
    codes: CodeSets,
    clock: Clock,
    store: Store,
    spool: Spool,
    monotonic: Callable[[], float] = time.monotonic,
    start: Start = in_thread,
) -> Flask:
    """The service, ready to be served; arguments and errors as `deploy` has them."""
    deployment = deploy(
        settings,
        library=library,
        codes=codes,
        clock=clock,
        store=store,
        spool=spool,
        monotonic=monotonic,
        start=start,
    )
    app = Flask("cds", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES
    app.register_blueprint(hooks.blueprint(deployment))
    inbox, cohort, latest = Inbox(store), Cohort(store), Latest(store)
    sites = tuple(settings.sites.values())
    app.register_blueprint(
        operation.blueprint(deployment, lambda now: backlog(inbox, cohort, latest, sites, now))
    )
    app.register_blueprint(receiver.blueprint(deployment, inbox, Subscribed(store)))
    if any(site.smart is not None for site in sites):
        app.register_blueprint(bedside_app(deployment, store))
    _answer_errors(app)
    _watch(app, deployment)
    app.after_request(lambda response: _allow_origin(response, settings))
    return app


def deploy(
    settings: Settings,
    *,
    library: Library,
    codes: CodeSets,
    clock: Clock,
    store: Store,
    spool: Spool,
    monotonic: Callable[[], float] = time.monotonic,
    start: Start = in_thread,
) -> Deployment:
    """The parts that every endpoint uses. Raises `ConfigError` for settings that do not fit.

    `codes`: for every site that has no overlay of its own. `start`: does work beside the calls.
    """
    own, refused = site_codes(settings)
    problems = [*unsound(settings), *refused, *unfit(settings, library)]
    if problems:
        raise ConfigError(tuple(problems))
    by_site = {site: own.get(site, codes) for site in settings.sites}
    metrics = Metrics(
        services=SERVICES, upstream=get_args(UpstreamKind), refusals=get_args(RefusalKind)
    )
    return Deployment(
        settings=settings,
        library=library,
        codes=by_site,
        services={
            site: {one.id: one for one in services_of(known)} for site, known in by_site.items()
        },
        clock=clock,
        monotonic=monotonic,
        metrics=metrics,
        recorder=Recorder(store, spool, metrics=metrics, start=start),
        keys=Keys(monotonic=monotonic),
        first_use=FirstUse(store.first_use, down=StoreDown),
        commit=installed_commit(),
    )


def from_config(path: str) -> Flask:
    """The application a server process runs, with everything read from disk once."""
    log.configure(sys.stderr)
    log.guard_process()
    settings = load(Path(path), os.environ)
    return create_app(
        settings,
        library=knowledge_library.load(),
        codes=load_codes(),
        clock=system_clock,
        store=open_store(settings.store),
        spool=Spool(settings.spool),
    )


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
        if error.status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        if error.status == 503:
            response.headers["Retry-After"] = RETRY_AFTER
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


def _watch(app: Flask, deployment: Deployment) -> None:
    """The log line and the counters of each answer."""

    @app.before_request
    def arrived() -> None:
        g.started = deployment.monotonic()

    @app.after_request
    def answered(response: Response) -> Response:
        seen = {**g.get("seen", {}), "code": g.get("code")}
        started = g.get("started")
        ms = 0.0 if started is None else round((deployment.monotonic() - started) * 1000, 1)
        level = logging.WARNING if seen["code"] == errors.AnotherPatient.code else logging.INFO
        log.event("request", level=level, status=response.status_code, ms=ms, **seen)
        deployment.metrics.request(str(seen.get("service") or ""), response.status_code)
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
