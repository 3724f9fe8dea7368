"""Every page in a real browser: readable, in reach of the keyboard, not cut off at any width."""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import pages
from tests.browser.demo import Demo
from tests.browser.launching import Watched, launch_url, open_app, sign, watching
from tests.browser.looking import misplaced, stops, tabbed, violations


pytestmark = pytest.mark.live

STORY = "two-vasopressors"  # the fullest record: drugs, oxygen, both scales
WIDTHS = (320, 600, 1280)
FRAME = {"width": 600, "height": 900}  # what an EHR leaves for an app beside its own columns
WRONG = "Systolic blood pressure (mmHg)"
ICE_BY_KEYS = {
    "ice-orientation": 3,  # 2 of 4
    "ice-naming": 2,  # 2 of 3
    "ice-command": 1,
    "ice-writing": 1,
    "ice-attention": 1,
}
NOBODY = f"/us-label/smart/l/{'0' * 32}/"


class Way(NamedTuple):
    """How a page is come to. `status`: of its answer."""

    name: str
    go: Callable[[Page, Demo], object]
    status: int = 200


def _page(path: str) -> Callable[[Page, Demo], object]:
    return lambda page, demo: page.goto(open_app(page, demo, STORY).url + path)


def _of(story: str) -> Callable[[Page, Demo], object]:
    return lambda page, demo: open_app(page, demo, story)


def _answered(page: Page, demo: Demo) -> None:
    open_app(page, demo, STORY)
    page.evaluate("document.querySelector('#grading').removeAttribute('hx-post')")
    for question, answer in pages.ALL_ICE.items():
        pages.choose(page, question, answer)
    page.get_by_label(WRONG, exact=True).fill("1,2")
    page.get_by_role("button", name=pages.UPDATE).click()
    expect(pages.result(page)).to_contain_text("Not used")


def _live(page: Page, demo: Demo) -> None:
    open_app(page, demo, STORY)
    pages.choose(page, "Level of arousal", "awake")
    expect(pages.result(page).get_by_role("heading", level=2)).to_have_text("With your answers")


def _refused(page: Page, demo: Demo) -> None:
    open_app(page, demo, STORY)
    page.get_by_label(WRONG, exact=True).fill("1,2")
    page.get_by_role("button", name=pages.CONFIRM).click()
    expect(page.get_by_role("alert")).to_contain_text("Not confirmed")


def _confirmed(page: Page, demo: Demo) -> None:
    open_app(page, demo, "nothing-wrong")
    pages.choose(page, "Level of arousal", "awake")
    pages.confirm(page)


def _left(page: Page, demo: Demo) -> None:
    open_app(page, demo, STORY)
    page.get_by_role("button", name="Leave").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You have left the app")


def _csrf(page: Page, demo: Demo) -> None:
    open_app(page, demo, STORY)
    page.evaluate("document.querySelector('#grading [name=csrf]').value = 'of another launch'")
    page.get_by_role("button", name=pages.UPDATE).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This form was not sent")


def _cards(page: Page, demo: Demo) -> None:
    sign(page, demo, STORY)


def _in_ehr(page: Page, demo: Demo) -> None:
    sign(page, demo, STORY)
    page.locator("article.card form.link button").first.click()
    inside = page.frame_locator("iframe[title='Bedside app']")
    expect(inside.get_by_role("heading", level=1)).to_have_text("Grade CRS and ICANS")


APP = (
    Way("grade", _page("")),
    Way("grade-nothing-known", _of("stale-vitals")),
    Way("grade-wrong-unit", _of("wrong-unit")),
    Way("grade-live", _live),
    Way("grade-answered", _answered),
    Way("grade-refused", _refused, 422),
    Way("confirmed", _confirmed),
    Way("advice", _page("advice")),
    Way("timeline", _page("timeline")),
    Way("timeline-24-h", _page("timeline?hours=24")),
    Way("timeline-14-d", _page("timeline?hours=336")),
    Way("statements", _page("statements")),
    Way("handover", _page("handover")),
    Way("rems", _page("rems")),
    Way("worklist", _page("worklist")),
    Way("left", _left),
    Way("problem-csrf", _csrf, 403),
    Way("problem-no-page", _page("nothing-here"), 404),
    Way("problem-no-session", lambda page, demo: page.goto(f"{demo.app}{NOBODY}"), 403),
    Way("problem-issuer", lambda page, demo: page.goto(f"{launch_url(demo)}?iss=x"), 400),
)
AROUND = (
    Way("picker", lambda page, demo: page.goto(f"{launch_url(demo)}?iss={demo.app}/fhir")),
    Way("picker-refused", lambda page, demo: page.goto(f"{demo.app}/oauth2/authorize"), 400),
    Way("workbench", lambda page, demo: page.goto(demo.ehr)),
    Way("workbench-cards", _cards),
    Way("ehr", _in_ehr),
)
ANY = pytest.mark.parametrize("way", [pytest.param(one, id=one.name) for one in (*APP, *AROUND)])


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """Fails the test for whatever the browser reports."""
    with watching(browser, viewport=FRAME) as found:
        yield found


def come(watched: Watched, demo: Demo, way: Way) -> Page:
    """The page, by its way."""
    watched.complaints.allow(*({way.status} - {200}))
    page = watched.page()
    way.go(page, demo)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    return page


