"""Body temperature: units, rounding, sites, status and time."""

from decimal import Decimal

import pytest

from tests.builders import LOINC, SNOMED, Json, concept, hours_ago, observation, quantity, temp
from tests.unit.fhir_mapping.mapped import facts_of, reasons


@pytest.mark.parametrize(
    ("value", "unit", "celsius"),
    [
        pytest.param(38.4, "Cel", "38.40", id="degrees Celsius are kept"),
        pytest.param(100.4, "[degF]", "38.00", id="100.4 F is exactly 38.00"),
        pytest.param(100.39, "[degF]", "37.99", id="100.39 F is below 38"),
        pytest.param(100.3, "[degF]", "37.94", id="100.3 F is below 38"),
        pytest.param(37.99999, "Cel", "38.00", id="conversion noise below 38 is absorbed"),
        pytest.param(37.95, "Cel", "37.95", id="37.95 is not rounded up to a fever"),
        pytest.param(37.994, "Cel", "37.99", id="37.994 is not rounded up to 38"),
        pytest.param(311.15, "K", "38.00", id="kelvin are converted"),
        pytest.param(30, "Cel", "30.00", id="30 is the lowest plausible value"),
        pytest.param(43, "Cel", "43.00", id="43 is the highest plausible value"),
    ],
)
def test_temperature_in_celsius(value: float, unit: str, celsius: str) -> None:
    (reading,) = facts_of(temp(value, unit)).temperatures
    assert str(reading.value) == celsius
    assert (reading.evidence.value, reading.evidence.unit) == (str(value), unit)
    assert (reading.evidence.ref, reading.evidence.code) == ("Observation/t1", "8310-5")


def _with(quantity_members: Json) -> Json:
    return {**temp(38.4), "valueQuantity": quantity_members}


@pytest.mark.parametrize(
    ("members", "celsius"),
    [
        pytest.param({"value": 38.4, "unit": "degC"}, "38.40", id="unit text degC"),
        pytest.param({"value": 38.4, "unit": "°C"}, "38.40", id="unit text with the degree sign"),
        pytest.param({"value": 38.4, "unit": "Deg  C"}, "38.40", id="case and spaces do not count"),
        pytest.param({"value": 100.4, "unit": "F", "code": "[degF]"}, "38.00", id="F with a code"),
        pytest.param(
            {"value": 38.4, "code": "C", "system": "urn:local:units"}, "38.40", id="local code C"
        ),
        pytest.param(
            {"value": 38.4, "unit": "Celsius", "code": "17", "system": "urn:local:units"},
            "38.40",
            id="an unknown local code leaves the text",
        ),
    ],
)
def test_unit_spellings(members: Json, celsius: str) -> None:
    (reading,) = facts_of(_with(members)).temperatures
    assert str(reading.value) == celsius


@pytest.mark.parametrize(
    ("members", "why"),
    [
        pytest.param(
            quantity(101.3, "Cel"),
            "101.3 Cel is outside 30-43: not used; likely Fahrenheit",
            id="101.3 Celsius is refused and named",
        ),
        pytest.param(quantity(29.9, "Cel"), "29.9 Cel is outside 30-43", id="too cold"),
        pytest.param(quantity(200, "[degF]"), "200 [degF] is outside 30-43", id="too hot in F"),
        pytest.param({"value": 38.4}, "38.4 without a unit", id="no unit: refused, never guessed"),
        pytest.param({"value": 100.4}, "possibly Fahrenheit", id="no unit: what it may be is said"),
        pytest.param({"value": 7}, "7 without a unit: not used", id="no unit and no idea"),
        pytest.param(quantity(38, "F"), "unit not accepted", id="UCUM F is a farad"),
        pytest.param(
            quantity(38, "mm[Hg]"), "unit not accepted", id="a pressure is no temperature"
        ),
        pytest.param(
            {"value": 101.3, "unit": "degF", "code": "Cel"},
            "unit not accepted",
            id="units disagree",
        ),
        pytest.param(
            {**quantity(38, "Cel"), "comparator": ">"}, "not an exact value", id="more than 38"
        ),
        pytest.param({"value": "38.4", "unit": "Cel"}, "without a number", id="a string"),
        pytest.param({"value": True, "unit": "Cel"}, "without a number", id="a boolean"),
        pytest.param({"unit": "Cel"}, "without a number", id="no value"),
        pytest.param({"value": 1e300, "unit": "Cel"}, "is outside", id="a huge number"),
        pytest.param(
            {"value": 38 + 10**30, "unit": "Cel"},
            "plausible number",
            id="a number that is too long",
        ),
    ],
)
def test_refused_and_named(members: Json, why: str) -> None:
    facts = facts_of(_with(members))
    assert facts.temperatures == ()
    assert any(one.fact == "temperature" and why in one.reason for one in facts.missing)
    assert [one.at for one in facts.unreadable] == ["prefetch.vitals.entry[0]"]


