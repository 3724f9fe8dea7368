"""Vital signs and units as they are charted: one row, one sentence.

Expectations: limits and thresholds of the clinical review 4.2-4.4, freshness of DESIGN 6a, the
38.00 rule of DESIGN 9.
"""

from typing import Any

import pytest

from tests.builders import (
    LOINC,
    Json,
    administration,
    bp,
    concept,
    hours_ago,
    oxygen_flow,
    quantity,
    spo2,
    temp,
)
from tests.spec.bedside import (
    bedside,
    condition,
    fever,
    grade,
    level,
    missing,
    notices,
    on,
    pressure,
    saturation,
)
from tests.unit.fhir_mapping.mapped import facts_of, reasons


EPIC_FAHRENHEIT = "http://open.epic.com/FHIR/STU3/StructureDefinition/temperature-in-fahrenheit"


def _t(members: Json, **changes: Any) -> Json:
    return {**temp(38.6, at=hours_ago(0.5), resource_id="new"), "valueQuantity": members, **changes}


def _entered(value: float, celsius: float) -> Json:
    number = quantity(value, "[degF]")
    return {**fever(celsius), "extension": [{"url": EPIC_FAHRENHEIT, "valueQuantity": number}]}


NORMAL = fever(36.8)


@pytest.mark.parametrize(
    ("t", "expected"),
    [
        pytest.param(fever(38.0), (1, 1), id="38.00 Cel is fever"),
        pytest.param(fever(37.99), (0, 0), id="37.99 Cel is not fever"),
        pytest.param(fever(37.95), (0, 0), id="37.95 Cel is not rounded up to a fever"),
        pytest.param(fever(37.99999), (1, 1), id="conversion noise of a hundred-thousandth is 38"),
        pytest.param(
            temp(100.4, "[degF]", resource_id="t0"), (1, 1), id="100.4 F is exactly 38.00: fever"
        ),
        pytest.param(temp(100.39, "[degF]", resource_id="t0"), (0, 0), id="100.39 F is not fever"),
        pytest.param(temp(100.3, "[degF]", resource_id="t0"), (0, 0), id="100.3 F is 37.94"),
        pytest.param(_entered(100.4, 37.9), (1, 1), id="entered as 100.4 F, sent as 37.9: fever"),
        pytest.param(_entered(98.6, 37.0), (0, 0), id="entered as 98.6 F, sent as 37.0: no fever"),
        pytest.param(
            {**fever(), "code": concept(LOINC, "8328-7")}, (1, 1), id="an axillary fever is fever"
        ),
        pytest.param(None, (0, 1), id="no temperature is not no fever"),
        pytest.param(fever(36.8, hours=5), (0, 1), id="a temperature five hours old is not used"),
        pytest.param(
            {**fever(), "bodySite": {"text": "Skin"}}, (0, 1), id="skin is no fever measurement"
        ),
        pytest.param({**fever(), "status": "preliminary"}, (1, 1), id="preliminary can raise"),
        pytest.param({**NORMAL, "status": "preliminary"}, (0, 1), id="preliminary cannot resolve"),
        pytest.param({**fever(), "status": "entered-in-error"}, (0, 1), id="entered in error"),
        pytest.param({**fever(), "status": "cancelled"}, (0, 1), id="cancelled"),
        pytest.param({**fever(), "status": "corrected"}, (1, 1), id="corrected is settled"),
    ],
)
def test_fever(t: Json | None, expected: tuple[int, int]) -> None:
    assert grade(bedside(t=t)) == expected


