"""Saturation and oxygen: devices, flows and the ASTCT levels they can mean."""

from decimal import Decimal

import pytest

from tests.builders import (
    LOINC,
    SNOMED,
    TOXICITY,
    Json,
    concept,
    hours_ago,
    observation,
    oxygen_device,
    oxygen_flow,
    quantity,
    spo2,
)
from tests.unit.fhir_mapping.mapped import facts_of, reasons


ALL = ("none", "low-flow", "high-flow", "positive-pressure")


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("Room air", ("none",)),
        ("None (Room Air)", ("none",)),
        ("nasal  cannula ", ("low-flow", "high-flow")),
        ("blow-by", ("low-flow",)),
        ("HFNC", ("high-flow",)),
        ("High flow nasal cannula", ("high-flow",)),
        ("Non-rebreather mask", ("high-flow",)),
        ("O2/simple mask", ("high-flow",)),
        ("BiPAP", ("positive-pressure",)),
        ("Ventilator", ("positive-pressure",)),
        ("nasal cannula; CPAP", ("positive-pressure",)),
        ("room air / simple mask", ("high-flow",)),
        ("off cpap", ALL),
        ("nasal cannula; new device", ALL),
        ("trach mask", ALL),
        ("Oxymizer", ALL),
        ("", ALL),
    ],
)
def test_device_by_text(text: str, levels: tuple[str, ...]) -> None:
    (charted,) = facts_of(oxygen_device(text)).oxygen
    assert charted.levels == levels


@pytest.mark.parametrize(
    ("code", "levels"),
    [
        ("722742002", ("none",)),
        ("336623009", ("low-flow", "high-flow")),
        ("425478008", ("low-flow",)),
        ("426854004", ("high-flow",)),
        ("427591007", ("high-flow",)),
        ("315041000", ("high-flow", "positive-pressure")),
        ("47545007", ("positive-pressure",)),
        ("57485005", ALL),
        ("465839001", ALL),
        ("999", ALL),
    ],
)
def test_device_by_code(code: str, levels: tuple[str, ...]) -> None:
    value = {"valueCodeableConcept": concept(SNOMED, code)}
    (charted,) = facts_of(observation("ox", concept(SNOMED, "16206004"), value)).oxygen
    assert charted.levels == levels


def test_device_by_the_text_of_a_coded_value_or_a_local_code() -> None:
    for value in ({"text": "CPAP"}, concept(TOXICITY, "room-air", "Face tent")):
        made = observation(
            "ox", concept(TOXICITY, "oxygen-device"), {"valueCodeableConcept": value}
        )
        assert facts_of(made).oxygen[0].levels != ALL


@pytest.mark.parametrize(
    ("flow", "levels", "said"),
    [
        pytest.param(2, ("low-flow",), "", id="2 L/min is low flow"),
        pytest.param(6, ("low-flow",), "flow-boundary", id="exactly 6 L/min is low flow, noticed"),
        pytest.param(5.4, ("low-flow",), "", id="5.4 L/min is low flow"),
        pytest.param(5.5, ("low-flow",), "flow-near-boundary", id="5.5 L/min is near the line"),
        pytest.param(6.5, ("high-flow",), "flow-near-boundary", id="6.5 L/min is near the line"),
        pytest.param(6.6, ("high-flow",), "", id="above 6.5 L/min is high flow"),
        pytest.param(0, ("none", "low-flow"), "", id="no flow through a cannula"),
        pytest.param(None, ("low-flow", "high-flow"), "nasal cannula without a flow", id="no flow"),
        pytest.param(
            81, ("low-flow", "high-flow"), "81 L/min is outside 0-80", id="an implausible flow"
        ),
    ],
)
def test_nasal_cannula(flow: float | None, levels: tuple[str, ...], said: str) -> None:
    facts = facts_of(oxygen_device("nasal cannula"), spo2(93, flow=flow))
    assert [one.levels for one in facts.oxygen] == [levels]
    assert said in reasons(facts)
    assert bool(reasons(facts)) is bool(said)


def test_flow_may_be_an_observation_of_its_own_within_half_an_hour() -> None:
    device = oxygen_device("nc", at=hours_ago(2))
    near, far = oxygen_flow(4, at=hours_ago(2.4)), oxygen_flow(4, at=hours_ago(2.6))
    assert facts_of(device, near).oxygen[0].levels == ("low-flow",)
    both = facts_of(device, far).oxygen
    assert [one.levels for one in both] == [ALL[1:], ("low-flow", "high-flow")]


def test_flow_may_be_a_component_of_the_device() -> None:
    part = {"code": concept(LOINC, "3151-8"), "valueQuantity": quantity(4, "L/min")}
    part["code"]["coding"].insert(0, {"system": "urn:local", "code": "flow"})
    facts = facts_of({**oxygen_device("nasal cannula"), "component": [{}, part]})
    assert facts.oxygen[0].levels == ("low-flow",)
    assert facts.oxygen[0].evidence.note == "read from text, 4 L/min"


