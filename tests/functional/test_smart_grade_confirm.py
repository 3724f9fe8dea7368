"""What is confirmed on the grading screen is written, and the next hook says what was shown."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from flask import Flask, g

from cards.bedside import Shown
from cards.switched_off import SwitchedOff
from cds import hooks
from cds.smart.evaluating import assessed, record_of
from cds.smart.form.answers import Answers
from cds.smart.form.result import result
from cds.smart.form.stating import draft, statements
from fhir_mapping.write import Charting
from tests.beside import DOCTOR, PAGE, Room, room
from tests.builders import (
    NOW,
    Json,
    hours_ago,
    ice,
    spo2,
    temp,
)
from tests.functional.grading import (
    AWAKE,
    CANNULA,
    FEVER,
    NO_SIGNS,
    ON_DRUG,
    PAGES,
    charted,
    headings,
    ice_of,
    preview,
    send,
    would_be,
)
from tests.functional.page_seen import Page
from tests.unit.cds.worker.hospital import of


ENCODER = msgspec.json.Encoder(decimal_format="number")  # as the answer of a hook is written


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A patient on teclistamab of whom nothing else is charted; nothing is confirmed here."""
    with room(tmp_path_factory.mktemp("ward"), PAGES, ON_DRUG) as found:
        yield found


# --- what a preview says, and what the next hook says ---------------------------------------------


def as_the_hook_says(where: Room) -> Json:
    """The assessment of btce-patient-view, which reads the FHIR server itself."""
    app = Flask("tests.hooks", static_folder=None)
    app.register_blueprint(hooks.blueprint(where.parts.deployment))

    @app.before_request
    def begin() -> None:
        g.started = time.monotonic()

    body = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "fhirServer": where.base,
        "fhirAuthorization": {
            "access_token": "t",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "patient/*.rs",
            "subject": "btce-cds",
        },
        "context": {"userId": DOCTOR, "patientId": "p1"},
    }
    response = app.test_client().post("/cds-services/btce-patient-view", json=body)
    assert response.status_code == 200, response.text
    found: Json = json.loads(response.text)["extension"]["org.btce-cds.assessment"]
    return found


def without_references(value: Any) -> Any:
    """The same but for references and places in the request."""
    if isinstance(value, dict):
        return {
            name: without_references(one)
            for name, one in value.items()
            if name not in ("ref", "unreadable")
        }
    return [without_references(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param({**ice_of(3), **AWAKE, "seizure": "brief"}, id="ICANS"),
        pytest.param({"ice-not-performed": "intubated", "arousal": "sedated"}, id="not performed"),
        pytest.param(
            {"temperature-degf": "102.2", "systolic": "82", "diastolic": "41", "saturation": "88"},
            id="vital signs",
        ),
        pytest.param(
            {
                **FEVER,
                "hypotension-support": "one-vasopressor",
                "oxygen-device": CANNULA,
                "oxygen-flow": "2",
                "attribution-crs": "btce",
            },
            id="CRS",
        ),
        pytest.param({**FEVER, "attribution-crs": "other-cause"}, id="another cause"),
        pytest.param({**FEVER, "hypotension-support": "fluids", "crs-grade": "2"}, id="own grade"),
        pytest.param({**ice_of(10), **AWAKE, "icans-grade": "0", "crs-grade": "0"}, id="all well"),
        pytest.param(
            {"seizure": "brief", "seizure-duration": "7.5", "seizure-count": "2"}, id="seizures"
        ),
    ],
)
def test_a_hook_says_of_what_was_confirmed_what_the_preview_said_before(
    tmp_path: Path, answers: dict[str, str]
) -> None:
    with room(tmp_path, PAGES, [*ON_DRUG, of(temp(38.2, at=hours_ago(3))), of(spo2(95))]) as here:
        expected = ENCODER.encode(would_be(here, answers))
        response = send(here, "confirm", answers)
        assert response.status_code == 303, response.text
        found = as_the_hook_says(here)
    assert without_references(found) == without_references(json.loads(expected))


# --- confirming -----------------------------------------------------------------------------------


def test_confirming_writes_observations_and_the_response_and_goes_to_the_statements(
    tmp_path: Path,
) -> None:
    with room(tmp_path, PAGES, ON_DRUG) as here:
        response = send(here, "confirm", {**ice_of(8), **FEVER, "icans-grade": "1"})
        made = charted(here)
    assert response.status_code == 303
    assert response.headers["Location"] == f"{PAGE}/statements"
    codes = [one["code"]["coding"][0]["code"] for one in made if "code" in one]
    assert sorted(codes) == ["8310-5", "icans-grade", "ice-total"]
    assert [one["resourceType"] for one in made].count("QuestionnaireResponse") == 1


