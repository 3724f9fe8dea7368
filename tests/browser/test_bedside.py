"""A nurse's minute at the bedside: grading, confirming, what is written, what the hook says."""

import json
import uuid
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from cds.clock import system_clock
from cds.demo.drugs import ORDERS
from cds.demo.sign import order_sign
from cds.demo.story import load
from tests.browser import pages
from tests.browser.demo import Demo
from tests.browser.launching import PROTOCOL, launch_of, open_app, open_in_frame, watching


pytestmark = pytest.mark.live

PATHS = [pytest.param(True, id="with-javascript"), pytest.param(False, id="without-javascript")]
TRIES = 20
SERVICE = "btce-order-sign"
ASSESSMENT = "org.btce-cds.assessment"
TWO_PRESSORS = "two or more vasopressors, not counting vasopressin"
NO_OTHER_SIGNS = {
    "Seizure": "none",
    "Motor finding": "none",
    "Sign of raised intracranial pressure or cerebral edema": "none",
}


def assessment_of_a_hook(demo: Demo, story: str) -> dict[str, Any]:
    """What the hook answers when the story's order is signed over the record as it is now.

    The prefetch is read from the FHIR server, as an EHR reads it, by the templates of discovery.
    """
    services = requests.get(f"{demo.app}/{PROTOCOL}/cds-services", timeout=10).json()["services"]
    templates = next(one["prefetch"] for one in services if one["id"] == SERVICE)
    read = {}
    for key, template in templates.items():
        reply = demo.fhir(template.replace("{{context.patientId}}", story))
        assert reply.status_code == 200, key
        # The same resources by the door that the site is configured with.
        text = reply.text.replace(f"{demo.app}/open/fhir", f"{demo.app}/fhir")
        read[key] = json.loads(text)
    told = load()[story]
    now = system_clock()
    body = order_sign(told, ORDERS[told.order], now=now, hook_instance=str(uuid.uuid4()))
    reply = requests.post(
        f"{demo.app}/{PROTOCOL}/cds-services/{SERVICE}", json={**body, "prefetch": read}, timeout=20
    )
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()["extension"][ASSESSMENT]
    return found


def answer(where: pages.Where, answers: dict[str, str], *, scripted: bool) -> None:
    """Tap every answer; without JavaScript the result is asked for by its button."""
    for question, code in answers.items():
        pages.choose(where, question, code)
    if not scripted:
        where.get_by_role("button", name=pages.UPDATE).click()


def all_in_the_chart(page: Page, number: int) -> None:
    """Load the page of statements until nothing of the newest form is on its way any more."""
    told = page.get_by_text(f"In the chart: {number} of {number}.")
    for _ in range(TRIES):
        if told.is_visible():
            break
        page.reload()
    expect(told).to_be_visible()


def of_code(stated: list[dict[str, Any]], code: str) -> dict[str, Any]:
    """The one Observation that states this."""
    (found,) = [one for one in stated if pages.code_of(one) == code]
    return found


def test_the_interval_narrows_with_every_answer(browser: Browser, demo: Demo) -> None:
    """A cannula without a flow leaves CRS grade 2 or 3 open: ASTCT, low flow is at most 6 L/min."""
    with watching(browser) as watched:
        page = open_app(watched.page(), demo, "cannula-without-flow")
        address = page.url
        crs = pages.grades(page).first
        expect(crs).to_have_text("CRS grade at least 2 (2-3 possible)")
        expect(page.locator("#result")).to_contain_text("nasal cannula")
        pages.choose(page, "Oxygen device", "Oxygen nasal cannula")
        pages.enter(page, "Oxygen flow (L/min)", "3")
        expect(crs).to_have_text("CRS grade 2")
        pages.enter(page, "Oxygen flow (L/min)", "12")
        expect(crs).to_have_text("CRS grade 3")
        pages.choose(page, "Support needed for hypotension", TWO_PRESSORS)
        expect(crs).to_have_text("CRS grade 4")
        assert page.url == address  # the page was never left
    assert pages.resources(demo, "QuestionnaireResponse", "cannula-without-flow") == {}


def test_ice_is_counted_item_by_item(browser: Browser, demo: Demo) -> None:
    with watching(browser) as watched:
        page = open_app(watched.page(), demo, "nothing-wrong")
        line = pages.at_bottom(page)
        expect(line).not_to_contain_text("ICE")
        points = 0
        for answered, (question, code) in enumerate(pages.ALL_ICE.items(), start=1):
            pages.choose(page, question, code)
            points += int(code)
            if answered < len(pages.ALL_ICE):
                expect(line).to_contain_text(f"ICE so far {points}, {answered} of 5 items")
        expect(line).to_contain_text("ICE 10")
        pages.choose(page, "ICE: naming three objects", "0")
        expect(line).to_contain_text("ICE 7")
        expect(pages.grades(page).nth(1)).to_have_text("ICANS grade 1")
        pages.choose(page, "ICE: naming three objects", "Not answered")
        expect(line).to_contain_text("ICE so far 7, 4 of 5 items")


