"""Neurology by the project's CodeSystem: ICE and its items, CAPD, arousal and the signs."""

import pytest

from tests.builders import (
    TOXICITY,
    UCUM,
    Json,
    arousal,
    assessment,
    concept,
    hours_ago,
    ice,
    observation,
)
from tests.unit.fhir_mapping.mapped import facts_of, reasons


FULL = {"orientation": 4, "naming": 3, "command": 1, "writing": 1, "attention": 1}


def _item(name: str, value: object) -> Json:
    return {"code": concept(TOXICITY, f"ice-{name}"), "valueInteger": value}


def _ice(total: int | None, **items: object) -> Json:
    made = observation("ice1", concept(TOXICITY, "ice-total"), {})
    parts = [_item(name, value) for name, value in items.items()]
    return {
        **made,
        **({"component": parts} if parts else {}),
        **({"valueInteger": total} if total is not None else {}),
    }


ABSENT = {"dataAbsentReason": {"text": "intubated"}}


@pytest.mark.parametrize(
    ("made", "score"),
    [
        pytest.param(_ice(7), 7, id="a total"),
        pytest.param(_ice(0), 0, id="zero is a total"),
        pytest.param(_ice(10, **FULL), 10, id="a total that is the sum of its items"),
        pytest.param(_ice(None, **FULL), 10, id="the sum of all five items"),
        pytest.param(_ice(8, writing=0), 8, id="a total with some items"),
        pytest.param(
            {**_ice(None), "valueQuantity": {"value": 8, "unit": "{score}", "system": UCUM}},
            8,
            id="a quantity that counts",
        ),
        pytest.param({**_ice(None), "valueQuantity": {"value": 8}}, 8, id="a bare quantity"),
    ],
)
def test_ice(made: Json, score: int) -> None:
    facts = facts_of(made)
    assert [one.value for one in facts.ice] == [score]
    assert facts.unreadable == ()


@pytest.mark.parametrize(
    ("made", "why"),
    [
        pytest.param(_ice(11), "from 0 to 10", id="11 is no ICE"),
        pytest.param(_ice(-1), "from 0 to 10", id="nor is -1"),
        pytest.param({**_ice(7), "valueInteger": 7.5}, "from 0 to 10", id="nor is 7.5"),
        pytest.param(_ice(9, **FULL), "not the sum of its items", id="total and items disagree"),
        pytest.param(_ice(2, orientation=4), "less than its items", id="less than one item"),
        pytest.param(_ice(None, orientation=4), "1 of 5 items", id="part of the items, no total"),
        pytest.param(_ice(7, orientation=5), "within its range", id="an item out of range"),
        pytest.param(_ice(7, naming="3"), "within its range", id="an item that is a string"),
        pytest.param({**_ice(None), **ABSENT}, "not performed", id="not performed is not zero"),
        pytest.param(_ice(None), "without a value", id="no value"),
        pytest.param(
            {**_ice(None), "valueQuantity": {"value": 7, "unit": "mg"}},
            "without a value",
            id="a quantity of something",
        ),
        pytest.param(
            {**_ice(None), "valueQuantity": {"value": 7, "comparator": "<"}},
            "without a value",
            id="less than 7",
        ),
    ],
)
def test_ice_refused_and_named(made: Json, why: str) -> None:
    facts = facts_of(made)
    assert facts.ice == ()
    assert why in facts.missing[0].reason
    assert facts.missing[0].fact == "ice"


def test_an_item_charted_twice_is_refused() -> None:
    made = _ice(7)
    made["component"] = [_item("naming", 3), _item("naming", 2)]
    assert "twice" in reasons(facts_of(made))


def test_an_item_not_performed_and_other_components_are_not_items() -> None:
    made = _ice(7)
    other = {"code": concept("urn:local", "ice-naming"), "valueInteger": 9}
    absent = {"code": concept(TOXICITY, "ice-writing"), **ABSENT}
    assert [one.value for one in facts_of({**made, "component": [other, absent, {}]}).ice] == [7]


def _loose(*, skip: str = "", at: str | None = None, **changes: int) -> list[Json]:
    values = {**FULL, **changes}
    return [
        assessment(f"ice-{name}", value, at=at, resource_id=name)
        for name, value in values.items()
        if name != skip
    ]


def test_items_of_their_own_at_one_time_make_a_total() -> None:
    assert [one.value for one in facts_of(*_loose(attention=0)).ice] == [9]
    assert "4 of 5 items" in reasons(facts_of(*_loose(skip="naming")))
    assert "ice-naming is not a whole number" in reasons(facts_of(*_loose(naming=4)))
    assert [one.value for one in facts_of(ice(7), *_loose()).ice] == [7]
    absent = {**assessment("ice-naming", 1), **ABSENT}
    assert facts_of(absent).ice == ()
    assert facts_of(*_loose(at="2026-11-21")).ice == ()


def test_old_and_undated_assessments() -> None:
    assert facts_of(ice(7, at=hours_ago(24 * 50))).ice == ()
    assert facts_of(ice(7, at="2026-11-21")).missing[0].fact == "ice"
    assert facts_of(arousal("voice", at="2026-11-21")).arousal == ()