def test_a_double_submit_is_one_submission(tmp_path: Path) -> None:
    with room(tmp_path, PAGES, ON_DRUG) as here:
        for _ in range(2):
            assert send(here, "confirm", {"arousal": "voice"}).status_code == 303
        assert len(charted(here)) == 2  # the Observation and the response


def test_confirming_nothing_is_a_problem_and_writes_nothing(tmp_path: Path) -> None:
    with room(tmp_path, PAGES, ON_DRUG) as here:
        response = send(here, "confirm")
        assert response.status_code == 422
        assert "Nothing is answered" in response.text
        assert charted(here) == []


@pytest.mark.parametrize(
    "answers",
    [
        {"temperature-cel": "38,4", "arousal": "voice"},
        {"arousal": "asleep", "motor": "none"},
        {"nonsense": "1", "motor": "none"},
        {"oxygen-flow": "2"},
    ],
)
def test_a_problem_stops_all_of_it_and_the_answers_are_kept(
    tmp_path: Path, answers: dict[str, str]
) -> None:
    with room(tmp_path, PAGES, ON_DRUG) as here:
        response = send(here, "confirm", answers)
        assert response.status_code == 422
        assert charted(here) == []
    seen = Page.of(response.text)
    assert "Not confirmed: nothing was stated" in seen.text_of("h2")
    kept = {one["name"]: one["value"] for one in (*seen.checked(), *seen.controls("text"))}
    for name, value in answers.items():
        if name in kept and value != "asleep":
            assert kept[name] == value


@pytest.mark.parametrize("submission", ["", "x", "5" * 31, "5" * 33, "Z" * 32, "<b>" * 10])
def test_a_form_without_its_own_mark_is_not_stated_and_gets_a_new_one(
    tmp_path: Path, submission: str
) -> None:
    with room(tmp_path, PAGES, ON_DRUG) as here:
        response = send(here, "confirm", {"arousal": "voice", "submission": submission})
        assert response.status_code == 422
        assert charted(here) == []
    (mark,) = (
        one["value"] for one in Page.of(response.text).inputs if one.get("name") == "submission"
    )
    assert len(mark) == 32
    assert mark != submission


@pytest.mark.parametrize("user", ["Patient/p1", "RelatedPerson/r1", ""])
def test_who_is_no_clinician_can_look_and_not_confirm(tmp_path: Path, user: str) -> None:
    with room(tmp_path, PAGES, ON_DRUG, user=user) as here:
        seen = here.client.get(f"{PAGE}/").text
        looked = preview(here, {**ice_of(3), **AWAKE})
        response = send(here, "confirm", {"arousal": "voice"})
        assert charted(here) == []
    assert "Confirm and write" not in seen
    assert "only a clinician can confirm it" in seen
    assert 'name="crs-grade"' not in seen
    assert "ICANS grade 2" in headings(looked)
    assert response.status_code == 403
    assert "Only a clinician can state this" in response.text


def test_a_grade_that_the_data_do_not_allow_is_shown_beside_them_and_not_blocked(
    tmp_path: Path,
) -> None:
    answers = {**ice_of(2), **AWAKE, "icans-grade": "1"}
    with room(tmp_path, PAGES, ON_DRUG) as here:
        text = Page.of(preview(here, answers)).flat
        assert "Your grade: 1, stated now." in text
        assert "The data and answers alone: ICANS grade 3." in text
        assert "Your grade and the data differ: check both" in text
        agreed = Page.of(preview(here, {**answers, "icans-grade": "3"})).flat
        assert "differ" not in agreed
        assert send(here, "confirm", answers).status_code == 303


def test_what_is_confirmed_stands_beside_the_record_as_it_is_by_then(tmp_path: Path) -> None:
    with room(tmp_path, PAGES, ON_DRUG) as here:
        here.client.get(f"{PAGE}/")  # the record is at hand now
        here.sandbox.load([of(ice(9), category="survey")], now=here.clock.now)
        response = send(here, "confirm", {"arousal": "asleep"})
    assert response.status_code == 422
    assert "Observation/ice1" in response.text


