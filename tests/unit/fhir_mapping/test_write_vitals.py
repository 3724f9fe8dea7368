"""Vital signs that are written: valid FHIR with the profiles' codes, read back as they were."""

import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from fhir.resources.R4B.observation import Observation
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_mapping import write, write_vitals
from fhir_mapping.answers import CannotWrite
from fhir_mapping.write import Charting
from knowledge.facts import Facts
from tests.builders import NOW, Json, bundle
from tests.unit.fhir_mapping.mapped import map_request, numbers


BY = Charting("p1", "Practitioner/d1", NOW, "Encounter/e1")
ANY = settings(max_examples=150, deadline=None)


def _read(made: Json) -> Facts:
    stored = {**made, "id": "o1"}
    return map_request({"vitals": write.as_json(bundle(stored))}).facts


@pytest.mark.parametrize(
    ("made", "codes", "unit"),
    [
        (write_vitals.temperature(BY, Decimal("38.4"), "Cel"), ["8310-5"], "Cel"),
        (write_vitals.temperature(BY, Decimal("101.1"), "[degF]"), ["8310-5"], "[degF]"),
        (write_vitals.saturation(BY, Decimal(94)), ["59408-5", "2708-6"], "%"),
    ],
)
def test_a_vital_sign_has_the_codes_and_the_unit_of_its_profile(
    made: Json, codes: list[str], unit: str
) -> None:
    model = Observation.model_validate(json.loads(write.as_json(made)))
    assert model.status == "final"
    assert made["category"][0]["coding"][0]["code"] == "vital-signs"
    assert [one["code"] for one in made["code"]["coding"]] == codes
    assert {one["system"] for one in made["code"]["coding"]} == {"http://loinc.org"}
    assert made["valueQuantity"]["code"] == unit
    assert made["valueQuantity"]["system"] == "http://unitsofmeasure.org"
    assert made["subject"] == {"reference": "Patient/p1"}
    assert made["performer"] == [{"reference": "Practitioner/d1"}]
    assert made["encounter"] == {"reference": "Encounter/e1"}
    assert made["effectiveDateTime"] == "2026-11-21T12:00:00Z"


def test_a_blood_pressure_is_a_panel_with_both_pressures() -> None:
    made = write_vitals.blood_pressure(BY, Decimal(88), Decimal(51))
    Observation.model_validate(json.loads(write.as_json(made)))
    assert [one["code"] for one in made["code"]["coding"]] == ["85354-9"]
    assert "valueQuantity" not in made
    found = {
        part["code"]["coding"][0]["code"]: part["valueQuantity"]["value"]
        for part in made["component"]
    }
    assert found == {"8480-6": Decimal(88), "8462-4": Decimal(51)}


def test_a_diastolic_pressure_nobody_charted_is_said_to_be_unknown() -> None:
    made = write_vitals.blood_pressure(BY, Decimal(88))
    (_, diastolic) = made["component"]
    assert "valueQuantity" not in diastolic
    assert diastolic["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert numbers(_read(made).systolic) == [Decimal(88)]


@ANY
@given(st.decimals(min_value=30, max_value=43, places=1))
def test_a_temperature_in_celsius_is_read_back_as_it_was(value: Decimal) -> None:
    (found,) = _read(write_vitals.temperature(BY, value, "Cel")).temperatures
    assert (found.value, found.evidence.value, found.at) == (value, str(value), NOW)


@pytest.mark.parametrize(("value", "celsius"), [("100.4", "38.00"), ("100.3", "37.94")])
def test_a_temperature_in_fahrenheit_is_read_back_converted(value: str, celsius: str) -> None:
    (found,) = _read(write_vitals.temperature(BY, Decimal(value), "[degF]")).temperatures
    assert found.value == Decimal(celsius)
    assert (found.evidence.value, found.evidence.unit) == (value, "[degF]")


@ANY
@given(st.integers(40, 260), st.integers(50, 100))
def test_pressure_and_saturation_are_read_back_as_they_were(systolic: int, percent: int) -> None:
    pressures = _read(write_vitals.blood_pressure(BY, Decimal(systolic))).systolic
    saturations = _read(write_vitals.saturation(BY, Decimal(percent))).saturations
    assert numbers(pressures) == [Decimal(systolic)]
    assert numbers(saturations) == [Decimal(percent)]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(
            lambda: write_vitals.temperature(BY, Decimal("29.9"), "Cel"), id="too cold to be read"
        ),
        pytest.param(
            lambda: write_vitals.temperature(BY, Decimal(38), "[degF]"), id="Celsius as Fahrenheit"
        ),
        pytest.param(
            lambda: write_vitals.temperature(BY, Decimal(101), "Cel"), id="Fahrenheit as Celsius"
        ),
        pytest.param(lambda: write_vitals.blood_pressure(BY, Decimal(39)), id="systolic too low"),
        pytest.param(lambda: write_vitals.blood_pressure(BY, Decimal(261)), id="systolic too high"),
        pytest.param(
            lambda: write_vitals.blood_pressure(BY, Decimal(80), Decimal(80)), id="no pulse"
        ),
        pytest.param(
            lambda: write_vitals.blood_pressure(BY, Decimal(80), Decimal(120)), id="swapped"
        ),
        pytest.param(lambda: write_vitals.saturation(BY, Decimal("0.94")), id="a ratio"),
        pytest.param(lambda: write_vitals.saturation(BY, Decimal(101)), id="above 100 %"),
        pytest.param(lambda: write_vitals.saturation(BY, Decimal("NaN")), id="no number"),
        pytest.param(
            lambda: write_vitals.saturation(Charting("p1", "Patient/p1", NOW), Decimal(94)),
            id="by the patient",
        ),
        pytest.param(
            lambda: write_vitals.saturation(
                Charting("p1", "Practitioner/d1", NOW.replace(tzinfo=None)), Decimal(94)
            ),
            id="a time without a zone",
        ),
    ],
)
def test_what_would_not_be_read_back_is_refused(make: Callable[[], Json]) -> None:
    with pytest.raises(CannotWrite):
        make()
