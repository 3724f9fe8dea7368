"""What operators ask: is it alive, is it ready, what does it count, what runs here."""

from http import HTTPStatus

import msgspec
from flask import Blueprint, Response

from cds.about import about
from cds.deployment import Deployment
from cds.health import Observed, days_left, ready
from cds.pipeline import effective_mode


def blueprint(deployment: Deployment) -> Blueprint:
    """/livez, /readyz, /metrics and /about; none of them shows a value of a request."""
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
        status, checks = ready(settings, library, _observed(deployment), now=deployment.clock())
        body = {"status": status, "checks": checks, "knowledge": page["knowledge"]}
        code = HTTPStatus.OK
        if status == "not-ready":
            code = HTTPStatus.SERVICE_UNAVAILABLE
        return Response(msgspec.json.encode(body), mimetype="application/json", status=code)

    @operation.get("/metrics")
    def metrics() -> Response:
        for protocol, days in days_left(settings, library, deployment.clock()).items():
            deployment.metrics.days_left(protocol, days)
        body, content_type = deployment.metrics.render()
        return Response(body, content_type=content_type)

    @operation.get("/about")
    def about_page() -> dict[str, object]:
        return page

    return operation


def _observed(deployment: Deployment) -> Observed:
    spool = deployment.recorder.spool_state()
    return Observed(
        store=deployment.recorder.store_answers(),
        spooled=0 if spool is None else spool.waiting,
        set_aside=0 if spool is None else spool.set_aside,
        spool_usable=spool is not None,
        keys=deployment.keys_at_hand(),
        draining=False,
    )