def test_a_value_stated_now_is_called_so_beside_that_of_the_record(tmp_path: Path) -> None:
    with room(tmp_path, PAGES, [*ON_DRUG, of(temp(38.2, at=hours_ago(1)))]) as here:
        text = Page.of(preview(here, {"temperature-cel": "39.1"})).flat
    assert "39.1 °C (102.4 °F), 21 Nov 2026 12:00 GMT stated now" in text
    assert "38.2 °C (100.8 °F), 21 Nov 2026 11:00 GMT Observation/t1" in text


def test_a_rule_that_is_reached_is_shown_with_its_source(ward: Room) -> None:
    text = Page.of(preview(ward, {**FEVER, "hypotension-support": "fluids"})).flat
    assert "Rule: CRS grade 2: hold" in text
    assert "rule teclistamab-label@2#crs-2; not clinically reviewed" in text
    assert "Hold teclistamab: CRS grade at least 2" in text


def test_a_permanent_stop_only_asks_to_confirm_until_a_clinicians_grade_covers_it(
    ward: Room,
) -> None:
    answers = {**ice_of(0), **NO_SIGNS, "arousal": "unarousable"}
    asked = Page.of(preview(ward, answers)).flat
    assert "Teclistamab: meets permanent discontinuation (ICANS: grade 4): confirm" in asked
    assert "discontinue permanently" not in asked
    own = Page.of(preview(ward, {**answers, "icans-grade": "4"})).flat
    assert "Teclistamab: discontinue permanently (ICANS: grade 4)" in own


def test_what_the_server_did_not_take_still_counts_here_and_is_called_so(tmp_path: Path) -> None:
    with room(tmp_path, PAGES, ON_DRUG, scopes=frozenset({"patient/*.rs"})) as here:
        assert send(here, "confirm", {**ice_of(8), **AWAKE}).status_code == 303
        assert charted(here) == []
        seen = Page.of(here.client.get(f"{PAGE}/").text)
    assert "ICANS grade 1" in seen.text_of("h3")
    assert "stated here, not in the EHR" in seen.flat
    assert "Includes statements that are kept here and not in the chart" in seen.flat


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (Shown(zone=ZoneInfo("Europe/London"), silent=True), "This site runs silently"),
        (
            Shown(
                zone=ZoneInfo("Europe/London"),
                off=SwitchedOff(rules=frozenset({"teclistamab-label@2#icans-1"})),
            ),
            "rule teclistamab-label@2#icans-1",
        ),
    ],
)
def test_advice_that_the_site_does_not_show_is_withheld_and_said_and_grades_stay(
    ward: Room, shown: Shown, said: str
) -> None:
    here, deployment = ward.here, ward.parts.deployment
    answers = Answers(ice={item: int(n) for item, n in ice_of(8).items()}, arousal="alert")
    record = record_of(here, deployment, ward.parts.at_hand)
    stated = draft(statements(answers, Charting("p1", DOCTOR, ward.clock.now)))
    now = assessed(record, here, deployment, now=ward.clock.now, stated=stated)
    found = result(now, now, answers, deployment.library, shown)
    assert said in " ".join(found.withheld)
    assert [(one.rules, one.possible) for one in found.graded] == [((), ())] * 2
    assert found.notes == ()
    assert found.graded[1].scale.grade == "ICANS grade 1"
    assert not any("hold" in line.lower() for line in found.advice)


def test_a_part_of_the_ice_score_is_previewed_and_not_confirmed(tmp_path: Path) -> None:
    """As a statement it would stand in the way of a whole score that is in the record."""
    answers = {"ice-orientation": "2", "ice-naming": "1", **AWAKE}
    with room(tmp_path, PAGES, [*ON_DRUG, of(ice(10), category="survey")]) as here:
        assert send(here, "preview", answers).status_code == 200
        refused = send(here, "confirm", answers)
        context = here.here.context
        rows = here.parts.kept.of_patient(context.site, context.patient, NOW - timedelta(days=1))
    assert refused.status_code == 422
    assert "Answer all five items" in refused.text
    assert rows == ()


def test_the_same_answers_of_one_form_are_not_stated_again_hours_later(tmp_path: Path) -> None:
    answers = {**ice_of(9), **AWAKE}
    with room(tmp_path, PAGES, ON_DRUG) as here:
        assert send(here, "confirm", answers).status_code == 303
        assert send(here, "confirm", answers).status_code == 303  # a double click
        here.clock.later(hours=3)
        refused = send(here, "confirm", answers)
    assert refused.status_code == 422
    assert "were confirmed at" in refused.text
