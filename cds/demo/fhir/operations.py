"""`$status` and `$events` of a topic subscription, `$everything` of a patient."""

from collections.abc import Sequence

from cds.demo.fhir.call import Call, Reply
from cds.demo.fhir.definitions import TYPES
from cds.demo.fhir.elements import member, values
from cds.demo.fhir.errors import FhirError
from cds.demo.fhir.feed import KIND
from cds.demo.fhir.query import Pairs, Query, parse
from cds.demo.fhir.resource_json import Resource
from cds.demo.fhir.search import matches, of_found
from cds.demo.fhir.storage import Version
from cds.demo.fhir.subscription_form import CONTENTS
from cds.demo.fhir.topics import notification, status


_MOST_DIGITS = 18


def pairs_of(parameters: Resource) -> list[tuple[str, str]]:
    """The simple values of a Parameters resource, as a POSTed operation has them."""
    found = []
    for one in values(parameters, "parameter"):
        name = member(one, "name")
        text = next((one[key] for key in one if key.startswith("value")), "") if name else ""
        if isinstance(name, str) and isinstance(text, str):
            found.append((name, text))
    return found


def subscription_status(call: Call, id_: str, pairs: Pairs) -> Reply:
    """`$status` of one subscription, or (`id_` "") of those that `id` and `status` name."""
    visible = call.allow("operation", KIND, id_, pairs=pairs)
    feed, base = call.server.feed, call.server.base
    ids = {id_} if id_ else _asked(pairs, "id")
    states = set() if id_ else _asked(pairs, "status")
    with call.server.store.reading() as records:
        found = [one for one in records.all_of(KIND) if visible(one)]
    if id_ and id_ not in {one.id for one in found}:
        raise FhirError(404, "not-found", "there is no such subscription")
    entries = []
    for one in found:
        state = feed.state(one)
        if (not ids or one.id in ids) and (not states or state.status in states):
            described = status(state, "query-status", base)
            full = f"urn:uuid:{described['id']}"
            entry = {"fullUrl": full, "resource": described, "search": {"mode": "match"}}
            entries.append(entry)
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    return Reply(200, bundle | ({"entry": entries} if entries else {}))


def subscription_events(call: Call, id_: str, pairs: Pairs) -> Reply:
    """`$events`: what a topic subscription was told, from and up to event numbers."""
    visible = call.allow("operation", KIND, id_, pairs=pairs)
    server = call.server
    with server.store.reading() as records:
        found = records.current(KIND, id_)
    there = found is not None and found.resource is not None and visible(found)
    form = None if found is None or not there else server.feed.form(found)
    if found is None or form is None or not form.topic:
        raise FhirError(404, "not-found", "there is no such topic subscription")
    given = dict(pairs)
    since, until = (_number(given, f"events{name}Number") for name in ("Since", "Until"))
    content = given.get("content", form.content)
    if content not in CONTENTS:
        raise FhirError(400, "value", "content: empty, id-only or full-resource")
    events = [
        one
        for one in server.feed.events(id_)
        if (since is None or one.number >= since) and (until is None or one.number <= until)
    ]
    return Reply(
        200,
        notification(
            server.feed.state(found),
            "query-event",
            server.base,
            now=call.now(),
            events=events,
            content=content,
        ),
    )


def everything(call: Call, id_: str, pairs: Pairs) -> Reply:
    """`$everything`: the patient and all that names this patient."""
    visible = call.allow("operation", "Patient", id_, pairs=pairs)
    server = call.server
    known = [pair for pair in pairs if pair[0] == "_count"]
    query = parse("Patient", known, base=server.base, quirks=server.quirks)
    with server.store.reading() as records:
        patient = records.current("Patient", id_)
        if patient is None or patient.resource is None or not visible(patient):
            raise FhirError(404, "not-found", "there is no such patient")
        found: list[Version] = [patient]
        for kind in _with_patient():
            of_kind: Query = parse(kind, [("patient", id_)], base=server.base, quirks=server.quirks)
            found += matches(records, of_kind, visible)
        answer = of_found(records, query, found, server.base, visible)
    return Reply(200, server.pages.first(answer, server.base, server.quirks, call.now()))


def _with_patient() -> Sequence[str]:
    return [kind for kind, one in TYPES.items() if "patient" in one.parameters]


def _asked(pairs: Pairs, name: str) -> set[str]:
    return {part for given, text in pairs if given == name for part in text.split(",") if part}


def _number(given: dict[str, str], name: str) -> int | None:
    text = given.get(name, "")
    if text and not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise FhirError(400, "value", f"{name}: not a number")
    return int(text) if text else None