@pytest.mark.parametrize("total", [0, 8, 32])
def test_capd(total: int) -> None:
    assert [one.value for one in facts_of(assessment("capd-total", total)).capd] == [total]


def test_capd_refused_and_named() -> None:
    assert "0 to 32" in reasons(facts_of(assessment("capd-total", 33)))
    absent = observation("c", concept(TOXICITY, "capd-total"), ABSENT)
    assert "CAPD not performed" in reasons(facts_of(absent))
    assert facts_of(assessment("capd-total", 9, at="2026-11-21")).capd == ()


@pytest.mark.parametrize(
    "level", ["alert", "spontaneous", "voice", "tactile", "vigorous", "unarousable"]
)
def test_arousal(level: str) -> None:
    assert [one.levels for one in facts_of(arousal(level)).arousal] == [(level,)]


def test_arousal_that_cannot_be_assessed() -> None:
    assert [one.levels for one in facts_of(arousal("sedated")).arousal] == [()]
    absent = observation("a", concept(TOXICITY, "arousal"), ABSENT)
    assert [one.levels for one in facts_of(absent).arousal] == [()]


@pytest.mark.parametrize(
    "value",
    [
        {"valueCodeableConcept": concept(TOXICITY, "sleepy")},
        {"valueString": "V"},
        {"valueCodeableConcept": {}},
        {},
    ],
)
def test_an_unknown_state_is_named(value: Json) -> None:
    facts = facts_of(observation("a", concept(TOXICITY, "arousal"), value))
    assert facts.arousal == ()
    assert "is not a known state" in facts.missing[0].reason


def test_a_state_may_come_as_text() -> None:
    for value in ({"valueString": " Voice "}, {"valueCodeableConcept": {"text": "voice"}}):
        made = observation("a", concept(TOXICITY, "arousal"), value)
        assert facts_of(made).arousal[0].levels == ("voice",)


@pytest.mark.parametrize(
    ("code", "level", "fact"),
    [
        ("motor", "none", "motor"),
        ("motor", "focal-weakness", "motor"),
        ("raised-icp", "none", "raised_icp"),
        ("raised-icp", "focal-edema", "raised_icp"),
        ("raised-icp", "diffuse-edema", "raised_icp"),
        ("raised-icp", "posturing", "raised_icp"),
        ("raised-icp", "cn6-palsy", "raised_icp"),
        ("raised-icp", "papilledema", "raised_icp"),
        ("raised-icp", "cushing-triad", "raised_icp"),
        ("hypotension-support", "fluids", "support"),
        ("hypotension-support", "multiple-vasopressors", "support"),
        ("seizure", "none", "seizure"),
        ("seizure", "nonconvulsive-resolved", "seizure"),
        ("seizure", "prolonged", "seizure"),
        ("seizure", "repetitive", "seizure"),
    ],
)
def test_signs(code: str, level: str, fact: str) -> None:
    charted = getattr(facts_of(assessment(code, level)), fact)
    assert [one.levels for one in charted] == [(level,)]


@pytest.mark.parametrize(
    ("minutes", "count", "levels", "said"),
    [
        pytest.param(None, None, ("brief",), "", id="charted as brief"),
        pytest.param(4, None, ("brief",), "", id="4 minutes"),
        pytest.param(5, None, ("prolonged",), "seizure-five-minutes", id="exactly 5 minutes"),
        pytest.param(6, None, ("prolonged",), "", id="6 minutes"),
        pytest.param(2, 1, ("brief",), "", id="one seizure"),
        pytest.param(2, 3, ("brief", "repetitive"), "more than one seizure", id="three seizures"),
    ],
)
def test_seizure(
    minutes: float | None, count: int | None, levels: tuple[str, ...], said: str
) -> None:
    parts: list[Json] = [{}]
    if minutes is not None:
        duration = {"value": minutes, "unit": "min", "system": UCUM, "code": "min"}
        parts.append({"code": concept(TOXICITY, "seizure-duration"), "valueQuantity": duration})
    if count is not None:
        parts.append({"code": concept(TOXICITY, "seizure-count"), "valueInteger": count})
    facts = facts_of({**assessment("seizure", "brief"), "component": parts})
    assert [one.levels for one in facts.seizure] == [levels]
    assert said in reasons(facts)


def test_a_seizure_of_unreadable_duration_may_be_prolonged() -> None:
    part = {"code": concept(TOXICITY, "seizure-duration"), "valueQuantity": {"value": 4}}
    facts = facts_of({**assessment("seizure", "brief"), "component": [part]})
    assert facts.seizure[0].levels == ("brief", "prolonged")
    assert "without a unit" in reasons(facts)


def test_preliminary_assessments_are_flagged() -> None:
    facts = facts_of({**ice(7), "status": "preliminary"}, {**arousal("voice"), "status": "final"})
    assert facts.ice[0].preliminary
    assert not facts.arousal[0].preliminary
