"""Two tabs, two patients, one browser: whatever is clicked in which order, nothing crosses over.

Each of the interleavings is a random pair of actions that are under way at the same time, one in
each tab; now and then a tab is launched anew for one of the two patients. Seeded: a failure can be
repeated.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from random import Random
from typing import Any

import pytest
from msgspec import Struct
from playwright.sync_api import Browser, Page, Response, expect

from tests.browser import pages
from tests.browser.demo import Demo
from tests.browser.launching import launch_from, launch_of, watching


pytestmark = pytest.mark.live

SEED = 20251122
INTERLEAVINGS = 50
PAIR = ("two-vasopressors", "seizure-seven-minutes")
# What each would be known by: name, references and drug times of the record, and what is entered.
# Temperatures: 39.xx for the one, 40.xx for the other; neither record has two decimals.
WHOLE = {"two-vasopressors": 39, "seizure-seven-minutes": 40}
SHOWN = ("Grade", "Advice", "Timeline", "Statements", "Hand-over", "REMS worksheet")
HEADINGS = {
    "Grade": "Grade CRS and ICANS",
    "Timeline": "Timeline",
    "Statements": "Statements",
}


class Tab(Struct):
    """One tab: who is open in it, and under which launch."""

    page: Page
    story: str
    launch: str = ""


class Confirmed(Struct, frozen=True):
    """A temperature that was confirmed for a patient."""

    story: str
    celsius: str


class Run:
    """What has happened so far, and the chances of what comes next."""

    def __init__(self, demo: Demo, seed: int) -> None:
        self.demo = demo
        self.random = Random(seed)  # noqa: S311 - an order of clicks, not a secret
        self.confirmed: list[Confirmed] = []
        self._hundredths = 10

    def celsius(self, story: str) -> str:
        """A temperature that was never entered before, and that tells the patient."""
        self._hundredths += 1
        return f"{WHOLE[story]}.{self._hundredths:02d}"


def other_than(story: str) -> str:
    """The other patient of the pair."""
    return PAIR[1 - PAIR.index(story)]


def is_only_of(tab: Tab) -> None:
    """The banner is that of the tab's patient, and nothing on the page is of the other one."""
    expect(pages.banner(tab.page)).to_contain_text(pages.PATIENTS[tab.story])
    assert launch_of(tab.page) == tab.launch
    told = tab.page.content()
    other = other_than(tab.story)
    foreign = [pages.PATIENTS[other].split()[0], f"{other}-", f"Patient/{other}"]
    assert [word for word in foreign if word in told] == []
    assert re.findall(rf"\b{WHOLE[other]}\.\d\d\b", told) == []
    launches = set(re.findall(r"/smart/l/([0-9a-f]{32})/", told))
    assert launches == {tab.launch}


Begin = Callable[[], None]


class Action(Struct, frozen=True):
    """`begin` only starts it; `answered` tells its last answer; `check` looks once it is there."""

    begin: Begin
    answered: Callable[[Response], bool]
    check: Begin


def look(run: Run, tab: Tab) -> Action:
    """Another page of the launch."""
    name = run.random.choice(SHOWN)
    link = tab.page.get_by_role("navigation", name="Pages").get_by_role(
        "link", name=name, exact=True
    )
    path = str(link.get_attribute("href"))

    def check() -> None:
        expect(link).to_have_attribute("aria-current", "page")
        if name in HEADINGS:
            expect(tab.page.get_by_role("heading", level=1)).to_have_text(HEADINGS[name])

    return Action(
        begin=lambda: link.click(no_wait_after=True),
        answered=lambda one: one.request.method == "GET" and one.url.endswith(path),
        check=check,
    )


def answer(run: Run, tab: Tab) -> Action:
    """A temperature, previewed by htmx."""
    on_grading(tab)
    celsius = run.celsius(tab.story)
    return Action(
        begin=lambda: pages.enter(tab.page, "Temperature (°C)", celsius),
        answered=lambda one: one.url.endswith(f"/{tab.launch}/preview"),
        check=lambda: expect(pages.result(tab.page)).to_contain_text(f"{celsius} °C"),
    )


def confirm(run: Run, tab: Tab) -> Action:
    """A temperature, confirmed and written."""
    on_grading(tab)
    celsius = run.celsius(tab.story)
    run.confirmed.append(Confirmed(tab.story, celsius))

    def begin() -> None:
        """Without waiting for the preview, as people do."""
        pages.enter(tab.page, "Temperature (°C)", celsius)
        tab.page.get_by_role("button", name=pages.CONFIRM).click(no_wait_after=True)

    def check() -> None:
        expect(tab.page.get_by_role("heading", level=1)).to_have_text("Statements")
        expect(pages.stated(tab.page).first).to_contain_text(f"{celsius} °C")

    return Action(
        begin=begin,
        answered=lambda one: one.url.endswith(f"/{tab.launch}/statements"),
        check=check,
    )


def launch(run: Run, tab: Tab) -> Action:
    """The EHR opens one of the two patients in this tab, anew."""
    story = run.random.choice(PAIR)
    address = launch_from(run.demo, story)

    def check() -> None:
        expect(tab.page).to_have_url(re.compile(r"/smart/l/[0-9a-f]{32}/$"))
        tab.story, tab.launch = story, launch_of(tab.page)

    def is_answer(one: Response) -> bool:
        return one.ok and re.search(r"/smart/l/[0-9a-f]{32}/$", one.url) is not None

    return Action(
        begin=lambda: tab.page.evaluate("(address) => { location.href = address }", address),
        answered=is_answer,
        check=check,
    )


CHANCES: Sequence[tuple[Callable[[Run, Tab], Action], int]] = (
    (look, 6),
    (answer, 4),
    (confirm, 2),
    (launch, 1),
)


def on_grading(tab: Tab) -> None:
    if not tab.page.url.endswith(f"/{tab.launch}/"):
        pages.go(tab.page, "Grade")


def interleave(run: Run, tabs: Sequence[Tab]) -> None:
    """One action in each tab, begun in either order, both under way at once."""
    kinds, weights = zip(*CHANCES, strict=True)
    chosen = run.random.choices(kinds, weights, k=len(tabs))
    pairs = [(tab, kind(run, tab)) for tab, kind in zip(tabs, chosen, strict=True)]
    run.random.shuffle(pairs)
    with ExitStack() as stack:
        for tab, action in pairs:
            stack.enter_context(tab.page.expect_response(action.answered))
        for _, action in pairs:
            action.begin()
    for tab, action in pairs:
        action.check()
        is_only_of(tab)


def temperatures(stated: Sequence[dict[str, Any]]) -> list[float]:
    """The values of these Observations, all of which are body temperatures."""
    return sorted(one["valueQuantity"]["value"] for one in stated)


def test_two_patients_in_two_tabs_never_cross(browser: Browser, demo: Demo) -> None:
    run = Run(demo, SEED)
    before = {story: pages.resources(demo, "Observation", story) for story in PAIR}
    with watching(browser) as watched:
        tabs = [Tab(watched.page(), story) for story in PAIR]
        for tab in tabs:
            tab.page.goto(launch_from(demo, tab.story))
            tab.launch = launch_of(tab.page)
            is_only_of(tab)
        for _ in range(INTERLEAVINGS):
            interleave(run, tabs)
    assert len(run.confirmed) >= INTERLEAVINGS / 10
    for story in PAIR:
        stated = pages.written(demo, story, before[story])
        mine = sorted(float(one.celsius) for one in run.confirmed if one.story == story)
        assert mine
        assert temperatures(stated) == mine
        assert {one["subject"]["reference"] for one in stated} == {f"Patient/{story}"}
