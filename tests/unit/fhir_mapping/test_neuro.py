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
    assert why in facts.ice_doubts[0].evidence.note, "what it hides stays open"


@pytest.mark.parametrize(
    ("made", "totals"),
    [
        pytest.param(_ice(None, orientation=0), range(7), id="orientation 0 of 4: at most 6"),
        pytest.param(
            _ice(None, orientation=4, naming=3, command=1, writing=0), (8, 9), id="four items: 8, 9"
        ),
        pytest.param(_ice(11), (), id="a total that is none allows nothing to be said"),
        pytest.param({**_ice(None), **ABSENT}, (), id="not performed"),
    ],
)
def test_what_an_uncertain_ice_allows(made: Json, totals: tuple[int, ...]) -> None:
    (doubt,) = facts_of(made).ice_doubts
    assert doubt.levels == tuple(map(str, totals))


def test_two_totals_at_one_time_are_one_doubt() -> None:
    facts = facts_of(ice(7, resource_id="a"), ice(3, resource_id="b"))
    assert facts.ice == ()
    assert [one.levels for one in facts.ice_doubts] == [("3", "7")]
    assert "3 and 7" in reasons(facts)
    same = facts_of(ice(7, resource_id="a"), ice(7, resource_id="b"))
    assert len(same.ice) == 1
    assert same.ice_doubts == ()


def test_a_usable_total_outranks_one_that_is_not_at_the_same_time() -> None:
    facts = facts_of(ice(7, resource_id="a"), ice(11, resource_id="b"))
    assert [one.value for one in facts.ice] == [7]
    assert facts.ice_doubts == ()
    assert "from 0 to 10" in reasons(facts)


def test_a_preliminary_total_and_a_final_one_are_both_kept() -> None:
    facts = facts_of(ice(7, resource_id="a"), {**ice(3, resource_id="b"), "status": "preliminary"})
    assert sorted((int(one.value), one.preliminary) for one in facts.ice) == [(3, True), (7, False)]


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
    assert facts_of(arousal("alert", at="2026-11-21")).arousal == ()
    assert facts_of(arousal("voice", at=hours_ago(24 * 50))).arousal == ()


@pytest.mark.parametrize("at", ["2026-11-21", "2026-11-21T09:00:00", "not a time"])
def test_an_abnormal_sign_whose_time_cannot_be_ordered_may_be_there(at: str) -> None:
    facts = facts_of(assessment("motor", "focal-weakness", at=at))
    assert [(one.levels, one.preliminary) for one in facts.motor] == [
        (("none", "focal-weakness"), True)
    ]
    assert facts.missing[0].fact == "motor"
    assert facts_of(assessment("motor", "none", at=at)).motor == ()


@pytest.mark.parametrize("at", ["2026-09-01", hours_ago(-30)])
def test_an_abnormal_sign_long_ago_or_in_the_future_says_nothing(at: str) -> None:
    assert facts_of(assessment("motor", "focal-weakness", at=at)).motor == ()


def test_a_statement_of_support_that_is_not_understood_hides_no_earlier_one() -> None:
    earlier = assessment("hypotension-support", "fluids", at=hours_ago(2), resource_id="a")
    later = assessment("hypotension-support", "some", resource_id="b")
    undated = assessment("hypotension-support", "fluids", at="2026-11-21", resource_id="c")
    facts = facts_of(earlier, later, undated)
    assert [one.levels for one in facts.support] == [("fluids",)]
    assert "some is not a known state" in reasons(facts)


def test_two_states_at_one_time_are_both_possible() -> None:
    facts = facts_of(arousal("voice", resource_id="a"), arousal("alert", resource_id="b"))
    assert [set(one.levels) for one in facts.arousal] == [{"alert", "voice"}]
    facts = facts_of(arousal("sedated", resource_id="a"), arousal("alert", resource_id="b"))
    assert [one.levels for one in facts.arousal] == [()]
    both = concept(TOXICITY, "alert")
    both["coding"].append({"system": TOXICITY, "code": "sedated"})
    made = observation("a", concept(TOXICITY, "arousal"), {"valueCodeableConcept": both})
    assert [one.levels for one in facts_of(made).arousal] == [()]


def test_a_state_of_another_code_system_is_not_arousal() -> None:
    value = {"valueCodeableConcept": concept("http://snomed.info/sct", "voice")}
    facts = facts_of(observation("a", concept(TOXICITY, "arousal"), value))
    assert [one.levels for one in facts.arousal] == [()]
    assert "no value is not a known state" in reasons(facts)


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
    assert [one.levels for one in facts.arousal] == [()], "it hides what the axis is"
    assert "is not a known state" in facts.missing[0].reason


def test_a_state_may_come_as_text() -> None:
    for value in ({"valueString": " Voice "}, {"valueCodeableConcept": {"text": "voice"}}):
        made = observation("a", concept(TOXICITY, "arousal"), value)
        (one,) = facts_of(made).arousal
        assert (one.levels, one.evidence.note) == (("voice",), "read from text")


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
        pytest.param(6, 3, ("prolonged",), "", id="three seizures of 6 minutes"),
        pytest.param(2, 5000, ("brief",), "", id="a count that is a slip of the pen"),
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


