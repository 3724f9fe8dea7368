"""Oxygen as it is charted: device first, flow second; one row, one sentence.

Levels: ASTCT 2019 (Lee et al., Table 2). Edge cases: clinical review 4.5, 4.6, C5, C30.
"""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from knowledge.crs_state import crs_state
from tests.builders import (
    LOINC,
    NOW,
    SNOMED,
    Json,
    bundle,
    concept,
    hours_ago,
    observation,
    oxygen_device,
    oxygen_flow,
    quantity,
    spo2,
)
from tests.spec.bedside import (
    LIBRARY,
    bedside,
    condition,
    fever,
    grade,
    level,
    missing,
    notices,
    on,
    procedure,
    saturation,
)
from tests.unit.fhir_mapping.mapped import facts_of, map_request, reasons


ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ALL = ("none", "low-flow", "high-flow", "positive-pressure")


def flow(rate: float, hours: float = 1, name: str = "fl1") -> Json:
    return oxygen_flow(rate, at=hours_ago(hours), resource_id=name)


@pytest.mark.parametrize(
    ("device", "rate", "expected"),
    [
        pytest.param("room air", None, (1, 1), id="room air is no oxygen support"),
        pytest.param("nasal cannula", 2, (2, 2), id="cannula at 2 L/min is low flow"),
        pytest.param("nasal cannula", 6, (2, 2), id="cannula at exactly 6 L/min is low flow"),
        pytest.param("nasal cannula", 6.1, (3, 3), id="cannula above 6 L/min is high flow"),
        pytest.param("nasal cannula", None, (2, 3), id="cannula without a flow is either"),
        pytest.param("nasal cannula", 0, (1, 2), id="cannula at 0 L/min: none or low flow"),
        pytest.param("blow-by", None, (2, 2), id="blow-by is grade 2"),
        pytest.param("hfnc", 40, (3, 3), id="high-flow cannula at 40 L/min is high flow"),
        pytest.param("hfnc", None, (3, 3), id="high-flow cannula is high flow by its name"),
        pytest.param("hfnc", 6, (2, 3), id="high-flow cannula at 6 L/min or less is either"),
        pytest.param("simple mask", 5, (3, 3), id="a facemask is grade 3 at any flow"),
        pytest.param("non-rebreather mask", None, (3, 3), id="a non-rebreather is grade 3"),
        pytest.param("venturi mask", 4, (3, 3), id="a Venturi mask is grade 3"),
        pytest.param("CPAP", None, (4, 4), id="CPAP is positive pressure"),
        pytest.param("BiPAP", None, (4, 4), id="BiPAP is positive pressure"),
        pytest.param("ventilator", None, (4, 4), id="a ventilator is positive pressure"),
        pytest.param("tracheostomy collar", 5, (1, 4), id="a tracheostomy collar may be any level"),
        pytest.param("anesthesia circuit", None, (1, 4), id="a device nobody listed may be any"),
        pytest.param("off cpap", None, (1, 4), id="a text is compared whole, never in part"),
        pytest.param("nasal cannula; CPAP", 4, (4, 4), id="of two devices the highest counts"),
        pytest.param("home CPAP", None, (1, 4), id="CPAP the patient has at home: 1 to 4"),
        pytest.param("home oxygen", 2, (1, 2), id="home oxygen at 2 L/min: 1 or 2"),
        pytest.param("home oxygen", None, (1, 3), id="home oxygen without a flow: 1 to 3"),
    ],
)
def test_device_and_flow(device: str, rate: float | None, expected: tuple[int, int]) -> None:
    more = () if rate is None else (flow(rate),)
    assert grade(bedside(*more, o=on(device))) == expected


