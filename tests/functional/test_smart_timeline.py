"""The timeline over a real FHIR server: all that was charted, in words, in a table and drawn."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from cards import terms
from cards.escape import plain
from cards.units import time as written
from cds.smart.advised import KEPT_USED
from cds.smart.evaluating import assessed, record_of
from cds.smart.pages import timeline
from fhir_mapping import write
from fhir_mapping.write import Charting
from tests.beside import DOCTOR, PAGE, Room, Time, room
from tests.builders import (
    NOW,
    Json,
    acetaminophen,
    arousal,
    bp,
    charted_grade,
    dexamethasone,
    hours_ago,
    ice,
    norepinephrine,
    oxygen_device,
    oxygen_flow,
    patient,
    quantity,
    spo2,
    teclistamab,
    temp,
    tocilizumab,
)
from tests.functional.stated_here import READ_ONLY, state_grade_3
from tests.unit.cds.worker.hospital import of


SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    f"{before}{text}{after}"
    for text, (before, after) in product(
        (
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "</title></svg><h1>Grade 0</h1>",
            '" onmouseover="alert(1)" x="',
            "' style='position:fixed",
            "]]><!--",
            "&lt;b&gt; &#x3c;script&#x3e;",
            "{{ 7*7 }}{% raw %}",
            "javascript:alert(1) https://evil.example",
            "\u202egnp.exe \u0007\u0000 \ufffe",
        ),
        (("", ""), ("nasal cannula ", ""), ("", " 2 L/min"), ("\n\n", "\r\n"), ("…" * 40, "")),
    )
]


class Page(HTMLParser):
    """What a browser would make of it: elements with their attributes, and the texts."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def course() -> list[Json]:
    """Two days after teclistamab: fever, low pressure, oxygen, a vasopressor, confusion."""
    vitals = [
        one
        for place in range(10)
        for one in (
            of(temp(37.1 + place * 0.2, at=hours_ago(30 - place * 3), resource_id=f"t{place}")),
            of(
                bp(
                    120 - place * 4,
                    60,
                    mean=80 - place * 2,
                    at=hours_ago(30 - place * 3),
                    resource_id=f"b{place}",
                )
            ),
            of(spo2(97 - place, at=hours_ago(30 - place * 3), resource_id=f"s{place}")),
        )
    ]
    return [
        patient(),
        *vitals,
        of(oxygen_device("nasal cannula", at=hours_ago(9))),
        of(oxygen_flow(2, at=hours_ago(9))),
        of(teclistamab(at=hours_ago(40))),
        of(norepinephrine(at=hours_ago(5))),
        of(tocilizumab(at=hours_ago(6))),
        of(dexamethasone(at=hours_ago(4))),
        of(acetaminophen(at=hours_ago(20))),
        of(ice(7, at=hours_ago(8)), category="survey"),
        of(ice(3, at=hours_ago(2), resource_id="ice2"), category="survey"),
        of(arousal("voice", at=hours_ago(2)), category="survey"),
        of(charted_grade("crs", 2, at=hours_ago(6)), category="survey"),
    ]


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("timeline")
    with room(folder, (timeline.add_routes,), course()) as opened:
        yield opened


def shown(opened: Room, query: str = "") -> str:
    answer = opened.client.get(f"{PAGE}/timeline{query}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def drawing(html: str) -> ET.Element:
    """The SVG, read as XML."""
    (found,) = re.findall(r"<svg .*?</svg>", html, re.DOTALL)
    return ET.fromstring(found)  # noqa: S314 - made by the page under test


def rows(html: str) -> list[tuple[str, str, str]]:
    """What, value and source of every row of the table."""
    cells = re.findall(r"<td>(.*?)</td><td>(.*?)</td><td>(.*?)</td></tr>", html, re.DOTALL)
    return [tuple(_text(one) for one in found) for found in cells]  # type: ignore[misc]


def _text(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html))


def test_every_charted_value_of_the_window_is_in_the_table_with_its_source(ward: Room) -> None:
    found = rows(shown(ward))
    for place in range(10):
        assert ("SpO2", f"{97 - place} %", f"Observation/s{place}") in found
        assert ("Systolic pressure", f"{120 - place * 4} mmHg", f"Observation/b{place}") in found
        assert ("Mean pressure", f"{80 - place * 2} mmHg", f"Observation/b{place}") in found
    refs = {ref for _, _, ref in found}
    assert {f"Observation/t{place}" for place in range(10)} <= refs
    assert {"Observation/ice1", "Observation/ice2", "Observation/ar1"} <= refs
    for id_ in ("tec1", "nor1", "toci1", "dex1", "apap1"):
        assert f"MedicationAdministration/{id_}" in refs
    assert ("CRS grade charted", "grade 2", "Observation/crs-grade-1") in found
    assert ("ICE total", "3", "Observation/ice2") in found
    (oxygen,) = [value for what, value, _ in found if what == "Oxygen"]
    assert "nasal cannula" in oxygen
    assert "low flow, 2 L/min" in oxygen