def _seizure(value: str | None, minutes: float | None = None, count: int | None = None) -> Json:
    parts: list[Json] = []
    if minutes is not None:
        duration = {"value": minutes, "unit": "min", "system": UCUM, "code": "min"}
        parts.append({"code": concept(TOXICITY, "seizure-duration"), "valueQuantity": duration})
    if count is not None:
        parts.append({"code": concept(TOXICITY, "seizure-count"), "valueInteger": count})
    value_part = {} if value is None else {"valueCodeableConcept": concept(TOXICITY, value)}
    return observation("s", concept(TOXICITY, "seizure"), {**value_part, "component": parts})


EVERY = ("none", "brief", "nonconvulsive-resolved", "prolonged", "repetitive")


@pytest.mark.parametrize(
    ("made", "levels", "said"),
    [
        pytest.param(
            _seizure("nonconvulsive-resolved", count=2),
            ("nonconvulsive-resolved", "repetitive"),
            "more than one seizure",
            id="two electrical seizures",
        ),
        pytest.param(
            _seizure("nonconvulsive-resolved", 20),
            ("nonconvulsive-resolved",),
            "",
            id="a nonconvulsive seizure that resolved has no limit of minutes",
        ),
        pytest.param(
            _seizure("prolonged", 2), ("brief", "prolonged"), "2 minutes", id="prolonged, 2 minutes"
        ),
        pytest.param(_seizure("prolonged", 9), ("prolonged",), "", id="prolonged, 9 minutes"),
        pytest.param(_seizure("none", count=2), EVERY, "beside a count", id="none, and two"),
        pytest.param(_seizure("none", count=0), ("none",), "", id="none, and none counted"),
        pytest.param(
            _seizure(None, count=1), ("brief", "prolonged"), "not charted", id="one, of what kind"
        ),
        pytest.param(_seizure(None, 7), ("prolonged",), "not charted", id="7 minutes, no kind"),
        pytest.param(_seizure(None, 2), ("brief",), "not charted", id="2 minutes, no kind"),
        pytest.param(_seizure("fit"), (), "fit is not a known state", id="a word nobody listed"),
        pytest.param({**_seizure(None), **ABSENT}, (), "", id="not assessed"),
    ],
)
def test_seizure_details(made: Json, levels: tuple[str, ...], said: str) -> None:
    facts = facts_of(made)
    assert [one.levels for one in facts.seizure] == [levels]
    assert said in reasons(facts)


@pytest.mark.parametrize(
    ("made", "count"),
    [
        (_seizure("brief"), 1),
        (_seizure("brief", count=3), 3),
        (_seizure("repetitive"), 2),
        (_seizure("none"), None),
        (_seizure(None), None),
        ({**_seizure("brief"), "effectiveDateTime": "2026-11-21"}, None),
        ({**_seizure("brief"), "effectiveDateTime": hours_ago(24 * 90)}, 1),
    ],
)
def test_how_many_seizures_an_entry_stands_for(made: Json, count: int | None) -> None:
    counts = facts_of(made).seizure_counts
    assert [one.value for one in counts] == ([] if count is None else [count])


FUNCTIONAL = "Psychogenic non-epileptic seizure"


@pytest.mark.parametrize(
    ("made", "levels"),
    [
        pytest.param(
            {"valueCodeableConcept": concept(TOXICITY, "brief", FUNCTIONAL)},
            ("none", "brief"),
            id="brief, and in words functional: none or brief",
        ),
        pytest.param(
            {"valueCodeableConcept": concept(TOXICITY, "prolonged", "PNES")},
            ("none", "prolonged"),
            id="prolonged, and in words functional: none or prolonged",
        ),
        pytest.param(
            {
                "code": {**concept(TOXICITY, "seizure"), "text": "Functional seizure"},
                "valueCodeableConcept": concept(TOXICITY, "brief"),
            },
            ("none", "brief"),
            id="the words may be those of the code",
        ),
        pytest.param({"valueString": FUNCTIONAL}, (), id="in words alone: not assessable"),
        pytest.param(
            {"valueCodeableConcept": concept(TOXICITY, "none", FUNCTIONAL)},
            ("none",),
            id="none is none",
        ),
    ],
)
def test_a_seizure_charted_as_functional_stays_possible(
    made: Json, levels: tuple[str, ...]
) -> None:
    facts = facts_of({**assessment("seizure", "brief"), "valueCodeableConcept": None, **made})
    (charted,) = facts.seizure
    assert charted.levels == levels
    assert [one.code for one in facts.notices] == ["seizure-functional"]
    assert facts.seizure_counts == ()


def test_a_text_that_only_mentions_a_functional_seizure_changes_nothing() -> None:
    said = concept(TOXICITY, "brief", f"no {FUNCTIONAL}")
    facts = facts_of({**assessment("seizure", "brief"), "valueCodeableConcept": said})
    assert facts.seizure[0].levels == ("brief",)
    assert len(facts.seizure_counts) == 1