@pytest.mark.parametrize(
    ("rate", "code"),
    [
        pytest.param(5.4, "", id="5.4 L/min is not near the line"),
        pytest.param(5.5, "flow-near-boundary", id="5.5 L/min is near it"),
        pytest.param(5.9, "flow-near-boundary", id="5.9 L/min is near it"),
        pytest.param(6, "flow-boundary", id="6 L/min is on it"),
        pytest.param(6.1, "flow-near-boundary", id="6.1 L/min is near it"),
        pytest.param(6.5, "flow-near-boundary", id="6.5 L/min is near it"),
        pytest.param(6.6, "", id="6.6 L/min is not near it"),
    ],
)
def test_flow_near_six(rate: float, code: str) -> None:
    found = notices(bedside(flow(rate), o=on("nasal cannula")))
    assert found & {"flow-boundary", "flow-near-boundary"} == ({code} if code else set())


@pytest.mark.parametrize(
    ("device", "code"),
    [
        ("home CPAP", "home-positive-pressure"),
        ("home oxygen", "home-oxygen"),
        ("tracheostomy collar", "tracheostomy"),
    ],
)
def test_bounds_come_with_a_notice(device: str, code: str) -> None:
    assert code in notices(bedside(o=on(device)))


def test_a_facemask_below_six_under_the_guideline_is_graded_by_flow() -> None:
    found = bedside(flow(5), o=on("simple mask"), protocol="nhs-waht")
    assert grade(found) == (2, 3)
    assert "graded-by-flow" in notices(found)


@pytest.mark.parametrize(
    ("more", "o", "expected"),
    [
        pytest.param((), None, (1, 4), id="no device charted is not room air"),
        pytest.param((flow(3),), None, (2, 4), id="a flow without a device is oxygen by something"),
        pytest.param((), on(hours=5), (1, 4), id="a stale room air is not room air now"),
        pytest.param((), on("BiPAP", hours=5), (1, 4), id="a stale BiPAP is possible, not certain"),
        pytest.param(
            (on("nasal cannula", hours=3, name="old"),),
            on(),
            (1, 1),
            id="room air after an old device is room air",
        ),
        pytest.param(
            (on("XYZ-9", hours=0.5, name="new"),), on(), (1, 4), id="a newer unknown device"
        ),
        pytest.param(
            ({**on("BiPAP", name="new"), "effectiveDateTime": "2026-11-21"},),
            on(),
            (1, 4),
            id="a device on this date without a time may be in use now",
        ),
        pytest.param(
            ({**on("BiPAP", name="new"), "effectiveDateTime": hours_ago(-2)},),
            on(),
            (1, 1),
            id="a device in the future changes nothing",
        ),
        pytest.param(
            ({**on("BiPAP", hours=0.5, name="new"), "status": "preliminary"},),
            on(),
            (1, 4),
            id="a preliminary device can raise and is not certain",
        ),
        pytest.param(
            ({**flow(3), "effectiveDateTime": "2026-11-21"},),
            on(),
            (1, 4),
            id="a flow on this date may be now, by something",
        ),
        pytest.param((flow(90),), None, (1, 4), id="a refused flow without a device"),
        pytest.param((flow(1),), on(), (1, 4), id="room air and a flow at once contradict"),
        pytest.param((flow(0),), on(), (1, 1), id="room air and no flow agree"),
        pytest.param((flow(1, hours=1.3),), on(), (1, 1), id="room air after a flow"),
        pytest.param(
            (flow(2), on("nasal cannula", name="nc")),
            on(),
            (2, 2),
            id="a flow by a cannula charted beside room air",
        ),
        pytest.param(
            (flow(90, hours=0.2),), on(hours=3), (1, 4), id="a refused flow, newer than room air"
        ),
    ],
)
def test_what_the_record_leaves_open(
    more: tuple[Json, ...], o: Json | None, expected: tuple[int, int]
) -> None:
    assert grade(bedside(*more, o=o)) == expected


def test_room_air_and_a_flow_at_once_are_named() -> None:
    assert "charted at the same time" in missing(bedside(flow(1), o=on()))


def test_low_saturation_on_room_air_asks_for_a_look() -> None:
    found = bedside(s=saturation(88))
    assert grade(found) == (1, 2)
    assert "oxygen-may-be-required" in notices(found)
    assert "oxygen-may-be-required" not in notices(bedside())


