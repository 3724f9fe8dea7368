"""Bundles posted to the base: a transaction happens whole or not at all, a batch entry by entry.

R4 http, "Transaction Processing Rules": deletes, creates, updates, then reads; links by `fullUrl`
become links to what was made of that entry.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from msgspec import Struct

from cds.demo.fhir import interactions, writes
from cds.demo.fhir.bundle_entries import ORDER, Entry, Place, entry_of
from cds.demo.fhir.call import Call, Reply
from cds.demo.fhir.errors import FhirError, outcome
from cds.demo.fhir.references import renamed
from cds.demo.fhir.resource_json import Resource
from cds.demo.fhir.storage import Records, instant
from cds.demo.fhir.validation import checked


def process(call: Call, bundle: Resource) -> Reply:
    """The answer Bundle. Raises `FhirError` for what is neither, and for a failed transaction."""
    if bundle.get("resourceType") != "Bundle":
        raise FhirError(400, "invalid", "only a Bundle may be posted to the base")
    kind = bundle.get("type")
    if kind not in ("transaction", "batch"):
        raise FhirError(422, "not-supported", "Bundle.type: only transaction and batch")
    raw = bundle.get("entry", [])
    if not isinstance(raw, list):
        raise FhirError(400, "structure", "Bundle.entry is not a list")
    call.allow("bundle", "")
    answers = _transaction(call, raw) if kind == "transaction" else _batch(call, raw)
    answer: Resource = {"resourceType": "Bundle", "type": f"{kind}-response"}
    return Reply(200, answer | ({"entry": answers} if answers else {}))


def _batch(call: Call, raw: list[Any]) -> list[Resource]:
    answers = []
    for one in raw:
        try:
            answers.append(_answer(call, _alone(call, entry_of(one, call.server.base))))
        except FhirError as error:
            said = {"status": str(error.status), "outcome": outcome(error)}
            answers.append({"response": said})
    return answers


def _alone(call: Call, entry: Entry) -> Reply:
    """One entry of a batch, as if it had come by itself."""
    match entry.method, entry.path:
        case "GET", _:
            return _get(call, entry)
        case "POST", (kind,):
            return interactions.create(call, kind, entry.resource, entry.if_none_exist)
        case "PUT", (kind, id_):
            return interactions.update(call, kind, id_, entry.resource, entry.if_match)
        case "DELETE", (kind, id_):
            return interactions.delete(call, kind, id_, entry.if_match)
        case _:
            raise FhirError(
                400, "not-supported", "request: not something this server does in a Bundle"
            )


def _transaction(call: Call, raw: list[Any]) -> list[Resource]:
    entries = []
    for number, one in enumerate(raw):
        with Place(number):
            entries.append(entry_of(one, call.server.base))
    replies: dict[int, Reply] = {}
    with call.server.store.change() as records:
        made = _planned(call, records, entries)
        order = sorted(range(len(entries)), key=lambda n: ORDER.index(entries[n].method))
        for number in order:
            with Place(number):
                replies[number] = _within(call, records, entries[number], number, made)
    return [_answer(call, replies[number]) for number in range(len(entries))]


class _Made(Struct, frozen=True):
    """Where each entry ends up. `refs`: by fullUrl. `ids`, `there`: of created ones, by number."""

    refs: Mapping[str, str]
    ids: Mapping[int, str]
    there: Mapping[int, Reply]


def _planned(call: Call, records: Records, entries: list[Entry]) -> _Made:
    """Ids for everything that will be created, before any link is renamed."""
    refs: dict[str, str] = {}
    ids: dict[int, str] = {}
    there: dict[int, Reply] = {}
    touched: set[str] = set()
    for number, entry in enumerate(entries):
        if entry.method == "GET":
            continue
        with Place(number):
            ref = "/".join(entry.path)
            if entry.method == "POST":
                call.allow("create", entry.kind, resource=entry.resource)
                condition, found = entry.if_none_exist, None
                if condition:
                    found = interactions.found_by(call, records, entry.kind, condition)
                if found is not None:
                    there[number] = Reply(200, found.resource, found)
                else:
                    ids[number] = records.new_id(entry.kind)
                ref = found.ref if found else f"{entry.kind}/{ids[number]}"
            elif ref in touched:
                raise FhirError(400, "invalid", "another entry changes the same resource")
            touched.add(ref)
            if entry.full_url:
                refs[entry.full_url] = ref
    return _Made(refs, ids, there)


def _within(call: Call, records: Records, entry: Entry, number: int, made: _Made) -> Reply:
    """One entry of a transaction."""
    if entry.method in {"GET", "DELETE"} or number in made.there:
        return made.there[number] if number in made.there else _alone_on(call, records, entry)
    server = call.server
    resource = renamed(entry.resource, lambda text: _link(call, records, text, made.refs))
    now = call.now()
    if entry.method == "POST":
        if resource != entry.resource:  # its links may lead to somebody else by now
            call.allow("create", entry.kind, resource=resource)
        resource = checked(entry.kind, resource, base=server.base, quirks=server.quirks)
        version = writes.create(records, entry.kind, resource, now=now, id_=made.ids[number])
        return Reply(201, version.resource, version, created=True)
    kind, id_ = entry.path
    call.allow("update", kind, id_, resource=resource)
    resource = checked(kind, resource, base=server.base, quirks=server.quirks, id_=id_)
    version, created = writes.update(records, kind, id_, resource, if_match=entry.if_match, now=now)
    return Reply(201 if created else 200, version.resource, version, created)


def _alone_on(call: Call, records: Records, entry: Entry) -> Reply:
    """A read sees what the transaction has done so far; a delete is part of it."""
    if entry.method == "GET":
        return _get(call, entry)
    kind, id_ = entry.path
    call.allow("delete", kind, id_)
    writes.delete(records, kind, id_, if_match=entry.if_match, now=call.now())
    return Reply(204)


def _link(call: Call, records: Records, text: str, refs: Mapping[str, str]) -> str:
    """Where a link leads afterwards; `Type?search` is a conditional reference."""
    if text in refs:
        return refs[text]
    kind, mark, condition = text.partition("?")
    if not mark or not kind.isalpha():
        return text
    found = interactions.found_by(call, records, kind, condition)
    if found is None:
        raise FhirError(412, "not-found", "a conditional reference leads to nothing")
    return found.ref


def _get(call: Call, entry: Entry) -> Reply:
    match entry.path:
        case (kind,):
            pairs = parse_qsl(entry.query, keep_blank_values=True)
            return interactions.search(call, kind, pairs)
        case (kind, id_):
            return interactions.read(call, kind, id_)
        case (kind, id_, "_history"):
            return interactions.history(call, kind, id_)
        case (kind, id_, "_history", number):
            return interactions.vread(call, kind, id_, number)
        case _:
            raise FhirError(400, "not-supported", "request.url: not a read or a search")


def _answer(call: Call, reply: Reply) -> Resource:
    response: Resource = {"status": str(reply.status)}
    version = reply.version
    if version is None:
        return {"response": response} | ({"resource": reply.resource} if reply.resource else {})
    base = call.server.base
    response |= {"etag": version.etag, "lastModified": instant(version.updated)}
    response["location"] = f"{base}/{version.ref}/_history/{version.number}"
    return {
        "fullUrl": f"{base}/{version.ref}",
        "resource": reply.resource,
        "response": response,
    }
