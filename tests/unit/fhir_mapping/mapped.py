"""Reads prefetch values the way the service does, for the tests of this folder."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from msgspec import Raw

from fhir_mapping.codes import CodeSets, load_codes
from fhir_mapping.read import Mapped, PatientInput, read
from knowledge.facts import Facts
from knowledge.library import load
from knowledge.model import SiteRules
from tests.builders import BASE, NOW, Json, as_bytes, bundle


CODES: CodeSets = load_codes()
RULES: SiteRules = load().rules


def map_request(
    prefetch: Mapping[str, object] | None = None,
    *,
    drafts: object = None,
    selections: tuple[str, ...] | None = None,
    fhir_base: str | None = BASE,
    now: datetime = NOW,
) -> Mapped:
    """`prefetch` values are JSON values, or bytes as they came."""
    values = {
        key: Raw(value if isinstance(value, bytes) else as_bytes(value))
        for key, value in (prefetch or {}).items()
    }
    orders = None if drafts is None else Raw(as_bytes(drafts))
    data = PatientInput("p1", fhir_base, orders, selections, values)
    return read(data, now=now, rules=RULES, codes=CODES)


def facts_of(*resources: Json) -> Facts:
    """The facts of these resources, in one Bundle under `vitals`."""
    return map_request({"vitals": bundle(*resources)}).facts


def numbers(readings: Iterable[object]) -> list[Decimal]:
    """The values of readings, as texts would be read."""
    return [reading.value for reading in readings]  # type: ignore[attr-defined]


def reasons(facts: Facts) -> str:
    """Everything that was not used, in one text."""
    named = [f"{one.fact}: {one.reason}" for one in facts.missing]
    named += [f"{one.at}: {one.reason}" for one in facts.unreadable]
    return "\n".join(named + [f"{one.code}: {one.text}" for one in facts.notices])
