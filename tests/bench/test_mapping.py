"""What the mapping benchmark measures: both shapes hold the same facts; verdicts are as aimed."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from fhir_mapping.codes import load_codes
from fhir_mapping.read import PatientInput, read
from knowledge.facts import Facts
from knowledge.library import load
from tests.bench import payload
from tests.bench.mapping import BASE, Envelope, Figure, lean_request, verdicts


NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)


def _facts(body: bytes) -> Facts:
    prefetch = msgspec.json.decode(body, type=Envelope).prefetch
    data = PatientInput(payload.PATIENT, BASE, None, None, prefetch)
    return read(data, now=NOW, rules=load().rules, codes=load_codes()).facts


def _values(facts: Facts) -> list[list[tuple[datetime, Decimal]]]:
    series = (facts.temperatures, facts.systolic, facts.saturations)
    return [[(one.at, one.value) for one in readings] for readings in series]


def test_both_shapes_hold_the_same_facts() -> None:
    whole = _facts(payload.request(100, hook="order-sign", now=NOW))
    lean = _facts(lean_request(100, hook="order-sign", now=NOW))
    assert _values(whole) == _values(lean)
    assert [len(one) for one in _values(whole)] == [20, 20, 20]
    assert whole.unreadable == lean.unreadable == ()


@pytest.mark.parametrize(
    ("times", "met"),
    [
        pytest.param((0.6, 6.0, 60.0, 600.0), [True, True], id="linear and within the aim"),
        pytest.param((0.6, 6.0, 60.1, 601.0), [False, True], id="linear and slower"),
        pytest.param((0.01, 0.1, 1.0, 100.0), [True, False], id="quadratic at the end"),
    ],
)
def test_verdicts_hold_the_figures_against_the_aims(
    times: tuple[float, ...], met: list[bool]
) -> None:
    sizes = (100, 1_000, 10_000, 100_000)
    found = [Figure("whole", n, 1.0, 1.0, ms) for n, ms in zip(sizes, times, strict=True)]
    assert [one.met for one in verdicts(found)] == met
