"""The authorization endpoint: RFC 6749 4.1, RFC 7636 4.3, RFC 9207, SMART "App Launch"."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import TestResponse

from tests.demo.authorization.hospital import (
    ALONE,
    BASE,
    CALLBACK,
    EHR,
    ISSUER,
    LAUNCH_URL,
    ORIGIN,
    Ward,
    asking,
    said,
    ward,
)


@pytest.fixture
def server() -> Ward:
    return ward()


def test_an_ehr_launch_is_approved_at_once(server: Ward) -> None:
    found = said(server.authorize(launch=server.launch()))
    assert found.keys() == {"code", "state", "iss"}
    assert (found["state"], found["iss"]) == ("the-state", ISSUER)
    assert server.redeem(found["code"]).json["patient"] == "p1"  # type: ignore[index]


def test_the_request_may_be_posted(server: Ward) -> None:
    answer = server.http.post("/oauth2/authorize", data=asking(launch=server.launch()))
    assert "code" in said(answer)


# SMART "App Launch": what an authorization request has to have, and the error of RFC 6749 4.1.2.1.
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("no response_type", {"response_type": None}, "invalid_request"),
    ("a token, not a code", {"response_type": "token"}, "unsupported_response_type"),
    ("no state", {"state": None}, "invalid_request"),
    ("an empty state", {"state": ""}, "invalid_request"),
    ("two states", {"state": ["a", "b"]}, "invalid_request"),
    ("no aud", {"aud": None}, "invalid_request"),
    ("aud of another server", {"aud": "https://ehr.example.org/fhir"}, "invalid_request"),
    ("aud of the origin alone", {"aud": ORIGIN}, "invalid_request"),
    ("aud with more behind it", {"aud": f"{BASE}x"}, "invalid_request"),
    ("two auds", {"aud": [BASE, BASE]}, "invalid_request"),
    ("no PKCE", {"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ("no method, which means plain", {"code_challenge_method": None}, "invalid_request"),
    ("PKCE plain", {"code_challenge_method": "plain"}, "invalid_request"),
    ("a short challenge", {"code_challenge": "abc"}, "invalid_request"),
    ("a padded challenge", {"code_challenge": "a" * 43 + "="}, "invalid_request"),
    ("no scope", {"scope": None}, "invalid_request"),
    ("a scope nobody knows", {"scope": "everything"}, "invalid_scope"),
    ("a system scope", {"scope": "system/*.rs"}, "invalid_scope"),
    ("scope twice", {"scope": [EHR, EHR]}, "invalid_request"),
    ("a request object", {"request": "e30."}, "request_not_supported"),
    ("a request by URI", {"request_uri": f"{ORIGIN}/x"}, "request_uri_not_supported"),
    ("a launch nobody made", {"launch": "made-up"}, "invalid_request"),
    ("the scope launch without one", {"launch": None}, "invalid_request"),
    ("a launch without its scope", {"scope": "openid patient/*.rs"}, "invalid_scope"),
    ("a state without end", {"state": "s" * 5000}, "invalid_request"),
    ("a nonce without end", {"nonce": "n" * 5000}, "invalid_request"),
]


@pytest.mark.parametrize(
    ("changes", "error"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_a_request_that_is_not_in_order_is_sent_back_with_its_error(
    server: Ward, changes: dict[str, Any], error: str
) -> None:
    found = said(server.authorize(**{"launch": server.launch(), **changes}))
    assert found["error"] == error
    assert found.get("state") == (None if "state" in changes else "the-state")
    assert found["iss"] == ISSUER
    assert "code" not in found


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None},
        {"client_id": "nobody"},
        {"client_id": ["bedside", "bedside"]},
        {"client_id": "service"},  # has no address to return to
        {"client_id": "other-app"},  # the address is another app's
        {"redirect_uri": None},
        {"redirect_uri": f"{CALLBACK}/"},
        {"redirect_uri": f"{CALLBACK}?more=1"},
        {"redirect_uri": CALLBACK.upper()},
        {"redirect_uri": CALLBACK.replace("127.0.0.1", "127.0.0.1.evil.example")},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": [CALLBACK, "https://evil.example/callback"]},
    ],
)
def test_nobody_is_redirected_before_client_and_address_are_verified(
    server: Ward, changes: dict[str, Any]
) -> None:
    answer = server.authorize(launch=server.launch(), **changes)
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "evil" not in answer.text
    assert "start the app again" in answer.text


def test_a_launch_is_good_once(server: Ward) -> None:
    launch = server.launch()
    assert "code" in said(server.authorize(launch=launch))
    assert said(server.authorize(launch=launch))["error"] == "invalid_request"


def test_a_launch_is_good_for_a_short_time(server: Ward) -> None:
    launch = server.launch()
    server.clock.later(minutes=5)
    assert said(server.authorize(launch=launch))["error"] == "invalid_request"


def test_a_refused_request_does_not_use_the_launch_up(server: Ward) -> None:
    launch = server.launch()
    server.authorize(launch=launch, aud="https://ehr.example.org")
    assert "code" in said(server.authorize(launch=launch))


def test_the_launch_of_one_app_is_of_no_use_to_another(server: Ward) -> None:
    uri = f"{ORIGIN}/other/callback?kept=1"
    answer = server.authorize(
        client_id="other-app", redirect_uri=uri, launch=server.launch(), scope="launch openid"
    )
    found = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert found["error"] == ["invalid_request"]
    assert found["kept"] == ["1"], "what the registered address has stays in it"


def test_an_app_gets_no_scope_it_is_not_registered_for() -> None:
    server = ward()
    launch = f"{ORIGIN}/other/launch"
    answer = server.http.post(
        "/fhir/_services/smart/Launch", json={"launchUrl": launch, "parameters": {"patient": "p1"}}
    )
    assert answer.json is not None
    uri = f"{ORIGIN}/other/callback?kept=1"
    scope = "launch openid patient/*.rs patient/Observation.cruds patient/Condition.rs user/*.rs"
    sent = server.authorize(
        client_id="other-app", redirect_uri=uri, launch=answer.json["launch_id"], scope=scope
    )
    code = parse_qs(urlsplit(sent.headers["Location"]).query)["code"][0]
    granted = server.redeem(code, client_id="other-app", redirect_uri=uri).json
    assert granted is not None
    assert granted["scope"] == "launch openid patient/Observation.rs patient/Condition.r"


def test_without_a_patient_at_the_launch_no_patient_scope_is_granted(server: Ward) -> None:
    found = server.granted("launch patient/*.rs user/Patient.rs", patient="")
    assert found["scope"] == "launch user/Patient.rs"
    assert "patient" not in found
    refused = server.authorize(launch=server.launch(""), scope="launch patient/*.rs")
    assert said(refused)["error"] == "invalid_scope"


def chosen(server: Ward, page: TestResponse, **changes: str) -> TestResponse:
    """Answer the page of a standalone launch."""
    found = re.search(r'name="asking" value="([^"]+)"', page.text)
    assert found is not None
    form = {
        "asking": found[1],
        "patient": "p2",
        "user": "Practitioner/dr2",
        "answer": "allow",
        **changes,
    }
    return server.http.post("/oauth2/choose", data=form)


def test_standalone_the_person_chooses_patient_and_practitioner(server: Ward) -> None:
    page = server.authorize(scope=ALONE)
    assert page.status_code == 200
    for text in ("Ana Reyes", "1961-02-03", "Ben Okoye", "Dr Noor Haddad", "Lind"):
        assert text in page.text
    granted = server.redeem(said(chosen(server, page))["code"]).json
    assert granted is not None
    assert granted["patient"] == "p2"


def test_nothing_is_chosen_beforehand_but_who_is_signed_in(server: Ward) -> None:
    page = server.authorize(scope=ALONE).text
    checked = re.findall(r"<input[^>]*checked[^>]*>", page)
    assert len(checked) == 1
    assert 'value="Practitioner/dr1"' in checked[0]


def test_without_patient_scopes_no_patient_is_asked_for(server: Ward) -> None:
    page = server.authorize(scope="openid user/*.rs")
    assert "Ana Reyes" not in page.text
    granted = server.redeem(said(chosen(server, page))["code"]).json
    assert granted is not None
    assert "patient" not in granted


def test_who_says_no_is_taken_at_their_word(server: Ward) -> None:
    found = said(chosen(server, server.authorize(scope=ALONE), answer="deny"))
    assert (found["error"], found["state"], found["iss"]) == ("access_denied", "the-state", ISSUER)


@pytest.mark.parametrize(
    "changes",
    [{"asking": "made-up"}, {"patient": "p9"}, {"patient": ""}, {"user": "Practitioner/dr9"}],
)
def test_a_choice_that_was_not_offered_is_refused(server: Ward, changes: dict[str, str]) -> None:
    answer = chosen(server, server.authorize(scope=ALONE), **changes)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_a_choice_is_made_once_and_soon(server: Ward) -> None:
    page = server.authorize(scope=ALONE)
    said(chosen(server, page))
    assert chosen(server, page).status_code == 400
    page = server.authorize(scope=ALONE)
    server.clock.later(minutes=10)
    assert chosen(server, page).status_code == 400


def test_who_wants_no_page_gets_none(server: Ward) -> None:
    found = said(server.authorize(scope=ALONE, prompt="none"))
    assert found["error"] == "interaction_required"


def test_the_page_may_not_be_framed_and_runs_nothing(server: Ward) -> None:
    page = server.authorize(scope=ALONE)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert f"form-action 'self' {ORIGIN};" in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert "<script" not in page.text
    assert "style=" not in page.text


def test_every_control_of_the_page_has_its_label(server: Ward) -> None:
    page = server.authorize(scope=ALONE).text
    controls = set(re.findall(r'<input type="radio" id="([^"]+)"', page))
    assert controls == set(re.findall(r'<label for="([^"]+)"', page))
    assert len(controls) == 4
    assert page.count("<h1>") == 1
    assert 'lang="en"' in page


def test_a_name_is_shown_as_text(server: Ward) -> None:
    name = [{"text": "<script>alert(1)</script>"}]
    bad = {"resourceType": "Patient", "id": "p3", "name": name}
    server.store.load([bad], now=server.clock.now)
    assert "<script" not in server.authorize(scope=ALONE).text


def test_a_launch_url_is_kept_with_the_launch() -> None:
    server = ward()
    answer = server.http.post(
        "/fhir/_services/smart/Launch",
        json={"launchUrl": f"{LAUNCH_URL}?x=1", "parameters": {"patient": "p1"}},
    )
    assert answer.json is not None
    assert "code" in said(server.authorize(launch=answer.json["launch_id"]))
