"""What each prefetch value says, and so what is still to be asked of the FHIR server.

CDS Hooks 2.0.1, "Prefetch Template": the service checks every key and retrieves what is missing.
Whether an answer is complete for its facts is the mapping's to say; no resource is interpreted.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import msgspec
from msgspec import Raw, Struct

from cds.hook_request import HookRequest
from fhir_mapping.binding import Binding
from fhir_mapping.bundles import BAD_INPUT, is_null, read_head, read_page
from fhir_mapping.completeness import answered_queries
from fhir_mapping.errors import AnotherPatient
from fhir_mapping.notes import Notes


State: TypeAlias = Literal[
    "absent",  # the client declined or failed: ask
    "none",  # asked, and there are no data: null, an empty Bundle, nothing but warnings
    "data",
    "caveats",  # data, and an outcome of severity error beside them: use, do not ask again
    "failed",  # an OperationOutcome instead of data: the client tried, do not ask again
    "partial",  # data with a `next` link: the rest can be asked
    "wrong-type",  # not FHIR, or not what was asked for: as absent
]
Enough: TypeAlias = Callable[[str, Raw], bool]

_SEVERE = frozenset({"error", "fatal"})
_OUTCOME = b"OperationOutcome"
_NEWEST_ONLY = re.compile(r"[?&]_count=1(?:&|\Z)")


class Value(Struct, frozen=True):
    """One prefetch value: its state, its entries, and the link to the next page if it has one.

    `self_link`: what the server says that it answered, empty if it does not say.
    """

    state: State
    raw: Raw | None = None
    entries: tuple[Raw, ...] = ()
    next_link: str = ""
    self_link: str = ""


class ToAsk(Struct, frozen=True):
    """One thing to read: a query from its start, or the pages behind those that are there."""

    key: str
    template: str
    first: Value | None = None


class _Issue(Struct):
    severity: str = ""


class _Outcome(Struct, rename="camel"):
    resource_type: str | None = None
    issue: tuple[_Issue, ...] = ()


class _Entry(Struct):
    resource: _Outcome | None = None


class _Link(Struct):
    relation: str = ""
    url: str = ""


class _Bundle(Struct):
    entry: tuple[Raw, ...] | None = None
    link: tuple[_Link, ...] | None = None


def classify(template: str, raw: Raw | None) -> Value:
    """The state of what came for the query `template`; None: the key is absent."""
    if raw is None:
        return Value("absent")
    if is_null(raw):
        return Value("none")
    head = read_head(raw)
    kind = None if head is None else head.resource_type
    if kind == "Bundle":
        return _bundle(raw)
    if kind == "OperationOutcome":
        return Value("failed", raw)  # whatever its severity: it is there instead of an answer
    return Value("data" if kind is not None and kind == _one_type(template) else "wrong-type", raw)


def to_ask(
    request: HookRequest, templates: Mapping[str, str], base: str, enough: Enough
) -> Iterator[ToAsk]:
    """What the request leaves open, in the order of the templates.

    `enough` (key, value): whether a first page is complete for its facts, so that nothing behind it
    is read. A value of the wrong type that is about another patient stays: it refuses the request.
    """
    for key, template in templates.items():
        raw = request.prefetch.get(key)
        value = classify(template, raw)
        if raw is None or (
            value.state == "wrong-type" and _harmless(raw, request.patient_id, base)
        ):
            yield ToAsk(key, template)
        elif value.state == "partial" and not newest_only(template) and not enough(key, raw):
            yield ToAsk(key, template, value)


def never(_key: str, _raw: Raw) -> bool:
    """No page is complete before the last one."""
    return False


def newest_only(template: str) -> bool:
    """Whether a query asks for the newest one alone: its first page is the whole answer."""
    return _NEWEST_ONLY.search(template) is not None


def covers(now: datetime, lookback: timedelta) -> Enough:
    """The mapping's own word on whether a page reaches past the window of its facts."""

    def enough(key: str, raw: Raw) -> bool:
        notes = Notes()
        page = read_page(key, raw, notes)
        return key in answered_queries((page,), now, now - lookback, notes)

    return enough


def _bundle(raw: Raw) -> Value:
    try:
        bundle = msgspec.json.decode(raw, type=_Bundle)
    except BAD_INPUT:
        return Value("wrong-type", raw)
    entries = bundle.entry or ()
    severities = [_entry_outcome(entry) for entry in entries] if _OUTCOME in bytes(raw) else []
    matches = len(entries) - sum(found is not None for found in severities)
    if any(severities):
        return Value("caveats" if matches else "failed", raw, entries)
    links = {one.relation: one.url for one in reversed(bundle.link or ())}
    if links.get("next"):
        return Value("partial", raw, entries, links["next"], links.get("self", ""))
    return Value("data" if matches else "none", raw, entries)


def _entry_outcome(entry: Raw) -> bool | None:
    """Of an OperationOutcome, whether it is severe; None: another resource, or one unreadable."""
    try:
        found = msgspec.json.decode(entry, type=_Entry).resource
    except BAD_INPUT:
        return None
    if found is None or found.resource_type != "OperationOutcome":
        return None
    return any(issue.severity in _SEVERE for issue in found.issue)


def _one_type(template: str) -> str | None:
    """The type of what may come by itself: of a read, or of the newest one alone."""
    if "?" in template and not newest_only(template):
        return None
    return re.split(r"[/?]", template, maxsplit=1)[0]


def _harmless(raw: Raw, patient_id: str, base: str) -> bool:
    """Whether a value that is replaced hides no resource of another patient."""
    head = read_head(raw)
    if head is None or head.resource_type is None:
        return True
    binding = Binding(patient_id, base)
    try:
        if head.resource_type == "Patient":
            binding.is_patient(head, "", None)
        for reference in (head.subject, head.patient):
            binding.owns(reference, "")
    except AnotherPatient:
        return False
    return True
