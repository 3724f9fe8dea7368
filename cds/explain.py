"""`explain`: the pipeline on a CDS Hooks request file, every stage shown; prints nothing itself.

Uses the request alone: no store, and no network unless asked to fetch what the request left out.
Site `explain`, live, UTC; the request's own `fhirServer` counts as the site base.
"""

import textwrap
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Raw, Struct

from cds.config import Site
from cds.errors import BadHookRequest, ServiceError
from cds.hook_request import HookRequest, access_token, parse
from cds.pipeline import EXTENSION, Evaluation, evaluate
from cds.services import PREFETCH
from fhir_mapping.codes import CodeSets
from knowledge.assessment import Assessment, Grade, ToxicityState
from knowledge.library import Library


# Sets become lists: sorted, so that the same request prints the same bytes.
_ENCODER = msgspec.json.Encoder(decimal_format="number", order="deterministic")
FETCH_SECONDS = 30.0  # nobody waits for a card here; a sandbox may be slow
_WIDTH = 100
_IN = " " * 6


class Explained(Struct, frozen=True):
    """One file's document; the reason if the service would refuse it; the reads that failed."""

    json: str
    text: str
    refused: str = ""
    failed: tuple[str, ...] = ()


def explain(
    path: Path, *, protocol: str, library: Library, codes: CodeSets, now: datetime, fetch: bool
) -> Explained:
    """Evaluate the request in `path` under `protocol` at `now`; `fetch`: read what it left out."""
    failed: tuple[str, ...] = ()
    try:
        body = _read(path)
        request = parse(body)
        if fetch:
            request, failed = _fetched(request, access_token(body))
        site = Site(
            id="explain", fhir_base=request.fhir_server, protocol=protocol, zone=ZoneInfo("UTC")
        )
        evaluation = evaluate(request, site=site, library=library, codes=codes, now=now)
    except ServiceError as error:
        return _refusal(path, error)
    document = {
        "facts": evaluation.facts,
        "assessment": evaluation.decision.assessment,
        "response": Raw(evaluation.response),
    }
    text = "\n".join(text_lines(str(path), evaluation))
    return Explained(json=_ENCODER.encode(document).decode(), text=text, failed=failed)


def _fetched(request: HookRequest, token: str | None) -> tuple[HookRequest, tuple[str, ...]]:
    """With every query answered that the request's own server answers. Raises `BadHookRequest`."""
    from cds.fhir_fetch import fetch_missing, fhir_server  # noqa: PLC0415 - only where asked for
    from cds.fhir_guard import GuardedSession, ReadRefused  # noqa: PLC0415

    base = request.fhir_server
    if base is None:
        raise BadHookRequest("is required to fetch", field="fhirServer")
    try:
        session = GuardedSession(base, token, seconds=FETCH_SECONDS)
    except ReadRefused as error:
        raise BadHookRequest(str(error), field="fhirServer") from None
    found = fetch_missing(request, PREFETCH, fhir_server(base, session))
    return found.request, tuple(map(str, found.failed))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadHookRequest(f"cannot read the file: {error.strerror}") from None


def _refusal(path: Path, error: ServiceError) -> Explained:
    message = f"{error.field}: {error.message}" if error.field else error.message
    document = {"error": {"code": error.code, "status": error.status, "message": message}}
    reason = f"{path}: {error.status} {error.code}: {message}"
    return Explained(json=_ENCODER.encode(document).decode(), text=reason, refused=reason)


def text_lines(title: str, evaluation: Evaluation) -> Iterator[str]:
    """Assessment and cards for people, below a `title`."""
    assessment = evaluation.decision.assessment
    yield f"{title}: {assessment.patient} at {assessment.evaluated_at:%Y-%m-%d %H:%M} UTC"
    yield f"  protocol    {assessment.protocol.id}@{assessment.protocol.version}"
    yield f"  CRS         {_grade(assessment.crs)}"
    yield f"  ICANS       {_grade(assessment.icans)}"
    yield "  history     of this request alone, without stored decisions"
    yield f"  disposition {_disposition(assessment)}"
    for state in (assessment.crs, assessment.icans):
        for missing in state.missing:
            yield f"  missing     {missing.fact}: {missing.reason}"
    for notice in assessment.notices:
        yield f"  notice      {notice.code}: {notice.text}"
    for unreadable in assessment.unreadable:
        yield f"  not used    {unreadable.at}: {unreadable.reason}"
    for card in evaluation.cards:
        yield f"  card        [{card.indicator}] {card.summary}"
        for line in card.detail.splitlines():
            yield from textwrap.wrap(line, _WIDTH, initial_indent=_IN, subsequent_indent=_IN)
    if not evaluation.cards:
        yield f"  no card     see {EXTENSION} for what was evaluated"


def _grade(state: ToxicityState) -> str:
    if not state.assessed or state.acting is None:
        return f"not assessed {state.reason}".strip()
    return f"grade {_range(state.acting)}"


def _range(grade: Grade) -> str:
    if grade.at_least == grade.at_most:
        return str(grade.at_least)
    return f"{grade.at_least} to {grade.at_most}"


def _disposition(assessment: Assessment) -> str:
    found = assessment.disposition
    parts = [found.action, f"until {found.until}" if found.until else "", found.reason]
    return " ".join(part for part in [*parts, *found.rules] if part)
