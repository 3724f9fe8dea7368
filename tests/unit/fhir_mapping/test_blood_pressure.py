"""Blood pressure: panels, components, single values, averages."""

from decimal import Decimal
from typing import Any

import pytest

from tests.builders import LOINC, Json, bp, concept, observation, quantity
from tests.unit.fhir_mapping.mapped import facts_of, reasons


def _single(code: str, value: float, unit: str = "mm[Hg]") -> Json:
    return observation("bp2", concept(LOINC, code), {"valueQuantity": quantity(value, unit)})


def test_panel_gives_systolic_and_mean_pressure() -> None:
    facts = facts_of(bp(88, 50, mean=62))
    assert [(one.value, one.evidence.code) for one in facts.systolic] == [(Decimal(88), "8480-6")]
    assert [(one.value, one.evidence.code) for one in facts.mean_pressure] == [
        (Decimal(62), "8478-0")
    ]
    assert facts_of(bp(88, 50)).mean_pressure == ()


@pytest.mark.parametrize(
    ("code", "systolic", "mean"),
    [
        pytest.param("8480-6", 1, 0, id="systolic of its own"),
        pytest.param("76534-7", 1, 0, id="systolic by cuff"),
        pytest.param("8478-0", 0, 1, id="mean of its own"),
        pytest.param("8462-4", 0, 0, id="diastolic alone says nothing here"),
        pytest.param("96608-5", 0, 0, id="a day's average is no reading"),
        pytest.param("8460-8", 0, 0, id="standing is orthostatic"),
        pytest.param("11378-7", 0, 0, id="first encounter is baseline"),
    ],
)
def test_single_values(code: str, systolic: int, mean: int) -> None:
    facts = facts_of(_single(code, 80))
    assert (len(facts.systolic), len(facts.mean_pressure)) == (systolic, mean)


def test_average_panel_is_left_out_even_with_ordinary_components() -> None:
    assert facts_of({**bp(88, 50), "code": concept(LOINC, "96607-7")}).systolic == ()


def test_components_under_a_local_panel_code_count() -> None:
    assert facts_of({**bp(88, 50), "code": concept("urn:local", "5")}).systolic[0].value == 88


def test_an_average_component_is_left_out() -> None:
    made = bp(88, 50)
    coding = [{"system": LOINC, "code": "8480-6"}, {"system": LOINC, "code": "96608-5"}]
    made["component"][0]["code"] = {"coding": coding}
    assert facts_of(made).systolic == ()


@pytest.mark.parametrize(
    ("made", "why"),
    [
        pytest.param(_single("8480-6", 39), "outside 40-260", id="systolic below 40"),
        pytest.param(_single("8480-6", 261), "outside 40-260", id="systolic above 260"),
        pytest.param(_single("8478-0", 19), "outside 20-200", id="mean below 20"),
        pytest.param(_single("8478-0", 201), "outside 20-200", id="mean above 200"),
        pytest.param(_single("8480-6", 90, "mmHg"), "unit not accepted", id="mmHg is not UCUM"),
    ],
)
def test_implausible_pressures_are_named(made: Json, why: str) -> None:
    facts = facts_of(made)
    assert (facts.systolic, facts.mean_pressure) == ((), ())
    assert why in reasons(facts)
    assert facts.missing[0].fact == "blood-pressure"


def test_unit_text_mmhg_and_kilopascal() -> None:
    text: dict[str, Any] = {**_single("8480-6", 90), "valueQuantity": {"value": 90, "unit": "mmHg"}}
    assert facts_of(text).systolic[0].value == 90
    assert round(facts_of(_single("8480-6", 12, "kPa")).systolic[0].value) == 90


def test_a_component_without_value_or_code_is_passed_over() -> None:
    made = bp(88, 50)
    made["component"] += [{"code": concept(LOINC, "8478-0")}, {"valueQuantity": {"value": 1}}]
    facts = facts_of(made)
    assert (len(facts.systolic), facts.mean_pressure, facts.unreadable) == (1, (), ())


def test_a_panel_without_a_usable_time_is_named() -> None:
    assert "no zone" in reasons(
        facts_of({**bp(88, 50), "effectiveDateTime": "2026-11-21T10:00:00"})
    )
