"""Launching the app in a real browser: what it shows, what it leaves behind, who may frame it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page, Request, expect

from tests.browser import pages
from tests.browser.demo import Demo
from tests.browser.launching import (
    GRADING,
    Watched,
    framed,
    launch_from,
    launch_of,
    launch_url,
    open_app,
    open_in_frame,
    watching,
)


pytestmark = pytest.mark.live

Open = Callable[[Page, Demo, str], Page | Frame]
VISITED = ("Advice", "Timeline", "Statements", "Hand-over", "REMS worksheet", "Grade")
# Names of parameters of OAuth and SMART, and of whoever the page is about.
TOLD = re.compile(r"[?&#](code|state|launch|iss|access_token|id_token|patient|session_state)=")
# Where a browser keeps third parties from storing anything, asking for it is an error.
KEPT_IN_THE_BROWSER = """async () => {
  const of = async (look) => { try { return await look() } catch (error) {
    if (['SecurityError', 'UnknownError', 'NotSupportedError'].includes(error.name)) return 0;
    throw error } };
  return {
    local: await of(() => localStorage.length),
    session: await of(() => sessionStorage.length),
    cookie: document.cookie.length,
    databases: await of(async () => (await indexedDB.databases()).length),
    caches: await of(async () => (await caches.keys()).length),
    workers: await of(async () => (await navigator.serviceWorker.getRegistrations()).length),
  } }"""
NOTHING = {"local": 0, "session": 0, "cookie": 0, "databases": 0, "caches": 0, "workers": 0}


def standalone(page: Page, demo: Demo, story: str) -> Page:
    """As from a bookmark: the authorization server asks who and for which patient."""
    page.goto(f"{launch_url(demo)}?iss={demo.app}/fhir")
    page.get_by_role("radio", name=re.compile(f"^{pages.PATIENTS[story]}")).check()
    page.get_by_role("button", name="Allow and open").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Grade CRS and ICANS")
    return page


WAYS: list[Any] = [
    pytest.param(open_in_frame, id="in-a-frame-from-a-card"),
    pytest.param(open_app, id="in-a-tab"),
    pytest.param(standalone, id="standalone"),
]


def cookies(watched: Watched) -> list[dict[str, Any]]:
    """All cookies of the context as the browser itself keeps them."""
    aside = watched.page()
    session = watched.context.new_cdp_session(aside)
    found: list[dict[str, Any]] = session.send("Network.getAllCookies")["cookies"]
    aside.close()
    return found


@contextmanager
def site_framing(address: str) -> Iterator[str]:
    """Another origin, with a page that has `address` in a frame."""

    class Framing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(
                f'<link rel="icon" href="data:,"><iframe src="{address}"></iframe>'.encode()
            )

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Framing) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("way", WAYS)
def test_a_launch_opens_the_grading_screen_of_its_patient(
    browser: Browser, demo: Demo, way: Open
) -> None:
    with watching(browser) as watched:
        where = way(watched.page(), demo, "fever-only")
        expect(pages.banner(where)).to_contain_text("Flora Testcase")
        expect(pages.banner(where)).to_contain_text("teclistamab")
        expect(pages.grades(where)).to_have_text(["CRS grade 1", "ICANS grade 0"])
        expect(where.get_by_role("complementary", name="About this app")).to_contain_text(
            "Not clinically reviewed"
        )


def test_the_frame_of_the_workbench_is_another_site_to_the_browser(
    browser: Browser, demo: Demo
) -> None:
    with watching(browser) as watched:
        page = watched.page()
        inside = open_in_frame(page, demo, "fever-only")
        assert page.url == f"{demo.ehr}/launch"
        assert inside.url.startswith(f"{demo.app}/us-label/smart/l/")
        assert inside.evaluate("location.ancestorOrigins[0]") == demo.ehr


@pytest.mark.parametrize("protocol", ["us-label", "community-sop", "nhs-waht"])
def test_a_card_of_each_site_opens_the_app_of_that_site(
    browser: Browser, demo: Demo, protocol: str
) -> None:
    with watching(browser) as watched:
        inside = open_in_frame(watched.page(), demo, "two-vasopressors", protocol)
        assert inside.url.startswith(f"{demo.app}/{protocol}/smart/l/")
        expect(pages.banner(inside)).to_contain_text("Victor Testcase")


@pytest.mark.parametrize("way", WAYS)
def test_no_address_of_a_page_tells_of_the_sign_in_or_of_the_patient(
    browser: Browser, demo: Demo, way: Open
) -> None:
    asked: list[str] = []

    def keep(request: Request) -> None:
        if "/smart/l/" in request.url or "/smart/static/" in request.url:
            asked.append(request.url)

    with watching(browser) as watched:
        watched.context.on("request", keep)
        where = way(watched.page(), demo, "fever-only")
        assert GRADING.search(where.url)
        shown = [where.url, where.evaluate("document.referrer")]
        for name in VISITED:
            pages.go(where, name)
            shown += [where.url, where.evaluate("document.referrer")]
        pages.choose(where, "Level of arousal", "awake")
        expect(pages.result(where).get_by_role("heading", level=2)).to_have_text(
            "With your answers"
        )
    assert any(address.endswith("/preview") for address in asked)
    assert [one for one in (*shown, *asked) if TOLD.search(one) or "fever-only" in one] == []


@pytest.mark.parametrize("way", WAYS)
def test_the_browser_keeps_nothing_but_a_cookie_that_no_script_can_read(
    browser: Browser, demo: Demo, way: Open
) -> None:
    with watching(browser) as watched:
        where = way(watched.page(), demo, "fever-only")
        assert where.evaluate(KEPT_IN_THE_BROWSER) == NOTHING
        pages.go(where, "Advice")
        pages.go(where, "Timeline")
        assert where.evaluate(KEPT_IN_THE_BROWSER) == NOTHING


@pytest.mark.parametrize("way", WAYS)
def test_the_cookie_is_for_this_host_and_this_ehr_only(
    browser: Browser, demo: Demo, way: Open
) -> None:
    with watching(browser) as watched:
        launch = launch_of(way(watched.page(), demo, "fever-only"))
        (cookie,) = cookies(watched)
    assert cookie["name"] == f"__Host-btce-{launch}"
    assert re.fullmatch("[0-9a-f]{64}", cookie["value"])
    assert (cookie["domain"], cookie["path"]) == ("127.0.0.1", "/")
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "None")
    assert cookie["session"] is True  # gone with the browser
    framing = "localhost" if way is open_in_frame else "127.0.0.1"
    assert cookie["partitionKey"]["topLevelSite"] == f"http://{framing}"


def test_a_launch_in_a_frame_is_not_open_outside_that_frame(browser: Browser, demo: Demo) -> None:
    with watching(browser) as watched:
        inside = open_in_frame(watched.page(), demo, "fever-only")
        watched.complaints.allow(403)
        tab = watched.page()
        tab.goto(inside.url)
        expect(tab.get_by_role("heading", level=1)).to_have_text(
            "The app is not open in this browser"
        )
        expect(tab.get_by_text("What to do:")).to_be_visible()
        expect(tab.locator("body")).not_to_contain_text("Flora")


def test_the_address_of_a_page_opens_nothing_in_another_browser(
    browser: Browser, demo: Demo
) -> None:
    with watching(browser) as mine, watching(browser) as other:
        address = open_app(mine.page(), demo, "fever-only").url
        other.complaints.allow(403)
        page = other.page()
        for path in ("", "advice", "timeline", "statements", "handover", "rems"):
            answer = page.goto(f"{address}{path}")
            assert answer is not None
            assert answer.status == 403
            expect(page.get_by_text("What to do:")).to_be_visible()
            expect(page.locator("body")).not_to_contain_text("Flora")


def test_a_page_of_another_origin_cannot_frame_the_app(browser: Browser, demo: Demo) -> None:
    with watching(browser) as watched:
        mine = open_app(watched.page(), demo, "fever-only")
        with site_framing(mine.url) as elsewhere:
            page = watched.page()
            with page.expect_console_message(lambda one: "frame-ancestors" in one.text):
                page.goto(elsewhere)
            inside = page.frames[-1]
            assert inside.url != mine.url
            assert "Flora" not in inside.content()
        refused = [text for text in watched.complaints.texts if "frame-ancestors" in text]
        assert refused
        watched.complaints.texts = [
            text for text in watched.complaints.texts if text not in refused
        ]
        mine.reload()  # where it may be shown it still is
        expect(pages.banner(mine)).to_contain_text("Flora Testcase")


def test_a_page_of_another_origin_cannot_launch_the_app_in_its_frame(
    browser: Browser, demo: Demo
) -> None:
    with watching(browser) as watched, site_framing(launch_from(demo, "fever-only")) as elsewhere:
        page = watched.page()
        with page.expect_console_message(lambda one: "frame-ancestors" in one.text):
            page.goto(elsewhere)
        assert "Flora" not in page.frames[-1].content()
        watched.complaints.texts.clear()


def test_a_launch_works_once_and_says_what_to_do_the_second_time(
    browser: Browser, demo: Demo
) -> None:
    with watching(browser) as watched:
        address = launch_from(demo, "fever-only")
        page = watched.page()
        page.goto(address)
        expect(pages.banner(page)).to_contain_text("Flora Testcase")
        watched.complaints.allow(400, 403)
        page.goto(address)
        expect(pages.banner(page)).to_have_count(0)
        expect(page.get_by_role("heading", level=1)).not_to_have_text("Grade CRS and ICANS")
        expect(page.get_by_text("What to do:")).to_be_visible()


def test_an_unknown_ehr_is_refused_with_a_page_that_says_what_to_do(
    browser: Browser, demo: Demo
) -> None:
    with watching(browser) as watched:
        watched.complaints.allow(400)
        page = watched.page()
        page.goto(f"{launch_url(demo)}?iss=https://ehr.example/fhir&launch=1")
        expect(page.get_by_role("heading", level=1)).to_have_text("This EHR is not known here")
        expect(page.get_by_text("What to do:")).to_be_visible()
        expect(page.locator("body")).not_to_contain_text("ehr.example")


def test_who_does_not_allow_the_app_reads_what_to_do(browser: Browser, demo: Demo) -> None:
    with watching(browser) as watched:
        watched.complaints.allow(403)
        page = watched.page()
        page.goto(f"{launch_url(demo)}?iss={demo.app}/fhir")
        page.get_by_role("button", name="Do not allow").click()
        expect(page.get_by_text("What to do:")).to_be_visible()
        expect(pages.banner(page)).to_have_count(0)


def test_leaving_ends_the_session_and_takes_its_cookie_away(browser: Browser, demo: Demo) -> None:
    with watching(browser) as watched:
        page = watched.page()
        inside = open_in_frame(page, demo, "fever-only")
        address = inside.url
        inside.get_by_role("button", name="Leave").click()
        left = framed(page)
        expect(left.get_by_role("heading", level=1)).to_have_text("You have left the app")
        expect(left.locator("body")).not_to_contain_text("Flora")
        assert cookies(watched) == []
        watched.complaints.allow(403)
        inside.goto(address)
        expect(left.get_by_role("heading", level=1)).to_have_text(
            "The app is not open in this browser"
        )
        # The EHR can open it again at once.
        page.get_by_role("button", name="Launch again").click()
        expect(pages.banner(left)).to_contain_text("Flora Testcase")