@pytest.mark.parametrize(
    ("newer", "why"),
    [
        pytest.param(_t(quantity(101.3, "Cel")), "likely Fahrenheit", id="101.3 Cel is refused"),
        pytest.param(_t({"value": 101.3}), "without a unit", id="a missing unit is not filled in"),
        pytest.param(_t(quantity(29.9, "Cel")), "outside 30-43", id="29.9 Cel is implausible"),
        pytest.param(_t(quantity(43.1, "Cel")), "outside 30-43", id="43.1 Cel is implausible"),
        pytest.param(_t(quantity(38.6, "F")), "unit not accepted", id="UCUM F is a farad"),
        pytest.param(
            _t({**quantity(38, "Cel"), "comparator": ">"}), "not an exact", id="more than 38"
        ),
        pytest.param(
            _t(quantity(39, "Cel"), effectiveDateTime="2026-11-21T11:30:00"),
            "no zone",
            id="a fever at a local time may be now",
        ),
        pytest.param(
            _t(quantity(39, "Cel"), effectiveDateTime="2026-11-21"),
            "date without a time",
            id="a fever on this date may be now",
        ),
    ],
)
def test_a_newer_temperature_that_cannot_be_used_leaves_fever_possible(
    newer: Json, why: str
) -> None:
    found = bedside(newer, t=NORMAL)
    assert grade(found) == (0, 1)
    assert why in missing(found)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(
            _t(quantity(36.9, "Cel"), effectiveDateTime="2026-11-21T11:30:00"),
            id="normal whenever it was",
        ),
        pytest.param(_t({"value": 101.3}, effectiveDateTime=hours_ago(3)), id="older"),
        pytest.param(_t(quantity(39, "Cel"), effectiveDateTime=hours_ago(-3)), id="in the future"),
        pytest.param(_t(quantity(39, "Cel"), effectiveDateTime="2027-01-01"), id="a future date"),
        pytest.param(_t({"value": 101.3}, effectiveDateTime="2019-05-04"), id="of another year"),
    ],
)
def test_what_cannot_be_a_present_fever_changes_nothing(other: Json) -> None:
    assert grade(bedside(other, t=NORMAL)) == (0, 0)


@pytest.mark.parametrize("made", [fever(), saturation()], ids=["temperature", "saturation"])
def test_no_value_at_no_time_hides_nothing(made: Json) -> None:
    empty = {key: value for key, value in made.items() if key != "valueQuantity"}
    assert facts_of({**empty, "effectiveDateTime": "2026-11-21"}).unusable == ()


def test_the_highest_of_two_temperatures_of_one_minute_counts_in_either_order() -> None:
    high, low = fever(38.6), fever(36.9, name="t1")
    assert grade(bedside(high, t=low)) == grade(bedside(low, t=high)) == (1, 1)


def test_the_corrected_version_replaces_the_value() -> None:
    first = {**fever(38.9), "meta": {"versionId": "1"}}
    corrected = {**fever(36.9), "status": "corrected", "meta": {"versionId": "2"}}
    assert grade(bedside(first, t=corrected)) == (0, 0)
    assert grade(bedside(corrected, t=first)) == (0, 0)


def test_the_same_resource_twice_is_one_reading() -> None:
    assert len(facts_of(fever(), fever()).temperatures) == 1


def test_a_stale_temperature_is_shown_with_its_age_and_proves_nothing() -> None:
    found = bedside(t=fever(38.9, hours=30), dosed=40)
    assert "temperature: last recorded 30 h ago" in missing(found)
    assert grade(found) == (0, 1)


@pytest.mark.parametrize(
    ("ward", "hours", "expected"),
    [
        pytest.param("IMP", 4, (1, 1), id="4 h old is fresh in hospital"),
        pytest.param("IMP", 4.1, (0, 1), id="older than 4 h is stale in hospital"),
        pytest.param("EMER", 4.1, (0, 1), id="older than 4 h is stale in the emergency department"),
        pytest.param("AMB", 12, (1, 1), id="12 h old is fresh elsewhere"),
        pytest.param("AMB", 12.1, (0, 1), id="older than 12 h is stale elsewhere"),
        pytest.param("unheard-of", 4.1, (0, 1), id="an unknown setting takes the strict window"),
    ],
)
def test_freshness_by_setting(ward: str, hours: float, expected: tuple[int, int]) -> None:
    found = bedside(t=fever(hours=hours), ward=ward)
    assert level(found, "fever") == ("present" if expected == (1, 1) else "unknown")


def test_within_an_event_of_grade_2_two_hours_are_the_limit() -> None:
    event = (fever(hours=6, name="a"), on("simple mask", hours=5.9, name="b"))
    assert level(bedside(*event, t=fever(hours=1.9)), "fever") == "present"
    assert level(bedside(*event, t=fever(hours=2.1)), "fever") == "unknown"


def test_where_the_temperature_was_taken_is_shown() -> None:
    axillary = {**fever(), "code": concept(LOINC, "8328-7")}
    (shown,) = facts_of(axillary).temperatures
    assert shown.evidence.note == "Axillary temperature"
    (shown,) = facts_of({**fever(), "bodySite": {"text": "Tympanic"}}).temperatures
    assert shown.evidence.note == "Tympanic"
    (shown,) = facts_of(fever()).temperatures
    assert shown.evidence.note == ""


