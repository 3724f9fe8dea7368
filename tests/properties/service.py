"""A request through the stages, and what of the answer two requests must have in common."""

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Raw

from cds.config import Site
from cds.hook_request import HookRequest
from cds.pipeline import Evaluation, evaluate
from fhir_mapping.codes import CodeSets, load_codes
from knowledge.library import Library, load
from tests.builders import BASE, NOW, Json, as_bytes, bundle


VALIDATION = bool(os.environ.get("BTCE_VALIDATION"))
CODES: CodeSets = load_codes()
LIBRARY: Library = load()
# What is shown beside a conclusion and names places, times or values of the request.
_BESIDE = {"evidence", "ref", "missing", "notices", "unreadable", "evaluatedAt", "text"}


def how_many(normal: int, validation: int) -> int:
    """The count of the normal run, or the long one of `make validation`."""
    return validation if VALIDATION else normal


def ask(
    prefetch: Mapping[str, object],
    drafts: Iterable[Json] = (),
    *,
    protocol: str = "us-label",
    now: datetime = NOW,
    codes: CodeSets = CODES,
) -> Evaluation:
    """The request of an order-sign hook, evaluated; raises `AnotherPatient`."""
    request = HookRequest(
        hook="order-sign",
        hook_instance="d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        patient_id="p1",
        fhir_server=BASE,
        draft_orders=Raw(as_bytes(bundle(*drafts))),
        selections=None,
        prefetch={key: Raw(as_bytes(value)) for key, value in prefetch.items()},
    )
    site = Site(id="test", fhir_base=BASE, protocol=protocol, zone=ZoneInfo("UTC"))
    return evaluate(request, site=site, library=LIBRARY, codes=codes, now=now)


def assessed(evaluation: Evaluation) -> dict[str, Any]:
    """The assessment as it is on the wire."""
    made: dict[str, Any] = msgspec.to_builtins(evaluation.decision.assessment)
    return made


def conclusions(evaluation: Evaluation) -> Any:
    """Grades, events, dispositions and doses, without what is shown beside them."""
    return _without(assessed(evaluation), _BESIDE)


def facts(evaluation: Evaluation) -> Any:
    """All facts as plain values, without what is shown beside them."""
    return _without(msgspec.to_builtins(evaluation.facts), _BESIDE)


def _without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(one, names) for key, one in value.items() if key not in names}
    if isinstance(value, list | tuple):
        return [_without(one, names) for one in value]
    return value
