"""Oxygen by devices in use (DeviceUseStatement and Device): one row, one sentence.

FHIR R4: `active` is still being used, `completed` and `stopped` are over, `on-hold` is not used for
the time being. Levels: ASTCT 2019 (Lee et al., Table 2); edge cases: clinical review 4.5.
"""

from typing import Any

import pytest

from fhir_mapping.errors import AnotherPatient
from tests.builders import BASE, SNOMED, Json, bundle, concept, hours_ago, oxygen_flow
from tests.spec.bedside import bedside, fever, grade, missing, notices, on
from tests.unit.fhir_mapping.mapped import facts_of, map_request, reasons


ALL = ("none", "low-flow", "high-flow", "positive-pressure")
MASK = concept(SNOMED, "427591007", "Nonrebreather oxygen mask")
VENTILATOR = concept(SNOMED, "449071006", "Mechanical ventilator")
CANNULA = concept(SNOMED, "336623009", "Oxygen nasal cannula")
PACEMAKER = {"text": "Cardiac pacemaker"}


def device(kind: Json | None = MASK, name: str = "dev1", **members: Any) -> Json:
    made: Json = {"resourceType": "Device", "id": name, **members}
    return made if kind is None else {**made, "type": kind}


def since(start: float, end: float | None = None) -> Json:
    over = {} if end is None else {"end": hours_ago(end)}
    return {"timingPeriod": {"start": hours_ago(start), **over}}


def use(when: Json, status: str = "active", kind: Json = MASK, **members: Any) -> Json:
    """A use with its Device inside it."""
    return {
        "resourceType": "DeviceUseStatement",
        "id": "use1",
        "status": status,
        "subject": {"reference": "Patient/p1"},
        "device": {"reference": "#dev1"},
        "contained": [device(kind)],
        **when,
        **members,
    }


