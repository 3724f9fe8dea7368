"""Runs a query over the records and cuts the answer into pages that stay as they were."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from secrets import token_urlsafe
from threading import Lock
from urllib.parse import urlencode

from msgspec import Struct

from cds.demo.fhir.errors import FhirError
from cds.demo.fhir.ordering import in_order, unsorted
from cds.demo.fhir.query import Include, Query
from cds.demo.fhir.quirks import Quirks
from cds.demo.fhir.references import named_by
from cds.demo.fhir.resource_json import Resource
from cds.demo.fhir.search_notes import notes
from cds.demo.fhir.storage import Records, Version
from cds.demo.fhir.visible import Visible


_KEPT = 256  # answers of more than one page; the oldest goes first


class Page(Struct, frozen=True):
    """What one page shows."""

    found: tuple[Version, ...]
    included: tuple[Version, ...]


class Snapshot(Struct, frozen=True):
    """One answered search."""

    query: Query
    total: int
    pages: tuple[Page, ...]


def matches(records: Records, query: Query, visible: Visible) -> list[Version]:
    """Every resource that meets all tests and may be shown, in order."""
    there = records.all_of(query.kind)
    shown = query.quirks.shown
    found = [one for one in there if _meets(query, shown(one.resource or {})) and visible(one)]
    if not query.sort:
        how = query.quirks.unsorted
        if how == "newest-first" and query.kind not in query.quirks.newest_first:
            how = "as-made"
        return unsorted(found, how)
    return in_order(found, query.sort)


def snapshot(records: Records, query: Query, base: str, visible: Visible) -> Snapshot:
    """The whole answer, in pages of `query.count`."""
    return of_found(records, query, matches(records, query, visible), base, visible)


def of_found(
    records: Records, query: Query, found: list[Version], base: str, visible: Visible
) -> Snapshot:
    """The pages of resources already found."""
    if query.only_count:
        return Snapshot(query, len(found), (Page((), ()),))
    starts = range(0, max(len(found), 1), query.count)
    parts = [found[start : start + query.count] for start in starts]
    pages = (
        Page(tuple(part), _included(records, part, query.includes, base, visible)) for part in parts
    )
    return Snapshot(query, len(found), tuple(pages))


class Pages:
    """The answers whose further pages may still be asked for; may be shared by threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[str, tuple[Snapshot, datetime]] = OrderedDict()

    def first(self, answer: Snapshot, base: str, quirks: Quirks, now: datetime) -> Resource:
        """The Bundle of the first page."""
        token = ""
        if len(answer.pages) > 1:
            token = token_urlsafe(16)
            with self._lock:
                self._kept[token] = (answer, now)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return _bundle(answer, token, 0, base, quirks)

    def further(
        self, name: str, base: str, quirks: Quirks, visible: Visible, now: datetime
    ) -> Resource:
        """The Bundle of the page a link named.

        Raises `FhirError` 410 when it is gone, and for who may not see all of that answer.
        """
        token, _, number = name.rpartition(".")
        with self._lock:
            answer, made = self._kept.get(token, (None, now))
        if quirks.page_seconds is not None and now - made > timedelta(seconds=quirks.page_seconds):
            raise _gone()
        if answer is None or not number.isdigit() or int(number) >= len(answer.pages):
            raise _gone()
        if not all(visible(one) for page in answer.pages for one in (*page.found, *page.included)):
            raise _gone()
        return _bundle(answer, token, int(number), base, quirks)


def _gone() -> FhirError:
    return FhirError(410, "not-found", "that page is gone: search again")


def _meets(query: Query, resource: Resource) -> bool:
    return all(test(resource) for test in query.tests)


def _included(
    records: Records,
    found: Iterable[Version],
    includes: tuple[Include, ...],
    base: str,
    visible: Visible,
) -> tuple[Version, ...]:
    """Each once, and none that the page shows as a match."""
    kept = list(found)
    seen = {one.ref for one in kept}
    added: dict[str, Version] = {}
    for include in includes:
        for other in _of(records, kept, include, base):
            if other.ref not in seen and visible(other):
                added[other.ref] = other
    return tuple(added.values())


def _of(records: Records, found: list[Version], include: Include, base: str) -> Iterator[Version]:
    if include.reverse:
        shown = {one.ref for one in found}
        for other in records.all_of(include.kind):
            if shown & set(_named(other, include, base)):
                yield other
        return
    for one in found:
        for name in _named(one, include, base):
            kind, _, id_ = name.partition("/")
            there = records.current(kind, id_) if include.target in {"", kind} else None
            if there is not None and there.resource is not None:
                yield there


def _named(version: Version, include: Include, base: str) -> Iterator[str]:
    for path in include.parameter.paths:
        yield from named_by(version.resource or {}, path, base)


def _bundle(answer: Snapshot, token: str, number: int, base: str, quirks: Quirks) -> Resource:
    page, query = answer.pages[number], answer.query
    root = f"{base}/{query.kind}"

    def link(relation: str, at: int) -> Resource:
        first = relation == "self" and at == 0
        pairs = query.kept if first else _to_page(query, f"{token}.{at}", relation)
        return {"relation": relation, "url": f"{root}?{urlencode(pairs)}" if pairs else root}

    links = [link("self", number)]
    if number > 0:
        links.append(link("previous", number - 1))
    if number + 1 < len(answer.pages):
        links.append(link("next", number + 1))
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset"}
    if query.only_count or (query.total and not quirks.no_total):
        bundle["total"] = len(page.found) if quirks.total_of_page else answer.total
    bundle["link"] = links
    entries = [_entry(one, "match", base, quirks) for one in page.found]
    entries += [_entry(one, "include", base, quirks) for one in page.included]
    if not query.only_count:
        entries += notes(query, len(page.found), quirks)
    return bundle | ({"entry": entries} if entries else {})


def _to_page(query: Query, name: str, relation: str) -> list[tuple[str, str]]:
    quirks = query.quirks
    if not quirks.page_keeps_query:
        return [(quirks.page_parameter, name)]
    direction = "PREV" if relation == "previous" else "NEXT"
    return [*query.kept, (quirks.page_parameter, name), ("-pageDirection", direction)]


def _entry(version: Version, mode: str, base: str, quirks: Quirks) -> Resource:
    return {
        "fullUrl": f"{base}/{version.ref}",
        "resource": quirks.shown(version.resource or {}),
        "search": {"mode": mode},
    }
