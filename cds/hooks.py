"""The CDS Hooks endpoints: discovery, the service call, feedback. Knows HTTP, nothing clinical."""

from http import HTTPStatus

import msgspec
from flask import Blueprint, Response, g, request

from cds import feedback
from cds.call import Answered, answer
from cds.callers import is_signed, refuse_forwarded, site_of
from cds.config import Site
from cds.deployment import Deployment
from cds.errors import UnknownService, WrongMediaType
from cds.pipeline import effective_mode
from cds.services import SERVICES, Service
from cds.trust import endpoint_urls, feedback_urls


JSON = "application/json"
FHIR_JSON = "application/fhir+json"


def blueprint(deployment: Deployment) -> Blueprint:
    """Routes of the CDS Hooks base URL for one deployment."""
    hooks = Blueprint("hooks", __name__)
    public_url = deployment.settings.public_url

    @hooks.before_request
    def trust() -> None:
        refuse_forwarded(deployment.settings)

    @hooks.get("/cds-services")
    def discovery() -> Response:
        offered = SERVICES
        if deployment.settings.auth == "off" or is_signed():
            offered = deployment.services[site_of(deployment, endpoint_urls(public_url)).id]
        return _json(msgspec.json.encode({"services": list(offered.values())}))

    @hooks.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        site = site_of(deployment, endpoint_urls(public_url, service_id))
        service = _named(service_id)
        _see(service, site)
        refuse_other_media()
        own = deployment.services[site.id][service.id]
        answered = answer(read_body(), own, site, deployment, started=g.started)
        _count(answered, service, site, deployment)
        return _json(answered.evaluation.response, no_store=True)

    @hooks.post("/cds-services/<service_id>/feedback")
    def told(service_id: str) -> Response:
        site = site_of(deployment, feedback_urls(public_url, service_id))
        service = _named(service_id)
        _see(service, site)
        refuse_other_media()
        batch = feedback.parse_feedback(read_body())
        rows = feedback.rows(batch, site=site.id, service=service.id)
        deployment.recorder.add_feedback(rows, deployment.clock())
        for row in rows:
            deployment.metrics.feedback(row.outcome)
        refused = feedback.outcome(batch)
        made = Response(status=feedback.status(batch))
        if refused is not None:
            made.data, made.mimetype = msgspec.json.encode(refused), FHIR_JSON
        return made

    return hooks


def _named(service_id: str) -> Service:
    service = SERVICES.get(service_id)
    if service is None:
        raise UnknownService("no service has this id; GET /cds-services lists them")
    return service


def _see(service: Service, site: Site) -> None:
    g.seen = {"service": service.id, "hook": service.hook, "site": site.id}


def _count(answered: Answered, service: Service, site: Site, deployment: Deployment) -> None:
    """What operators see of a call: never a value of it."""
    topics = tuple(c.source.topic.code for c in answered.evaluation.cards if c.source.topic)
    g.seen |= {
        "topics": topics,
        "mode": effective_mode(site, deployment.library),
        "decision": answered.id,
        "upstream": tuple(one.kind for one in answered.failed),
    }
    for card in answered.shown:
        if card.source.topic is not None:
            deployment.metrics.card(card.source.topic.code, card.indicator)
    for one in answered.failed:
        deployment.metrics.upstream_error(one.kind)
    if answered.evaluation.decision.assessment.disposition.action == "cannot-evaluate":
        deployment.metrics.cannot_evaluate(service.id)


def _json(body: bytes, *, no_store: bool = False) -> Response:
    made = Response(body, mimetype=JSON, status=HTTPStatus.OK)
    if no_store:
        made.headers["Cache-Control"] = "no-store"
    return made


def read_body() -> bytes:
    """The whole body in one read where the server has it; werkzeug asks for 64 kB at a time."""
    length = request.content_length or 0
    body: bytes = request.stream.read(length) if length else b""
    return body if body and len(body) == length else body + request.stream.read()


def refuse_other_media() -> None:
    """CDS Hooks 2.0, "Use of JSON": JSON only; and JSON on the wire is UTF-8, uncompressed here."""
    if request.mimetype != JSON:
        raise WrongMediaType(f"the Content-Type must be {JSON}", field="Content-Type")
    if request.mimetype_params.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        raise WrongMediaType("the charset must be utf-8", field="Content-Type")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise WrongMediaType("the body must not be compressed", field="Content-Encoding")
