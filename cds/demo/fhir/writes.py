"""Create, update and delete on the records, with R4's conditions; also inside transactions."""

import re
from datetime import datetime
from urllib.parse import parse_qsl

from cds.demo.fhir.errors import FhirError
from cds.demo.fhir.query import parse
from cds.demo.fhir.quirks import Quirks
from cds.demo.fhir.resource_json import Resource
from cds.demo.fhir.search import matches
from cds.demo.fhir.storage import Records, Version
from cds.demo.fhir.visible import Visible


_ETAG = re.compile(r'(?:W/)?"?([A-Za-z0-9.-]{1,64})"?')


def pairs_of(condition: str) -> list[tuple[str, str]]:
    """The parameters of a condition, `Type?name=value` or `name=value`."""
    return parse_qsl(condition.partition("?")[2] or condition, keep_blank_values=True)


def the_one(
    records: Records, kind: str, condition: str, *, base: str, quirks: Quirks, visible: Visible
) -> Version | None:
    """What a condition (a search string) finds; None: nothing. Raises 412 when it is several."""
    query = parse(kind, pairs_of(condition), base=base, quirks=quirks, strict=True)
    if not query.tests:
        raise FhirError(412, "multiple-matches", "the condition asks for nothing")
    found = matches(records, query, visible)
    if len(found) > 1:
        raise FhirError(412, "multiple-matches", "the condition is met by several resources")
    return found[0] if found else None


def create(
    records: Records, kind: str, resource: Resource, *, now: datetime, id_: str = ""
) -> Version:
    """A new resource; the id it came with does not count (R4 http, "create")."""
    return records.put(kind, id_ or records.new_id(kind), resource, method="POST", now=now)


def update(
    records: Records, kind: str, id_: str, resource: Resource, *, if_match: str, now: datetime
) -> tuple[Version, bool]:
    """The new version, and whether the resource came into being with it."""
    before = records.current(kind, id_)
    _refuse_stale(before, if_match)
    created = before is None or before.resource is None
    return records.put(kind, id_, resource, method="PUT", now=now), created


def delete(records: Records, kind: str, id_: str, *, if_match: str, now: datetime) -> None:
    """Gone afterwards; nothing happens where it is gone or never was."""
    before = records.current(kind, id_)
    _refuse_stale(before, if_match)
    if before is not None and before.resource is not None:
        records.put(kind, id_, None, method="DELETE", now=now)


def _refuse_stale(before: Version | None, if_match: str) -> None:
    if not if_match:
        return
    found = _ETAG.fullmatch(if_match.strip())
    there = before is not None and before.resource is not None
    if found is None or not there or before is None or found[1] != str(before.number):
        raise FhirError(412, "conflict", "the resource is no longer that version")