def test_the_entered_fahrenheit_value_is_shown_and_a_difference_said() -> None:
    facts = facts_of(_entered(100.4, 37.9))
    assert facts.temperatures[0].evidence.note == "entered as 100.4 [degF]"
    assert [one.code for one in facts.notices] == ["temperature-entered-differs"]
    both = {**_entered(100.4, 37.99), "bodySite": {"text": "Oral"}}
    facts = facts_of(both)
    assert facts.temperatures[0].evidence.note == "Oral; entered as 100.4 [degF]"
    assert facts.notices == ()


@pytest.mark.parametrize(
    "extension",
    [
        pytest.param("text", id="no list"),
        pytest.param([{"url": "urn:other", "valueQuantity": quantity(1, "h")}], id="another"),
        pytest.param([{"url": EPIC_FAHRENHEIT}], id="without a value"),
        pytest.param(
            [{"url": EPIC_FAHRENHEIT, "valueQuantity": quantity(400, "[degF]")}], id="implausible"
        ),
    ],
)
def test_an_extension_that_says_nothing_changes_nothing(extension: object) -> None:
    made = {**fever(), "extension": extension}
    assert facts_of(made).temperatures[0].value == facts_of(fever()).temperatures[0].value


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        pytest.param(pressure(90), (1, 1), id="systolic 90 is not below 90"),
        pytest.param(pressure(89), (1, 2), id="systolic 89 asks: none or fluids"),
        pytest.param(
            bp(100, 50, mean=64, at=hours_ago(1)), (1, 2), id="mean 64 asks: none or fluids"
        ),
        pytest.param(bp(100, 50, mean=65, at=hours_ago(1)), (1, 1), id="mean 65 is not below 65"),
        pytest.param(None, (1, 2), id="no pressure is not a normal pressure"),
        pytest.param(pressure(122, hours=5), (1, 2), id="a stale pressure is not used"),
        pytest.param(pressure(39), (1, 2), id="systolic 39 is implausible and not normal"),
        pytest.param(pressure(261), (1, 2), id="systolic 261 is implausible and not normal"),
    ],
)
def test_pressure(p: Json | None, expected: tuple[int, int]) -> None:
    found = bedside(p=p)
    assert grade(found) == expected


def _single(code: str, value: float, unit: str = "mm[Hg]", hours: float = 0.5) -> Json:
    return {
        **pressure(hours=hours, name="single"),
        "code": concept(LOINC, code),
        "component": [],
        "valueQuantity": quantity(value, unit),
    }


@pytest.mark.parametrize(
    ("newer", "expected"),
    [
        pytest.param(_single("8480-6", 84), (1, 2), id="a low systolic of its own counts"),
        pytest.param(_single("8480-6", 11.2, "kPa"), (1, 2), id="11.2 kPa is 84 mm Hg"),
        pytest.param(_single("8480-6", 84, "mmHg"), (1, 2), id="a refused unit may be low"),
        pytest.param(_single("8478-0", 201), (1, 2), id="mean 201 is refused and may be low"),
        pytest.param(_single("8478-0", 19), (1, 2), id="mean 19 is refused and may be low"),
        pytest.param(_single("8462-4", 40), (1, 1), id="diastolic alone says nothing"),
        pytest.param(_single("8460-8", 80), (1, 1), id="standing is orthostatic"),
        pytest.param(_single("96608-5", 80), (1, 1), id="the average of a day is no reading"),
        pytest.param(
            {**_single("8480-6", 84), "effectiveDateTime": "2026-11-21T11:30:00"},
            (1, 2),
            id="low at a time without a zone may be now",
        ),
        pytest.param(
            {**_single("8480-6", 122), "effectiveDateTime": "2026-11-21T11:30:00"},
            (1, 1),
            id="normal whenever it was",
        ),
    ],
)
def test_a_newer_pressure(newer: Json, expected: tuple[int, int]) -> None:
    assert grade(bedside(newer)) == expected


def test_the_lowest_of_two_pressures_of_one_minute_counts_in_either_order() -> None:
    low, normal = pressure(84), pressure(122, name="bp1")
    assert grade(bedside(low, p=normal)) == grade(bedside(normal, p=low)) == (1, 2)


def _cuff(systolic: float, hours: float = 1, **members: Any) -> Json:
    return {**pressure(systolic, hours, "cuff"), "method": {"text": "Cuff"}, **members}


