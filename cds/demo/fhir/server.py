"""The sandbox server as a Flask blueprint: what a URL and its headers mean, and replies as HTTP.

For the loopback address only. Whoever mounts it restricts the host names (`TRUSTED_HOSTS`).
"""

from collections.abc import Sequence
from urllib.parse import parse_qsl, urlsplit
from wsgiref.handlers import format_date_time

from flask import Blueprint, Response, request

from cds.clock import Clock
from cds.demo.fhir import bundles, interactions, operations
from cds.demo.fhir.call import Authorize, Call, Reply, Server, open_to_all
from cds.demo.fhir.capability import statement
from cds.demo.fhir.errors import FhirError, all_well, outcome
from cds.demo.fhir.feed import Feed
from cds.demo.fhir.quirks import Quirks
from cds.demo.fhir.resource_json import NotJson, Resource, decode, encode
from cds.demo.fhir.search import Pages
from cds.demo.fhir.storage import Sandbox


MEDIA_TYPE = "application/fhir+json"
_FORM = "application/x-www-form-urlencoded"
_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
_READABLE = {"", "json", "application/json", "text/json", MEDIA_TYPE, "*/*", "application/*"}
Pairs = Sequence[tuple[str, str]]


def create_fhir(
    store: Sandbox,
    *,
    base: str,
    clock: Clock,
    quirks: Quirks | None = None,
    authorize: Authorize = open_to_all,
    security: Resource | None = None,
    feed: Feed | None = None,
    name: str = "sandbox_fhir",
) -> Blueprint:
    """The server at `base` (absolute, no slash at its end), to be mounted without a prefix.

    `authorize` is asked before each interaction, raises `FhirError` 401 or 403, and tells what may
    be shown. `security`: for the CapabilityStatement. A second door to the same store needs a
    `name` of its own and the `feed` of the first, so that subscribers are told once.
    """
    quirks = quirks or Quirks()
    server = Server(
        store=store,
        base=base,
        clock=clock,
        quirks=quirks,
        authorize=authorize,
        pages=Pages(),
        feed=feed or Feed(store, base=base, clock=clock, quirks=quirks),
        security=security,
    )
    root = urlsplit(base).path
    blueprint = Blueprint(name, __name__, url_prefix=root or None)

    @blueprint.route("/", methods=_METHODS, defaults={"path": ""}, strict_slashes=False)
    @blueprint.route("/<path:path>", methods=_METHODS)
    def answer(path: str) -> Response:
        return _answered(server, path)

    @blueprint.errorhandler(FhirError)
    def refuse(error: FhirError) -> Response:
        response = _json(outcome(error), error.status)
        if error.status == 401:
            response.headers["WWW-Authenticate"] = _challenge()
        if error.status == 405:
            of_type = "/" not in (request.view_args or {}).get("path", "").strip("/")
            response.headers["Allow"] = "GET, HEAD, POST" if of_type else "GET, HEAD, PUT, DELETE"
        return response

    @blueprint.after_request
    def harden(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response

    return blueprint


def _answered(server: Server, path: str) -> Response:
    prefer = request.headers.get("Prefer", "")
    call = Call(
        server=server,
        authorization=request.headers.get("Authorization", ""),
        strict="handling=strict" in prefer,
    )
    parts = tuple(part for part in path.split("/") if part)
    pairs = parse_qsl(request.query_string.decode(), keep_blank_values=True)
    _refuse_format(pairs)
    match request.method:
        case "GET" | "HEAD":
            reply = _get(call, parts, pairs)
        case "POST":
            reply = _post(call, parts, pairs)
        case "PUT":
            reply = _put(call, parts)
        case "DELETE":
            reply = _delete(call, parts)
        case _:
            raise FhirError(405, "not-supported", "this server does not do that")
    return _http(server, reply, prefer)


def _get(call: Call, parts: tuple[str, ...], pairs: Pairs) -> Reply:
    match parts:
        case ("metadata",):
            server = call.server
            described = statement(server.base, server.quirks, call.now(), server.security)
            return Reply(200, described)
        case ("Subscription", "$status"):
            return operations.subscription_status(call, "", pairs)
        case ("Subscription", id_, "$status"):
            return operations.subscription_status(call, id_, pairs)
        case ("Subscription", id_, "$events"):
            return operations.subscription_events(call, id_, pairs)
        case ("Patient", id_, "$everything"):
            return operations.everything(call, id_, pairs)
        case (kind,):
            return interactions.search(call, kind, pairs)
        case (kind, id_):
            return interactions.read(call, kind, id_)
        case (kind, id_, "_history"):
            return interactions.history(call, kind, id_)
        case (kind, id_, "_history", number):
            return interactions.vread(call, kind, id_, number)
        case _:
            raise _nothing_there()


def _post(call: Call, parts: tuple[str, ...], pairs: Pairs) -> Reply:
    match parts:
        case ():
            return bundles.process(call, _body())
        case ("Subscription", id_, "$status"):
            return operations.subscription_status(call, id_, operations.pairs_of(_body()))
        case ("Subscription", "$status"):
            return operations.subscription_status(call, "", operations.pairs_of(_body()))
        case ("Subscription", id_, "$events"):
            return operations.subscription_events(call, id_, operations.pairs_of(_body()))
        case (kind, "_search"):
            return interactions.search(call, kind, [*pairs, *_form()])
        case (kind,):
            condition = request.headers.get("If-None-Exist", "")
            return interactions.create(call, kind, _body(), condition)
        case (_, _):
            raise FhirError(405, "not-supported", "a resource is changed with PUT")
        case _:
            raise _nothing_there()


def _put(call: Call, parts: tuple[str, ...]) -> Reply:
    match parts:
        case (kind, id_):
            if_match = request.headers.get("If-Match", "")
            return interactions.update(call, kind, id_, _body(), if_match)
        case (_,):
            raise FhirError(405, "not-supported", "no conditional update: name an id")
        case _:
            raise _nothing_there()


def _delete(call: Call, parts: tuple[str, ...]) -> Reply:
    match parts:
        case (kind, id_):
            return interactions.delete(call, kind, id_, request.headers.get("If-Match", ""))
        case (_,):
            raise FhirError(405, "not-supported", "no conditional delete: name an id")
        case _:
            raise _nothing_there()


def _challenge() -> str:
    """RFC 6750 section 3: the error is named only to who came with a token."""
    return 'Bearer error="invalid_token"' if "Authorization" in request.headers else "Bearer"


def _nothing_there() -> FhirError:
    return FhirError(404, "not-found", "nothing is at this address")


def _refuse_format(pairs: Pairs) -> None:
    """JSON is the only format; `_format` outranks the header (R4 http, "Content Types")."""
    asked = dict(pairs).get("_format") or request.headers.get("Accept", "")
    wanted = {part.partition(";")[0].strip().lower() for part in asked.split(",")}
    if not wanted & _READABLE:
        raise FhirError(406, "not-supported", "this server answers in application/fhir+json")


def _body() -> Resource:
    if request.mimetype not in {MEDIA_TYPE, "application/json"}:
        raise FhirError(415, "not-supported", "the body has to be application/fhir+json")
    try:
        return decode(request.get_data())
    except NotJson as error:
        raise FhirError(400, "structure", str(error)) from None


def _form() -> Pairs:
    if request.mimetype not in {_FORM, ""}:
        raise FhirError(415, "not-supported", f"the body has to be {_FORM}")
    try:
        return parse_qsl(request.get_data().decode(), keep_blank_values=True)
    except UnicodeDecodeError:
        raise FhirError(400, "structure", "the body is not UTF-8") from None


def _http(server: Server, reply: Reply, prefer: str) -> Response:
    resource = reply.resource
    written = request.method in {"POST", "PUT"} and reply.version is not None
    if written and "return=minimal" in prefer:
        resource = None
    elif written and "return=OperationOutcome" in prefer:
        resource = all_well("done")
    response = _json(resource, reply.status)
    version = reply.version
    if version is not None:
        response.headers["ETag"] = version.etag
        response.headers["Last-Modified"] = format_date_time(version.updated.timestamp())
        if reply.created:
            location = f"{server.base}/{version.ref}/_history/{version.number}"
            response.headers["Location"] = location
    return response


def _json(resource: Resource | None, status: int) -> Response:
    if resource is None:
        return Response(status=status)
    return Response(encode(resource), status, content_type=f"{MEDIA_TYPE}; charset=utf-8")
