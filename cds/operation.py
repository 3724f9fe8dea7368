"""What operators ask: is it alive, is it ready, what does it count, what runs here."""

import os
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

import msgspec
from flask import Blueprint, Response

from cds import draining
from cds.about import about
from cds.deployment import Deployment
from cds.health import Check, Observed, days_left, ready
from cds.pipeline import effective_mode
from cds.store import StoreDown
from cds.worker import backlog
from cds.worker.backlog import Backlog


ReadBacklog = Callable[[datetime], Backlog]
_UNKNOWN = Check("degraded", "not known: the store cannot be read")


def blueprint(deployment: Deployment, read_backlog: ReadBacklog | None = None) -> Blueprint:
    """/livez, /readyz, /metrics and /about; none of them shows a value of a request.

    `read_backlog`: what waits in the inbox at a time; raises `StoreDown`. None: there is no inbox.
    """
    operation = Blueprint("operation", __name__)
    settings, library = deployment.settings, deployment.library
    page = about(
        settings, library, lambda site: effective_mode(site, library), commit=deployment.commit
    )

    @operation.get("/livez")
    def livez() -> dict[str, str]:
        return {"status": "alive"}

    @operation.get("/readyz")
    def readyz() -> Response:
        now = deployment.clock()
        observed = _observed(deployment, _inbox(read_backlog, now))
        status, checks = ready(settings, library, observed, now=now)
        body = {"status": status, "checks": checks, "knowledge": page["knowledge"]}
        code = HTTPStatus.OK
        if status == "not-ready":
            code = HTTPStatus.SERVICE_UNAVAILABLE
        return Response(msgspec.json.encode(body), mimetype="application/json", status=code)

    @operation.get("/metrics")
    def metrics() -> Response:
        now = deployment.clock()
        for protocol, days in days_left(settings, library, now).items():
            deployment.metrics.days_left(protocol, days)
        if read_backlog is not None:
            deployment.metrics.backlog(*_numbers(read_backlog, now))
        body, content_type = deployment.metrics.render()
        return Response(body, content_type=content_type)

    @operation.get("/about")
    def about_page() -> dict[str, object]:
        return page

    return operation


def _observed(deployment: Deployment, inbox: Check | None) -> Observed:
    spool = deployment.recorder.spool_state()
    return Observed(
        store=deployment.recorder.store_answers(),
        spooled=0 if spool is None else spool.waiting,
        set_aside=0 if spool is None else spool.set_aside,
        spool_usable=spool is not None,
        keys=deployment.keys_at_hand(),
        draining=draining.announced(os.environ),
        inbox=inbox,
    )


def _inbox(read_backlog: ReadBacklog | None, now: datetime) -> Check | None:
    if read_backlog is None:
        return None
    try:
        return backlog.check(read_backlog(now))
    except StoreDown:
        return _UNKNOWN


def _numbers(read_backlog: ReadBacklog, now: datetime) -> tuple[float, float]:
    """How many wait and the age of the oldest in seconds; not a number while nobody can tell."""
    try:
        found = read_backlog(now)
    except StoreDown:
        return float("nan"), float("nan")
    return found.waiting, found.oldest_seconds
