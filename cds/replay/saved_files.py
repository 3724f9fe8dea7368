"""A .json file of the folder: a saved hook request, feedback on cards, or nothing that is used."""

from datetime import datetime
from hashlib import sha256
from typing import Literal

import msgspec
from msgspec import Raw

from cds.body_limits import MAX_BYTES
from cds.errors import ServiceError
from cds.feedback import parse_feedback
from cds.hook_request import HookRequest, parse
from cds.replay import saved
from cds.replay.judge import reason_of
from cds.replay.ledger import Source, cannot_read
from cds.replay.state import State
from cds.replay.tally import Origin
from cds.replay.values import Row
from cds.services import SERVICES
from fhir_mapping.bundles import BAD_INPUT
from knowledge.assessment import Assessment


HOOKS = frozenset(one.hook for one in SERVICES.values())
NO_TIME = "a request in which nothing has a time and zone"


def read_saved(source: Source, state: State) -> None:
    """Evaluate or count one file; a problem is kept with its number."""
    try:
        if source.path.stat().st_size > MAX_BYTES:
            state.ledger.file(source.number, "not-used", "larger than a request may be")
            return
        body = source.path.read_bytes()
    except OSError as error:
        state.ledger.file(source.number, "not-used", cannot_read(error))
        return
    state.ledger.digest(source.number, sha256(body).hexdigest())
    kind, problem = _kind_of(body)
    if kind == "feedback":
        problem = _feedback(body, state)
    elif kind == "request":
        problem = _request(body, source.number, state)
    state.ledger.file(source.number, "not-used" if problem else kind, problem)


def _kind_of(body: bytes) -> tuple[Literal["request", "feedback", "not-used"], str]:
    try:
        members = msgspec.json.decode(body, type=dict[str, Raw])
    except BAD_INPUT:
        web_page = body.lstrip()[:1] == b"<"
        return "not-used", "a web page or XML, not JSON" if web_page else "not a JSON object"
    if "hook" in members:
        return "request", ""
    if "feedback" in members:
        return "feedback", ""
    if "resourceType" in members:
        return "not-used", "a FHIR resource: exports are read from .ndjson, one resource a line"
    return "not-used", "neither a hook request nor feedback"


def _feedback(body: bytes, state: State) -> str:
    try:
        batch = parse_feedback(body)
    except ServiceError as error:
        return reason_of(error)
    state.tally.answers += batch.items
    return "" if batch.items else "feedback without an item that can be read"


def _request(body: bytes, number: int, state: State) -> str:
    try:
        request = parse(body)
    except ServiceError as error:
        state.tally.refused[reason_of(error)] += 1
        return reason_of(error)
    updates = state.setup.updates
    when = saved.when(request, updates=updates)
    if when is None:
        state.tally.refused[NO_TIME] += 1
        return NO_TIME
    then = saved.as_of(request, when.at, state.tally.left, updates=updates)
    ordered = request.draft_orders is not None
    origin = Origin("request", _hook(request.hook), ordered, when.latest)
    row = Row(number, 1)
    refused = state.judge.moment(origin, row, then, when.at)
    if refused:
        return refused
    _compare(request, row, state)
    return ""


def _hook(hook: str) -> str:
    """A hook of ours by name; any other may be anybody's words."""
    return hook if hook in HOOKS else "another hook"


def _compare(request: HookRequest, row: Row, state: State) -> None:
    codes, updates = state.setup.codes, state.setup.updates

    def assess(at: datetime, known_by: datetime) -> Assessment | None:
        then = saved.without_grades(request, at, known_by, codes, updates=updates)
        return state.judge.assess(then, at)

    items = saved.grades_of(request, codes)
    base = state.judge.site_of(request).fhir_base
    state.compare_grades(items, request.patient_id, base, assess, row)
