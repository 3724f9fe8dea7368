"""The CDS Hooks endpoints: discovery and the service call; the handler reads as the pipeline.

Knows HTTP and who may ask; nothing clinical.
"""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from flask import Blueprint, Response, g, request

from cds.clock import Clock
from cds.config import Settings, Site, same_base
from cds.errors import BadHookRequest, NotAllowed, UnknownService, WrongMediaType
from cds.hook_request import HookRequest, parse
from cds.pipeline import effective_mode, evaluate
from cds.services import SERVICES, services_of
from fhir_mapping.codes import CodeSets
from knowledge.library import Library


JSON = "application/json"


def blueprint(
    settings: Settings, *, library: Library, codes: Mapping[str, CodeSets], clock: Clock
) -> Blueprint:
    """Routes of the CDS Hooks base URL for one deployment; `codes` by the id of the site."""
    hooks = Blueprint("hooks", __name__)
    offered = services_of(codes[settings.default_site])
    catalogue = msgspec.json.encode({"services": offered})

    @hooks.before_request
    def trust() -> None:
        refuse_forwarded(settings)

    @hooks.get("/cds-services")
    def discovery() -> Response:
        return Response(catalogue, mimetype=JSON)

    @hooks.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        service = SERVICES.get(service_id)
        if service is None:
            raise UnknownService("no service has this id; GET /cds-services lists them")
        site = settings.site
        g.seen = {"service": service.id, "hook": service.hook, "site": site.id}
        refuse_other_media()
        hook_request = parse(read_body(), service.hook)
        refuse_other_server(hook_request, site)
        own = codes[site.id]
        evaluation = evaluate(hook_request, site=site, library=library, codes=own, now=clock())
        g.seen |= {
            "topics": tuple(c.source.topic.code for c in evaluation.cards if c.source.topic),
            "mode": effective_mode(site, library),
        }
        answer = Response(evaluation.response, mimetype=JSON, status=HTTPStatus.OK)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return hooks


def read_body() -> bytes:
    """The whole body in one read where the server has it; werkzeug asks for 64 kB at a time."""
    length = request.content_length or 0
    body: bytes = request.stream.read(length) if length else b""
    return body if body and len(body) == length else body + request.stream.read()


def refuse_forwarded(settings: Settings) -> None:
    """Without authentication the caller must be on this machine, not behind a proxy."""
    if settings.auth != "off":
        return
    names = request.environ
    if "HTTP_FORWARDED" in names or any(name.startswith("HTTP_X_FORWARDED_") for name in names):
        raise NotAllowed('forwarded requests are refused while auth = "off"')


def refuse_other_media() -> None:
    """CDS Hooks 2.0, "Use of JSON": JSON only; and JSON on the wire is UTF-8, uncompressed here."""
    if request.mimetype != JSON:
        raise WrongMediaType(f"the Content-Type must be {JSON}", field="Content-Type")
    if request.mimetype_params.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        raise WrongMediaType("the charset must be utf-8", field="Content-Type")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise WrongMediaType("the body must not be compressed", field="Content-Encoding")


def refuse_other_server(hook_request: HookRequest, site: Site) -> None:
    """The body may not choose the FHIR server: it must be the site's own."""
    server, own = hook_request.fhir_server, site.fhir_base
    if server is not None and own is not None and not same_base(server, own):
        raise BadHookRequest("is not the FHIR base of this site", field="fhirServer")