def test_nothing_is_answered_beforehand(browser: Browser, demo: Demo) -> None:
    with watching(browser) as watched:
        page = open_app(watched.page(), demo, "seizure-seven-minutes")
        chosen = page.locator("#grading input[type=radio]:checked")
        assert chosen.count() > 0
        assert {one.get_attribute("value") for one in chosen.all()} == {""}
        assert {one.input_value() for one in page.locator("#grading input[type=text]").all()} == {
            ""
        }


@pytest.mark.parametrize("scripted", PATHS)
def test_a_grade_from_the_bedside_is_written_and_the_next_hook_uses_it(
    browser: Browser, demo: Demo, scripted: bool
) -> None:
    """ASTCT: ICE 3 to 6 is ICANS grade 2; a depressed arousal of waking to voice is grade 2 too."""
    story = "ice-two-awake" if scripted else "stale-vitals"
    answers = {**pages.ALL_ICE, "Level of arousal": "wakes to voice", **NO_OTHER_SIGNS}
    answers["ICE: orientation to year, month, city and hospital"] = "0"
    with watching(browser, java_script_enabled=scripted) as watched:
        page = watched.page()
        before = pages.resources(demo, "Observation", story)
        where: pages.Where = (
            open_in_frame(page, demo, story) if scripted else open_app(page, demo, story)
        )
        answer(where, answers, scripted=scripted)
        expect(pages.at_bottom(where)).to_contain_text("ICE 6")
        expect(pages.grades(where).nth(1)).to_have_text("ICANS grade 2")
        assert pages.written(demo, story, before) == []  # nothing before it is confirmed
        pages.confirm(where)
        expect(where.get_by_text("In the chart: 6 of 6.")).to_be_visible()
        expect(pages.stated(where)).to_have_count(6)
        stated = pages.written(demo, story, before)
    assert {pages.code_of(one) for one in stated} == {
        "ice-total",
        "arousal",
        "seizure",
        "motor",
        "raised-icp",
    }
    ice = of_code(stated, "ice-total")
    assert ice["valueInteger"] == 6
    assert {pages.code_of(part): part["valueInteger"] for part in ice["component"]} == {
        "ice-orientation": 0,
        "ice-naming": 3,
        "ice-command": 1,
        "ice-writing": 1,
        "ice-attention": 1,
    }
    voice = of_code(stated, "arousal")["valueCodeableConcept"]["coding"][0]["code"]
    assert voice == "voice"
    assert {one["subject"]["reference"] for one in stated} == {f"Patient/{story}"}
    assert {one["performer"][0]["reference"] for one in stated} == {"Practitioner/demo-clinician"}
    (form,) = pages.resources(demo, "QuestionnaireResponse", story).values()
    assert form["subject"]["reference"] == f"Patient/{story}"
    assert assessment_of_a_hook(demo, story)["icans"]["grade"] == {"atLeast": 2, "atMost": 2}


def test_a_clinicians_own_grade_is_what_the_next_hook_acts_on(browser: Browser, demo: Demo) -> None:
    story = "masked-fever"
    earlier = assessment_of_a_hook(demo, story)["crs"]
    assert "charted" not in earlier
    with watching(browser) as watched:
        page = open_app(watched.page(), demo, story)
        pages.choose(page, "CRS grade by a clinician", "4")
        expect(pages.result(page)).to_contain_text("Your grade: 4")
        pages.confirm(page)
        all_in_the_chart(page, 2)
    crs = assessment_of_a_hook(demo, story)["crs"]
    assert crs["charted"]["grade"] == 4
    assert crs["acting"] == {"atLeast": 4, "atMost": 4}


@pytest.mark.parametrize("scripted", PATHS)
def test_confirming_twice_in_a_hurry_writes_once(
    browser: Browser, demo: Demo, scripted: bool
) -> None:
    story = "two-vasopressors" if scripted else "second-tocilizumab"
    with watching(browser, java_script_enabled=scripted) as watched:
        page = open_app(watched.page(), demo, story)
        before = pages.resources(demo, "Observation", story)
        pages.choose(page, "Level of arousal", "awake")
        page.get_by_role("button", name=pages.CONFIRM).dblclick()
        expect(page.get_by_role("heading", level=1)).to_have_text("Statements")
        all_in_the_chart(page, 2)
        assert [pages.code_of(one) for one in pages.written(demo, story, before)] == ["arousal"]
        assert len(pages.resources(demo, "QuestionnaireResponse", story)) == 1
        expect(page.locator("table.stated")).to_have_count(1)