def _fio2(value: float, unit: str | None = "%", code: str = "3150-0", **members: Any) -> Json:
    number = quantity(value, unit) if unit else {"value": value}
    made = observation("fi1", concept(LOINC, code), {"valueQuantity": number}, at=hours_ago(1))
    return {**made, **members}


@pytest.mark.parametrize(
    "made",
    [
        _fio2(40),
        _fio2(0.4, "1"),
        _fio2(0.4, None),
        _fio2(40, None),
        _fio2(0.4, "%"),
        _fio2(40, code="19994-3"),
        _fio2(40, code="71835-3"),
    ],
)
def test_the_inspired_fraction_is_evidence_beside_the_device(made: Json) -> None:
    (device,) = facts_of(made, on("venturi mask")).oxygen
    assert device.levels == ("high-flow",)
    assert device.evidence.note.endswith("FiO2 40 %")


def test_an_inspired_fraction_as_a_component_stands_beside_the_flow() -> None:
    part = {"code": concept(LOINC, "3150-0"), "valueQuantity": quantity(36, "%")}
    made = spo2(93, flow=4, at=hours_ago(1))
    made["component"] += [part, {"code": concept(LOINC, "3150-0")}, {"code": {"text": "other"}}]
    (device,) = facts_of(made, on("nasal cannula")).oxygen
    assert device.evidence.note.endswith("4 L/min, FiO2 36 %")


@pytest.mark.parametrize(
    ("made", "expected", "said"),
    [
        pytest.param(_fio2(40), (2, 4), "charted without a device", id="40 % by something"),
        pytest.param(_fio2(0.4, "1"), (2, 4), "charted without a device", id="a fraction of 0.4"),
        pytest.param(_fio2(21), (1, 4), "device not charted", id="21 % is air, by whatever device"),
        pytest.param(_fio2(1.5), (1, 4), "neither 0.21-1 nor 21-100", id="1.5 is neither"),
        pytest.param(_fio2(101), (1, 4), "neither 0.21-1 nor 21-100", id="101 % is neither"),
        pytest.param(_fio2(40, "mm[Hg]"), (1, 4), "without a plain number", id="another unit"),
        pytest.param(
            {**_fio2(40), "effectiveDateTime": "2026-11-21"}, (1, 4), "date without", id="no time"
        ),
    ],
)
def test_an_inspired_fraction_without_a_device_is_a_missing_device(
    made: Json, expected: tuple[int, int], said: str
) -> None:
    found = bedside(made, o=None)
    assert grade(found) == expected
    assert said in missing(found)


SLEEP_APNOEA = condition({"text": "Obstructive sleep apnea"})
HOME_OXYGEN = condition(concept(ICD10CM, "Z99.81"))


@pytest.mark.parametrize(
    ("made", "device", "expected"),
    [
        pytest.param(SLEEP_APNOEA, "CPAP", (1, 4), id="CPAP with sleep apnoea: 1 to 4"),
        pytest.param(SLEEP_APNOEA, "simple mask", (3, 3), id="sleep apnoea explains no mask"),
        pytest.param(
            condition(concept(ICD10CM, "Z99.11")), "ventilator", (1, 4), id="ventilated at home"
        ),
        pytest.param(HOME_OXYGEN, "blow-by", (1, 2), id="oxygen at home: 1 or 2"),
        pytest.param(
            condition(concept(ICD10CM, "Z9981")), "blow-by", (1, 2), id="the code without its dot"
        ),
        pytest.param(HOME_OXYGEN, "CPAP", (4, 4), id="oxygen at home explains no CPAP"),
        pytest.param(HOME_OXYGEN, "room air", (1, 1), id="oxygen at home, on room air now"),
        pytest.param(
            condition({"text": "Chronic oxygen therapy evaluation"}), "blow-by", (2, 2), id="whole"
        ),
        pytest.param(
            {**HOME_OXYGEN, "clinicalStatus": {"coding": [{"code": "resolved"}]}},
            "blow-by",
            (2, 2),
            id="no longer on oxygen at home",
        ),
        pytest.param(
            {**HOME_OXYGEN, "verificationStatus": {"coding": [{"code": "refuted"}]}},
            "blow-by",
            (2, 2),
            id="refuted",
        ),
        pytest.param(
            {**HOME_OXYGEN, "abatementDateTime": hours_ago(500)}, "blow-by", (2, 2), id="abated"
        ),
        pytest.param(
            {**HOME_OXYGEN, "onsetDateTime": hours_ago(0.5)}, "blow-by", (2, 2), id="began after"
        ),
        pytest.param(
            {**HOME_OXYGEN, "code": {"text": "asthma"}}, "blow-by", (2, 2), id="something else"
        ),
    ],
)
def test_support_the_patient_has_anyway(made: Json, device: str, expected: tuple[int, int]) -> None:
    assert grade(bedside(made, o=on(device))) == expected


