"""The grading screen: the worked examples of the documents give their grades, item by item, and
what was not answered is not normal."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beside import PAGE, Room, room
from tests.builders import (
    acetaminophen,
    bp,
    hours_ago,
    patient,
    teclistamab,
    temp,
)
from tests.functional.grading import (
    AWAKE,
    BILEVEL,
    BLOW_BY,
    CANNULA,
    CPAP,
    FEVER,
    HIGH_FLOW,
    MASK,
    MOST,
    NO_SIGNS,
    NONREBREATHER,
    ON_DRUG,
    PAGES,
    ROOM_AIR,
    VENTILATOR,
    VENTURI,
    headings,
    ice_of,
    interval,
    preview,
    would_be,
)
from tests.functional.page_seen import Page
from tests.unit.cds.worker.hospital import of


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A patient on teclistamab of whom nothing else is charted; nothing is confirmed here."""
    with room(tmp_path_factory.mktemp("ward"), PAGES, ON_DRUG) as found:
        yield found


# --- the worked examples --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param(
            {**ice_of(3), **AWAKE, "seizure": "brief"}, 3, id="ICE 3 with a generalized seizure"
        ),
        pytest.param({**ice_of(0), **AWAKE}, 3, id="ICE 0, awake with global aphasia"),
        pytest.param(
            {**ice_of(0), **NO_SIGNS, "arousal": "unarousable"}, 4, id="ICE 0, unarousable"
        ),
        pytest.param(
            {"ice-not-performed": "cannot be woken", **NO_SIGNS, "arousal": "unarousable"},
            4,
            id="unarousable and not able to perform ICE",
        ),
        *(
            pytest.param({**ice_of(total), **AWAKE}, expected, id=f"ICE {total}")
            for total, expected in enumerate([3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 0])
        ),
        *(
            pytest.param({**ice_of(10), **NO_SIGNS, "arousal": level}, expected, id=level)
            for level, expected in (
                ("spontaneous", 1),
                ("voice", 2),
                ("tactile", 3),
                ("vigorous", 4),
                ("unarousable", 4),
            )
        ),
        *(
            pytest.param({**ice_of(10), **AWAKE, name: finding}, expected, id=finding)
            for name, finding, expected in (
                ("seizure", "brief", 3),
                ("seizure", "nonconvulsive-resolved", 3),
                ("seizure", "prolonged", 4),
                ("seizure", "repetitive", 4),
                ("motor", "focal-weakness", 4),
                ("raised-icp", "focal-edema", 3),
                ("raised-icp", "diffuse-edema", 4),
                ("raised-icp", "posturing", 4),
                ("raised-icp", "cn6-palsy", 4),
                ("raised-icp", "papilledema", 4),
                ("raised-icp", "cushing-triad", 4),
            )
        ),
    ],
)
def test_icans_is_graded_as_the_tables_and_examples_of_the_document_say(
    ward: Room, answers: dict[str, str], expected: int
) -> None:
    assert f"ICANS grade {expected}" in headings(preview(ward, answers))


@pytest.mark.parametrize(
    ("support", "device", "flow", "expected"),
    [
        pytest.param("one-vasopressor", CANNULA, "2", 3, id="the example of both US documents"),
        ("none", ROOM_AIR, "", 1),
        ("fluids", ROOM_AIR, "", 2),
        ("none", CANNULA, "2", 2),
        ("none", CANNULA, "6", 2),
        ("none", BLOW_BY, "", 2),
        ("none", CANNULA, "7", 3),
        ("none", HIGH_FLOW, "40", 3),
        ("none", MASK, "", 3),
        ("none", VENTURI, "", 3),
        ("none", NONREBREATHER, "", 3),
        ("one-vasopressor", ROOM_AIR, "", 3),
        ("multiple-vasopressors", ROOM_AIR, "", 4),
        ("none", CPAP, "", 4),
        ("none", BILEVEL, "", 4),
        ("fluids", VENTILATOR, "", 4),
    ],
)
def test_crs_is_graded_as_the_tables_and_examples_of_the_documents_say(
    ward: Room, support: str, device: str, flow: str, expected: int
) -> None:
    answers = {**FEVER, "hypotension-support": support, "oxygen-device": device}
    text = preview(ward, {**answers, **({"oxygen-flow": flow} if flow else {})})
    assert f"CRS grade {expected}" in headings(text)


@pytest.mark.parametrize("protocol", ["us-label", "community-sop", "nhs-waht"])
def test_the_examples_are_graded_alike_under_every_protocol(tmp_path: Path, protocol: str) -> None:
    answers = {
        **FEVER,
        "hypotension-support": "one-vasopressor",
        "oxygen-device": CANNULA,
        "oxygen-flow": "2",
        **ice_of(3),
        **AWAKE,
        "seizure": "brief",
    }
    with room(tmp_path, PAGES, ON_DRUG, protocol=protocol) as here:
        found = headings(preview(here, answers))
    assert found[:2] == ["CRS grade 3", "ICANS grade 3"]


@pytest.mark.parametrize(("fahrenheit", "level"), [("100.4", "present"), ("100.3", "absent")])
def test_100_4_fahrenheit_is_fever_and_less_is_none(
    ward: Room, fahrenheit: str, level: str
) -> None:
    found = would_be(ward, {"temperature-degf": fahrenheit, "hypotension-support": "fluids"})
    assert found.crs.axes["fever"].level == level


# --- unknown is not normal ------------------------------------------------------------------------