def test_a_temperature_is_shown_in_both_units(ward: Room) -> None:
    values = [value for what, value, _ in rows(shown(ward)) if what == "Temperature"]
    assert "38.9 °C (102.02 °F)" in values


def test_the_drawing_is_an_image_with_a_title_and_the_course_in_words(ward: Room) -> None:
    svg = drawing(shown(ward))
    assert svg.get("role") == "img"
    named = (svg.get("aria-labelledby") or "").split()
    title, desc = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")
    assert title is not None
    assert desc is not None
    assert named == [title.get("id"), desc.get("id")]
    said = desc.text or ""
    zone = ward.here.site.zone
    assert f"highest 38.9 °C (102.02 °F) at {written(NOW - timedelta(hours=3), zone)}" in said
    assert "lowest 88 % at" in said
    assert "lowest 84 mmHg at" in said
    assert "ICE total: 2 values, highest 7 at" in said
    assert not [one for one in svg.iter() if one.get("style")]


def test_each_grade_is_what_the_pipeline_says_of_that_time(ward: Room) -> None:
    record = record_of(ward.here, ward.parts.deployment, ward.parts.at_hand)
    zone = ward.here.site.zone
    html = shown(ward)
    compared = 0
    for group in re.findall(r"<tbody>(.*?)</tbody>", html, re.DOTALL):
        found = {what: value for what, value, _ in rows(group)}
        if "CRS by this service" not in found:
            continue
        heading = _text(re.findall(r"<th scope=\"rowgroup\".*?</th>", group)[0])
        at = datetime.strptime(heading, "%d %b %Y %H:%M GMT").replace(tzinfo=UTC)
        assert heading == written(at, zone)
        then = assessed(record, ward.here, ward.parts.deployment, now=at).decision.assessment
        assert found["CRS by this service"].startswith(terms.grade("crs", then.crs))
        assert found["ICANS by this service"].startswith(terms.grade("icans", then.icans))
        compared += 1
    assert compared > 20


def test_a_grade_of_the_past_is_that_of_a_record_without_what_came_later(
    ward: Room, tmp_path: Path
) -> None:
    then = NOW - timedelta(hours=12)
    earlier = [
        one
        for one in course()
        if (one.get("effectiveDateTime") or one.get("effectivePeriod", {}).get("start") or "")
        <= hours_ago(12)
    ]
    with room(tmp_path, (timeline.add_routes,), earlier, clock=Time(then)) as before:
        now = rows(shown(before))[:2]
    found = re.findall(r"<tbody>(.*?)</tbody>", shown(ward), re.DOTALL)
    (group,) = [one for one in found if f">{written(then, ward.here.site.zone)}<" in one]
    assert rows(group)[:2] == now


@pytest.mark.parametrize(
    ("query", "window"),
    [
        ("", "3 days"),
        ("?hours=24", "24 hours"),
        ("?hours=336", "14 days"),
        ("?hours=9e9", "3 days"),
    ],
)
def test_a_window_is_one_of_a_closed_set(ward: Room, query: str, window: str) -> None:
    assert f"The {window} until 21 Nov 2026 12:00 GMT." in _text(shown(ward, query))


def test_a_shorter_window_leaves_out_what_came_before_it(ward: Room) -> None:
    refs = {ref for _, _, ref in rows(shown(ward, "?hours=24"))}
    assert "Observation/t0" not in refs
    assert "Observation/t9" in refs


def test_a_number_of_a_part_that_does_not_exist_shows_the_nearest(ward: Room) -> None:
    for part in ("0", "-1", "77777", "x", "٣", ""):
        assert rows(shown(ward, f"?part={part}")) == rows(shown(ward))


def test_nothing_charted_is_said_and_nothing_is_graded(tmp_path: Path) -> None:
    with room(tmp_path, (timeline.add_routes,), [patient()]) as opened:
        html = shown(opened)
    svg = drawing(html)
    assert "Temperature: nothing charted in this time." in _text(html)
    assert "CRS: not assessed at any time shown." in "".join(svg.itertext())
    looks = {one.get("class") for one in svg.iter()}
    assert looks.isdisjoint({"sure", "wide", "first", "second", "strip", "charted"})


def test_what_the_server_does_not_give_is_not_called_uncharted(tmp_path: Path) -> None:
    with room(tmp_path, (timeline.add_routes,), course()) as opened:
        found = record_of(opened.here, opened.parts.deployment, opened.parts.at_hand)
        kept = {key: raw for key, raw in found.request.prefetch.items() if key != "administrations"}
        found.request.prefetch.clear()  # type: ignore[attr-defined]
        found.request.prefetch.update(kept)  # type: ignore[attr-defined]
        html = shown(opened)
    assert "Tocilizumab: not known, the record was not read for it." in _text(html)
    assert "Tocilizumab: nothing charted" not in _text(html)


