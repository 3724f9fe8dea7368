"""Creatinine and platelets: codes, units and what is refused."""

from decimal import Decimal

import pytest
from msgspec import Raw

from fhir_mapping.datatypes import Quantity
from fhir_mapping.units import UCUM, Kind, canonical, find_unit
from tests.builders import LOINC, Json, concept, hours_ago, observation, quantity
from tests.unit.fhir_mapping.mapped import facts_of, reasons


def lab(code: str, value: Json, *, at: str | None = None, resource_id: str = "l1") -> Json:
    return observation(resource_id, concept(LOINC, code), {"valueQuantity": value}, at=at)


@pytest.mark.parametrize("code", ["2160-0", "38483-4", "21232-4", "14682-9", "77140-2", "59826-8"])
def test_creatinine_codes(code: str) -> None:
    (reading,) = facts_of(lab(code, quantity(1.1, "mg/dL"))).creatinine
    assert reading.value == Decimal("1.1")
    assert (reading.evidence.code, reading.evidence.unit) == (code, "mg/dL")


@pytest.mark.parametrize("code", ["777-3", "26515-7", "778-1", "97995-5"])
def test_platelet_codes(code: str) -> None:
    (reading,) = facts_of(lab(code, quantity(45, "10*3/uL"))).platelets
    assert reading.value == 45


@pytest.mark.parametrize("code", ["26516-5", "13056-7", "96354-6", "34167-7", "48386-7"])
def test_plasma_and_large_platelets_are_not_used(code: str) -> None:
    assert facts_of(lab(code, quantity(45, "10*3/uL"))).platelets == ()
    both = {"coding": [{"system": LOINC, "code": one} for one in ("777-3", code)]}
    made = observation("l1", both, {"valueQuantity": quantity(45, "10*3/uL")})
    assert facts_of(made).platelets == ()


@pytest.mark.parametrize("code", ["98979-8", "69405-9", "62238-1", "2164-2"])
def test_a_filtration_rate_is_no_creatinine(code: str) -> None:
    assert facts_of(lab(code, quantity(55, "mL/min/{1.73_m2}"))).creatinine == ()


@pytest.mark.parametrize(
    ("kind", "system", "code", "text", "name"),
    [
        ("creatinine", UCUM, "mg/dL", "mg/dL", "mg/dL"),
        ("creatinine", UCUM, "umol/L", "µmol/L", "umol/L"),
        ("creatinine", None, None, "µmol/L", "umol/L"),
        ("creatinine", None, None, "\u03bcmol/L", "umol/L"),
        ("creatinine", None, None, "mcmol/L", "umol/L"),
        ("creatinine", UCUM, "mg/dL", "umol/L", None),
        ("creatinine", UCUM, "mmol/L", None, None),
        ("creatinine", None, None, None, None),
        ("platelets", UCUM, "10*9/L", "10*3/uL", "10*9/L"),
        ("platelets", UCUM, "10*3/uL", "K/uL", "10*9/L"),
        ("platelets", UCUM, "K/uL", None, None),
        ("platelets", None, "K/uL", None, "10*9/L"),
        ("platelets", None, None, "thou/uL", "10*9/L"),
        ("platelets", None, None, "x10E3/uL", "10*9/L"),
        ("platelets", None, None, "thou/cumm", "10*9/L"),
        ("platelets", UCUM, "/uL", None, "/uL"),
        ("platelets", UCUM, "/mm3", "/uL", "/uL"),
        ("platelets", UCUM, "10*9/L", "/uL", None),
        ("platelets", UCUM, "%", None, None),
    ],
)
def test_units(
    kind: Kind, system: str | None, code: str | None, text: str | None, name: str | None
) -> None:
    unit = find_unit(kind, system, code, text)
    assert (None if unit is None else unit.name) == name


@pytest.mark.parametrize(
    ("micromoles", "milligrams"), [("88.4", "1"), ("176.8", "2"), ("44.2", "0.5")]
)
def test_creatinine_in_micromoles(micromoles: str, milligrams: str) -> None:
    amount = Quantity(value=Raw(micromoles.encode()), system=UCUM, code="umol/L")
    value = canonical("creatinine", amount)
    assert isinstance(value, Decimal)
    assert abs(value - Decimal(milligrams)) < Decimal("1e-20")


def test_platelets_per_microlitre() -> None:
    (reading,) = facts_of(lab("777-3", quantity(19900, "/uL"))).platelets
    assert reading.value == Decimal("19.9")


@pytest.mark.parametrize(
    ("code", "value", "unit"),
    [
        ("2160-0", 0.09, "mg/dL"),
        ("2160-0", 40.1, "mg/dL"),
        ("2160-0", 1.1, "umol/L"),
        ("2160-0", 97, "mg/dL"),
        ("2160-0", 1.1, "mmol/L"),
        ("777-3", 0.5, "10*9/L"),
        ("777-3", 3001, "10*9/L"),
        ("777-3", 45, "/uL"),
        ("777-3", 45000, "10*3/uL"),
        ("777-3", 45, "K/mL"),
    ],
)
def test_an_implausible_value_or_unit_is_refused_and_named(
    code: str, value: float, unit: str
) -> None:
    facts = facts_of(lab(code, quantity(value, unit)))
    assert (facts.creatinine, facts.platelets) == ((), ())
    assert facts.missing[0].fact == ("creatinine" if code == "2160-0" else "platelets")


def test_less_than_is_no_number() -> None:
    facts = facts_of(lab("777-3", {**quantity(5, "10*9/L"), "comparator": "<"}))
    assert facts.platelets == ()
    assert "not an exact value" in reasons(facts)


def test_series_are_oldest_first_and_keep_their_status() -> None:
    later = {**lab("2160-0", quantity(1.4, "mg/dL"), at=hours_ago(2), resource_id="l2")}
    earlier = lab("2160-0", quantity(1.1, "mg/dL"), at=hours_ago(30))
    found = facts_of({**later, "status": "preliminary"}, earlier).creatinine
    assert [one.value for one in found] == [Decimal("1.1"), Decimal("1.4")]
    assert [one.preliminary for one in found] == [False, True]
