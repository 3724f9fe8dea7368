"""Opening the app as an EHR does, in a browser that complains: in a frame, in a tab, standalone.

Whatever the browser's console reports of a page makes the test fail, a refused load (Content
Security Policy) above all; an answer of 4xx only where the test does not say that it belongs there.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Frame,
    FrameLocator,
    Page,
    expect,
)

from tests.browser.demo import Demo


PROTOCOL = "us-label"
GRADING = re.compile(r"/smart/l/[0-9a-f]{32}/$")
SLOW_MS = 20_000  # a machine that does other things as well
TABLET = {"width": 820, "height": 1180}
# The browser's own console says less about a refusal than the event does.
_TELL = """addEventListener('securitypolicyviolation', (event) => console.error(
  `policy: ${event.violatedDirective} ${event.blockedURI} at ${event.sourceFile}`))"""
_ANSWERED = re.compile(
    r"(?:Failed to load resource: .* status of|Response Status Error Code) (\d{3})\b"
)
# How htmx reports that an answer overtook the one before it.
_OVERTAKEN = re.compile(r"htmx:(afterRequest|sendAbort), ")


class Complaints:
    """What the browser had to say. `allow`: answers of this status are part of the test."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._allowed: set[str] = set()

    def allow(self, *statuses: int) -> None:
        """Error pages are answers too, and the browser reports each of them."""
        self._allowed |= {str(status) for status in statuses}

    def heard(self, message: ConsoleMessage) -> None:
        """Keep errors and warnings."""
        answered = _ANSWERED.match(message.text)
        expected = answered is not None and answered[1] in self._allowed
        expected = expected or _OVERTAKEN.match(message.text) is not None
        if message.type in ("error", "warning") and not expected:
            self.texts.append(f"{message.type}: {message.text}")

    def failed(self, error: Exception) -> None:
        """A script of the page that ended with an error."""
        self.texts.append(f"script: {error}")


class Watched:
    """A context of the browser, and what was reported in any of its pages."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.complaints = Complaints()
        context.add_init_script(_TELL)
        context.on("console", self.complaints.heard)
        context.on("weberror", lambda error: self.complaints.failed(error.error))

    def page(self) -> Page:
        """A new tab."""
        return self.context.new_page()


@contextmanager
def watching(browser: Browser, **options: Any) -> Iterator[Watched]:
    """A context of its own, of which nothing may be reported. `options`: of `new_context`."""
    context = browser.new_context(**{"viewport": TABLET, **options})
    context.set_default_timeout(SLOW_MS)
    expect.set_options(timeout=SLOW_MS)
    try:
        watched = Watched(context)
        yield watched
        assert not watched.complaints.texts, "\n".join(watched.complaints.texts)
    finally:
        context.close()


def launch_url(demo: Demo, protocol: str = PROTOCOL) -> str:
    """Where the app of a site is launched."""
    return f"{demo.app}/{protocol}/smart/launch"


def launch_id(demo: Demo, story: str, protocol: str = PROTOCOL) -> str:
    """What the EHR gives an app that it opens for this patient."""
    app = launch_url(demo, protocol)
    body = {"launch_url": app, "redirect_uri": app, "parameters": {"patient": story}}
    reply = requests.post(f"{demo.app}/fhir/_services/smart/Launch", json=body, timeout=10)
    reply.raise_for_status()
    return str(reply.json()["launch_id"])


def launch_from(demo: Demo, story: str, protocol: str = PROTOCOL) -> str:
    """The address an EHR opens for this patient; good for one launch."""
    given = launch_id(demo, story, protocol)
    return f"{launch_url(demo, protocol)}?iss={demo.app}/fhir&launch={given}"


def sign(page: Page, demo: Demo, story: str, protocol: str = PROTOCOL) -> None:
    """The workbench, as another site than the app, with the cards of the story's order."""
    page.goto(f"{demo.ehr}/?patient={story}")
    page.get_by_label("Site protocol").select_option(protocol)
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("^Answer to "))).to_be_visible()


def open_in_frame(page: Page, demo: Demo, story: str, protocol: str = PROTOCOL) -> Frame:
    """The app in a frame of the workbench, by the link of the first card that has one."""
    sign(page, demo, story, protocol)
    page.locator("article.card form.link button").first.click()
    inside = framed(page)
    expect(inside.get_by_role("heading", level=1)).to_have_text("Grade CRS and ICANS")
    found = page.frame(url=GRADING)
    assert found is not None
    return found


def framed(page: Page) -> FrameLocator:
    """What is in the frame of the workbench, whatever it is at the moment."""
    return page.frame_locator("iframe[title='Bedside app']")


def open_app(page: Page, demo: Demo, story: str, protocol: str = PROTOCOL) -> Page:
    """The app in this tab, launched by the EHR for the patient of the story; its first page."""
    page.goto(launch_from(demo, story, protocol))
    expect(page.get_by_role("heading", level=1)).to_have_text("Grade CRS and ICANS")
    expect(page).to_have_url(GRADING)
    return page


def launch_of(where: Page | Frame) -> str:
    """The id of the launch that is open here."""
    found = re.search(r"/smart/l/([0-9a-f]{32})/", where.url)
    assert found is not None, "not a page of a launch"
    return found[1]