def test_one_single_value_is_drawn_and_in_the_table(tmp_path: Path) -> None:
    with room(tmp_path, (timeline.add_routes,), [patient(), of(temp(38.4))]) as opened:
        html = shown(opened)
    assert len([one for one in drawing(html).iter() if one.get("class") == "first"]) == 1
    assert ("Temperature", "38.4 °C (101.12 °F)", "Observation/t1") in rows(html)


def test_a_preliminary_and_a_corrected_value_are_marked(tmp_path: Path) -> None:
    early = {**of(temp(38.4, at=hours_ago(2), resource_id="early")), "status": "preliminary"}
    late = {**of(temp(37.4, at=hours_ago(1), resource_id="late")), "status": "corrected"}
    with room(tmp_path, (timeline.add_routes,), [patient(), early, late]) as opened:
        values = {ref: value for _, value, ref in rows(shown(opened))}
    assert values["Observation/early"] == "38.4 °C (101.12 °F) (preliminary)"
    assert values["Observation/late"] == "37.4 °C (99.32 °F) (corrected)"


def test_two_thousand_values_are_thinned_in_the_drawing_and_in_parts_in_the_table(
    tmp_path: Path,
) -> None:
    many = [
        of(temp(36.5 + place % 30 / 10, at=hours_ago(0.1 + place * 0.15), resource_id=f"t{place}"))
        for place in range(2000)
    ]
    with room(tmp_path, (timeline.add_routes,), [patient(), of(teclistamab()), *many]) as opened:
        first = shown(opened, "?hours=336")
        parts = int(re.findall(r"Part 1 of (\d+)", first)[0])
        last = shown(opened, f"?hours=336&part={parts}")
    assert "Of 2000 values the drawing shows the highest and the lowest" in _text(first)
    marks = [one for one in drawing(first).iter() if one.get("class") == "first"]
    assert len(marks) < 300
    assert parts == 6
    assert "Observation/t0" in {ref for _, _, ref in rows(first)}
    assert "Observation/t1999" in {ref for _, _, ref in rows(last)}


def test_the_day_on_which_the_clock_changes_has_both_names_of_the_zone(tmp_path: Path) -> None:
    now = datetime(2026, 10, 25, 12, 0, tzinfo=UTC)
    twice = [
        of({**temp(38.1, resource_id="bst"), "effectiveDateTime": "2026-10-25T00:30:00Z"}),
        of({**temp(38.9, resource_id="gmt"), "effectiveDateTime": "2026-10-25T01:30:00Z"}),
    ]
    with room(tmp_path, (timeline.add_routes,), [patient(), *twice], clock=Time(now)) as opened:
        html = shown(opened, "?hours=24")
    assert "25 Oct 2026 01:30 BST" in _text(html)
    assert "25 Oct 2026 01:30 GMT" in _text(html)
    texts = [one.text for one in drawing(html).iter(f"{SVG}text")]
    assert texts.count("25 Oct") == 1
    assert "Time zone: BST and GMT" in texts
    places = [float(one.get("cx", "0")) for one in drawing(html).iter(f"{SVG}circle")]
    assert places[1] - places[0] == pytest.approx((704 - 48) / 24, abs=0.2)


def test_hostile_text_of_the_record_stays_text(tmp_path: Path) -> None:
    record: list[Json] = [{**patient(), "name": [{"text": "".join(HOSTILE[:5])}]}]
    for place, text in enumerate(HOSTILE):
        at = hours_ago(0.5 + place)
        record += [
            of(oxygen_device(text, at=at, resource_id=f"ox{place}")),
            {**of(temp(38, at=at, resource_id=f"t{place}")), "bodySite": {"text": text}},
            {
                **of(acetaminophen(at=at, resource_id=f"ap{place}")),
                "medicationCodeableConcept": {"text": f"acetaminophen {text}"},
                "dosage": {"dose": quantity(1, text), "text": text},
            },
        ]
    with room(tmp_path, (timeline.add_routes,), record) as opened:
        html = shown(opened)
    svg = drawing(html)
    tags = {one.tag.removeprefix(SVG) for one in svg.iter()}
    assert tags <= {
        "svg", "title", "desc", "line", "rect", "circle", "polyline", "polygon", "text"
    }  # fmt: skip
    page = Page(html)
    scripts = [found.get("src") or "" for tag, found in page.elements if tag == "script"]
    assert all(one.startswith("/smart/static/") for one in scripts)
    assert [tag for tag, _ in page.elements].count("h1") == 1
    assert not {tag for tag, _ in page.elements} & {"img", "iframe", "style", "object"}
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        if tag == "a":
            assert (attributes["href"] or "").startswith(("/smart/", "#"))
    text = " ".join(" ".join(page.texts).split())
    assert plain(HOSTILE[0]) in text
    assert "49" not in re.findall(r"\{\{|49\{%", text)
    assert all(sign not in text for sign in ("\u202e", "\u0000", "\u0007", "\ufffe"))


