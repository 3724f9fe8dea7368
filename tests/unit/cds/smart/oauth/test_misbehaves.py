"""An authorization server, or somebody in between, that does not do what the specifications say.

Each way has a name and the kind of refusal it must get; every kind has words for a page.
"""

import time
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from cds.clock import system_clock
from cds.smart.oauth import TEXTS, RefusedKind
from cds.smart.oauth.callback import LONGEST_WAIT
from tests.unit.cds.smart.oauth.authority import (
    GONE,
    LAUNCH,
    LAUNCH_ID,
    REDIRECT,
    V2,
    authority,
    browse,
    client,
    kept,
    launched,
    refused,
    site_of,
)
from tests.unit.cds.smart.oauth.ways import Case
from tests.unit.cds.smart.oauth.ways_to_grant import TOKEN
from tests.unit.cds.smart.oauth.ways_to_identify import IDENTITY
from tests.unit.cds.smart.oauth.ways_to_send_back import CALLBACK, DISCOVERY


BUDGET, MARGIN = 0.6, 4.0  # seconds; a busy machine is slow, an endless answer is not answered
CASES = [*CALLBACK, *DISCOVERY, *TOKEN, *IDENTITY]


@pytest.mark.parametrize("case", CASES, ids=[one.name for one in CASES])
def test_it_is_refused_in_time_and_by_its_kind(case: Case, tmp_path: Path) -> None:
    with authority() as server:
        case.spoils(server)
        site, start = site_of(server, tmp_path), time.monotonic()
        by = client(seconds=BUDGET) if case.slow else client()
        found = refused(lambda: launched(site, by))
        if case.slow:
            assert time.monotonic() - start < BUDGET + MARGIN
    assert found.kind == case.kind


def test_there_are_many_ways_and_every_one_has_its_own_name() -> None:
    assert len({one.name for one in CASES}) == len(CASES) >= 40


def test_a_callback_is_good_once(tmp_path: Path) -> None:
    with authority() as server:
        site, by = site_of(server, tmp_path), client()
        asked = by.begin(site, launch=LAUNCH, launch_id=LAUNCH_ID, redirect_uri=REDIRECT)
        args = browse(asked.url)
        by.finish(site, asked.pending, args)
        assert refused(lambda: by.finish(site, asked.pending, args)).kind == "code-refused"


def test_two_launches_do_not_take_each_others_answers(tmp_path: Path) -> None:
    with authority() as server:
        site, by = site_of(server, tmp_path), client()
        one, other = (
            by.begin(site, launch=LAUNCH, launch_id=launch_id, redirect_uri=REDIRECT)
            for launch_id in ("one", "other")
        )
        args = browse(other.url)
        assert refused(lambda: by.finish(site, kept(one.pending), args)).kind == "state"
        assert server.paths("/token") == []


def test_a_code_of_another_launch_is_not_taken_for_ours(tmp_path: Path) -> None:
    with authority() as server:
        site, by = site_of(server, tmp_path), client()
        one, other = (
            by.begin(site, launch=LAUNCH, launch_id=LAUNCH_ID, redirect_uri=REDIRECT)
            for _ in range(2)
        )
        args = {**browse(one.url), "code": browse(other.url)["code"]}
        assert refused(lambda: by.finish(site, one.pending, args)).kind == "code-refused"


def test_the_answer_for_one_site_is_none_for_another(tmp_path: Path) -> None:
    with authority() as server:
        site, by = site_of(server, tmp_path), client()
        asked = by.begin(site, launch=LAUNCH, launch_id=LAUNCH_ID, redirect_uri=REDIRECT)
        other = msgspec.structs.replace(site, id="south")
        args = browse(asked.url)
        assert refused(lambda: by.finish(other, asked.pending, args)).kind == "state"


def test_the_code_goes_to_the_server_that_was_asked(tmp_path: Path) -> None:
    with authority() as server, authority() as evil:
        site = site_of(server, tmp_path)
        by = client()
        asked = by.begin(site, launch=LAUNCH, launch_id=LAUNCH_ID, redirect_uri=REDIRECT)
        args = browse(asked.url)
        server.metadata = {"token_endpoint": evil.token_url}
        client().finish(site, kept(asked.pending), args)  # another process, which reads it anew
        assert evil.asked == []


def test_whoever_comes_back_too_late_begins_again(tmp_path: Path) -> None:
    now = [system_clock()]
    with authority() as server:
        site, by = site_of(server, tmp_path), client(lambda: now[0])
        asked = by.begin(site, launch=LAUNCH, launch_id=LAUNCH_ID, redirect_uri=REDIRECT)
        args = browse(asked.url)
        now[0] += LONGEST_WAIT + timedelta(seconds=1)
        assert refused(lambda: by.finish(site, asked.pending, args)).kind == "too-late"
        assert server.paths("/token") == []


def test_an_issuer_of_a_server_that_has_none_is_refused(tmp_path: Path) -> None:
    with authority() as server:
        server.metadata = {"issuer": GONE}
        server.back = {"iss": [server.url]}
        site = site_of(server, tmp_path, scope=f"launch {V2}")
        assert refused(lambda: launched(site, client())).kind == "issuer"


@pytest.mark.parametrize("launch", ["", "a\nb", "ü", "x" * 5000])
def test_a_launch_that_cannot_be_passed_on_asks_nobody_in(launch: str, tmp_path: Path) -> None:
    with authority() as server:
        site = site_of(server, tmp_path)
        assert refused(lambda: launched(site, client(), launch)).kind == "launch"


def test_a_site_without_the_app_is_not_configured(tmp_path: Path) -> None:
    with authority() as server:
        site = site_of(server, tmp_path)
        for change in ({"smart": None}, {"fhir_base": None}):
            bare = msgspec.structs.replace(site, **change)
            assert refused(partial(launched, bare, client())).kind == "not-configured"
        assert server.asked == []


@pytest.mark.parametrize(
    ("auth", "file"), [("client_secret_basic", "secret"), ("private_key_jwt", "key.json")]
)
def test_a_key_that_cannot_be_read_is_ours_to_mend(auth: str, file: str, tmp_path: Path) -> None:
    with authority(auth) as server:
        site = site_of(server, tmp_path)
        (tmp_path / file).unlink()
        assert refused(lambda: launched(site, client())).kind == "no-key"
        assert server.paths("/token") == []


@pytest.mark.parametrize("auth", ["client_secret_basic", "private_key_jwt"])
def test_a_client_that_cannot_prove_itself_is_told_so(auth: str, tmp_path: Path) -> None:
    with authority(auth) as server:
        site = site_of(server, tmp_path, auth="public")
        assert refused(lambda: launched(site, client())).kind == "client-refused"


def test_every_kind_of_refusal_has_its_words_and_every_page_says_what_to_do() -> None:
    assert set(TEXTS) == set(get_args(RefusedKind))
    for text in TEXTS.values():
        assert 0 < len(text.title) <= 70
        for sentence in (text.what_to_do, text.tell):
            assert sentence.endswith(".")


def test_every_kind_is_reached_by_a_test() -> None:
    elsewhere = {"not-configured", "launch", "no-key", "too-late", "no-refresh", "refresh-refused"}
    assert {one.kind for one in CASES} | elsewhere == set(get_args(RefusedKind))
