"""Which queries were answered in full, so that silence about a fact means "none charted".

A page with more behind it is complete for the window only if it is newest first and its last entry
is older than the window. One that looks so by chance, from a server that says it did not sort, may
have anything behind it. It reads times, nothing else.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import get_args

from fhir_mapping.bundles import Page
from fhir_mapping.datatypes import Period
from fhir_mapping.notes import Notes
from fhir_mapping.resources import (
    MedicationAdministration,
    Observation,
    OperationOutcome,
    Procedure,
    Readable,
)
from fhir_mapping.times import instant
from knowledge.facts import QueryName


TOCILIZUMAB_WINDOW = timedelta(days=60)  # covers the six weeks in which doses are counted
_NEWEST_ONLY = frozenset({"encounter"})  # one is asked for: there may well be more
QUERIES: dict[str, QueryName] = {name: name for name in get_args(QueryName)}


def answered_queries(
    pages: Iterable[Page], now: datetime, since: datetime, notes: Notes
) -> frozenset[QueryName]:
    """The names of the queries that were answered, each in full for its window."""
    found: set[QueryName] = set()
    for page in pages:
        query = QUERIES.get(page.name)
        window = min(since, now - TOCILIZUMAB_WINDOW) if query == "administrations" else since
        newest = query in _NEWEST_ONLY and page.ordered and bool(page.entries)
        partial = page.more and not newest and not _reaches_past(page, window)
        if partial:
            text = f"only part of {page.name} was sent: there is a next page"
            notes.notice("partial-page", text)
            notes.missing(page.name, text)
        if query is not None and page.answered and not partial:
            found.add(query)
    return frozenset(found)


def has_newest(pages: Iterable[Page], query: QueryName) -> bool:
    """Whether the first entries of an answer are the newest there are, or all."""
    return all(page.ordered or not page.more for page in pages if page.name == query)


def read_back_to(pages: Iterable[Page]) -> dict[str, datetime]:
    """How far back the newest part of an answer reaches, of queries with more behind it."""
    reach = {page.name: _oldest(page) for page in pages if page.name in QUERIES and page.more}
    return {name: time for name, time in reach.items() if time is not None}


def _reaches_past(page: Page, since: datetime) -> bool:
    oldest = _oldest(page)
    return oldest is not None and oldest < since


def _oldest(page: Page) -> datetime | None:
    """The time of the last entry of a page that is newest first and whose every time is known."""
    if not page.ordered:
        return None
    resources = [entry.resource for entry in page.entries]
    times = [
        _time(resource)
        for resource in resources
        if resource is not None and type(resource) is not OperationOutcome
    ]
    known = [time for time in times if time is not None]
    if not known or len(known) < len(times):
        return None
    newest_first = all(one >= other for one, other in pairwise(known))
    return known[-1] if newest_first else None


def _time(resource: Readable) -> datetime | None:
    moment: str | None = None
    period: Period | None = None
    if isinstance(resource, Observation):
        moment = resource.effective_date_time or resource.effective_instant
        period = resource.effective_period
    elif isinstance(resource, MedicationAdministration):
        moment, period = resource.effective_date_time, resource.effective_period
    elif isinstance(resource, Procedure):
        moment, period = resource.performed_date_time, resource.performed_period
    text = moment or (period.start if period is not None else None)
    return instant(text) if text else None
