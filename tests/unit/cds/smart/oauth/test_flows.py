"""A launch that goes well, over real HTTP: SMART App Launch 2.2, sections "Launch and
Authorization" and "Refresh access token".
"""

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from cds.clock import system_clock
from cds.smart.oauth import Granted, LaunchRefused, SmartClient, launch_of
from cds.smart.oauth.asking import scope_for
from cds.smart.oauth.granted import LONGEST, UNSAID
from tests.unit.cds.backend.hospital import SECRET, Monotonic
from tests.unit.cds.smart.oauth.authority import (
    ENCOUNTER,
    GONE,
    LAUNCH,
    LAUNCH_ID,
    PATIENT,
    REDIRECT,
    SCOPE,
    USER,
    V2,
    authority,
    browse,
    client,
    launched,
    site_of,
)


@pytest.mark.parametrize("launch", [LAUNCH, None], ids=["EHR", "standalone"])
@pytest.mark.parametrize("auth", ["public", "client_secret_basic", "private_key_jwt"])
def test_every_kind_of_client_gets_the_patient_the_user_and_a_token(
    auth: str, launch: str | None, tmp_path: Path
) -> None:
    with authority(auth) as server:
        granted = launched(site_of(server, tmp_path), client(), launch)
    assert server.refusals == []
    assert granted.access_token.startswith("Canary-")
    assert (granted.patient, granted.user) == (PATIENT, USER)
    assert (granted.encounter, granted.banner) == (f"Encounter/{ENCOUNTER}", False)
    assert "patient/*.rs" in granted.scopes
    assert ("launch" in granted.scopes, "launch/patient" in granted.scopes) == (
        launch is not None,
        launch is None,
    )
    assert abs(granted.expires_at - datetime.now(UTC) - timedelta(minutes=15)) < timedelta(  # noqa: TID251
        seconds=20
    )


@pytest.mark.parametrize(
    "scope",
    [
        V2,
        "patient/*.read patient/Observation.write",
        "patient/*.*",
        "patient/Patient.r patient/Observation.rs patient/MedicationRequest.rs",
        "patient/Patient.read patient/Observation.read patient/MedicationAdministration.read",
        "user/*.rs",
        "patient/Patient.rs patient/Observation.rs?category=vital-signs"
        " patient/MedicationRequest.rs",
    ],
)
def test_scopes_of_both_versions_are_understood(scope: str, tmp_path: Path) -> None:
    with authority() as server:
        site = site_of(server, tmp_path, scope=f"launch openid fhirUser {scope}")
        assert set(scope.split()) <= launched(site, client()).scopes


def test_a_missing_right_to_write_is_no_refusal(tmp_path: Path) -> None:
    with authority() as server:
        server.answered = {"scope": "launch openid fhirUser patient/*.rs"}
        granted = launched(site_of(server, tmp_path), client())
    assert granted.scopes == {"launch", "openid", "fhirUser", "patient/*.rs"}


def test_the_launch_is_found_by_the_state_that_comes_back(tmp_path: Path) -> None:
    with authority() as server:
        asked = client().begin(
            site_of(server, tmp_path), launch=LAUNCH, launch_id=LAUNCH_ID, redirect_uri=REDIRECT
        )
        assert launch_of(browse(asked.url)) == LAUNCH_ID
    query = parse_qs(urlsplit(asked.url).query)
    assert query["state"] == [asked.pending.state]
    assert query["nonce"] == [asked.pending.nonce]
    assert asked.pending.verifier not in asked.url


def test_no_two_launches_share_a_state_a_nonce_or_a_verifier(tmp_path: Path) -> None:
    with authority() as server:
        site, by = site_of(server, tmp_path), client()
        pending = [
            by.begin(site, launch=LAUNCH, launch_id=LAUNCH_ID, redirect_uri=REDIRECT).pending
            for _ in range(20)
        ]
    for values in zip(*((one.state, one.nonce, one.verifier) for one in pending), strict=True):
        assert len(set(values)) == 20
        assert all(len(value) >= 43 for value in values)


