"""An Observation that cannot be decoded is named by its place and widens what it may have said.

Expectation: unknown is never normal; nothing else of the request is lost. One row, one sentence.
"""

from typing import Any

import pytest

from tests.builders import (
    LOINC,
    Json,
    arousal,
    as_bytes,
    bp,
    bundle,
    concept,
    draft_order,
    hours_ago,
    ice,
    observation,
    oxygen_device,
    patient,
    quantity,
    spo2,
    teclistamab,
    temp,
)
from tests.properties.service import ask, assessed


HALF, NEW = hours_ago(0.5), hours_ago(0.2)
HEART_RATE = {
    **observation("bad", concept(LOINC, "8867-4"), {"valueQuantity": quantity(80, "/min")}, at=NEW),
    "valueQuantity": "80",
}
PRESSURE = {**bp(120, 80, at=NEW, resource_id="bad"), "component": "x"}
SATURATION = {**spo2(97, at=NEW, resource_id="bad"), "valueQuantity": [97]}
DEVICE = {**oxygen_device("room air", at=NEW, resource_id="bad"), "valueString": 5}
CODE = {**temp(36.8, at=NEW, resource_id="bad"), "code": 7}
PANEL = {**PRESSURE, "code": {"text": "local panel"}}


def _evaluated(*more: object, t: float = 39, key: str = "vitals") -> dict[str, Any]:
    vitals = [temp(t, at=HALF), bp(120, 80, at=HALF), spo2(97, at=HALF)]
    pages = {
        "vitals": vitals,
        "oxygen": [oxygen_device("room air", at=HALF)],
        "assessments": [ice(10, at=HALF), arousal("alert", at=HALF)],
        "administrations": [teclistamab(at=hours_ago(30))],
    }
    prefetch: dict[str, Json] = {name: bundle(*page) for name, page in pages.items()}
    prefetch[key]["entry"] += [{"resource": one} for one in more]
    return assessed(ask({"patient": patient(), **prefetch}, [draft_order()]))


def _grade(found: dict[str, Any], toxicity: str = "crs") -> tuple[int, int]:
    grade = found[toxicity]["grade"]
    return grade["atLeast"], grade["atMost"]


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        pytest.param(PRESSURE, (1, 2), id="a blood pressure: it may have been low"),
        pytest.param(SATURATION, (1, 2), id="a saturation: oxygen may have been needed"),
        pytest.param(DEVICE, (1, 4), id="an oxygen device: any"),
        pytest.param(CODE, (1, 4), id="no legible code: anything"),
        pytest.param(PANEL, (1, 4), id="a local panel whose parts are not legible: anything"),
        pytest.param("x", (1, 4), id="no resource at all: anything"),
        pytest.param(HEART_RATE, (1, 1), id="a heart rate: nothing that is graded"),
        pytest.param({**DEVICE, "status": "entered-in-error"}, (1, 1), id="entered in error"),
        pytest.param(
            {**DEVICE, "effectiveDateTime": hours_ago(-30)}, (1, 1), id="of the future: not now"
        ),
        pytest.param(
            {**DEVICE, "effectiveDateTime": hours_ago(24 * 60)}, (1, 1), id="before every window"
        ),
        pytest.param({**DEVICE, "effectiveDateTime": 5}, (1, 4), id="at no legible time: now"),
        pytest.param(
            {**DEVICE, "effectiveDateTime": hours_ago(3)}, (1, 1), id="older than a good one"
        ),
    ],
)
def test_what_a_malformed_observation_leaves_open(bad: object, expected: tuple[int, int]) -> None:
    found = _evaluated(bad)
    assert _grade(found) == expected
    assert found["unreadable"][0]["at"] == "prefetch.vitals.entry[3]"
    assert ("missing" in found["crs"]) is (expected != (1, 1))


def test_a_malformed_temperature_may_have_been_a_fever() -> None:
    bad = {**temp(36.5, at=NEW, resource_id="bad"), "valueQuantity": "36.5"}
    assert _grade(_evaluated(bad, t=36.8)) == (0, 1)
    assert _grade(_evaluated(t=36.8)) == (0, 0)


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        pytest.param(
            {**ice(10, at=NEW, resource_id="bad"), "valueInteger": {}}, (0, 3), id="an ICE: 0 to 3"
        ),
        pytest.param(
            {**arousal("alert", at=NEW, resource_id="bad"), "valueCodeableConcept": "alert"},
            (0, 4),
            id="an arousal: any",
        ),
    ],
)
def test_a_malformed_assessment_leaves_icans_open(bad: object, expected: tuple[int, int]) -> None:
    found = _evaluated(bad, key="assessments")
    assert _grade(found, "icans") == expected
    assert found["icans"]["missing"]


def test_where_anything_may_have_been_assessed_icans_is_not_assessed() -> None:
    found = _evaluated(7, key="assessments")["icans"]
    assert found["assessed"] is False
    assert {"ice", "arousal"} <= {one["fact"] for one in found["missing"]}


def test_nothing_else_of_the_request_is_lost() -> None:
    found = _evaluated(PRESSURE, temp(40.1, at=hours_ago(0.1), resource_id="last"))
    assert found["crs"]["axes"]["fever"]["evidence"][0]["value"] == "40.1"
    assert as_bytes(found["unreadable"]).count(b"entry[") == 1