def _line(systolic: float, hours: float = 1, **members: Any) -> Json:
    return {**pressure(systolic, hours, "line"), "method": {"text": "Arterial line"}, **members}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param(_cuff(122), _line(84), (1, 2), id="low by the line, at one time"),
        pytest.param(_cuff(84), _line(122), (1, 2), id="low by the cuff, at one time"),
        pytest.param(_cuff(84), _line(122, 0.8), (1, 2), id="low by the cuff 12 min earlier"),
        pytest.param(_cuff(122, 0.8), _line(84), (1, 2), id="low by the line 12 min earlier"),
        pytest.param(_cuff(84), _line(122, 0.75), (1, 2), id="15 min are together"),
        pytest.param(_cuff(84), _line(122, 0.7), (1, 1), id="18 min are one after the other"),
        pytest.param(_cuff(122), _line(124), (1, 1), id="both normal"),
        pytest.param(
            _cuff(84), {**_cuff(122, 0.8), "id": "again"}, (1, 1), id="cuff again, 12 min later"
        ),
        pytest.param(
            pressure(84), _cuff(122, 0.8), (1, 2), id="one without a method beside a cuff"
        ),
        pytest.param(
            _cuff(122),
            _line(84, method=None, bodySite={"text": "Radial arterial catheter"}),
            (1, 2),
            id="the body site may say so",
        ),
        pytest.param(
            _cuff(84, status="preliminary"), _line(122, 0.8), (1, 2), id="preliminary can raise"
        ),
    ],
)
def test_of_a_cuff_and_an_arterial_line_the_lower_counts(
    one: Json, other: Json, expected: tuple[int, int]
) -> None:
    """2.2 of the terminology review: no code tells them apart, words around the number may."""
    assert grade(bedside(one, p=other)) == grade(bedside(other, p=one)) == expected


def test_the_lower_of_both_is_shown_with_its_way_and_its_own_time() -> None:
    facts = facts_of(_cuff(84), _line(122, 0.8))
    said = [(str(one.value), one.evidence.note) for one in facts.systolic]
    assert said == [("84", "cuff"), ("122", "arterial line"), ("84", "cuff")]
    assert facts.systolic[-1].at > facts.systolic[0].at
    assert facts.systolic[-1].evidence == facts.systolic[0].evidence


def _unknown(text: str, value: float, unit: str = "mm[Hg]", hours: float = 0.5) -> Json:
    made = _single("local", value, unit, hours)
    return {**made, "code": {"coding": [{"system": "urn:local", "code": "1"}], "text": text}}


@pytest.mark.parametrize(
    ("newer", "expected", "named"),
    [
        pytest.param(_unknown("Art line systolic", 84), (1, 2), True, id="a low one may be low"),
        pytest.param(_unknown("Art line systolic", 122), (1, 1), True, id="a normal one is named"),
        pytest.param(_unknown("Invasive BP mean", 60), (1, 2), True, id="a low mean"),
        pytest.param(
            _unknown("Arterial Blood Pressure systolic", 84), (1, 2), True, id="arterial in full"
        ),
        pytest.param(_unknown("A-line MAP", 200.1, "kPa"), (1, 2), True, id="implausible: may be"),
        pytest.param(_unknown("Art line systolic", 84, hours=2000), (1, 1), False, id="long ago"),
        pytest.param(
            _unknown("Art line systolic", 84, hours=-2), (1, 1), False, id="in the future"
        ),
        pytest.param(_unknown("Art line diastolic", 40), (1, 1), False, id="diastolic"),
        pytest.param(_unknown("Invasive PAP mean, pulmonary", 20), (1, 1), False, id="lungs"),
        pytest.param(
            _unknown("Non Invasive Blood Pressure systolic", 84), (1, 1), False, id="a cuff"
        ),
        pytest.param(_unknown("Systolic", 84), (1, 1), False, id="no word of an artery"),
        pytest.param(_unknown("Art line position", 84), (1, 1), False, id="no pressure"),
        pytest.param(_unknown("Art line systolic", 84, "cm"), (1, 1), False, id="another unit"),
        pytest.param(
            {**_unknown("Art line systolic", 84), "status": "cancelled"}, (1, 1), False, id="not so"
        ),
    ],
)
def test_an_arterial_pressure_under_an_unknown_code_is_named_and_a_low_one_leaves_doubt(
    newer: Json, expected: tuple[int, int], named: bool
) -> None:
    found = bedside(newer)
    assert grade(found) == expected
    assert ("its code is not known here" in reasons(facts_of(newer))) is named