@pytest.mark.parametrize(
    ("standalone", "expected"),
    [(False, "launch openid patient/*.rs"), (True, "launch/patient openid patient/*.rs")],
)
def test_the_launch_scope_that_fits_is_asked_for_once(*, standalone: bool, expected: str) -> None:
    for given in ("launch launch/patient openid patient/*.rs", "openid patient/*.rs"):
        assert sorted(scope_for(given, standalone=standalone).split()) == sorted(expected.split())


def test_without_openid_nobody_is_named_and_no_key_is_read(tmp_path: Path) -> None:
    with authority() as server:
        server.metadata = {"issuer": GONE, "jwks_uri": GONE}
        granted = launched(site_of(server, tmp_path, scope=f"launch {V2}"), client())
        assert (granted.user, server.paths("/jwks")) == ("", [])


def test_the_server_is_asked_about_itself_once_an_hour(tmp_path: Path) -> None:
    monotonic = Monotonic()
    by = SmartClient(system_clock, monotonic)
    with authority() as server:
        site = site_of(server, tmp_path)
        for _ in range(3):
            launched(site, by)
        assert len(server.paths("/fhir/.well-known")) == 1
        monotonic.now += 3600
        launched(site, by)
        assert len(server.paths("/fhir/.well-known")) == 2


@pytest.mark.parametrize(
    ("said", "lasts"),
    [
        (GONE, UNSAID),
        (None, UNSAID),
        ("900", timedelta(minutes=15)),
        (570.5, timedelta(seconds=570.5)),
        (10**12, LONGEST),
        ("1e400", LONGEST),
    ],
)
def test_a_token_lasts_a_bounded_time(said: object, lasts: timedelta, tmp_path: Path) -> None:
    now = system_clock()
    with authority() as server:
        server.answered = {"expires_in": said}
        granted = launched(site_of(server, tmp_path), client(lambda: now))
    assert granted.expires_at - now == lasts


@pytest.mark.parametrize(
    "context",
    [
        '{"patient": "p1"}',
        '{"patient":"Patient/p1","x":1}',
        {"patient": "p1"},
        "topic-7",
        '["p2"]',
        '{"patient":null}',
        "",
        None,
    ],
)
def test_what_a_card_meant_may_be_json_or_text(context: object, tmp_path: Path) -> None:
    with authority() as server:
        server.answered = {"appContext": context}
        granted = launched(site_of(server, tmp_path), client())
    if isinstance(context, dict):
        assert json.loads(granted.app_context) == context
    else:
        assert granted.app_context == (context or "")


@pytest.mark.parametrize("said", [GONE, None, True, "no", 0])
def test_the_banner_is_shown_unless_the_server_says_clearly_that_it_need_not(
    said: object, tmp_path: Path
) -> None:
    with authority() as server:
        server.answered = {"need_patient_banner": said}
        assert launched(site_of(server, tmp_path), client()).banner


def test_no_encounter_is_none(tmp_path: Path) -> None:
    with authority() as server:
        server.answered = {"encounter": GONE}
        assert launched(site_of(server, tmp_path), client()).encounter == ""


def test_what_was_granted_survives_being_stored(tmp_path: Path) -> None:
    with authority() as server:
        granted = launched(site_of(server, tmp_path), client())
    assert msgspec.json.decode(msgspec.json.encode(granted), type=Granted) == granted


def test_no_token_code_or_secret_is_shown_or_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with authority("client_secret_basic") as server:
        site, by = site_of(server, tmp_path), client()
        asked = by.begin(site, launch=LAUNCH, launch_id=LAUNCH_ID, redirect_uri=REDIRECT)
        args = browse(asked.url)
        caplog.clear()  # the browser's own line
        granted = by.finish(site, asked.pending, args)
        with pytest.raises(LaunchRefused) as caught:
            by.finish(site, asked.pending, args)
    shown = f"{asked!r} {asked.pending!r} {granted!r} {caught.value!r} {caplog.text}"
    hidden: Sequence[str] = (
        asked.pending.state,
        asked.pending.nonce,
        asked.pending.verifier,
        args["code"][0],
        granted.access_token,
        granted.refresh_token,
        SECRET,
        USER,
        SCOPE,
    )
    for value in hidden:
        assert value not in shown