def test_a_flow_without_a_device_is_oxygen_by_something() -> None:
    facts = facts_of(spo2(93, flow=3))
    assert [one.levels for one in facts.oxygen] == [ALL[1:]]
    assert "without a device" in reasons(facts)
    assert facts_of(spo2(93, flow=0)).oxygen == ()


def test_high_flow_device_at_low_flow_can_be_either() -> None:
    facts = facts_of(oxygen_device("hfnc"), oxygen_flow(5))
    assert facts.oxygen[0].levels == ("low-flow", "high-flow")
    assert facts.notices[0].code == "high-flow-device-low-flow"
    assert facts_of(oxygen_device("hfnc"), oxygen_flow(40)).oxygen[0].levels == ("high-flow",)


def test_of_devices_at_the_same_time_the_highest_counts() -> None:
    facts = facts_of(
        oxygen_device("room air", resource_id="a"),
        oxygen_device("simple mask", resource_id="b"),
        oxygen_device("cpap", at=hours_ago(3), resource_id="c"),
    )
    assert [one.levels for one in facts.oxygen] == [("positive-pressure",), ("high-flow",)]
    assert facts.oxygen[1].evidence.ref == "Observation/b"


def test_an_unknown_device_does_not_leave_an_older_one_standing() -> None:
    facts = facts_of(oxygen_device("room air", at=hours_ago(3)), oxygen_device("XYZ-9"))
    assert facts.oxygen[-1].levels == ALL  # one resource id, no version: neither may be lost
    facts = facts_of(
        oxygen_device("room air", at=hours_ago(3), resource_id="a"), oxygen_device("XYZ-9")
    )
    assert facts.oxygen[-1].levels == ALL
    assert "oxygen device not recognised: XYZ-9" in reasons(facts)


def test_a_saturation_on_room_air_says_no_oxygen() -> None:
    made = {**spo2(91), "code": concept(LOINC, "59410-1")}
    facts = facts_of(made)
    assert [one.levels for one in facts.oxygen] == [("none",)]
    assert facts.saturations[0].value == 91
    both = {"coding": [*spo2(91)["code"]["coding"], {"system": LOINC, "code": "59410-1"}]}
    assert facts_of({**spo2(91), "code": both}).oxygen == facts.oxygen
    both["coding"].reverse()
    assert facts_of({**spo2(91), "code": both}).oxygen == facts.oxygen


@pytest.mark.parametrize(
    ("members", "percent"),
    [
        (quantity(93, "%"), "93"),
        ({"value": 93, "unit": "percent"}, "93"),
        (quantity(0.93, "1"), "93"),
        (quantity(0.5, "1"), "50"),
    ],
)
def test_saturation(members: Json, percent: str) -> None:
    (reading,) = facts_of({**spo2(93), "valueQuantity": members}).saturations
    assert reading.value == Decimal(percent)
    assert ("ratio" in reading.evidence.note) is (members.get("code") == "1")


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"value": 0.93}, id="a ratio without a unit"),
        pytest.param(quantity(0.93, "%"), id="a ratio called percent"),
        pytest.param({"value": 0.93, "code": "1", "system": "urn:local"}, id="1 of a local system"),
        pytest.param({"value": 0.93, "code": "1"}, id="1 without a system"),
        pytest.param(quantity(0.49, "1"), id="a ratio below 0.5"),
        pytest.param(quantity(49, "%"), id="below 50 percent"),
        pytest.param(quantity(101, "%"), id="above 100 percent"),
        pytest.param(None, id="no value"),
    ],
)
def test_saturation_refused_and_named(members: Json | None) -> None:
    made = spo2(93)
    del made["valueQuantity"]
    facts = facts_of({**made, **({"valueQuantity": members} if members else {})})
    assert facts.saturations == ()
    assert facts.missing[0].fact == "saturation"


def test_times_that_cannot_be_ordered_are_named_for_every_kind() -> None:
    bad = {"effectiveDateTime": "2026-11-21"}
    facts = facts_of(
        {**oxygen_device("cpap"), **bad}, {**oxygen_flow(3), **bad}, {**spo2(93, flow=3), **bad}
    )
    assert (facts.oxygen, facts.saturations) == ((), ())
    assert {one.fact for one in facts.missing} == {"oxygen-device", "oxygen-flow", "saturation"}


@pytest.mark.parametrize(
    ("value", "note"),
    [
        ({"valueString": "venturi mask"}, "read from text"),
        ({"valueCodeableConcept": {"text": "Venturi mask"}}, "read from text"),
        ({"valueCodeableConcept": concept(SNOMED, "428285009", "Venturi mask")}, ""),
        ({"valueString": "a device nobody knows"}, ""),
    ],
)
def test_a_device_known_by_its_words_alone_is_marked(value: Json, note: str) -> None:
    made = observation("ox1", concept(SNOMED, "16206004"), value)
    assert facts_of(made).oxygen[0].evidence.note == note