def test_support_at_home_comes_with_a_notice_and_its_diagnosis() -> None:
    named = notices(bedside(SLEEP_APNOEA, o=on("CPAP")))
    assert "positive-pressure-for-another-reason" in named
    assert "chronic-oxygen" in notices(bedside(HOME_OXYGEN, o=on("blow-by")))
    no_code = {key: value for key, value in HOME_OXYGEN.items() if key != "code"}
    assert facts_of(no_code).baselines == ()
    assert [one.evidence.ref for one in facts_of(HOME_OXYGEN).baselines] == ["Condition/c1"]
    del no_code["id"]
    (found,) = facts_of({**no_code, "code": HOME_OXYGEN["code"]}).baselines
    assert found.evidence.ref == "prefetch.vitals.entry[0]"


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        pytest.param(("nasal cannula", 2), ("nasal cannula", 2), (1, 2), id="unchanged: 1 or 2"),
        pytest.param(("nasal cannula", 3), ("nasal cannula", 2), (1, 2), id="less: 1 or 2"),
        pytest.param(("nasal cannula", 2), ("nasal cannula", 4), (2, 2), id="more flow: 2"),
        pytest.param(("nasal cannula", 2), ("simple mask", 6), (3, 3), id="a higher device: 3"),
        pytest.param(("CPAP", None), ("CPAP", None), (1, 4), id="CPAP before and now: 1 to 4"),
        pytest.param(("room air", None), ("nasal cannula", 2), (2, 2), id="room air before: 2"),
        pytest.param(
            ("nasal cannula", 2),
            ("nasal cannula", None),
            (1, 3),
            id="no flow now: perhaps as before",
        ),
        pytest.param(
            ("nasal cannula", None),
            ("simple mask", 6),
            (1, 3),
            id="no flow then: perhaps as before",
        ),
    ],
)
def test_oxygen_as_before_the_first_dose_is_no_certain_sign(
    before: tuple[str, float | None], now: tuple[str, float | None], expected: tuple[int, int]
) -> None:
    made = [on(before[0], hours=31, name="before")]
    made += [] if before[1] is None else [flow(before[1], 31, "flow-before")]
    made += [] if now[1] is None else [flow(now[1])]
    found = bedside(*made, o=on(now[0]))
    assert grade(found) == expected
    assert ("baseline-oxygen" in notices(found)) is (expected[0] == 1)


def test_oxygen_long_before_the_dose_or_preliminary_is_no_baseline() -> None:
    now = (flow(2), on("nasal cannula", hours=60, name="before"), flow(2, 60, "flow-before"))
    assert grade(bedside(*now, o=on("nasal cannula"))) == (2, 2)
    early = {**on("blow-by", hours=31, name="before"), "status": "preliminary"}
    assert grade(bedside(early, o=on("blow-by"))) == (2, 2)


INTUBATION = concept(SNOMED, "112798008")
VENTILATION = concept(SNOMED, "40617009")
EXTUBATION = concept(SNOMED, "271280005")