@pytest.mark.parametrize(
    ("system", "code", "used"),
    [
        (LOINC, "8310-5", True),
        (LOINC, "8331-1", True),
        (LOINC, "8328-7", True),
        ("urn:oid:2.16.840.1.113883.6.1", "8310-5", True),
        (SNOMED, "386725007", True),
        (LOINC, "39106-0", False),
        (LOINC, "60830-7", False),
        (LOINC, "60830-2", False),
        ("urn:local", "8310-5", False),
    ],
)
def test_codes(system: str, code: str, used: bool) -> None:
    made = observation("t1", concept(system, code), {"valueQuantity": quantity(38.4, "Cel")})
    assert bool(facts_of(made).temperatures) is used


def test_every_coding_is_tried_and_a_surface_site_wins() -> None:
    local, body = {"system": "urn:local", "code": "6"}, {"system": LOINC, "code": "8310-5"}
    skin = {"system": LOINC, "code": "39106-0"}
    assert facts_of({**temp(38.4), "code": {"coding": [local, body]}}).temperatures
    assert not facts_of({**temp(38.4), "code": {"coding": [body, skin]}}).temperatures


def test_surface_body_site_is_named() -> None:
    facts = facts_of({**temp(38.4), "bodySite": {"text": "Skin of forehead"}})
    assert not facts.temperatures
    assert "surface" in reasons(facts)
    assert facts_of({**temp(38.4), "bodySite": {"text": "Oral"}}).temperatures


@pytest.mark.parametrize(
    ("status", "used", "preliminary"),
    [
        ("final", True, False),
        ("amended", True, False),
        ("corrected", True, False),
        ("preliminary", True, True),
        ("registered", True, True),
        ("unknown", True, True),
        ("entered-in-error", False, False),
        ("cancelled", False, False),
    ],
)
def test_status(status: str, used: bool, preliminary: bool) -> None:
    readings = facts_of({**temp(38.4), "status": status}).temperatures
    assert bool(readings) is used
    assert all(one.preliminary is preliminary for one in readings)


def test_the_newest_version_of_a_resource_counts() -> None:
    old = {**temp(40), "meta": {"versionId": "2", "lastUpdated": hours_ago(2)}}
    new = {**temp(37), "meta": {"versionId": "10", "lastUpdated": hours_ago(1)}}
    withdrawn = {**new, "status": "entered-in-error"}
    for order in ([old, new], [new, old]):
        assert [one.value for one in facts_of(*order).temperatures] == [Decimal("37.00")]
    assert facts_of(old, withdrawn).temperatures == ()
    by_time = [{**one, "meta": {"lastUpdated": one["meta"]["lastUpdated"]}} for one in (old, new)]
    assert facts_of(*by_time).temperatures[0].value == 37
    assert facts_of(temp(39), new).temperatures[0].value == 37
    assert facts_of(new, temp(39)).temperatures[0].value == 37


def test_without_an_id_nothing_is_a_duplicate() -> None:
    one, two = temp(38.4), temp(38.5)
    del one["id"], two["id"]
    assert len(facts_of(one, two).temperatures) == 2


def test_readings_are_oldest_first_and_old_ones_are_left_out() -> None:
    facts = facts_of(
        temp(38, at=hours_ago(1), resource_id="a"),
        temp(39, at=hours_ago(5), resource_id="b"),
        temp(40, at=hours_ago(24 * 46), resource_id="c"),
    )
    assert [one.value for one in facts.temperatures] == [39, 38]
    assert facts.unreadable == ()


def test_not_measured_is_named() -> None:
    made = temp(38.4)
    del made["valueQuantity"]
    facts = facts_of({**made, "dataAbsentReason": {"text": "refused"}})
    assert not facts.temperatures
    assert "temperature without a value" in reasons(facts)