def flow(rate: float, hours: float = 1) -> Json:
    return oxygen_flow(rate, at=hours_ago(hours), resource_id="fl1")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(use(since(9)), (3, 3), id="a mask in use since nine hours: grade 3"),
        pytest.param(use(since(9), kind=VENTILATOR), (4, 4), id="a ventilator in use: grade 4"),
        pytest.param(use(since(9, -9)), (3, 3), id="a planned end has not come yet"),
        pytest.param(use({}), (3, 3), id="active without a time is in use now"),
        pytest.param(
            use({"timingDateTime": hours_ago(9)}), (3, 3), id="active since a moment is in use now"
        ),
        pytest.param(
            use({"timingTiming": {"repeat": {"boundsPeriod": {"start": hours_ago(9)}}}}),
            (3, 3),
            id="the bounds of a Timing are its period",
        ),
        pytest.param(
            use({"timingTiming": {"event": [hours_ago(9)]}}), (3, 3), id="an event of a Timing"
        ),
        pytest.param(use({"timingTiming": {}}), (3, 3), id="an empty Timing says no time"),
        pytest.param(
            use({"timingPeriod": {"start": "2026-11-20"}}), (3, 3), id="active since a date"
        ),
        pytest.param(
            use(since(9, 1)), (1, 4), id="an end that is past ends it: what came after is unknown"
        ),
        pytest.param(use(since(9, 1), "completed"), (1, 4), id="completed is not in use now"),
        pytest.param(use(since(1), "stopped"), (1, 4), id="stopped, at a time nobody charted"),
        pytest.param(use(since(1), "on-hold"), (1, 4), id="on hold is not in use now"),
        pytest.param(
            use({"timingDateTime": hours_ago(1)}, "completed"), (1, 4), id="used for a moment"
        ),
        pytest.param(use(since(9), "intended"), (1, 4), id="intended is not in use"),
        pytest.param(use(since(9), "entered-in-error"), (1, 4), id="entered in error is nothing"),
        pytest.param(use(since(9), "paused"), (1, 4), id="a status nobody knows"),
        pytest.param(use(since(-2)), (1, 4), id="a use that begins in the future is not now"),
        pytest.param(use(since(9), kind=PACEMAKER), (1, 4), id="a pacemaker gives no oxygen"),
    ],
)
def test_a_device_in_use(made: Json, expected: tuple[int, int]) -> None:
    assert grade(bedside(made, o=None)) == expected


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(use(since(9), "intended"), (1, 1), id="intended changes nothing"),
        pytest.param(use(since(9), "entered-in-error"), (1, 1), id="an error changes nothing"),
        pytest.param(use(since(9), kind=PACEMAKER), (1, 1), id="a pacemaker changes nothing"),
        pytest.param(use(since(9, 2), "completed"), (1, 1), id="room air after a mask"),
        pytest.param(use(since(9, 1), "completed"), (1, 1), id="room air as the mask came off"),
        pytest.param(use(since(9, 0.5), "completed"), (1, 4), id="the mask ended after room air"),
        pytest.param(use(since(0.5)), (3, 3), id="a mask begun after room air"),
        pytest.param(use(since(9)), (1, 3), id="room air while a mask is in use: either"),
        pytest.param(use({}), (3, 3), id="in use now, without a time, is newer than room air"),
        pytest.param(use(since(9), "paused"), (1, 1), id="a use of unknown status before room air"),
        pytest.param(
            use(since(0.5), "paused"), (1, 4), id="a use of unknown status after room air"
        ),
        pytest.param(
            use({"timingPeriod": {"start": hours_ago(9), "end": "2026-11-21"}}, "completed"),
            (1, 4),
            id="a use that ended some time today may go on still",
        ),
        pytest.param(
            use({"timingPeriod": {"start": "2026-11-01", "end": "2026-11-02"}}, "completed"),
            (1, 1),
            id="a use that ended three weeks ago",
        ),
        pytest.param(
            use({"timingDateTime": "2019-05-04"}, "completed"), (1, 1), id="a use of another year"
        ),
        pytest.param(use({}, "completed"), (1, 1), id="over, at no time at all"),
    ],
)
def test_a_device_in_use_beside_room_air_an_hour_ago(made: Json, expected: tuple[int, int]) -> None:
    assert grade(bedside(made)) == expected


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param((use(since(9), kind=CANNULA),), (2, 3), id="a cannula without a flow"),
        pytest.param((use(since(9), kind=CANNULA), flow(2)), (2, 2), id="its flow an hour ago"),
        pytest.param((use(since(9), kind=CANNULA), flow(8)), (3, 3), id="a flow above 6 L/min"),
        pytest.param((use(since(9), kind=CANNULA), flow(2, 3)), (2, 3), id="a flow 3 h ago is old"),
        pytest.param(
            (use(since(0.3), kind=CANNULA), flow(2, 0.4)), (2, 2), id="a flow just before the start"
        ),
        pytest.param((use(since(9)), flow(2)), (3, 3), id="a mask at any flow"),
        pytest.param(
            (use(since(9)), {**use(since(5), kind=VENTILATOR), "id": "use2"}),
            (4, 4),
            id="of two devices in use the highest counts",
        ),
        pytest.param(
            (use(since(9)), {**use(since(5, 1), "completed", VENTILATOR), "id": "use2"}),
            (3, 3),
            id="the mask goes on after the ventilator",
        ),
        pytest.param(
            (use(since(9, 3), "completed", VENTILATOR), {**use(since(3)), "id": "use2"}),
            (3, 3),
            id="a mask from the minute the ventilator ended",
        ),
        pytest.param(
            (use(since(9), kind=CANNULA), on("simple mask", hours=1)),
            (3, 3),
            id="a mask charted beside a cannula in use",
        ),
        pytest.param(
            (use(since(9)), on("room air", hours=6)),
            (1, 3),
            id="a mask never charted as ended, and room air six hours ago",
        ),
        pytest.param(
            (use(since(9)), on("XYZ-9", hours=1)), (1, 4), id="a newer device nobody listed"
        ),
        pytest.param((use(since(9)), on("simple mask", hours=1)), (3, 3), id="both say a mask"),
    ],
)
def test_devices_in_use_together(more: tuple[Json, ...], expected: tuple[int, int]) -> None:
    assert grade(bedside(*more, o=None)) == expected


def test_a_contradiction_is_named() -> None:
    assert "which holds is unclear" in missing(bedside(use(since(9))))
    assert "which holds is unclear" not in missing(bedside(use(since(9)), o=None))


def test_ventilation_for_another_reason_is_no_certain_hypoxia() -> None:
    for member, said in (("reasonCode", "text"), ("reasonReference", "display")):
        made = {**use(since(9), kind=VENTILATOR), member: [{said: "Sleep apnea"}]}
        found = bedside(made, o=None)
        assert grade(found) == (1, 4)
        assert "airway-for-another-reason" in notices(found)
    mask = use(since(9), reasonCode=[{"text": "Surgery"}])
    assert grade(bedside(mask, o=None)) == (3, 3)
    ventilated = use(since(9), kind=VENTILATOR, reasonCode=[{"text": "Airway protection"}])
    assert [one.kind for one in facts_of(ventilated).baselines] == ["positive-pressure"]


def test_a_ventilator_in_use_since_before_the_dose_is_no_certain_sign() -> None:
    found = bedside(use(since(90), kind=VENTILATOR), o=None)
    assert grade(found) == (1, 4)
    assert "baseline-oxygen" in notices(found)


def test_the_evidence_is_the_statement_and_its_device() -> None:
    facts = facts_of(use(since(9), kind=CANNULA), flow(2, 0.2))
    now = facts.oxygen[-1]
    assert (now.levels, now.at) == (("low-flow",), facts.evaluated_at)
    assert now.flow == 2
    evidence = now.evidence
    assert (evidence.ref, evidence.value) == ("DeviceUseStatement/use1", "Oxygen nasal cannula")
    assert evidence.note == "in use, 2 L/min"
    nameless = {key: value for key, value in use(since(9)).items() if key != "id"}
    (first, *_) = facts_of(nameless).oxygen
    assert first.evidence.ref == "prefetch.vitals.entry[0]"