def test_the_first_page_shows_the_record_alone_and_has_no_answer_filled_in(tmp_path: Path) -> None:
    with room(tmp_path, PAGES, [*ON_DRUG, of(temp(38.6)), of(bp(84, 50))]) as here:
        seen = Page.of(here.client.get(f"{PAGE}/").text)
    assert "The record alone" in seen.text_of("h2")
    assert {one.get("value", "") for one in seen.controls("radio") if "checked" in one} == {""}
    assert {one.get("value", "") for one in seen.controls("text")} == {""}
    assert len(seen.checked()) == len({one["name"] for one in seen.controls("radio")})


def test_every_value_of_the_record_stands_there_with_time_and_source(tmp_path: Path) -> None:
    charted = [of(temp(38.6, at=hours_ago(2))), of(acetaminophen(at=hours_ago(3)))]
    with room(tmp_path, PAGES, [*ON_DRUG, *charted]) as here:
        text = here.client.get(f"{PAGE}/").text
    for said in (
        "38.6 °C (101.5 °F), 21 Nov 2026 10:00 GMT",
        "Observation/t1",
        "MedicationAdministration/tec1",
        "MedicationAdministration/apap1",
        "21 Nov 2026 09:00 GMT",
        "oxygen device: oxygen device not charted",
        "ICE score: ICE not assessed",
    ):
        assert said in text, said


def test_an_unanswered_sign_is_named_and_is_not_the_same_as_none(ward: Room) -> None:
    some = {**ice_of(10), "arousal": "alert"}
    without = would_be(ward, some)
    answered = would_be(ward, {**some, **NO_SIGNS})
    for axis in ("seizure", "motor", "raised-icp"):
        assert [one.value for one in answered.icans.axes[axis].evidence] == ["none"]
        assert without.icans.axes[axis].evidence == ()
    now = Page.of(preview(ward, some)).text_of("p")[0]
    assert "not answered: Seizure, Motor, Raised ICP" in now
    assert "not answered" not in Page.of(preview(ward, {**some, **NO_SIGNS})).text_of("p")[0]


def test_support_that_was_not_answered_leaves_the_grade_open(ward: Room) -> None:
    found = would_be(ward, FEVER)
    assert interval(found.crs.grade) == (1, 4)
    settled = {**FEVER, "hypotension-support": "none", "oxygen-device": ROOM_AIR}
    assert interval(would_be(ward, settled).crs.grade) == (1, 1)


@pytest.mark.parametrize("seed", range(12))
def test_each_ice_item_only_narrows_the_grade(ward: Room, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a repeatable order, no secret
    items = list(MOST)
    chance.shuffle(items)
    answers: dict[str, str] = dict(AWAKE)
    before = interval(would_be(ward, answers).icans.grade)
    for item in items:
        answers[item] = str(chance.randint(0, MOST[item]))
        low, high = interval(would_be(ward, answers).icans.grade)
        assert before[0] <= low <= high <= before[1], answers
        before = (low, high)
    assert before[0] == before[1]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ({"ice-orientation": "4"}, "ICANS grade 0-2 possible"),
        ({"ice-orientation": "4", "ice-naming": "3"}, "ICANS grade 0-1 possible"),
        ({"ice-orientation": "4", "ice-naming": "0"}, "ICANS grade at least 1 (1-2 possible)"),
        ({"ice-orientation": "0"}, "ICANS grade at least 2 (2-3 possible)"),
        ({"ice-orientation": "0", "ice-naming": "0"}, "ICANS grade at least 2 (2-3 possible)"),
        (
            {"ice-orientation": "0", "ice-naming": "0", "ice-command": "0"},
            "ICANS grade 3",
        ),
    ],
)
def test_the_interval_item_by_item_is_that_of_the_ice_table(
    ward: Room, items: dict[str, str], expected: str
) -> None:
    assert expected in headings(preview(ward, {**AWAKE, **items}))


def test_the_running_total_is_shown(ward: Room) -> None:
    text = preview(ward, {"ice-orientation": "3", "ice-naming": "2"})
    assert "ICE: 5 points, 2 of 5 items answered; total 5 to 8 possible." in Page.of(text).flat


# --- children -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("birth", "has", "has_not"),
    [
        ("2018-01-01", "capd-total", "ice-orientation"),
        ("2014-11-22", "capd-total", "ice-orientation"),
        ("2014-11-21", "ice-orientation", "capd-total"),
    ],
)
def test_capd_is_asked_before_the_twelfth_birthday_and_ice_from_it_on(
    tmp_path: Path, birth: str, has: str, has_not: str
) -> None:
    with room(tmp_path, PAGES, [of(patient(birth_date=birth)), of(teclistamab())]) as here:
        seen = Page.of(here.client.get(f"{PAGE}/").text)
        refused = preview(here, {has_not: "4"})
    names = {one["name"] for one in (*seen.controls("radio"), *seen.controls("text"))}
    assert has in names
    assert has_not not in names
    assert "load the page again" in refused


def test_both_are_asked_where_the_age_is_not_known_and_that_is_said(tmp_path: Path) -> None:
    nameless = {name: value for name, value in of(patient()).items() if name != "birthDate"}
    with room(tmp_path, PAGES, [nameless, of(teclistamab())]) as here:
        seen = Page.of(here.client.get(f"{PAGE}/").text)
    names = {one["name"] for one in (*seen.controls("radio"), *seen.controls("text"))}
    assert {"capd-total", "ice-orientation"} <= names
    assert "The record gives no age" in seen.flat


def test_a_child_is_graded_by_capd(tmp_path: Path) -> None:
    with room(tmp_path, PAGES, [of(patient(birth_date="2018-01-01")), of(teclistamab())]) as here:
        for total, expected in (("0", 0), ("1", 1), ("8", 1), ("9", 3)):
            text = preview(here, {**AWAKE, "capd-total": total})
            assert f"ICANS grade {expected}" in headings(text), total
