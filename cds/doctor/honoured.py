"""Whether an answer is what its query asked for: which parameters the server left unheeded.

R4 lets a server ignore what it does not know and say so by leaving it out of the `self` link; some
do not say so. Pure: one first page beside its query. FHIR 4.0.1 Search, "Server Conformance".
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from msgspec import Raw

from cds.fhir_urls import is_below
from cds.prefetch import newest_only
from fhir_mapping.binding import Binding
from fhir_mapping.bundles import read_head, read_raw_entries
from fhir_mapping.errors import AnotherPatient
from fhir_mapping.times import instant


# Where each type says when: the members that `_sort` of our queries goes by.
_TIMES = (
    "effectiveDateTime",
    "effectiveInstant",
    "authoredOn",
    "recordedDate",
    "performedDateTime",
)
_PERIODS = ("effectivePeriod", "performedPeriod", "period")
_ALSO = {"patient": {"patient", "subject"}}  # the same thing under another name in a self link
_CODED = frozenset({"code", "category", "status"})
_OF_NOBODY = frozenset({"Medication", "Device", "OperationOutcome", "Bundle"})

Owned: TypeAlias = Literal["own", "another", "nobody"]


class Judged(NamedTuple):
    """About one first page. `ignored`: parameters that were surely not heeded; `unsaid`: those the
    self link leaves out without a result that shows it. `foreign`: results of another patient, or
    of another base; `nobodys`: those of which nobody can tell.

    `astray`: the next page is not below the base. `told`: whether there was anything to judge by.
    """

    results: int
    foreign: int
    nobodys: int
    astray: bool
    ignored: tuple[str, ...]
    unsaid: tuple[str, ...]
    more: bool
    asked_count: int | None
    told: bool


def judge(query: str, content: Mapping[str, Any], body: Raw, *, patient: str, base: str) -> Judged:
    """`query`: as it was sent, "Observation?patient=…"."""
    asked = dict(parse_qsl(query.partition("?")[2], keep_blank_values=True))
    resources = list(results_of(content))
    binding = Binding(patient, base)
    owned = [_whose(url, raw, binding) for url, raw in _raw_results(body)]
    own = _link(content, "self")
    heeded = None if own is None else _names(own)
    ignored = [name for name in asked if _ignored(name, asked[name], resources)]
    missing = [
        name
        for name in asked
        if heeded is not None and not heeded & _ALSO.get(name, {name}) and name not in ignored
    ]
    count = asked.get("_count", "")
    following = _link(content, "next")
    return Judged(
        results=len(resources),
        foreign=owned.count("another"),
        nobodys=owned.count("nobody"),
        astray=bool(following) and not newest_only(query) and not is_below(base, following or ""),
        ignored=tuple(ignored),
        unsaid=tuple(missing),
        more=following is not None,
        asked_count=int(count) if count.isdigit() else None,
        told=bool(resources) or heeded is not None,
    )


def _whose(url: str | None, raw: Raw, binding: Binding) -> Owned:
    """As the mapping has it: what it refuses, and what it does not use."""
    head = read_head(raw)
    if head is None or head.resource_type is None or head.resource_type in _OF_NOBODY:
        return "own"
    try:
        if head.resource_type == "Patient":
            binding.is_patient(head, "", url)
            return "own"
        found = binding.owns(head.subject or head.patient, "", url)
    except AnotherPatient:
        return "another"
    # A number or a contained Patient in place of a reference: only the whole chart can tell.
    named = head.subject or head.patient
    open_ = named is not None and (named.reference or "#").startswith("#")
    return "own" if found or open_ else "nobody"


def _ignored(name: str, value: str, resources: list[Mapping[str, Any]]) -> bool:
    """Whether the results themselves show that the parameter was not heeded."""
    if name == "_count":
        return value.isdigit() and len(resources) > int(value)
    if name == "_sort":
        times = times_of(resources)
        return times != sorted(times, reverse=value.startswith("-"))
    if name in _CODED:
        wanted = {_token(one) for one in re.split(r"(?<!\\),", value)}
        return any(not _matches(wanted, one.get(name)) for one in resources)
    return False


def _token(text: str) -> tuple[str | None, str]:
    """System, if one was named, and code; FHIR's own escapes taken away."""
    system, bar, code = text.rpartition("|")
    plain = re.sub(r"\\([\\$,|])", r"\1", code)
    return (re.sub(r"\\([\\$,|])", r"\1", system) if bar else None, plain)


def _matches(wanted: set[tuple[str | None, str]], value: object) -> bool:
    return any(
        (system, code) in wanted or (None, code) in wanted for system, code in _codes_in(value)
    )


def _codes_in(value: object) -> Iterator[tuple[str | None, str]]:
    """Of a code, a CodeableConcept or a list of these; in any other shape nothing."""
    if isinstance(value, str):
        yield None, value
    elif isinstance(value, list):
        for one in value:
            yield from _codes_in(one)
    elif isinstance(value, dict):
        coding = value.get("coding")
        for one in coding if isinstance(coding, list) else ():
            if isinstance(one, dict) and isinstance(one.get("code"), str):
                system = one.get("system")
                yield (system if isinstance(system, str) else None), one["code"]


def times_of(resources: Iterable[Mapping[str, Any]]) -> list[datetime]:
    """Of those that have one with a zone, in the order they came."""
    return [at for one in resources if (at := instant(_time(one))) is not None]


def _time(resource: Mapping[str, Any]) -> str:
    """When the resource says it was, as it is written; empty where it does not say."""
    for name in _TIMES:
        if isinstance(resource.get(name), str):
            return str(resource[name])
    for name in _PERIODS:
        period = resource.get(name)
        if isinstance(period, dict) and isinstance(period.get("start"), str):
            return str(period["start"])
    return ""


def results_of(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    entries = content.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            continue
        resource, search = entry.get("resource"), entry.get("search")
        mode = search.get("mode") if isinstance(search, dict) else None
        if not isinstance(resource, dict) or mode not in {None, "match"}:
            continue
        if resource.get("resourceType") != "OperationOutcome":
            yield resource


def _raw_results(body: Raw) -> Iterator[tuple[str | None, Raw]]:
    for url, resource in read_raw_entries(body) or ():
        if memoryview(resource).nbytes:
            yield url, resource


def _link(content: Mapping[str, Any], relation: str) -> str | None:
    links = content.get("link")
    for one in links if isinstance(links, list) else ():
        if isinstance(one, dict) and one.get("relation") == relation:
            return str(one.get("url", ""))
    return None


def _names(url: str) -> set[str]:
    """The parameters of a link, without their modifiers."""
    try:
        query = urlsplit(url).query
    except ValueError:
        return set()
    return {name.partition(":")[0] for name, _ in parse_qsl(query, keep_blank_values=True)}