def _by(reference: Json | None, **members: Any) -> Json:
    made = {**use(since(9), contained=[]), **members}
    return {**made, "device": reference} if reference else {**made, "device": None}


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param({"reference": "Device/dev1"}, id="relative"),
        pytest.param({"reference": "Device/dev1/_history/3"}, id="versioned"),
        pytest.param({"reference": f"{BASE}/Device/dev1"}, id="absolute"),
        pytest.param({"display": "Non-rebreather mask"}, id="in words"),
    ],
)
def test_the_device_is_found_by_its_reference(reference: Json) -> None:
    found = bedside(_by(reference), device(), o=None)
    assert grade(found) == (3, 3)


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        pytest.param(None, {"deviceName": [{"name": "Non-rebreather mask"}]}, id="by its name"),
        pytest.param({"text": "O2/simple mask"}, {}, id="by the text of its type"),
        pytest.param(
            {"text": "ward 7"}, {"deviceName": [{"name": "NRB"}]}, id="the name that says"
        ),
    ],
)
def test_a_device_is_known_by_type_or_name(kind: Json | None, members: Json) -> None:
    found = bedside(_by({"reference": "Device/dev1"}), device(kind, **members), o=None)
    assert grade(found) == (3, 3)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        pytest.param(
            (use(since(9), kind=PACEMAKER),), "not recognised: Cardiac pacemaker", id="type"
        ),
        pytest.param((_by({"reference": "Device/dev9"}),), "not in the request", id="not sent"),
        pytest.param((_by({"reference": "#dev9"}),), "not in the request", id="not inside"),
        pytest.param((_by(None),), "not in the request", id="no device"),
        pytest.param(
            (_by({"reference": "Device/dev1"}), device(None)), "no type or name", id="nothing said"
        ),
        pytest.param(
            (_by({"reference": "#dev1"}, contained=[{**device(), "type": 7}]),),
            "not in the request",
            id="inside and malformed",
        ),
        pytest.param(
            (_by({"reference": "Device/dev1"}), device(status="entered-in-error")),
            "entered in error",
            id="its Device is an error",
        ),
        pytest.param(
            (_by({"reference": "Device/dev1"}), device(patient={"display": "somebody"})),
            "not in the request",
            id="its Device belongs to nobody who can be told",
        ),
    ],
)
def test_a_device_that_is_not_found_or_not_known_is_named(made: tuple[Json, ...], why: str) -> None:
    facts = facts_of(*made)
    assert facts.oxygen == ()
    assert why in reasons(facts)


def test_the_newest_version_of_a_device_counts() -> None:
    old = {**device(VENTILATOR), "meta": {"versionId": "1"}}
    new = {**device(), "meta": {"versionId": "2"}}
    for order in ((old, new), (new, old)):
        assert grade(bedside(_by({"reference": "Device/dev1"}), *order, o=None)) == (3, 3)


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(use(since(9), subject={"reference": "Patient/p2"}), id="the statement"),
        pytest.param(device(patient={"reference": "Patient/p2"}), id="the Device"),
        pytest.param(
            use(since(9), contained=[device(patient={"reference": "Patient/p2"})]),
            id="the Device inside it",
        ),
        pytest.param(
            device(contained=[{**fever(), "subject": {"reference": "Patient/p2"}}]),
            id="something inside the Device",
        ),
    ],
)
def test_a_device_of_another_patient_is_refused(made: Json) -> None:
    with pytest.raises(AnotherPatient):
        map_request({"mine": bundle(made)})


def test_a_device_without_a_patient_or_of_this_patient_takes_part() -> None:
    for own in (device(), device(patient={"reference": "Patient/p1"})):
        assert facts_of(_by({"reference": "Device/dev1"}), own).oxygen[-1].levels == ("high-flow",)
    unknown = facts_of(use(since(9), subject=None))
    assert unknown.oxygen == ()
    assert "patient-unknown" in reasons(unknown)


def test_the_order_of_devices_says_nothing() -> None:
    made = [
        use(since(9, 2), "completed"),
        {**use(since(5), kind=CANNULA), "id": "use2"},
        {**use(since(5), kind=CANNULA), "id": "use3"},
        flow(2),
        flow(4, 0.9),
        on("room air", hours=3),
    ]
    assert facts_of(*made).oxygen == facts_of(*reversed(made)).oxygen


def test_a_use_is_seen_at_its_start_its_end_and_in_between() -> None:
    facts = facts_of(use(since(30, 2), "completed"))
    hours = [(facts.evaluated_at - one.at).total_seconds() / 3600 for one in facts.oxygen]
    assert [round(one, 3) for one in hours] == [30, 24, 12, 2, 2]
    assert [one.levels for one in facts.oxygen[-2:]] == [("high-flow",), ALL]
