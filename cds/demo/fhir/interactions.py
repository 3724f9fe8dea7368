"""The REST interactions of R4 http, as functions from a call to a reply; knows no web framework."""

from collections.abc import Sequence

from cds.demo.fhir import writes
from cds.demo.fhir.call import Call, Reply
from cds.demo.fhir.errors import FhirError
from cds.demo.fhir.named_medications import named_medication
from cds.demo.fhir.query import parse
from cds.demo.fhir.refusals import refuse
from cds.demo.fhir.resource_json import Resource
from cds.demo.fhir.search import snapshot
from cds.demo.fhir.storage import Records, Version, instant
from cds.demo.fhir.validation import checked
from cds.demo.fhir.visible import seen


def read(call: Call, kind: str, id_: str) -> Reply:
    """The current version; 404 where there never was one, 410 where it is deleted."""
    visible = call.allow("read", kind, id_)
    with call.server.store.reading() as records:
        versions = records.history(kind, id_)
        shown = seen(versions, visible)
        if not versions and kind == "Medication" and call.server.quirks.named_medications:
            return Reply(200, named_medication(records, id_, visible))
    return _shown(call, shown[-1] if shown and shown[-1] is versions[-1] else None)


def vread(call: Call, kind: str, id_: str, number: str) -> Reply:
    """One version."""
    visible = call.allow("vread", kind, id_)
    with call.server.store.reading() as records:
        versions = seen(records.history(kind, id_), visible)
    return _shown(call, next((one for one in versions if str(one.number) == number), None))


def history(call: Call, kind: str, id_: str) -> Reply:
    """Every version, newest first, as a history Bundle."""
    visible = call.allow("history", kind, id_)
    with call.server.store.reading() as records:
        versions = seen(records.history(kind, id_), visible)
    if not versions:
        raise _missing()
    base = call.server.base
    return Reply(
        200,
        {
            "resourceType": "Bundle",
            "type": "history",
            "total": len(versions),
            "link": [{"relation": "self", "url": f"{base}/{kind}/{id_}/_history"}],
            "entry": [_past(call, one, base) for one in reversed(versions)],
        },
    )


def search(call: Call, kind: str, pairs: Sequence[tuple[str, str]]) -> Reply:
    """The first page of what is found, or the page a link named."""
    visible = call.allow("search", kind, pairs=pairs)
    server, now = call.server, call.now()
    base, quirks = server.base, server.quirks
    for name, text in pairs:
        if name == quirks.page_parameter:
            return Reply(200, server.pages.further(text, base, quirks, visible, now))
    refuse(kind, pairs, quirks)
    query = parse(kind, pairs, base=base, quirks=quirks, strict=call.strict)
    with server.store.reading() as records:
        answer = snapshot(records, query, base, visible)
    return Reply(200, server.pages.first(answer, base, quirks, now))


def create(call: Call, kind: str, resource: Resource, if_none_exist: str = "") -> Reply:
    """201 with the new resource; 200 with the one that met the condition already."""
    call.allow("create", kind, resource=resource)
    server = call.server
    resource = checked(kind, resource, base=server.base, quirks=server.quirks)
    with server.store.change() as records:
        if if_none_exist:
            there = found_by(call, records, kind, if_none_exist)
            if there is not None:
                return Reply(200, there.resource, there)
        version = writes.create(records, kind, resource, now=call.now())
    return Reply(201, version.resource, version, created=True)


def found_by(call: Call, records: Records, kind: str, condition: str) -> Version | None:
    """What a condition finds of what the caller may find: it is a search like any other."""
    visible = call.allow("search", kind, pairs=writes.pairs_of(condition))
    server = call.server
    return writes.the_one(
        records, kind, condition, base=server.base, quirks=server.quirks, visible=visible
    )


def update(call: Call, kind: str, id_: str, resource: Resource, if_match: str = "") -> Reply:
    """200 with the new version; 201 where the client chose the id of a new resource."""
    call.allow("update", kind, id_, resource=resource)
    server = call.server
    resource = checked(kind, resource, base=server.base, quirks=server.quirks, id_=id_)
    with server.store.change() as records:
        version, created = writes.update(
            records, kind, id_, resource, if_match=if_match, now=call.now()
        )
    return Reply(201 if created else 200, version.resource, version, created)


def delete(call: Call, kind: str, id_: str, if_match: str = "") -> Reply:
    """204, also where there was nothing."""
    call.allow("delete", kind, id_)
    with call.server.store.change() as records:
        writes.delete(records, kind, id_, if_match=if_match, now=call.now())
    return Reply(204)


def _shown(call: Call, version: Version | None) -> Reply:
    if version is None:
        raise _missing()
    if version.resource is None:
        raise FhirError(410, "deleted", "the resource is deleted")
    return Reply(200, call.server.quirks.shown(version.resource), version)


def _missing() -> FhirError:
    return FhirError(404, "not-found", "there is no such resource")


def _past(call: Call, version: Version, base: str) -> Resource:
    status = {"POST": "201", "DELETE": "204"}.get(
        version.method, "201" if version.number == 1 else "200"
    )
    url = version.kind if version.method == "POST" else version.ref
    entry: Resource = {
        "fullUrl": f"{base}/{version.ref}",
        "request": {"method": version.method, "url": url},
        "response": {
            "status": status,
            "etag": version.etag,
            "lastModified": instant(version.updated),
        },
    }
    resource = version.resource
    return entry | ({} if resource is None else {"resource": call.server.quirks.shown(resource)})