@pytest.mark.parametrize("scripted", PATHS)
def test_going_back_and_confirming_again_writes_nothing_more(
    browser: Browser, demo: Demo, scripted: bool
) -> None:
    """The form is the one of before, and states the same; or it is a new one, and blank."""
    story = "wrong-unit" if scripted else "no-weight"
    with watching(browser, java_script_enabled=scripted) as watched:
        watched.complaints.allow(422)
        page = open_app(watched.page(), demo, story)
        before = pages.resources(demo, "Observation", story)
        pages.choose(page, "Level of arousal", "awake")
        pages.confirm(page)
        all_in_the_chart(page, 2)
        page.go_back()
        expect(page.get_by_role("heading", level=1)).to_have_text("Grade CRS and ICANS")
        with page.expect_response(lambda one: one.url.endswith("/confirm")):
            page.get_by_role("button", name=pages.CONFIRM).click()
        pages.go(page, "Statements")
        expect(page.locator("table.stated")).to_have_count(1)
        assert len(pages.written(demo, story, before)) == 1


def test_a_reload_after_confirming_writes_nothing_more(browser: Browser, demo: Demo) -> None:
    story = "second-tocilizumab"
    with watching(browser) as watched:
        page = open_app(watched.page(), demo, story)
        before = pages.resources(demo, "Observation", story)
        pages.choose(page, "Level of arousal", "awake")
        pages.confirm(page)
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("Statements")
        assert len(pages.written(demo, story, before)) == 1


@pytest.mark.parametrize("scripted", PATHS)
def test_an_answer_that_cannot_be_used_is_kept_and_explained(
    browser: Browser, demo: Demo, scripted: bool
) -> None:
    with watching(browser, java_script_enabled=scripted) as watched:
        watched.complaints.allow(422)
        page = open_app(watched.page(), demo, "nothing-wrong")
        before = pages.resources(demo, "Observation", "nothing-wrong")
        pages.enter(page, "SpO2 (%)", "9 7")
        page.get_by_role("button", name=pages.CONFIRM).click()
        refused = page.get_by_role("alert")
        expect(refused).to_contain_text("Not confirmed: nothing was stated")
        expect(refused.get_by_role("link")).to_have_attribute("href", "#q-saturation")
        expect(page.get_by_label("SpO2 (%)", exact=True)).to_have_value("9 7")
        expect(page.get_by_label("SpO2 (%)", exact=True)).to_have_attribute("aria-invalid", "true")
        assert pages.written(demo, "nothing-wrong", before) == []


def test_nothing_answered_is_not_confirmed(browser: Browser, demo: Demo) -> None:
    with watching(browser) as watched:
        watched.complaints.allow(422)
        page = open_app(watched.page(), demo, "nothing-wrong")
        page.get_by_role("button", name=pages.CONFIRM).click()
        expect(page.get_by_role("alert")).to_contain_text("answer at least one question")


def left_elsewhere(page: Page, other: Page) -> None:
    """The same launch in another tab, and left there."""
    other.goto(page.url)
    other.get_by_role("button", name="Leave").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("You have left the app")


@pytest.mark.parametrize("scripted", PATHS)
def test_after_leaving_an_old_page_states_nothing_and_says_what_to_do(
    browser: Browser, demo: Demo, scripted: bool
) -> None:
    with watching(browser, java_script_enabled=scripted) as watched:
        page = open_app(watched.page(), demo, "nothing-wrong")
        before = pages.resources(demo, "Observation", "nothing-wrong")
        left_elsewhere(page, watched.page())
        watched.complaints.allow(403)
        page.get_by_role("button", name=pages.CONFIRM).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "The app is not open in this browser"
        )
        expect(page.get_by_text("Launch the app again")).to_be_visible()
        expect(page.locator("body")).not_to_contain_text("Nora")
        assert pages.written(demo, "nothing-wrong", before) == []


def test_an_answer_after_leaving_says_so_beside_the_form(browser: Browser, demo: Demo) -> None:
    """The old result must not stay as if it were that of the new answer."""
    with watching(browser) as watched:
        page = open_app(watched.page(), demo, "nothing-wrong")
        left_elsewhere(page, watched.page())
        watched.complaints.allow(403)
        pages.choose(page, "Level of arousal", "cannot be woken")
        expect(page.get_by_role("alert")).to_contain_text("Launch the app again")


def test_a_form_of_one_patient_is_refused_by_the_launch_of_another(
    browser: Browser, demo: Demo
) -> None:
    with watching(browser) as watched:
        page = open_app(watched.page(), demo, "nothing-wrong")
        other = open_app(watched.page(), demo, "ice-two-awake")
        before = pages.resources(demo, "Observation", "ice-two-awake")
        watched.complaints.allow(403)
        pages.choose(page, "Level of arousal", "cannot be woken")
        page.evaluate(
            "([mine, other]) => document.querySelectorAll('#grading [formaction]').forEach("
            "(one) => { one.formAction = one.formAction.replace(mine, other) })",
            [launch_of(page), launch_of(other)],
        )
        page.get_by_role("button", name=pages.CONFIRM).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("This form was not sent")
        assert pages.written(demo, "ice-two-awake", before) == []
