"""A chart in hours before now, turned into Facts: the shortest way to write a clinical course."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from knowledge.facts import (
    Attribution,
    Bolus,
    Charted,
    ChartedGrade,
    Diagnosis,
    Dose,
    Evidence,
    Facts,
    Infusion,
    Masking,
    Order,
    Reading,
)


NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def _evidence(name: str, hours: float, value: object = "") -> Evidence:
    return Evidence(ref=f"Observation/{name}", value=str(value), at=ago(hours))


def readings(name: str, *points: tuple[float, float]) -> tuple[Reading, ...]:
    """(hours ago, value) pairs as an ascending series."""
    return tuple(
        Reading(ago(h), Decimal(str(v)), _evidence(name, h, v))
        for h, v in sorted(points, reverse=True)
    )


def charted(name: str, *points: tuple[float, str | Iterable[str]]) -> tuple[Charted, ...]:
    """(hours ago, level or levels) pairs as an ascending series."""
    return tuple(
        Charted(ago(h), (v,) if isinstance(v, str) else tuple(v), _evidence(name, h, v))
        for h, v in sorted(points, key=lambda p: -p[0])
    )


def infusion(agent: str, start: float, end: float | None, kind: str = "vasopressor") -> Infusion:
    until = None if end is None else ago(end)
    return Infusion(agent, kind, ago(start), until, _evidence(agent, start))  # type: ignore[arg-type]


def dose(ingredient: str, hours: float, route: str | None = None) -> Dose:
    return Dose(ingredient, ago(hours), None, _evidence(ingredient, hours), route)  # type: ignore[arg-type]


def masking(kind: str, hours: float, agent: str = "acetaminophen") -> Masking:
    return Masking(ago(hours), kind, agent, _evidence(agent, hours))  # type: ignore[arg-type]


def graded(toxicity: str, grade: int, hours: float, *, usable: bool = True) -> ChartedGrade:
    return ChartedGrade(toxicity, grade, ago(hours), usable, _evidence(toxicity, hours))  # type: ignore[arg-type]


def diagnosis(toxicity: str, low: int, high: int, onset: float) -> Diagnosis:
    return Diagnosis(toxicity, low, high, ago(onset), None, _evidence(toxicity, onset))  # type: ignore[arg-type]


def attribution(toxicity: str, cause: str, hours: float) -> Attribution:
    return Attribution(toxicity, cause, ago(hours), _evidence(toxicity, hours))  # type: ignore[arg-type]


def bolus(hours: float) -> Bolus:
    return Bolus(ago(hours), _evidence("bolus", hours))


def teclistamab_order(**changes: object) -> Order:
    order = Order("MedicationRequest/d1", "btce", "teclistamab", "teclistamab 1.5 mg/kg SC")
    return msgspec.structs.replace(order, **changes)


def tocilizumab_order(mg: str | None = "560", **changes: object) -> Order:
    dose_mg = None if mg is None else Decimal(mg)
    order = Order(
        "MedicationRequest/d2",
        "tocilizumab",
        "tocilizumab",
        "tocilizumab IV",
        "iv",
        dose_mg=dose_mg,
    )
    return msgspec.structs.replace(order, **changes)


BASE = Facts(
    patient="Patient/p1",
    evaluated_at=NOW,
    answered=frozenset({"vitals", "oxygen", "assessments", "administrations", "conditions"}),
    age_years=60,
    in_hospital=True,
    doses=(dose("teclistamab", 30),),
    orders=(teclistamab_order(),),
)


def normal_vitals(hours: float) -> dict[str, Any]:
    """One complete normal set."""
    return {
        "temperatures": readings("t", (hours, 36.8)),
        "systolic": readings("bp", (hours, 122)),
        "saturations": readings("spo2", (hours, 97)),
        "oxygen": charted("o2", (hours, "none")),
    }


def chart(**changes: object) -> Facts:
    """The base patient (60 years, inpatient, teclistamab 30 h ago, being ordered again) changed."""
    return msgspec.structs.replace(BASE, **changes)
