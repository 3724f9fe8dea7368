"""What a person does on the pages of the app, in words of the screen; and what is kept of it.

Works on a page as on a frame, with JavaScript and without.
"""

import re
from collections.abc import Mapping
from time import sleep
from typing import Any

from playwright.sync_api import Frame, FrameLocator, Locator, Page, expect

from tests.browser.demo import Demo


Where = Page | Frame | FrameLocator
_TRIES, _PAUSE = 400, 0.05
PATIENTS = {  # as the stories of the demo have them
    "fever-only": "Flora Testcase",
    "masked-fever": "Marta Testcase",
    "two-vasopressors": "Victor Testcase",
    "cannula-without-flow": "Nadia Testcase",
    "ice-two-awake": "Irene Testcase",
    "seizure-seven-minutes": "Simon Testcase",
    "stale-vitals": "Stefan Testcase",
    "nothing-wrong": "Nora Testcase",
}
ALL_ICE = {
    "ICE: orientation to year, month, city and hospital": "4",
    "ICE: naming three objects": "3",
    "ICE: following a simple command": "1",
    "ICE: writing a standard sentence": "1",
    "ICE: counting back from 100 by tens": "1",
}
CONFIRM = "Confirm and write to the record"
UPDATE = "Update the result"


def banner(where: Where) -> Locator:
    """Whose page it is."""
    return where.get_by_role("region", name="Patient", exact=True)


def go(where: Where, name: str) -> None:
    """Another page of the same launch, by its link."""
    where.get_by_role("navigation", name="Pages").get_by_role("link", name=name, exact=True).click()
    expect(
        where.get_by_role("navigation", name="Pages").get_by_role("link", name=name, exact=True)
    ).to_have_attribute("aria-current", "page")


def tile(where: Where, question: str, answer: str) -> Locator:
    """One answer of a question, as it is tapped."""
    return (
        question_of(where, question)
        .locator("label")
        .filter(has_text=re.compile(f"^{re.escape(answer)}$"))
    )


def question_of(where: Where, question: str) -> Locator:
    """The group of answers under a question."""
    return where.get_by_role("group", name=question, exact=True)


def choose(where: Where, question: str, answer: str) -> None:
    """Tap an answer."""
    tile(where, question, answer).click()


def enter(where: Where, label: str, value: str) -> None:
    """Type a value and leave the field."""
    field = where.get_by_label(label, exact=True)
    field.fill(value)
    field.blur()


def result(where: Where) -> Locator:
    """What the answers come to."""
    return where.get_by_role("region", name="Result", exact=True)


def grades(where: Where) -> Locator:
    """The headings of the grades in the result, CRS first."""
    return result(where).locator(".grades h3")


def at_bottom(where: Where) -> Locator:
    """The line that stays in view."""
    return where.locator("#now")


def confirm(where: Where) -> None:
    """Confirm, and see what became of it."""
    where.get_by_role("button", name=CONFIRM).click()
    expect(where.get_by_role("heading", level=1)).to_have_text("Statements")
    loaded(where)


def loaded(where: Where) -> None:
    """Returns once the page is there with its styles; asked again and again, as without JavaScript
    nothing on the page can say so."""
    for _ in range(_TRIES):
        if where.locator("body").evaluate("() => document.readyState") == "complete":
            return
        sleep(_PAUSE)
    raise AssertionError("the page did not finish loading")


def stated(where: Where) -> Locator:
    """The rows of the newest form on the page of statements."""
    return where.locator("table.stated").first.locator("tbody tr")


def resources(demo: Demo, kind: str, story: str) -> dict[str, dict[str, Any]]:
    """Everything of this kind about the patient that the FHIR server holds, by id."""
    found: dict[str, dict[str, Any]] = {}
    address = f"{kind}?patient={story}&_count=200"
    while address:
        reply = demo.fhir(address)
        reply.raise_for_status()
        bundle = reply.json()
        found |= {one["resource"]["id"]: one["resource"] for one in bundle.get("entry", ())}
        following = [one["url"] for one in bundle.get("link", ()) if one["relation"] == "next"]
        address = following[0].partition("/open/fhir/")[2] if following else ""
    return found


def written(
    demo: Demo, story: str, before: Mapping[str, Mapping[str, Any]], kind: str = "Observation"
) -> list[dict[str, Any]]:
    """What has come since `before` was read."""
    now = resources(demo, kind, story)
    return [one for id_, one in now.items() if id_ not in before]


def code_of(resource: Mapping[str, Any]) -> str:
    """The first code of an Observation."""
    return str(resource["code"]["coding"][0]["code"])
