"""Units: the allow-list, and what happens to everything else."""

from decimal import Decimal

import pytest
from msgspec import Raw

from fhir_mapping.datatypes import Quantity
from fhir_mapping.units import UCUM, Kind, canonical, find_unit, number


@pytest.mark.parametrize(
    ("kind", "system", "code", "text", "name"),
    [
        ("temperature", UCUM, "Cel", "degC", "Cel"),
        ("temperature", UCUM, "[degF]", None, "[degF]"),
        ("temperature", UCUM, "F", "F", None),
        ("temperature", UCUM, "C", "C", None),
        ("temperature", None, None, "F", "[degF]"),
        ("temperature", None, None, "Fahrenheit", "[degF]"),
        ("temperature", None, "Cel", None, "Cel"),
        ("temperature", UCUM, "Cel", "degF", None),
        ("temperature", None, None, None, None),
        ("pressure", UCUM, "mm[Hg]", "mmHg", "mm[Hg]"),
        ("pressure", UCUM, "mmHg", "mmHg", None),
        ("pressure", None, None, "mm Hg", "mm[Hg]"),
        ("pressure", UCUM, "kPa", None, "kPa"),
        ("saturation", UCUM, "1", None, "1"),
        ("saturation", None, "1", None, None),
        ("saturation", "urn:local", "1", "%", None),
        ("saturation", None, None, "1", None),
        ("saturation", None, None, "percent", "%"),
        ("flow", UCUM, "l/min", "liters/min", "L/min"),
        ("flow", None, None, "LPM", "L/min"),
        ("flow", UCUM, "mL/min", None, None),
        ("weight", UCUM, "[lb_av]", "lbs", "[lb_av]"),
        ("weight", None, None, "kgs", "kg"),
        ("weight", None, None, "ounces", "[oz_av]"),
        ("dose", None, None, "mcg", "ug"),
        ("dose", UCUM, "mcg", None, None),
        ("duration", UCUM, "min", None, "min"),
        ("duration", UCUM, "h", None, None),
    ],
)
def test_allow_list(
    kind: Kind, system: str | None, code: str | None, text: str | None, name: str | None
) -> None:
    unit = find_unit(kind, system, code, text)
    assert (None if unit is None else unit.name) == name


@pytest.mark.parametrize(
    ("kind", "low", "high", "step"),
    [
        ("temperature", "30", "43", "0.01"),
        ("saturation", "50", "100", "1"),
        ("flow", "0", "80", "0.1"),
        ("weight", "2", "300", "0.1"),
    ],
)
def test_plausible_limits_include_their_ends(kind: Kind, low: str, high: str, step: str) -> None:
    unit = {"temperature": "Cel", "saturation": "%", "flow": "L/min", "weight": "kg"}[kind]

    def accepted(value: Decimal) -> bool:
        quantity = Quantity(value=Raw(str(value).encode()), system=UCUM, code=unit)
        return isinstance(canonical(kind, quantity), Decimal)

    assert accepted(Decimal(low))
    assert accepted(Decimal(high))
    assert not accepted(Decimal(low) - Decimal(step))
    assert not accepted(Decimal(high) + Decimal(step))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"38.40", Decimal("38.40")),
        (b"-1", Decimal(-1)),
        (b"1e2", Decimal(100)),
        (b'"38"', None),
        (b"true", None),
        (b"null", None),
        (b"{}", None),
        (b"", None),
        (b"9" * 25, None),
        (b"1e9999999999999999999", None),
    ],
)
def test_number(text: bytes, value: Decimal | None) -> None:
    assert number(Raw(text)) == value
