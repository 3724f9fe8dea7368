"""Asking a token endpoint for a token, over real sockets: RFC 7523, RFC 6749 4.4, SMART Backend
Services "Obtain access token".
"""

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cds.backend import BackendFailed, Token
from cds.config import Site
from tests.functional.fhir_upstream import Listener, reply
from tests.unit.cds.backend.hospital import (
    SECRET,
    Monotonic,
    hospital,
    private,
    site_of,
    tokens,
)


def got(token: Token | None) -> Token:
    assert token is not None
    return token


@pytest.mark.parametrize("algorithm", ["ES384", "RS384", "ES256", "PS256"])
def test_an_endpoint_that_checks_the_assertion_gives_a_token(
    algorithm: str, tmp_path: Path
) -> None:
    with hospital(algorithm) as server:
        token = got(tokens().token(site_of(server, tmp_path)))
        assert token.value == "Canary-token-1"
        assert server.refusals == []
        assert server.paths("/token")[0].form["scope"] == "system/*.rs"


def test_the_endpoint_is_read_from_the_server_unless_it_is_configured(tmp_path: Path) -> None:
    with hospital() as server:
        tokens().token(site_of(server, tmp_path, token_url=server.token_url))
        assert [one.path for one in server.asked] == ["/token"]
        tokens().token(site_of(server, tmp_path))
        assert [one.path for one in server.asked][1:] == [
            "/fhir/.well-known/smart-configuration",
            "/token",
        ]


def test_a_secret_goes_in_the_basic_header_and_no_assertion_with_it(tmp_path: Path) -> None:
    with hospital() as server:
        site = site_of(server, tmp_path, auth="client_secret_basic")
        assert got(tokens().token(site)).value == "Canary-token-1"
        assert server.refusals == []
        assert SECRET.encode() not in server.paths("/token")[0].body


def test_a_server_that_asks_for_none_gets_none(tmp_path: Path) -> None:
    with hospital() as server:
        assert tokens().token(site_of(server, tmp_path, auth="none")) is None
        assert server.asked == []


def test_every_assertion_has_a_jti_of_its_own(tmp_path: Path) -> None:
    clock = Monotonic()
    with hospital() as server:
        site, asking = site_of(server, tmp_path), tokens(clock)
        for _ in range(3):
            asking.token(site)
            clock.now += 400
        assert (len(server.paths("/token")), server.refusals) == (3, [])


def test_a_token_is_used_until_shortly_before_it_ends(tmp_path: Path) -> None:
    clock = Monotonic()
    with hospital() as server:
        site, asking = site_of(server, tmp_path), tokens(clock)
        first = got(asking.token(site))
        clock.now += 269
        assert asking.token(site) is first
        clock.now += 2
        assert got(asking.token(site)).value == "Canary-token-2"


def test_the_endpoint_is_not_looked_up_for_every_token(tmp_path: Path) -> None:
    clock = Monotonic()
    with hospital() as server:
        site, asking = site_of(server, tmp_path), tokens(clock)
        for _ in range(4):
            asking.token(site)
            clock.now += 400
        assert len(server.paths("/fhir/.well-known")) == 1
        clock.now += 3600
        asking.token(site)
        assert len(server.paths("/fhir/.well-known")) == 2


def test_thirty_threads_ask_once(tmp_path: Path) -> None:
    with hospital() as server:
        server.wait = 0.1
        site, asking = site_of(server, tmp_path), tokens()
        with ThreadPoolExecutor(30) as pool:
            found = {got(one).value for one in pool.map(lambda _: asking.token(site), range(30))}
        assert found == {"Canary-token-1"}
        assert len(server.paths("/token")) == 1


