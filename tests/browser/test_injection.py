"""Over five hundred texts that try to be more than text, shown by a real browser.

None runs, none asks anybody for anything, none breaks the page. In a demo of its own.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from cards.escape import plain
from cds.clock import system_clock
from tests.browser import pages
from tests.browser.demo import Demo, running_demo
from tests.browser.launching import Watched, launch_url, open_app, watching
from tests.browser.looking import misplaced
from tests.hostile_chart import chart
from tests.hostile_text import CANARY, HOSTILE


pytestmark = pytest.mark.live

NARROW = {"width": 320, "height": 700}
A_PATIENT = 28  # texts in the record of one patient
SIZE = 24  # characters by which a text is recognised; reasons are cut
RAN = f"window.ran = []; window.{CANARY} = () => {{ window.ran.push(location.href); }};"
GROUPS = [HOSTILE[start : start + A_PATIENT] for start in range(0, len(HOSTILE), A_PATIENT)]
SHOWN = ("", "advice", "timeline", "handover", "rems")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Its patients are of use to no other test."""
    with running_demo(tmp_path_factory.mktemp("injection")) as found:
        yield found


def put(demo: Demo, who: str, texts: Sequence[str]) -> None:
    """A patient of these texts on the FHIR server."""
    now = system_clock()
    times = [
        (now - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
        for hours in (0.5, 1, 2, 3, 24)
    ]
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in chart(who, texts, times)
    ]
    # At once: whoever listens to the server reads the patient once.
    every = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = requests.post(f"{demo.app}/open/fhir", json=every, timeout=30)
    assert answer.status_code == 200, answer.text


@contextmanager
def harmless(browser: Browser, demo: Demo) -> Iterator[Watched]:
    """A browser in which nothing of a text may run, ask, open a dialog or leave the page."""
    asked: list[str] = []
    happened: list[str] = []
    with watching(browser, viewport=NARROW) as watched:
        watched.context.add_init_script(RAN)
        watched.context.on("request", lambda request: asked.append(request.url))
        watched.context.on("dialog", lambda dialog: happened.append(dialog.message))
        yield watched
        assert len(watched.context.pages) <= 1
    hosts = {urlsplit(one).netloc for one in asked if not one.startswith("data:")}
    assert hosts <= {urlsplit(one).netloc for one in demo}
    assert happened == []


def squeezed(text: str) -> str:
    """Without white space and what a browser does not show."""
    return re.sub(r"[\s\x00-\x1f\ufffd]", "", text)


def seen(page: Page) -> str:
    """Every word on the page; nothing of it has run, and the page is as wide as its window."""
    assert page.evaluate("window.ran") == []
    assert [one for one in misplaced(page) if "sideways" in one] == []
    text: str = page.evaluate("document.body.textContent")
    return squeezed(text)


def unseen(texts: Sequence[str], found: str) -> list[str]:
    """Those that are nowhere in it, neither as they are nor as one line."""
    ways = {one: {squeezed(one)[:SIZE], squeezed(plain(one))[:SIZE]} for one in texts}
    lower = found.lower()  # states are compared, and shown, in small letters
    return [one for one, starts in ways.items() if not any(x.lower() in lower for x in starts)]


def test_over_five_hundred_texts_in_records_are_shown_and_do_nothing(
    browser: Browser, demo: Demo
) -> None:
    missed = []
    with harmless(browser, demo) as watched:
        page = watched.page()
        for number, texts in enumerate(GROUPS):
            who = f"hostile-{number}"
            put(demo, who, texts)
            address = open_app(page, demo, who).url
            found = seen(page)
            for path in SHOWN[1:]:
                page.goto(address + path)
                found += seen(page)
            missed += unseen(texts, found)
    assert len(HOSTILE) - len(missed) >= 500, missed


def test_as_names_of_patients_and_users_they_are_shown_where_one_is_chosen(
    browser: Browser, demo: Demo
) -> None:
    with requests.Session() as session:
        for number, text in enumerate(HOSTILE):
            kind = "Practitioner" if number % 2 else "Patient"
            one = {"resourceType": kind, "id": f"named-{number}", "name": [{"text": text}]}
            where = f"{demo.app}/open/fhir/{kind}/{one['id']}"
            assert session.put(where, json=one, timeout=10).status_code in (200, 201)
    with harmless(browser, demo) as watched:
        page = watched.page()
        page.goto(f"{launch_url(demo)}?iss={demo.app}/fhir")
        assert unseen(HOSTILE, seen(page)) == []


def test_a_reason_in_words_is_stated_and_shown_as_words(browser: Browser, demo: Demo) -> None:
    reasons = [texts[0] for texts in GROUPS[::2]]
    with harmless(browser, demo) as watched:
        page = watched.page()
        address = open_app(page, demo, "seizure-seven-minutes").url
        for reason in reasons:
            page.goto(address)
            page.locator("#q-ice-not-performed").fill(reason[:200])
            pages.confirm(page)
        found = seen(page)
        assert unseen([one for one in reasons if plain(one)], found) == []
        page.goto(address)
        seen(page)


def test_what_a_card_gives_to_the_app_does_nothing(browser: Browser, demo: Demo) -> None:
    with harmless(browser, demo) as watched:
        watched.complaints.allow(400, 403)
        page = watched.page()
        for text in HOSTILE[:: len(HOSTILE) // 6]:
            page.goto(f"{demo.ehr}/?patient=fever-only")
            page.evaluate(
                """([app, context]) => {
                  const form = document.querySelector('form');
                  form.action = '/launch';
                  for (const [name, value] of [['app', app], ['context', context]]) {
                    const field = document.createElement('textarea');
                    field.name = name; field.value = value; form.append(field);
                  }
                  form.requestSubmit();
                }""",
                [launch_url(demo), text],
            )
            inside = page.frame_locator("iframe[title='Bedside app']")
            expect(inside.get_by_role("heading", level=1)).to_have_count(1)
            assert page.evaluate("window.ran") == []
            assert page.frames[-1].evaluate("window.ran") == []
            expect(page.locator("iframe")).to_have_count(1)


def test_a_name_that_turns_the_direction_of_text_turns_only_itself(
    browser: Browser, demo: Demo
) -> None:
    """A right-to-left override that is never closed, before a date of birth."""
    put(demo, "turned", ["Lee", "male", "1", "2"])
    put(demo, "turning", ["Lee \u202e", "male \u202e", "1 \u202e", "2 \u202e"])
    with harmless(browser, demo) as watched:
        page = watched.page()
        for who in ("turned", "turning"):
            open_app(page, demo, who)
            expect(pages.banner(page)).to_contain_text("born 17 May 1960")
            assert page.evaluate(WHERE_DIGITS_ARE) == "1960", who


# Of the words after the name: in which order their letters stand on the screen.
WHERE_DIGITS_ARE = """() => {
  const banner = document.querySelector('.patient p');
  const walk = document.createTreeWalker(banner, NodeFilter.SHOW_TEXT), found = [];
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const at = node.data.indexOf('1960');
    if (at < 0) continue;
    for (let letter = at; letter < at + 4; letter++) {
      const range = document.createRange();
      range.setStart(node, letter);
      range.setEnd(node, letter + 1);
      found.push([range.getBoundingClientRect().left, node.data[letter]]);
    }
  }
  return found.sort((one, other) => one[0] - other[0]).map(one => one[1]).join('');
}"""