def _over(start: float, end: float | None, **members: Any) -> dict[str, Any]:
    period = {"start": hours_ago(start), **({} if end is None else {"end": hours_ago(end)})}
    return {"performedPeriod": period, **members}


def _ventilated(start: float, end: float | None, **members: Any) -> Json:
    made = procedure(VENTILATION, **_over(start, end, **members))
    del made["performedDateTime"]
    return made


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(procedure(INTUBATION), (4, 4), id="intubation without a reason: 4"),
        pytest.param(
            procedure(INTUBATION, reasonCode=[{"text": "Airway protection after seizure"}]),
            (1, 4),
            id="intubation for the airway alone: 1 to 4",
        ),
        pytest.param(
            procedure(INTUBATION, reasonReference=[{"display": "Seizure"}]),
            (1, 4),
            id="the reason may be a reference with words",
        ),
        pytest.param(
            procedure(INTUBATION, reasonReference=[{"reference": "Condition/x"}]),
            (4, 4),
            id="a reference without words says no reason",
        ),
        pytest.param(
            procedure(INTUBATION, reasonCode=[{"text": "Seizure"}, {"text": "Hypoxia"}]),
            (4, 4),
            id="hypoxia beside another reason is hypoxia",
        ),
        pytest.param(_ventilated(5, None, status="in-progress"), (4, 4), id="ventilated now: 4"),
        pytest.param(_ventilated(5, 0.5), (1, 4), id="after the end the oxygen is not charted"),
        pytest.param(
            procedure(INTUBATION, hours=9), (1, 4), id="an intubation 9 h ago is not certain now"
        ),
    ],
)
def test_airway_and_ventilation(made: Json, expected: tuple[int, int]) -> None:
    assert grade(bedside(made, o=None)) == expected


def test_an_airway_for_another_reason_explains_the_ventilator_charted_after_it() -> None:
    made = procedure(INTUBATION, reasonCode=[{"text": "Airway protection"}])
    found = bedside(made, o=on("ventilator"))
    assert grade(found) == (1, 4)
    assert {"airway-for-another-reason", "positive-pressure-for-another-reason"} <= notices(found)
    ended = _ventilated(3, 2, reasonCode=[{"text": "surgery"}])
    assert grade(bedside(ended, o=on("ventilator"))) == (4, 4)


def test_extubation_ends_positive_pressure_and_does_not_say_room_air() -> None:
    tube = procedure(INTUBATION, hours=3)
    out = {**procedure(EXTUBATION, hours=2), "id": "pr2"}
    assert grade(bedside(tube, out, o=None)) == (1, 4)
    assert grade(bedside(tube, out, o=on("simple mask"))) == (3, 3)


def test_hiding_devices_in_any_order_gives_the_same_facts() -> None:
    made = [
        on("nasal cannula", name="a"),
        on("nasal cannula", name="b"),
        flow(2, name="c"),
        flow(8, name="d"),
    ]
    forward, backward = facts_of(*made).oxygen, facts_of(*reversed(made)).oxygen
    assert forward == backward
    assert forward[0].levels == ("high-flow",)


def test_a_site_may_read_silence_as_room_air_and_a_refused_saturation_still_asks() -> None:
    rules = msgspec.structs.replace(LIBRARY.rules, oxygen_absent_means="room-air")
    prefetch = {"vitals": bundle(fever(), saturation(49)), "oxygen": bundle()}
    facts = map_request(prefetch).facts
    state = crs_state(
        facts, NOW, scale=LIBRARY.crs, rules=rules, established=False, window=timedelta(hours=4)
    )
    assert state.hypoxia.levels == {"none", "low-flow"}


def test_what_is_said_about_a_device_names_it() -> None:
    found = bedside(o=on("tracheostomy collar"))
    assert "oxygen-device: the level is not settled by: tracheostomy collar" in missing(found)
    assert level(found, "hypoxia") == "unknown"
    assert "not recognised: XYZ" in reasons(facts_of(oxygen_device("XYZ")))