@ANY
def test_a_page_can_be_read_by_everybody_and_at_every_width(
    watched: Watched, demo: Demo, shots: Path, way: Way
) -> None:
    page = come(watched, demo, way)
    assert violations(page) == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert misplaced(page) == [], width
        if width != WIDTHS[-1]:
            page.screenshot(path=shots / f"{way.name}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 320, "height": 256})  # 1280 x 1024 at 400 %
    assert misplaced(page) == []
    assert page.title()


def test_at_200_percent_every_page_of_a_launch_is_still_there(browser: Browser, demo: Demo) -> None:
    """As the browser does it: half as many CSS pixels in the same window."""
    half = {"width": 640, "height": 400}
    with watching(browser, viewport=half, device_scale_factor=2) as watched:
        page = watched.page()
        address = open_app(page, demo, STORY).url
        for path in ("", "advice", "timeline", "statements", "handover", "rems", "worklist"):
            page.goto(address + path)
            assert misplaced(page) == [], path


@pytest.mark.parametrize("path", ["", "advice", "timeline", "statements", "rems", "worklist"])
def test_the_tab_key_reaches_everything_and_shows_where_it_is(
    watched: Watched, demo: Demo, path: str
) -> None:
    page = watched.page()
    page.goto(open_app(page, demo, STORY).url + path)
    wanted = stops(page)
    seen = list(tabbed(page))
    assert [one["number"] for one in seen] == list(range(wanted))  # in the order they are read
    page.locator(f"[data-stop='{wanted - 1}']").focus()
    back = list(islice(tabbed(page, "Shift+Tab"), wanted - 1))
    assert [one["number"] for one in back] == list(range(wanted - 1))[::-1]
    seen += back
    assert [one["name"] for one in seen if not one["marked"]] == []
    assert [one["name"] for one in seen if not one["inSight"]] == []


def test_a_patient_is_graded_with_the_keyboard_alone(watched: Watched, demo: Demo) -> None:
    page = watched.page()
    open_app(page, demo, "ice-two-awake")
    before = pages.resources(demo, "Observation", "ice-two-awake")

    def to(name: str) -> None:
        for _ in range(120):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.name || document.activeElement.id") == name:
                return
        raise AssertionError(f"the Tab key never came to {name}")

    to("temperature-cel")
    page.keyboard.type("38.4")
    for item, presses in ICE_BY_KEYS.items():
        to(item)  # "Not answered" is chosen: up from there is the highest, then the next lower
        for _ in range(presses):
            page.keyboard.press("ArrowUp")
    to("arousal")
    page.keyboard.press("ArrowDown")
    chosen = page.evaluate(
        "[...document.querySelectorAll('#grading input:checked')]"
        ".filter(one => one.value).map(one => [one.name, one.value])"
    )
    assert [name for name, _ in chosen] == [*ICE_BY_KEYS, "arousal"]
    expect(pages.at_bottom(page)).to_contain_text("ICE 7")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == pages.CONFIRM:
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Statements")
    written = pages.written(demo, "ice-two-awake", before)
    assert len(written) >= 3
    assert 38.4 in [one.get("valueQuantity", {}).get("value") for one in written]


def test_enter_in_a_field_updates_and_states_nothing(watched: Watched, demo: Demo) -> None:
    page = watched.page()
    open_app(page, demo, "masked-fever")
    before = pages.resources(demo, "Observation", "masked-fever")
    page.get_by_label("SpO2 (%)", exact=True).fill("93")
    page.keyboard.press("Enter")
    expect(pages.result(page).get_by_role("heading", level=2)).to_have_text("With your answers")
    assert pages.written(demo, "masked-fever", before) == []


def test_the_skip_link_comes_first_and_leads_to_the_content(watched: Watched, demo: Demo) -> None:
    page = watched.page()
    open_app(page, demo, STORY)
    page.keyboard.press("Tab")
    link = page.get_by_role("link", name="Skip to the content")
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_with_the_colours_of_the_user_a_chosen_answer_still_looks_different(
    browser: Browser, demo: Demo, shots: Path
) -> None:
    with watching(browser, viewport=FRAME, forced_colors="active") as watched:
        page = watched.page()
        open_app(page, demo, STORY)
        assert page.evaluate("matchMedia('(forced-colors: active)').matches")
        answer = pages.tile(page, "Level of arousal", "awake")
        answer.scroll_into_view_if_needed()
        before = answer.screenshot()
        page.locator("#grading").evaluate("form => form.removeAttribute('hx-post')")
        answer.click()
        page.get_by_role("heading", level=1).click()  # neither focus nor pointer on it
        page.mouse.move(1, 1)
        after = answer.screenshot()
        page.screenshot(path=shots / "forced-colors-600.png", full_page=True)
        assert before != after
        ring = "getComputedStyle(document.querySelector('#a-arousal-alert + label'), '::before')"
        marks = page.evaluate(f"[{ring}.backgroundColor, {ring}.boxShadow, {ring}.borderColor]")
        other = ring.replace("alert", "voice")
        assert marks != page.evaluate(
            f"[{other}.backgroundColor, {other}.boxShadow, {other}.borderColor]"
        )


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("story", ["two-vasopressors", "seizure-seven-minutes", "fever-only"])
def test_the_hand_over_is_one_sheet(
    watched: Watched, demo: Demo, shots: Path, paper: str, story: str
) -> None:
    page = watched.page()
    page.goto(open_app(page, demo, story).url + "handover")
    printed = page.pdf(format=paper, prefer_css_page_size=False)
    (shots / f"handover-{story}-{paper}.pdf").write_bytes(printed)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


def test_what_is_printed_names_the_patient_and_has_no_button(watched: Watched, demo: Demo) -> None:
    page = watched.page()
    address = open_app(page, demo, STORY).url
    page.emulate_media(media="print")
    for path in ("handover", "rems", "advice"):
        page.goto(address + path)
        expect(pages.banner(page)).to_be_visible()
        expect(page.get_by_text("Not clinically reviewed").first).to_be_visible()
        expect(page.get_by_role("button", name="Leave")).to_be_hidden()
        expect(page.locator("nav.pages")).to_be_hidden()