def test_a_page_says_nothing_of_the_patient_in_its_addresses(ward: Room) -> None:
    for tag, attributes in Page(shown(ward)).elements:
        if tag == "a" and (attributes["href"] or "").startswith("/smart/"):
            assert re.fullmatch(
                r"/smart/l/[0-9a-f]{32}/\w+(\?hours=\d+(&part=\d+)?)?", attributes["href"] or ""
            )


# --- what was stated here and is not in the chart -------------------------------------------------


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Room]:
    """An afebrile patient of whom a grade 3 is stated here that the EHR did not take."""
    earlier = [of(temp(36.9, at=hours_ago(3))), of(bp(120, 70, at=hours_ago(3)))]
    resources = [patient(), of(teclistamab(at=hours_ago(30))), *earlier]
    with room(tmp_path, (timeline.add_routes,), resources, scopes=READ_ONLY) as opened:
        state_grade_3(opened.parts, opened.here)
        yield opened


def test_what_the_ehr_did_not_take_counts_in_the_grade_and_the_page_says_so(kept: Room) -> None:
    html = shown(kept)
    (line,) = re.findall(r"<li>(CRS by this service: [^<]*)", html)
    assert "highest CRS grade 3" in line
    assert "latest CRS grade 3" in line
    assert KEPT_USED in _text(html)


def test_what_the_ehr_did_not_take_is_in_the_table_as_such(kept: Room) -> None:
    found = rows(shown(kept))
    value = "39.5 °C (103.1 °F) (stated here, not in the EHR)"
    assert ("Temperature", value, "this app") in found
    assert not [one for one in found if "btce-cds-kept" in one[2]]


def test_what_was_stated_counts_from_the_time_it_was_charted_at(kept: Room) -> None:
    groups = re.findall(r"<tbody>(.*?)</tbody>", shown(kept), re.DOTALL)
    grades = {
        _text(re.findall(r"<th scope=\"rowgroup\".*?</th>", group)[0]): {
            what: value for what, value, _ in rows(group)
        }.get("CRS by this service", "")
        for group in groups
    }
    now = written(NOW, kept.here.site.zone)
    assert grades[now] == "CRS grade 3"
    earlier = [value for at, value in grades.items() if at != now and value]
    assert earlier
    assert not [value for value in earlier if "3" in value.partition(":")[0].partition("(")[0]]


def test_a_decision_that_counts_what_was_stated_here_names_it_among_its_inputs(kept: Room) -> None:
    shown(kept)
    last = kept.parts.latest.last("ward", "p1")
    assert last is not None
    mine = [one for one in last.inputs if one.ref.startswith("Observation/btce-cds-kept-")]
    assert len(mine) == 3
    assert "Observation/t1" in {one.ref for one in last.inputs}


# --- the score of a child -------------------------------------------------------------------------


def _capd(total: int, hours: float) -> Json:
    by = Charting("p1", DOCTOR, NOW - timedelta(hours=hours))
    return {**write.capd(by, total), "id": f"capd-{total}"}


def test_under_the_age_of_the_scale_the_capd_is_drawn_and_in_the_words(tmp_path: Path) -> None:
    child = patient(birth_date="2019-05-17")
    resources = [child, of(teclistamab(at=hours_ago(30))), _capd(4, 9), _capd(14, 3)]
    with room(tmp_path, (timeline.add_routes,), resources) as opened:
        html = shown(opened)
    assert "CAPD total: 2 values, highest 14 at 21 Nov 2026 09:00 GMT" in _text(html)
    assert "ICE total" not in _text(html)
    texts = [one.text for one in drawing(html).iter(f"{SVG}text")]
    assert "CAPD total" in texts
    assert "32" in texts  # the most a CAPD comes to
    assert len([one for one in drawing(html).iter() if one.get("class") == "first"]) == 2


def test_an_adult_without_a_capd_has_no_word_of_it(ward: Room) -> None:
    assert "CAPD" not in _text(shown(ward))


def test_a_child_without_a_score_is_said_to_have_no_capd(tmp_path: Path) -> None:
    with room(tmp_path, (timeline.add_routes,), [patient(birth_date="2019-05-17")]) as opened:
        html = shown(opened)
    assert "CAPD total: nothing charted in this time." in _text(html)
