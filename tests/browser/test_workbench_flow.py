"""The workbench in a real browser: one visit from the chart to the changed grade, and its looks."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.demo import Demo, running_demo
from tests.browser.launching import framed, watching
from tests.browser.looking import misplaced, stops, tabbed, violations


pytestmark = pytest.mark.live

DESK = {"width": 1440, "height": 900}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Its charts are written to by no other test."""
    with running_demo(tmp_path_factory.mktemp("workbench")) as found:
        yield found


def open_chart(page: Page, demo: Demo, title: str) -> None:
    """From the list of patients, as a user does."""
    page.goto(demo.ehr)
    page.get_by_role("navigation", name="Patients").get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", name="Answer to patient-view")).to_be_visible()


def add(page: Page, order: str) -> None:
    """Choose an order and add it."""
    page.get_by_label("Order", exact=True).select_option(order)
    page.get_by_role("button", name="Add to the orders").click()
    expect(page.get_by_role("heading", name="Answer to order-select")).to_be_visible()


def sign(page: Page) -> None:
    """Sign what is drafted."""
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("heading", name="Answer to order-sign")).to_be_visible()


def test_an_order_from_the_chart_to_the_grade_that_changed(
    browser: Browser, demo: Demo, tmp_path: Path
) -> None:
    with watching(browser, viewport=DESK) as watched:
        page = watched.page()
        open_chart(page, demo, "Fever masked by treatment")
        add(page, "teclistamab")
        card = page.locator("article.card").first
        expect(card).to_contain_text("Hold teclistamab: CRS grade 3")
        sign(page)
        page.get_by_role("button", name="Put this teclistamab order on hold").click()
        drafts = page.get_by_role("list", name="Unsigned orders")
        expect(drafts.get_by_role("listitem")).to_contain_text("on-hold")
        expect(page.get_by_role("status")).to_contain_text("The orders have changed.")
        page.locator("article.card summary", has_text="Override this card").first.click()
        page.get_by_label("Reason").first.select_option("grade-differs")
        page.get_by_role("button", name="Override", exact=True).first.click()
        answer = page.locator("#answer")
        expect(answer).to_contain_text("overridden: Hold teclistamab")
        assert answer.inner_text().count("taken, HTTP 200") == 2
        with page.expect_download() as download:
            page.get_by_role("link", name="Save the request as a file").click()
        saved = tmp_path / "request.json"
        download.value.save_as(saved)
        assert json.loads(saved.read_text())["hook"] == "order-sign"
        # A second vasoactive drug makes it grade 4 (ASTCT); the page shows it without being asked.
        stored = page.locator("#stored-now")
        expect(stored).to_contain_text("Stored grade: CRS 3")
        page.get_by_label("Blood pressure support").select_option("multiple-vasopressors")
        page.get_by_role("button", name="Post to the FHIR server").click()
        expect(page.get_by_role("status")).to_contain_text("Posted to the FHIR server")
        expect(stored).to_contain_text("Stored grade: CRS 4")
        expect(stored).to_contain_text("regrade")


def test_every_way_of_the_page_can_be_read_by_everybody(
    browser: Browser, demo: Demo, shots: Path
) -> None:
    with watching(browser, viewport=DESK) as watched:
        page = watched.page()
        open_chart(page, demo, "Nasal cannula, flow not charted")
        page.get_by_role("link", name="Draw the timeline").click()
        expect(page.get_by_role("img", name=re.compile("^Course of the 3 days"))).to_be_visible()
        page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        assert violations(page) == []
        assert misplaced(page) == []
        page.get_by_label("Wrong with the request").select_option("other-patient")
        sign(page)
        expect(page.get_by_role("alert")).to_contain_text("What to do")
        assert violations(page) == []
        page.get_by_label("Wrong with the request").select_option("none")
        sign(page)
        for view in ("As Epic", "As Oracle Health", "Side by side"):
            page.get_by_role("link", name=view).click()
            expect(page.get_by_role("link", name=view)).to_have_attribute("aria-current", "page")
            for width in (320, 1440):
                page.set_viewport_size({"width": width, "height": 900})
                assert misplaced(page) == [], (view, width)
        assert violations(page) == []
        page.screenshot(path=shots / "workbench-beside-1440.png", full_page=True)


def test_the_tab_key_reaches_everything_of_the_workbench(browser: Browser, demo: Demo) -> None:
    with watching(browser, viewport=DESK) as watched:
        page = watched.page()
        page.goto(f"{demo.ehr}/?patient=nothing-wrong")
        wanted = stops(page)
        seen = list(tabbed(page))
        assert [one["number"] for one in seen] == list(range(wanted))
        assert [one["name"] for one in seen if not one["marked"]] == []


def test_without_script_every_step_works_the_same(browser: Browser, demo: Demo) -> None:
    with watching(browser, viewport=DESK, java_script_enabled=False) as watched:
        page = watched.page()
        page.goto(f"{demo.ehr}/?patient=two-vasopressors")
        page.get_by_label("Site protocol").select_option("community-sop")
        sign(page)
        page.get_by_role("button", name=re.compile("^Order tocilizumab IV")).click()
        drafts = page.get_by_role("list", name="Unsigned orders").get_by_role("listitem")
        expect(drafts).to_have_count(2)
        page.get_by_label("ICE total").fill("3")
        page.get_by_role("button", name="Post to the FHIR server").click()
        expect(page.get_by_role("status")).to_contain_text("Posted to the FHIR server: ICE score")
        expect(page.get_by_role("link", name="Refresh")).to_be_visible()


def test_the_app_opens_from_a_card_and_the_way_back_leads_to_the_same_visit(
    browser: Browser, demo: Demo
) -> None:
    with watching(browser, viewport=DESK) as watched:
        page = watched.page()
        page.goto(f"{demo.ehr}/?patient=cannula-without-flow")
        visit = page.url
        add(page, "teclistamab")
        page.locator("article.card form.link button").first.click()
        expect(framed(page).get_by_role("heading", level=1)).to_have_text("Grade CRS and ICANS")
        page.get_by_role("link", name="Back to the orders").click()
        assert page.url == visit
        drafts = page.get_by_role("list", name="Unsigned orders").get_by_role("listitem")
        expect(drafts).to_have_count(1)
