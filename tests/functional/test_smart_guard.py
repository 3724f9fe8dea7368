"""What stands before every page of the bedside app, over HTTP: cookies, forms, frames, endings."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from werkzeug.test import TestResponse

from cds.hook_request import HookRequest
from cds.smart.at_hand import PatientRecord
from cds.smart.oauth import RefusedKind
from tests.functional.deployed import logged
from tests.unit.cds.smart.guarding.front_door import (
    AUTHORIZE,
    BASE,
    EHR,
    PATIENT,
    PUBLIC,
    REFRESH,
    TOKEN,
    USER,
    Browser,
    Door,
    csrf_of,
    front_door,
    site,
)


RECORD = HookRequest(
    hook="patient-view",
    hook_instance="00000000-0000-0000-0000-000000000000",
    patient_id=PATIENT,
    fhir_server=None,
    draft_orders=None,
    selections=None,
    prefetch={},
)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with front_door(tmp_path) as made:
        yield made


@pytest.fixture
def browser(door: Door) -> Browser:
    return door.browser()


def code(answer: TestResponse) -> str:
    """Why a page was refused, as it says to informatics."""
    found = re.search(r"<code>([a-z-]+)</code>", answer.text)
    return found[1] if found else ""


def send(browser: Browser, home: str, value: str = "1", **headers: str) -> TestResponse:
    """The form of a page, with the token of that page."""
    csrf = csrf_of(browser.get(home))
    return browser.post(f"{home}preview", {"csrf": csrf, "value": value}, **headers)


# --- The way in -----------------------------------------------------------------------------------


def test_a_launch_goes_to_the_authorization_server_and_comes_back_to_a_clean_address(
    door: Door, browser: Browser
) -> None:
    sent = browser.get(f"/smart/launch?{urlencode({'iss': BASE, 'launch': 'xyz'})}")
    query = parse_qs(urlsplit(sent.location).query)
    back = browser.back(query["state"][0])

    assert sent.status_code == 302
    assert sent.location.startswith(AUTHORIZE)
    assert query["redirect_uri"] == [f"{PUBLIC}/smart/callback"]
    assert door.server.launches == ["xyz"]
    assert back.status_code == 303
    assert re.fullmatch(r"/smart/l/[0-9a-f]{32}/", back.location)
    assert PATIENT in browser.get(back.location).text


def test_a_launch_without_an_ehr_is_standalone(door: Door, browser: Browser) -> None:
    assert browser.get(f"/smart/launch?{urlencode({'iss': BASE + '/'})}").status_code == 302
    assert door.server.launches == [None]


def test_the_cookie_is_the_hosts_own_and_works_in_a_frame_of_one_ehr_only(
    browser: Browser,
) -> None:
    sent = browser.get(f"/smart/launch?{urlencode({'iss': BASE, 'launch': 'xyz'})}")
    (cookie,) = sent.headers.getlist("Set-Cookie")
    name, _, rest = cookie.partition("=")
    value, *attributes = rest.split("; ")

    assert re.fullmatch(r"__Host-btce-[0-9a-f]{32}", name)
    assert re.fullmatch(r"[0-9a-f]{64}", value)
    assert set(attributes) == {"Secure", "HttpOnly", "Path=/", "SameSite=None", "Partitioned"}


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("", "bad-launch"),
        ("launch=xyz", "bad-launch"),
        (f"iss={BASE}&launch=", "bad-launch"),
        ("iss=&launch=xyz", "bad-launch"),
        (f"iss={BASE}&iss={BASE}&launch=xyz", "bad-launch"),
        (f"iss={BASE}&launch=xyz&launch=abc", "bad-launch"),
        (f"iss={BASE}&launch={'x' * 9000}", "bad-launch"),
        ("iss=https://evil.example.org/r4&launch=xyz", "unknown-issuer"),
        (f"iss={BASE}/other&launch=xyz", "unknown-issuer"),
        (f"iss={BASE}.evil.example.org&launch=xyz", "unknown-issuer"),
        ("iss=https://[&launch=xyz", "unknown-issuer"),
        ("iss=none&launch=xyz", "unknown-issuer"),
    ],
)
def test_a_launch_of_nobody_we_know_asks_no_server(
    door: Door, browser: Browser, query: str, why: str
) -> None:
    answer = browser.get(f"/smart/launch?{query}")

    assert (answer.status_code, code(answer)) == (400, why)
    assert door.server.launches == []
    assert "Set-Cookie" not in answer.headers


def test_two_sites_of_one_server_are_not_guessed_between(tmp_path: Path) -> None:
    with front_door(tmp_path, sites=(site("one"), site("two"))) as door:
        answer = door.browser().get(f"/smart/launch?iss={BASE}&launch=xyz")

        assert code(answer) == "unknown-issuer"


def test_a_callback_without_the_cookie_explains_it_and_offers_a_tab_of_its_own(
    door: Door, browser: Browser
) -> None:
    state = browser.begin()
    answer = door.browser().back(state)

    assert (answer.status_code, code(answer)) == (403, "no-cookie")
    link = re.search(r'href="(/smart/launch[^"]*)" target="_blank"', answer.text)
    assert link
    assert parse_qs(urlsplit(link[1]).query) == {"iss": [BASE]}
    assert door.server.finished == []
    assert f"frame-ancestors 'self' {EHR}" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("state", ["", "x", "0" * 32, "0" * 32 + ".x", "g" * 32 + ".x", "é.x"])
def test_a_callback_to_no_launch_of_ours_is_refused(
    door: Door, browser: Browser, state: str
) -> None:
    browser.begin()
    answer = browser.back(state)

    assert answer.status_code in (400, 403)
    assert code(answer) in ("no-sign-in", "state")
    assert door.server.finished == []


def test_what_the_authorization_server_refuses_is_a_page_and_ends_the_launch(
    door: Door, browser: Browser
) -> None:
    state = browser.begin()
    door.server.refuses = "declined"
    answer = browser.back(state)
    door.server.refuses = None
    again = browser.back(state)

    assert (answer.status_code, code(answer)) == (403, "declined")
    assert "What to do:" in answer.text
    assert browser.cookies() == []
    assert code(again) == "no-sign-in"
    assert len(door.server.finished) == 1


def test_a_server_that_cannot_be_asked_is_a_page_too(door: Door, browser: Browser) -> None:
    door.server.refuses = "discovery-unreachable"
    answer = browser.get(f"/smart/launch?iss={BASE}&launch=xyz")

    assert (answer.status_code, code(answer)) == (503, "discovery-unreachable")
    assert f"frame-ancestors 'self' {EHR}" in answer.headers["Content-Security-Policy"]
    assert browser.cookies() == []


def test_a_callback_that_is_repeated_spends_no_code_twice(door: Door, browser: Browser) -> None:
    state = browser.begin()
    first, second = browser.back(state), browser.back(state, code="another")

    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert len(door.server.finished) == 1


def test_of_two_callbacks_at_once_one_spends_the_code(door: Door, browser: Browser) -> None:
    state = browser.begin()
    (launch,) = browser.cookies()
    secret = browser.client.get_cookie(f"__Host-btce-{launch}", domain="cds.example.org")
    assert secret is not None
    both = threading.Barrier(2)

    def answer(_: int) -> int:
        other = door.browser()
        other.client.set_cookie(secret.key, secret.value, domain="cds.example.org")
        both.wait()
        return other.back(state).status_code

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(answer, range(2)))

    assert len(door.server.finished) == 1
    assert 303 in found
    assert set(found) <= {303, 409}
    assert browser.get(f"/smart/l/{launch}/").status_code == 200


def test_a_callback_while_the_first_is_being_answered_says_so(door: Door, browser: Browser) -> None:
    state = browser.begin()
    during: list[TestResponse] = []
    door.server.wait = lambda: during.append(browser.back(state))
    first = browser.back(state)

    assert first.status_code == 303
    (second,) = during
    assert (second.status_code, code(second)) == (409, "answering")
    assert first.location in second.text


def test_a_sign_in_that_broke_off_in_the_middle_has_to_be_begun_again(
    door: Door, browser: Browser
) -> None:
    state = browser.begin()
    launch = state.partition(".")[0]

    def break_off() -> None:
        raise RuntimeError

    door.server.wait = break_off
    broken = browser.back(state)
    soon = browser.back(state)
    door.clock.later(seconds=61)
    late = browser.back(state)

    assert (broken.status_code, code(broken)) == (500, "fault")
    assert code(soon) == "answering"
    assert code(late) == "no-sign-in"
    assert code(browser.get(f"/smart/l/{launch}/")) == "no-sign-in"
    assert len(door.server.finished) == 1


def test_signing_in_takes_half_an_hour_at_most(door: Door, browser: Browser) -> None:
    state = browser.begin()
    door.clock.later(minutes=30)
    answer = browser.back(state)

    assert (answer.status_code, code(answer)) == (400, "no-sign-in")
    assert door.server.finished == []


# --- Several launches -----------------------------------------------------------------------------


def test_two_launches_in_one_browser_stay_apart(door: Door, browser: Browser) -> None:
    door.server.patient = "alice"
    one = browser.open()
    door.server.patient = "bob"
    two = browser.open()

    assert "alice" in browser.get(one).text
    assert "bob" in browser.get(two).text
    assert "alice" not in browser.get(two).text


def test_a_form_of_one_launch_is_refused_by_another(browser: Browser) -> None:
    one, two = browser.open(), browser.open()
    csrf = csrf_of(browser.get(one))
    answer = browser.post(f"{two}preview", {"csrf": csrf, "value": "1"})

    assert (answer.status_code, code(answer)) == (403, "csrf")
    assert f'href="{two}"' in answer.text


def test_the_cookie_of_one_launch_opens_no_other(door: Door, browser: Browser) -> None:
    one, two = browser.open(), browser.open()
    first, second = browser.cookies()
    found = browser.client.get_cookie(f"__Host-btce-{first}", domain="cds.example.org")
    assert found is not None
    other = door.browser()
    other.client.set_cookie(f"__Host-btce-{second}", found.value, domain="cds.example.org")

    for home in (one, two):
        answer = other.get(home)
        assert (answer.status_code, code(answer)) == (403, "no-session")
        assert PATIENT not in answer.text


@pytest.mark.parametrize("value", ["", "x", "0" * 64, "0" * 63, "é" * 64, "A" * 64])
def test_a_guessed_cookie_opens_nothing(door: Door, browser: Browser, value: str) -> None:
    home = browser.open()
    launch = home.split("/")[-2]
    other = door.browser()
    other.client.set_cookie(f"__Host-btce-{launch}", value, domain="cds.example.org")

    assert code(other.get(home)) == "no-session"


def test_a_guessed_cookie_learns_and_ends_nothing(door: Door, browser: Browser) -> None:
    home = browser.open()
    launch = home.split("/")[-2]
    other = door.browser()
    other.client.set_cookie(f"__Host-btce-{launch}", "0" * 64, domain="cds.example.org")
    door.clock.later(minutes=20)

    assert code(other.get(home)) == "no-session"
    assert code(browser.get(home)) == "idle"
    assert code(other.get(home)) == "no-session"


def test_a_launch_that_was_only_asked_for_has_no_page(browser: Browser) -> None:
    launch = browser.begin().partition(".")[0]

    assert code(browser.get(f"/smart/l/{launch}/")) == "no-session"


def test_a_ninth_launch_ends_the_one_not_used_for_longest(door: Door, browser: Browser) -> None:
    homes = []
    for _ in range(8):
        homes.append(browser.open())
        door.clock.later(seconds=5)
    door.clock.later(minutes=2)
    browser.get(homes[0])  # used again: the second one is the oldest now
    assert len(browser.cookies()) == 8
    homes.append(browser.open())

    assert len(browser.cookies()) == 8
    assert browser.get(homes[0]).status_code == 200
    assert code(browser.get(homes[1])) == "no-session"
    assert all(browser.get(home).status_code == 200 for home in homes[2:])


def test_somebody_elses_launches_are_ended_by_nobody(door: Door, browser: Browser) -> None:
    home = browser.open()
    stranger = door.browser()
    launch = home.split("/")[-2]
    stranger.client.set_cookie(f"__Host-btce-{launch}", "0" * 64, domain="cds.example.org")
    for _ in range(9):
        door.clock.later(seconds=5)
        stranger.open()

    assert browser.get(home).status_code == 200


def test_cookies_of_another_service_of_the_host_stay_until_there_is_a_crowd(
    door: Door, browser: Browser
) -> None:
    for number in range(20):
        browser.client.set_cookie(f"__Host-btce-{number:032x}", "0" * 64, domain="cds.example.org")
    browser.open()
    assert len(browser.cookies()) == 21
    for number in range(20, 32):
        browser.client.set_cookie(f"__Host-btce-{number:032x}", "0" * 64, domain="cds.example.org")
    home = browser.open()

    assert len(browser.cookies()) == 2
    assert browser.get(home).status_code == 200


def test_launches_that_were_never_answered_go_first(door: Door, browser: Browser) -> None:
    home = browser.open()
    door.clock.later(seconds=30)
    for _ in range(20):
        browser.begin()

    assert len(browser.cookies()) == 8
    assert browser.get(home).status_code == 200


# --- Forms ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": PUBLIC}, 200),
        ({"Origin": PUBLIC.upper()}, 200),
        ({"Origin": f"{PUBLIC}:443"}, 200),
        ({"Origin": "", "Sec_Fetch_Site": "same-origin"}, 200),
        ({"Origin": ""}, 403),
        ({"Origin": "", "Sec_Fetch_Site": "same-site"}, 403),
        ({"Origin": "", "Sec_Fetch_Site": "cross-site"}, 403),
        ({"Origin": "", "Sec_Fetch_Site": "none"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "null", "Sec_Fetch_Site": "same-origin"}, 403),
        ({"Origin": EHR}, 403),
        ({"Origin": EHR, "Sec_Fetch_Site": "same-origin"}, 403),
        ({"Origin": PUBLIC.replace("https", "http")}, 403),
        ({"Origin": f"{PUBLIC}:8443"}, 403),
        ({"Origin": f"{PUBLIC}.evil.example.org"}, 403),
        ({"Origin": "https://["}, 403),
        ({"Origin": f"{PUBLIC}, {EHR}"}, 403),
    ],
)
def test_a_form_is_taken_from_the_apps_own_pages_only(
    browser: Browser, headers: dict[str, str], status: int
) -> None:
    answer = send(browser, browser.open(), **headers)

    assert answer.status_code == status
    assert code(answer) == ("" if status == 200 else "origin")


@pytest.mark.parametrize(
    "sent", [[], [""], ["x"], ["right", "right"], ["right", ""], ["rightx"], ["é"], ["\ud800"]]
)
def test_a_form_needs_the_token_of_its_launch_once(browser: Browser, sent: list[str]) -> None:
    home = browser.open()
    right = csrf_of(browser.get(home))
    fields = [("csrf", one.replace("right", right)) for one in sent]
    body = urlencode([*fields, ("value", "1")], errors="surrogatepass")
    answer = browser.post(f"{home}preview", body, Content_Type="application/x-www-form-urlencoded")

    assert (answer.status_code, code(answer)) == (403, "csrf")


def test_a_token_in_the_address_is_none(browser: Browser) -> None:
    home = browser.open()
    csrf = csrf_of(browser.get(home))

    assert code(browser.post(f"{home}preview?csrf={csrf}", {"value": "1"})) == "csrf"


def test_a_form_that_is_too_large_is_refused(browser: Browser) -> None:
    answer = send(browser, browser.open(), "x" * 300_000)

    assert (answer.status_code, code(answer)) == (413, "too-large")


def test_a_form_from_elsewhere_keeps_no_session_open(door: Door, browser: Browser) -> None:
    home = browser.open()
    for _ in range(3):
        door.clock.later(minutes=6)
        send_foreign = browser.post(f"{home}preview", {"value": "1"}, Origin=EHR)
        assert send_foreign.status_code == 403

    assert code(browser.get(home)) == "idle"


# --- Endings --------------------------------------------------------------------------------------


def test_a_session_that_is_not_used_ends(door: Door, browser: Browser) -> None:
    home = browser.open()
    door.clock.later(minutes=15)
    first, second = browser.get(home), browser.get(home)

    assert (first.status_code, code(first)) == (403, "idle")
    assert (second.status_code, code(second)) == (403, "over")
    assert PATIENT not in first.text + second.text


def test_a_session_that_is_used_stays_open(door: Door, browser: Browser) -> None:
    home = browser.open()
    for _ in range(8):
        door.clock.later(minutes=13)
        assert browser.get(home).status_code == 200


def test_a_short_time_out_is_kept_as_well(tmp_path: Path) -> None:
    with front_door(tmp_path, sites=(site(idle_minutes=1),)) as door:
        browser = door.browser()
        home = browser.open()
        for _ in range(6):
            door.clock.later(seconds=50)
            assert browser.get(home).status_code == 200
        door.clock.later(seconds=60)

        assert code(browser.get(home)) == "idle"


def test_a_page_that_renews_itself_keeps_no_session_open(door: Door, browser: Browser) -> None:
    home = browser.open()
    for _ in range(14):
        door.clock.later(minutes=1)
        assert browser.get(home, HX_Request="true").status_code == 200
    door.clock.later(minutes=1)

    assert code(browser.get(home)) == "idle"


@pytest.mark.parametrize("refuses", [None, "token-unreachable"], ids=["renewed", "refused"])
def test_renewing_its_token_keeps_no_session_open(
    door: Door, browser: Browser, refuses: RefusedKind | None
) -> None:
    door.server.lasts = timedelta(minutes=9)
    home = browser.open()
    door.server.refuses = refuses
    for seconds in (485, 50):  # at the second of them, 5 s of the token are left
        door.clock.later(seconds=seconds)
        assert browser.get(home, HX_Request="true").status_code == 200
    door.server.refuses = None
    for _ in range(6):
        door.clock.later(minutes=1)
        assert browser.get(home, HX_Request="true").status_code == 200
    door.clock.later(seconds=5)

    assert code(browser.get(home, HX_Request="true")) == "idle"
    assert door.server.refreshed == [REFRESH]


def test_a_page_that_only_renews_itself_is_over_however_often_its_token_was_renewed(
    door: Door, browser: Browser
) -> None:
    door.server.lasts = timedelta(minutes=9)
    home = browser.open()
    minutes = 0
    while browser.get(home, HX_Request="true").status_code == 200:
        door.clock.later(minutes=1)
        minutes += 1
        assert minutes <= 15

    assert minutes == 15


def test_who_uses_a_page_while_its_token_is_renewed_has_used_it(
    door: Door, browser: Browser
) -> None:
    door.server.lasts = timedelta(minutes=9)
    home = browser.open()
    for _ in range(20):
        door.clock.later(minutes=14)
        assert browser.get(home).status_code == 200


def test_after_twelve_hours_a_session_is_over_however_much_it_is_used(
    door: Door, browser: Browser
) -> None:
    home = browser.open()
    for _ in range(71):
        door.clock.later(minutes=10)
        assert browser.get(home).status_code == 200
    door.clock.later(minutes=10)

    assert code(browser.get(home)) == "over"


def test_leaving_ends_the_session_and_takes_the_cookie_away(door: Door, browser: Browser) -> None:
    home = browser.open()
    left = browser.post(f"{home}leave", {"csrf": csrf_of(browser.get(home))})

    assert left.status_code == 200
    assert "You may close this page now" in left.text
    assert browser.cookies() == []
    (gone,) = left.headers.getlist("Set-Cookie")
    assert {"Max-Age=0", "Partitioned", "Secure", "Path=/"} <= set(gone.split("; "))
    assert f"frame-ancestors 'self' {EHR}" in left.headers["Content-Security-Policy"]
    row = door.launches.get(home.split("/")[-2])
    assert row is not None
    assert (row.stage, row.sealed) == ("ended", b"")


def test_nothing_of_the_record_is_at_hand_after_leaving(door: Door, browser: Browser) -> None:
    home = browser.open()
    launch = home.split("/")[-2]
    door.parts.at_hand.put(launch, PatientRecord(RECORD, (), door.clock.now))
    browser.post(f"{home}leave", {"csrf": csrf_of(browser.get(home))})

    assert door.parts.at_hand.get(launch) is None


def test_leaving_one_launch_leaves_the_other_open(browser: Browser) -> None:
    one, two = browser.open(), browser.open()
    browser.post(f"{one}leave", {"csrf": csrf_of(browser.get(one))})

    assert browser.get(two).status_code == 200


def test_the_last_page_of_a_session_can_be_shown_in_the_frame_of_its_ehr(
    door: Door, browser: Browser
) -> None:
    home = browser.open()
    door.clock.later(hours=20)
    policy = browser.get(home).headers["Content-Security-Policy"]

    assert f"frame-ancestors 'self' {EHR}" in policy


# --- Tokens ---------------------------------------------------------------------------------------


def test_the_database_holds_no_token_no_patient_and_no_user(door: Door, browser: Browser) -> None:
    state = browser.begin()
    raw = door.raw()
    for word in ("verifier-of-the-launch", "nonce-of-the-launch", state, "xyz"):
        assert word.encode() not in raw
    home = browser.open()
    door.server.patient = "another-one"
    csrf = csrf_of(browser.get(home))
    raw = door.raw()

    assert home.split("/")[-2].encode() in raw  # so the bytes are those of the table
    for word in (TOKEN, REFRESH, PATIENT, USER, csrf):
        assert word.encode() not in raw
    assert all(secret not in raw for secret in _secrets(browser))


def _secrets(browser: Browser) -> list[bytes]:
    found = []
    for launch in browser.cookies():
        one = browser.client.get_cookie(f"__Host-btce-{launch}", domain="cds.example.org")
        assert one is not None
        found.append(one.value.encode())
    assert found
    return found


def test_a_token_is_renewed_a_minute_before_it_ends(door: Door, browser: Browser) -> None:
    door.server.lasts = timedelta(minutes=10)
    home = browser.open()
    door.clock.later(minutes=8, seconds=59)
    before = browser.get(home).text
    door.clock.later(seconds=2)
    after = browser.get(home).text

    assert f"{TOKEN} " in before
    assert f"{TOKEN}-1 " in after
    assert door.server.refreshed == [REFRESH]
    assert csrf_of(browser.get(home)) == before.partition("csrf=")[2]


def test_two_requests_at_once_spend_one_refresh_token(door: Door, browser: Browser) -> None:
    door.server.lasts = timedelta(minutes=10)
    home = browser.open()
    launch = home.split("/")[-2]
    cookie = browser.client.get_cookie(f"__Host-btce-{launch}", domain="cds.example.org")
    assert cookie is not None
    door.clock.later(minutes=9, seconds=30)
    everybody = threading.Barrier(6)
    door.server.wait = lambda: threading.Event().wait(0.3)

    def ask(_: int) -> str:
        other = door.browser()
        other.client.set_cookie(cookie.key, cookie.value, domain="cds.example.org")
        everybody.wait()
        return other.get(home).text

    with ThreadPoolExecutor(6) as pool:
        texts = list(pool.map(ask, range(6)))

    assert all(f"{TOKEN}-1 " in text for text in texts)
    assert door.server.refreshed == [REFRESH]


def test_a_token_that_cannot_be_renewed_is_used_to_its_end(door: Door, browser: Browser) -> None:
    door.server.lasts = timedelta(minutes=10)
    home = browser.open()
    door.server.refuses = "token-unreachable"
    door.clock.later(minutes=9, seconds=30)
    assert f"{TOKEN} " in browser.get(home).text
    door.clock.later(seconds=31)
    over = browser.get(home)

    assert (over.status_code, code(over)) == (503, "token-unreachable")


def test_without_a_refresh_token_the_session_ends_with_the_access_token(
    door: Door, browser: Browser
) -> None:
    door.server.lasts, door.server.refresh_token = timedelta(minutes=10), ""
    home = browser.open()
    door.clock.later(minutes=9, seconds=59)
    assert browser.get(home).status_code == 200
    door.clock.later(seconds=1)

    assert code(browser.get(home)) == "token-over"


def test_another_patient_is_opened_as_a_launch_of_its_own(door: Door, browser: Browser) -> None:
    home = browser.open()
    page = csrf_of(browser.get(home))
    answer = browser.post(f"{home}patient", {"csrf": page, "value": "bob"})
    other = answer.text

    assert other != home
    shown = browser.get(other).text
    assert " bob " in shown
    assert f"{TOKEN} " in shown
    assert csrf_of(browser.get(other)) != page
    assert PATIENT in browser.get(home).text
    assert door.server.refreshed == []


def test_a_derived_launch_lasts_no_longer_than_the_one_it_came_from(
    door: Door, browser: Browser
) -> None:
    door.server.lasts = timedelta(hours=24)
    home = browser.open()
    csrf = csrf_of(browser.get(home))
    for _ in range(71):
        door.clock.later(minutes=10)
        browser.get(home)
    other = browser.post(f"{home}patient", {"csrf": csrf, "value": "bob"}).text
    assert browser.get(other).status_code == 200
    door.clock.later(minutes=10)

    assert code(browser.get(other)) == "over"


def opened_from(browser: Browser, home: str, patient: str) -> str:
    """The address of the launch of another patient."""
    answer = browser.post(f"{home}patient", {"csrf": csrf_of(browser.get(home)), "value": patient})
    assert answer.status_code == 200
    return answer.text


def leave(browser: Browser, home: str) -> None:
    left = browser.post(f"{home}leave", {"csrf": csrf_of(browser.get(home))})
    assert left.status_code == 200


def test_leaving_the_launch_of_the_sign_in_ends_what_was_opened_from_it_and_from_there(
    door: Door, browser: Browser
) -> None:
    home = browser.open()
    child = opened_from(browser, home, "bob")
    grandchild = opened_from(browser, child, "carol")
    elsewhere = browser.open()
    leave(browser, home)

    for page in (grandchild, child):
        assert code(browser.get(page)) == "over"
        row = door.launches.get(page.split("/")[-2])
        assert row is not None
        assert (row.stage, row.sealed) == ("ended", b"")
    assert browser.get(elsewhere).status_code == 200


def test_leaving_what_was_opened_from_a_launch_leaves_that_one_and_its_others_open(
    browser: Browser,
) -> None:
    home = browser.open()
    one = opened_from(browser, home, "bob")
    two = opened_from(browser, one, "carol")
    leave(browser, one)

    assert code(browser.get(one)) == "no-session"  # its cookie is gone
    assert browser.get(two).status_code == 200
    assert browser.get(home).status_code == 200


def test_a_launch_is_in_use_while_what_was_opened_from_it_is_used(
    door: Door, browser: Browser
) -> None:
    home = browser.open()
    child = opened_from(browser, home, "bob")
    for _ in range(3):
        door.clock.later(minutes=14)
        assert browser.get(child).status_code == 200
    door.clock.later(minutes=14)

    assert browser.get(home).status_code == 200
    assert browser.get(child).status_code == 200


def test_a_page_that_renews_itself_keeps_the_launch_it_was_opened_from_not_open_either(
    door: Door, browser: Browser
) -> None:
    home = browser.open()
    child = opened_from(browser, home, "bob")
    for _ in range(14):
        door.clock.later(minutes=1)
        assert browser.get(child, HX_Request="true").status_code == 200
    door.clock.later(minutes=1)

    assert code(browser.get(home)) == "idle"


def test_however_many_patients_are_opened_from_a_launch_they_do_not_push_it_out(
    door: Door, browser: Browser
) -> None:
    home = browser.open()
    child = opened_from(browser, home, "bob")
    for number in range(12):
        door.clock.later(seconds=5)
        child = opened_from(browser, child, f"p{number}")
        assert browser.get(child).status_code == 200

    assert browser.get(home).status_code == 200


def test_opening_another_patient_keeps_the_launch_it_is_opened_from(
    door: Door, browser: Browser
) -> None:
    home = browser.open()
    csrf = csrf_of(browser.get(home))
    for _ in range(7):
        door.clock.later(seconds=5)
        browser.open()
    other = browser.post(f"{home}patient", {"csrf": csrf, "value": "bob"}).text

    assert len(browser.cookies()) == 8
    assert browser.get(home).status_code == 200
    assert browser.get(other).status_code == 200


def test_a_derived_launch_renews_no_token_of_the_one_it_came_from(
    door: Door, browser: Browser
) -> None:
    door.server.lasts = timedelta(minutes=10)
    home = browser.open()
    sent = {"csrf": csrf_of(browser.get(home)), "value": "bob"}
    other = browser.post(f"{home}patient", sent).text
    door.clock.later(minutes=10)

    assert code(browser.get(other)) == "token-over"
    assert browser.get(home).status_code == 200
    assert door.server.refreshed == [REFRESH]


@pytest.mark.parametrize("patient", ["", "a b", "Patient/p1", "../x", "x" * 65, "p1\n"])
def test_what_is_no_id_of_a_patient_opens_nothing(browser: Browser, patient: str) -> None:
    home = browser.open()
    sent = {"csrf": csrf_of(browser.get(home)), "value": patient}

    assert code(browser.post(f"{home}patient", sent)) == "bad-request"


# --- Every answer ---------------------------------------------------------------------------------


POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "
)


@pytest.mark.parametrize(
    ("path", "status", "why"),
    [
        ("", 200, ""),
        ("preview", 405, "wrong-method"),
        ("leave", 405, "wrong-method"),
        ("nothing/of/ours", 404, "unknown-path"),
        ("raise/another-patient", 400, "another-patient"),
        ("raise/data-unavailable", 412, "data-unavailable"),
        ("raise/store-down", 503, "store-down"),
        ("raise/fault", 500, "fault"),
    ],
)
def test_every_answer_of_a_launch_says_who_may_frame_it_and_is_kept_nowhere(
    browser: Browser, path: str, status: int, why: str
) -> None:
    home = browser.open()
    answer = browser.get(f"{home}{path}")

    assert answer.status_code == status
    assert code(answer) == why
    framed = f"'self' {EHR}" if status not in (404, 405) else "'none'"
    assert answer.headers["Content-Security-Policy"] == POLICY + framed
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] in ("same-origin", "no-referrer")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert "X-Frame-Options" not in answer.headers
    assert "secret-id" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/smart/",
        "/smart/nothing",
        "/smart/l/",
        "/smart/l/x/",
        "/smart/l/00000000000000000000000000000000/",
        "/smart/l/..%2f..%2fetc/",
        "/smart/launch",
        "/smart/callback",
        "/smart/loose",
        "/smart/static/nothing.css",
    ],
)
def test_nobody_frames_what_belongs_to_no_site(browser: Browser, path: str) -> None:
    answer = browser.get(path)

    assert 400 <= answer.status_code < 500
    assert answer.headers["Content-Security-Policy"] == POLICY + "'none'"
    assert answer.headers["Referrer-Policy"] in ("same-origin", "no-referrer")
    assert "What to do:" in answer.text
    assert answer.text.count("<h1") == 1


def test_a_page_that_belongs_to_no_launch_is_not_shown(browser: Browser) -> None:
    assert code(browser.get("/smart/loose")) == "unknown-path"


def test_pages_with_forms_let_the_browser_send_its_origin(browser: Browser) -> None:
    home = browser.open()

    # Fetch, "append a request Origin header": with no-referrer a form's origin is sent as null.
    assert browser.get(home).headers["Referrer-Policy"] == "same-origin"


def test_static_files_may_be_kept_and_are_served_to_everybody(browser: Browser) -> None:
    answer = browser.get("/smart/static/app.css")

    assert answer.status_code == 200
    assert "Content-Security-Policy" not in answer.headers


def test_the_allowed_methods_are_named(browser: Browser) -> None:
    answer = browser.get(f"{browser.open()}preview")

    assert "POST" in answer.headers["Allow"]


def test_a_script_gets_a_part_of_a_page(browser: Browser) -> None:
    home = browser.open()
    answer = browser.get(f"{home}raise/store-down", HX_Request="true")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert 'role="alert"' in answer.text
    assert "<html" not in answer.text
    assert "What to do:" in answer.text


def test_while_the_store_is_down_every_way_in_says_so(door: Door, browser: Browser) -> None:
    home, state = browser.open(), browser.begin()
    door.file.rename(door.file.with_name("elsewhere"))
    answers = [
        browser.get(home),
        browser.get(f"/smart/launch?iss={BASE}&launch=xyz"),
        browser.back(state),
        browser.post(f"{home}leave", {"csrf": "x"}),
    ]

    assert [(one.status_code, code(one)) for one in answers] == [(503, "store-down")] * 4
    assert all(one.headers["Retry-After"] for one in answers)


def test_the_log_names_the_kind_and_nobody(door: Door, browser: Browser) -> None:
    home = browser.open()
    with logged() as lines:
        for kind in ("another-patient", "fault"):
            browser.get(f"{home}raise/{kind}")
        browser.post(f"{home}preview", {"csrf": "x"})
        door.clock.later(minutes=20)
        browser.get(home)

    assert [line["code"] for line in lines if line["event"] == "bedside-problem"] == [
        "another-patient",
        "fault",
        "csrf",
        "idle",
    ]
    assert {line.get("site") for line in lines if line["event"] == "bedside-problem"} == {"ward"}
    everything = str(lines)
    for word in ("secret-id", TOKEN, PATIENT, home, home.split("/")[-2]):
        assert word not in everything