def test_two_sites_do_not_share_a_token(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with hospital() as one, hospital() as two:
        asking = tokens()
        two.valid.add("taken")
        first = site_of(one, tmp_path / "one")
        found = site_of(two, tmp_path / "two")
        second = Site(
            id="south", fhir_base=two.base, protocol="x", zone=found.zone, backend=found.backend
        )
        values = [got(asking.token(site)).value for site in (first, second)]
    assert values == ["Canary-token-1", "Canary-token-2"]


def test_a_changed_key_file_is_used_without_a_restart(tmp_path: Path) -> None:
    clock = Monotonic()
    with hospital() as server:
        site, asking = site_of(server, tmp_path), tokens(clock)
        asking.token(site)
        server.key = private("ES384")
        site_of(server, tmp_path)  # writes the new key
        clock.now += 400
        asking.token(site)
        assert server.refusals == []


@pytest.mark.parametrize(
    "content", [None, b"", b"[]", b"\xff", b'{"kid": "k1", "kty": "EC"}', b"[" * 100_000]
)
def test_a_key_that_cannot_be_used_asks_nobody(content: bytes | None, tmp_path: Path) -> None:
    with hospital() as server:
        site = site_of(server, tmp_path, token_url=server.token_url)
        key = tmp_path / "key.json"
        if content is None:
            key.unlink()
        else:
            key.write_bytes(content)
        with pytest.raises(BackendFailed) as caught:
            tokens().token(site)
        assert (caught.value.kind, server.asked) == ("token-no-key", [])


def test_a_key_of_another_curve_asks_nobody(tmp_path: Path) -> None:
    with hospital("ES256") as server:
        site = site_of(server, tmp_path, algorithm="ES384", token_url=server.token_url)
        with pytest.raises(BackendFailed) as caught:
            tokens().token(site)
        assert (caught.value.kind, server.asked) == ("token-no-key", [])


def _fails(site: Site, clock: Monotonic, asking: object) -> tuple[str, float | None]:
    with pytest.raises(BackendFailed) as caught:
        asking.token(site)  # type: ignore[attr-defined]
    return caught.value.kind, caught.value.retry_after


def test_a_server_at_fault_is_left_alone_twice_as_long_each_time(tmp_path: Path) -> None:
    clock = Monotonic()
    with hospital() as server:
        server.does["/token"] = reply(b"", status=500)
        site, asking = site_of(server, tmp_path), tokens(clock)
        times = []
        for _ in range(3000):
            before = len(server.paths("/token"))
            assert _fails(site, clock, asking)[0] == "token-server-error"
            if len(server.paths("/token")) > before:
                times.append(clock.now - 1000)
            clock.now += 1
    assert times == [0, 2, 6, 14, 30, 62, 126, 254, 510, 1022, 1622, 2222, 2822]


def test_while_it_pauses_the_failure_says_how_long(tmp_path: Path) -> None:
    clock = Monotonic()
    with hospital() as server:
        server.does["/token"] = reply(b"{}", status=429, Retry_After="120")
        site, asking = site_of(server, tmp_path), tokens(clock)
        assert _fails(site, clock, asking) == ("token-too-many-requests", 120)
        clock.now += 20
        assert _fails(site, clock, asking) == ("token-too-many-requests", 100)
        assert len(server.paths("/token")) == 1


def test_a_client_that_is_refused_asks_once_a_minute_at_most(tmp_path: Path) -> None:
    clock = Monotonic()
    with hospital() as server:
        site, asking = site_of(server, tmp_path, client_id="somebody else"), tokens(clock)
        for _ in range(60):
            assert _fails(site, clock, asking)[0] == "token-client-refused"
            clock.now += 1
        assert len(server.paths("/token")) == 1


def test_while_the_server_is_down_a_token_that_is_still_good_is_used(tmp_path: Path) -> None:
    clock = Monotonic()
    with hospital() as server:
        site, asking = site_of(server, tmp_path), tokens(clock)
        first = got(asking.token(site))
        server.does["/token"] = reply(b"", status=503)
        clock.now += 280
        assert asking.token(site) is first
        clock.now += 25
        assert _fails(site, clock, asking)[0] == "token-server-error"


def test_after_a_success_the_pauses_begin_anew(tmp_path: Path) -> None:
    clock = Monotonic()
    with hospital() as server:
        site, asking = site_of(server, tmp_path), tokens(clock)
        server.does["/token"] = reply(b"", status=500)
        for _ in range(3):
            _fails(site, clock, asking)
            clock.now += 100
        del server.does["/token"]
        assert asking.token(site) is not None
        server.does["/token"] = reply(b"", status=500)
        clock.now += 400
        _fails(site, clock, asking)
        assert _fails(site, clock, asking)[1] == 2


def test_a_refused_token_is_replaced_but_not_one_got_a_moment_ago(tmp_path: Path) -> None:
    clock = Monotonic()
    with hospital() as server:
        site, asking = site_of(server, tmp_path), tokens(clock)
        first = got(asking.token(site))
        assert asking.instead_of(first, site) is None
        clock.now += 11
        second = got(asking.instead_of(first, site))
        assert second.value == "Canary-token-2"
        assert asking.instead_of(first, site) is second  # another thread saw the old one refused
        assert len(server.paths("/token")) == 2


def test_a_waiting_thread_gives_up_in_time(tmp_path: Path) -> None:
    with hospital() as server:
        server.wait = 1.0
        site, asking = site_of(server, tmp_path, token_url=server.token_url), tokens()
        first = threading.Thread(target=lambda: asking.token(site, seconds=5))
        first.start()
        while not server.asked:
            pass
        with pytest.raises(BackendFailed) as caught:
            asking.token(site, seconds=0.1)
        first.join()
    assert caught.value.kind == "token-timeout"


def test_nothing_secret_is_ever_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with hospital() as server:
        site = site_of(server, tmp_path)
        token = got(tokens().token(site))
        secrets = [
            token.value,
            server.paths("/token")[0].form["client_assertion"],
            json.loads((tmp_path / "key.json").read_text())["d"],
        ]
        server.does["/token"] = reply({"error_description": token.value}, status=400)
        with pytest.raises(BackendFailed) as caught:
            tokens().token(site)
        said = [repr(token), str(token), str(caught.value), repr(caught.value), caplog.text]
    assert not [one for one in secrets for text in said if one in text]


def test_the_assertion_goes_nowhere_but_to_the_token_endpoint(tmp_path: Path) -> None:
    canary = Listener()
    try:
        with hospital() as server:
            site = site_of(server, tmp_path)
            for status in (301, 302, 303, 307, 308):
                place = f"http://127.0.0.1:{canary.port}/token"
                server.does["/token"] = reply(b"", status=status, Location=place)
                with pytest.raises(BackendFailed) as caught:
                    tokens().token(site)
                assert caught.value.kind == "token-redirect"
            assert all(
                not one.body and "Authorization" not in one.headers
                for one in server.asked
                if one.path != "/token"
            )
    finally:
        canary.close()
    assert canary.connections == 0