def test_an_unknown_component_of_a_known_panel_is_named_too() -> None:
    made = pressure(122, 0.5, "panel")
    part = {"code": {"text": "Systolic Invasive"}, "valueQuantity": quantity(80, "mm[Hg]")}
    made["component"] += [part, {"code": {"text": "Systolic Invasive"}}]
    facts = facts_of(made)
    assert [one.value for one in facts.systolic] == [122]
    assert "Systolic Invasive: its code is not known here" in reasons(facts)
    assert grade(bedside(made)) == (1, 2)


def test_a_childs_pressure_is_not_judged_by_an_adults_number() -> None:
    found = bedside(birth="2014-01-01")
    assert grade(found) == (1, 2)
    assert "under 18 years" in missing(found)


@pytest.mark.parametrize(
    ("s", "expected"),
    [
        pytest.param(saturation(90), (1, 1), id="90 % on room air"),
        pytest.param(saturation(89), (1, 2), id="89 % on room air: oxygen may be required"),
        pytest.param(spo2(0.89, unit="1", at=hours_ago(1)), (1, 2), id="a ratio of UCUM 1 is 89 %"),
        pytest.param(spo2(0.95, unit="%", at=hours_ago(1)), (1, 2), id="0.95 % is refused"),
        pytest.param(saturation(49), (1, 2), id="49 % is refused and may be low"),
        pytest.param(saturation(101), (1, 2), id="101 % is refused and may be low"),
        pytest.param(
            {**saturation(88), "effectiveDateTime": "2026-11-21"}, (1, 2), id="low on this date"
        ),
        pytest.param(None, (1, 1), id="room air is charted and no saturation"),
    ],
)
def test_saturation(s: Json | None, expected: tuple[int, int]) -> None:
    assert grade(bedside(s=s)) == expected


@pytest.mark.parametrize(
    ("flow", "expected"),
    [(0, (1, 2)), (80, (3, 3)), (81, (2, 3))],
    ids=["0 L/min: none or low flow", "80 L/min is plausible", "81 L/min is refused: flow unknown"],
)
def test_flow_limits(flow: float, expected: tuple[int, int]) -> None:
    made = oxygen_flow(flow, at=hours_ago(1))
    assert grade(bedside(made, o=on("nasal cannula"))) == expected


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param({"t": None}, (0, 1), id="4.2 temperature missing: from 0"),
        pytest.param({"o": None, "s": None}, (1, 4), id="4.2 saturation and device missing: to 4"),
        pytest.param({"p": None}, (1, 2), id="4.2 pressure missing, no vasopressor given: to 2"),
        pytest.param({"t": None, "o": None}, (0, 4), id="4.2 temperature and device missing: 0-4"),
    ],
)
def test_what_is_missing_widens(more: dict[str, Any], expected: tuple[int, int]) -> None:
    assert grade(bedside(**more)) == expected


def test_a_coded_septic_shock_names_another_cause_and_changes_no_grade() -> None:
    """4.6, 4.7: only a clinician attributes."""
    sepsis = condition(concept("http://hl7.org/fhir/sid/icd-10-cm", "R65.21", "Septic shock"))
    found = bedside(sepsis)
    assert grade(found) == grade(bedside()) == (1, 1)
    assert "possible-other-cause" in notices(found)
    assert not found.other_cause


def test_chronic_low_pressure_is_no_certain_hypotension() -> None:
    """4.6: as low as before the first dose: the lower bound leaves it out."""
    bolus = administration(
        {"text": "sodium chloride 0.9 %"},
        at=hours_ago(2),
        until=hours_ago(1.5),
        dose=quantity(500, "mL"),
        route="IV",
        resource_id="bolus",
    )
    assert grade(bedside(bolus, p=pressure(86))) == (2, 2)
    before = pressure(86, hours=31, name="before")
    found = bedside(bolus, before, p=pressure(86))
    assert grade(found) == (1, 2)
    assert "baseline-pressure" in notices(found)
    assert grade(bedside(bolus, before, p=pressure(80))) == (2, 2)
    mean = bp(100, 50, mean=60, at=hours_ago(31), resource_id="before")
    now = bp(100, 50, mean=60, at=hours_ago(1), resource_id="bp0")
    assert grade(bedside(bolus, mean, p=now)) == (1, 2)
