"""A form as it comes back: what was answered, what was not, and what is refused and why."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds.smart.form.answers import BLANK, Answers, Filled, read
from cds.smart.form.fields import Asked, sections


FIELDS = [
    field
    for section in sections(Asked(ice=True, capd=True, statements=True))
    for field in section.fields
]
NAMES = [field.name for field in FIELDS]


def filled(**sent: str | list[str]) -> Filled:
    return read(
        {
            name.replace("_", "-"): value if isinstance(value, list) else [value]
            for name, value in sent.items()
        },
        FIELDS,
    )


def answers(**sent: str | list[str]) -> Answers:
    found = filled(**sent)
    assert found.problems == ()
    return found.answers


def test_an_empty_form_answers_nothing() -> None:
    assert read({}, FIELDS) == BLANK


def test_blanks_are_not_answers() -> None:
    assert read({name: [""] for name in NAMES}, FIELDS) == BLANK
    assert read({name: ["  \t\u200b"] for name in NAMES}, FIELDS) == BLANK


def test_the_hidden_fields_of_the_form_are_no_answers() -> None:
    assert filled(csrf="a", submission="b") == BLANK


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"ice_orientation": "0"}, Answers(ice={"ice-orientation": 0})),
        ({"ice_naming": "3"}, Answers(ice={"ice-naming": 3})),
        ({"ice_not_performed": " is  asleep "}, Answers(ice_not_performed="is asleep")),
        ({"capd_total": "32"}, Answers(capd=32)),
        ({"arousal": "sedated"}, Answers(arousal="sedated")),
        ({"seizure": "none"}, Answers(seizure="none")),
        (
            {"seizure": "brief", "seizure_duration": "2.5", "seizure_count": "1"},
            Answers(seizure="brief", seizure_minutes=Decimal("2.5"), seizure_count=1),
        ),
        ({"motor": "focal-weakness"}, Answers(motor="focal-weakness")),
        ({"raised_icp": "none"}, Answers(raised_icp="none")),
        ({"temperature_cel": "38.4"}, Answers(temperature=(Decimal("38.4"), "Cel"))),
        ({"temperature_degf": "101"}, Answers(temperature=(Decimal(101), "[degF]"))),
        ({"systolic": "88"}, Answers(systolic=Decimal(88))),
        (
            {"systolic": "88", "diastolic": "40"},
            Answers(systolic=Decimal(88), diastolic=Decimal(40)),
        ),
        ({"saturation": "94"}, Answers(saturation=Decimal(94))),
        ({"oxygen_device": "722742002"}, Answers(oxygen_device="722742002")),
        (
            {"oxygen_device": "336623009", "oxygen_flow": "0.5"},
            Answers(oxygen_device="336623009", oxygen_flow=Decimal("0.5")),
        ),
        ({"hypotension_support": "none"}, Answers(hypotension_support="none")),
        ({"attribution_crs": "btce"}, Answers(attribution={"crs": "btce"})),
        ({"icans_grade": "0"}, Answers(grades={"icans": 0})),
    ],
)
def test_each_question_is_read(sent: dict[str, str], expected: Answers) -> None:
    assert answers(**sent) == expected


def test_zero_points_and_grade_zero_are_answers() -> None:
    assert answers(ice_command="0") != Answers()
    assert answers(crs_grade="0") != Answers()


HOSTILE: list[tuple[str, str | list[str], str]] = [
    *[
        ("temperature-cel", text, say)
        for text, say in (
            ("38,4", "point instead of the comma"),
            ("1,000", "point instead of the comma"),
            ("38.4 C", "digits"),
            ("38.", "digits"),
            (".5", "digits"),
            ("+38", "digits"),
            ("-38", "digits"),
            ("3e1", "digits"),
            ("0x26", "digits"),
            ("NaN", "digits"),
            ("Infinity", "digits"),
            ("\u0663\u0668", "digits"),
            ("\uff13\uff18", "digits"),
            ("38..4", "digits"),
            ("38.4.1", "digits"),
            ("none", "digits"),
            ("normal", "digits"),
            ("<script>", "digits"),
            ("' OR 1=1", "digits"),
            ("{{7*7}}", "digits"),
            ("38.00000000", "too long"),
            ("9" * 5000, "too long"),
            ("0", "outside"),
            ("29.99", "outside"),
            ("43.1", "outside"),
            ("101", "outside"),
            (["38", "39"], "more than once"),
            (["38", "38"], "more than once"),
        )
    ],
    ("temperature-degf", "38", "outside"),
    ("systolic", "39", "outside"),
    ("systolic", "261", "outside"),
    ("systolic", "120/80", "digits"),
    ("diastolic", "80", "systolic"),
    ("saturation", "0.94", "outside"),
    ("saturation", "94%", "digits"),
    ("saturation", "101", "outside"),
    ("oxygen-flow", "2", "device"),
    ("seizure-duration", "2", "kind of seizure"),
    ("seizure-count", "2", "kind of seizure"),
    ("seizure-count", "0", "whole number from 1 to 1000"),
    ("seizure-count", "1001", "whole number from 1 to 1000"),
    ("seizure-count", "1.0", "whole number"),
    ("capd-total", "33", "whole number from 0 to 32"),
    ("capd-total", "-1", "whole number"),
    ("capd-total", "1.5", "whole number"),
    ("capd-total", "1e1", "whole number"),
    ("capd-total", "\u0966", "whole number"),
    ("ice-orientation", "5", "not one of the answers"),
    ("ice-orientation", "-1", "not one of the answers"),
    ("ice-orientation", "04", "not one of the answers"),
    ("ice-orientation", "4.0", "not one of the answers"),
    ("ice-orientation", ["4", "0"], "more than once"),
    ("ice-naming", "4", "not one of the answers"),
    ("ice-command", "2", "not one of the answers"),
    ("ice-not-performed", "x" * 201, "too long"),
    ("arousal", "awake", "not one of the answers"),
    ("arousal", "ALERT", "not one of the answers"),
    ("arousal", "alert' --", "not one of the answers"),
    ("arousal", "../../etc/passwd", "not one of the answers"),
    ("arousal", "x" * 100_000, "too long"),
    ("arousal", ["alert", "unarousable"], "more than once"),
    ("seizure", "no", "not one of the answers"),
    ("seizure", ["none", "prolonged"], "more than once"),
    ("motor", "hemiparesis", "not one of the answers"),
    ("raised-icp", "<img src=x onerror=alert(1)>", "not one of the answers"),
    ("oxygen-device", "Oxygen nasal cannula", "not one of the answers"),
    ("oxygen-device", "427591007 ; 1", "not one of the answers"),
    ("hypotension-support", "three-vasopressors", "not one of the answers"),
    ("attribution-crs", "infection", "not one of the answers"),
    ("crs-grade", "5", "not one of the answers"),
    ("crs-grade", "-1", "not one of the answers"),
    ("icans-grade", "3.5", "not one of the answers"),
    ("icans-grade", ["0", "4"], "more than once"),
]


@pytest.mark.parametrize(("name", "value", "say"), HOSTILE)
def test_what_is_no_answer_is_refused_with_what_to_do_and_never_used(
    name: str, value: str | list[str], say: str
) -> None:
    found = read({name: value if isinstance(value, list) else [value]}, FIELDS)
    (problem,) = found.problems
    assert problem.field == name
    assert say in problem.text
    assert found.answers == Answers()


def test_there_are_more_than_sixty_of_those() -> None:
    assert len(HOSTILE) > 60


@pytest.mark.parametrize(
    ("sent", "field", "kept"),
    [
        (
            {"temperature_cel": "38.4", "temperature_degf": "101", "motor": "none"},
            "temperature-degf",
            Answers(motor="none"),
        ),
        ({"systolic": "80", "diastolic": "120"}, "diastolic", Answers()),
        ({"systolic": "80", "diastolic": "80"}, "diastolic", Answers()),
        ({"seizure": "none", "seizure_duration": "3"}, "seizure-duration", Answers()),
        ({"seizure": "none", "seizure_count": "3"}, "seizure-count", Answers()),
        (
            {"ice_orientation": "4", "ice_not_performed": "asleep"},
            "ice-not-performed",
            Answers(),
        ),
    ],
)
def test_answers_that_contradict_each_other_all_count_as_not_given(
    sent: dict[str, str], field: str, kept: Answers
) -> None:
    found = filled(**sent)
    assert [one.field for one in found.problems] == [field]
    assert found.answers == kept


def test_a_problem_with_one_answer_leaves_the_others() -> None:
    found = filled(arousal="asleep", motor="none", saturation="94")
    assert found.answers == Answers(motor="none", saturation=Decimal(94))


def test_a_field_nobody_asked_for_is_a_problem_of_the_whole_form() -> None:
    found = read({"grade": ["4"], "motor": ["none"]}, FIELDS)
    assert [one.field for one in found.problems] == [""]
    assert found.answers == Answers(motor="none")


def test_what_was_entered_is_kept_for_the_page_though_it_is_not_used() -> None:
    assert filled(temperature_cel="38,4").kept == {"temperature-cel": "38,4"}


def test_control_characters_do_not_reach_a_reason() -> None:
    found = answers(ice_not_performed="in\u202etu\x00bated\r\nX: y")
    assert found.ice_not_performed == "in tu bated X: y"


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        st.lists(st.text(max_size=30) | st.sampled_from(["0", "1", "none", "alert"]), max_size=3),
        max_size=8,
    )
)
def test_any_form_is_read_without_failing(sent: dict[str, list[str]]) -> None:
    found = read(sent, FIELDS)
    assert all(problem.text for problem in found.problems)
    assert len(found.kept) <= len(sent)
