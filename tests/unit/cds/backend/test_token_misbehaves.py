"""A token endpoint, or the discovery before it, that does not do what RFC 6749 and SMART say."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from cds.backend import BackendFailed, BackendKind
from cds.backend.discovery import token_endpoint
from cds.backend.exchange import Reply, Request
from cds.backend.token_answer import LEAST_SECONDS, MOST_SECONDS, UNSAID_SECONDS
from tests.functional.fhir_upstream import Behaviour, raw, reply, silent
from tests.unit.cds.backend.hospital import Monotonic, hospital, site_of, tokens


JSON = "application/json"
GOOD = {"access_token": "abc", "token_type": "bearer", "expires_in": 300}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BUDGET, MARGIN = 0.6, 0.6


def answer(**changes: Any) -> Behaviour:
    return reply({**GOOD, **changes}, kind=JSON)


def error(code: str, status: int = 400) -> Behaviour:
    return reply({"error": code}, status=status, kind=JSON)


MISBEHAVIOURS: list[tuple[str, Behaviour, BackendKind]] = [
    ("another token type", answer(token_type="mac"), "token-unusable"),
    ("no token type", reply({"access_token": "abc"}, kind=JSON), "token-unusable"),
    ("a token type that is a number", answer(token_type=1), "token-unusable"),
    ("no token", reply({"token_type": "bearer", "expires_in": 9}, kind=JSON), "token-unusable"),
    ("an empty token", answer(access_token=""), "token-unusable"),
    ("a token with a line break", answer(access_token="a\r\nX: y"), "token-unusable"),
    ("a token with a space", answer(access_token="a b"), "token-unusable"),
    ("a token of a megabyte", answer(access_token="a" * 100_000), "token-unusable"),
    ("a token that is an object", answer(access_token={"a": 1}), "token-unusable"),
    ("HTML", reply(b"<html>sign in</html>", kind="text/html"), "token-not-json"),
    ("JSON by another name", reply(GOOD, kind="text/plain"), "token-not-json"),
    ("bad JSON", reply(b'{"access_token": "a', kind=JSON), "token-not-json"),
    ("a list", reply([GOOD], kind=JSON), "token-not-json"),
    ("nothing", reply(b"", kind=JSON), "token-not-json"),
    ("deep nesting", reply(b'{"a":' * 50_000, kind=JSON), "token-not-json"),
    ("not UTF-8", reply(b'{"access_token": "\xff"}', kind=JSON), "token-not-json"),
    ("compressed", reply(GOOD, kind=JSON, Content_Encoding="gzip"), "token-not-json"),
    ("201", reply(GOOD, kind=JSON, status=201), "token-unusable"),
    ("204", raw(b"HTTP/1.1 204 No Content\r\n\r\n"), "token-unusable"),
    ("302", reply(b"", status=302, Location="/token2"), "token-redirect"),
    ("307 to itself", reply(b"", status=307, Location="/token"), "token-redirect"),
    ("invalid_client", error("invalid_client", 401), "token-client-refused"),
    ("invalid_client as 400", error("invalid_client"), "token-client-refused"),
    ("unauthorized_client", error("unauthorized_client"), "token-client-refused"),
    ("401 without a word", reply(b"", status=401), "token-client-refused"),
    ("invalid_scope", error("invalid_scope"), "token-refused"),
    ("invalid_grant", error("invalid_grant"), "token-refused"),
    ("400 with HTML", reply(b"<html>", status=400, kind="text/html"), "token-refused"),
    ("403", reply(b"", status=403), "token-refused"),
    ("404", reply(b"", status=404), "token-refused"),
    ("429", reply(b"", status=429), "token-too-many-requests"),
    ("500", reply(b"", status=500), "token-server-error"),
    ("503", reply(b"", status=503, Retry_After="soon"), "token-server-error"),
    ("an error with a body for ever", raw(b"HTTP/1.1 500 X\r\n\r\n", for_ever=b"x" * 65536),
     "token-server-error"),
    ("more than is read", raw(HEAD + b"\r\n", for_ever=b" " * 65536), "token-too-large"),
    ("nothing, ever", silent, "token-timeout"),
    ("a byte now and then", raw(HEAD + b"\r\n", for_ever=b" ", every=0.1), "token-timeout"),
    ("a header line now and then", raw(HEAD, for_ever=b"A: b\r\n", every=0.1), "token-timeout"),
    ("the connection ends", raw(b""), "token-unreachable"),
    ("not HTTP", raw(b"220 mail ready\r\n"), "token-unreachable"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("does", "kind"), [case[1:] for case in MISBEHAVIOURS], ids=[case[0] for case in MISBEHAVIOURS]
)
def test_it_is_told_in_time_and_by_its_kind(
    does: Behaviour, kind: BackendKind, tmp_path: Path
) -> None:
    with hospital() as server:
        server.does["/token"] = does
        site = site_of(server, tmp_path, token_url=server.token_url)
        start = time.monotonic()
        with pytest.raises(BackendFailed) as caught:
            tokens().token(site, seconds=BUDGET)
        assert time.monotonic() - start < BUDGET + MARGIN
    assert (caught.value.kind, caught.value.about_token) == (kind, True)


def test_a_port_where_nobody_listens(tmp_path: Path) -> None:
    with hospital() as server:
        site = site_of(server, tmp_path, token_url=server.token_url)
    with pytest.raises(BackendFailed) as caught:
        tokens().token(site)
    assert caught.value.kind == "token-unreachable"


DISCOVERIES: list[tuple[str, Behaviour, BackendKind]] = [
    ("404", reply(b"", status=404), "token-no-endpoint"),
    ("401", reply(b"", status=401), "token-no-endpoint"),
    ("503", reply(b"", status=503), "token-server-error"),
    ("HTML", reply(b"<html>", kind="text/html"), "token-no-endpoint"),
    ("no token endpoint", reply({"authorization_endpoint": "https://x.example"}),
     "token-no-endpoint"),
    ("a number", reply({"token_endpoint": 1}), "token-no-endpoint"),
    ("a path", reply({"token_endpoint": "/token"}), "token-no-endpoint"),
    ("http elsewhere", reply({"token_endpoint": "http://ehr.example.org/token"}),
     "token-no-endpoint"),
    ("a file", reply({"token_endpoint": "file:///etc/passwd"}), "token-no-endpoint"),
    ("a user name", reply({"token_endpoint": "https://a:b@ehr.example.org/t"}),
     "token-no-endpoint"),
    ("a fragment", reply({"token_endpoint": "https://ehr.example.org/t#x"}), "token-no-endpoint"),
    ("a line break", reply({"token_endpoint": "https://ehr.example.org/t\r\nX: y"}),
     "token-no-endpoint"),
    ("an open bracket", reply({"token_endpoint": "https://[::1/t"}), "token-no-endpoint"),
    ("a redirect", reply(b"", status=302, Location="/x"), "token-redirect"),
    ("nothing, ever", silent, "token-timeout"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("does", "kind"), [case[1:] for case in DISCOVERIES], ids=[case[0] for case in DISCOVERIES]
)
def test_a_discovery_that_leads_nowhere_sends_no_assertion(
    does: Behaviour, kind: BackendKind, tmp_path: Path
) -> None:
    with hospital() as server:
        server.does["/fhir/.well-known/smart-configuration"] = does
        with pytest.raises(BackendFailed) as caught:
            tokens().token(site_of(server, tmp_path), seconds=BUDGET)
        assert caught.value.kind == kind
        assert server.paths("/token") == []


@pytest.mark.parametrize(
    "endpoint", ["https://127.0.0.1/token", "https://localhost:8443/t", "http://[::1]/token"]
)
def test_a_server_elsewhere_cannot_make_this_machine_ask_itself(endpoint: str) -> None:
    def answering(_: Request, __: float) -> Reply:
        return Reply(200, {}, json.dumps({"token_endpoint": endpoint}).encode())

    with pytest.raises(BackendFailed) as caught:
        token_endpoint("https://ehr.example.org/fhir", answering, 1)
    assert caught.value.kind == "token-no-endpoint"
    assert token_endpoint("http://127.0.0.1:1/fhir", answering, 1) == endpoint


def test_the_endpoint_is_looked_up_again_after_it_failed(tmp_path: Path) -> None:
    clock = Monotonic()
    with hospital() as server:
        site, asking = site_of(server, tmp_path), tokens(clock)
        server.does["/token"] = reply(b"", status=404)
        with pytest.raises(BackendFailed):
            asking.token(site)
        del server.does["/token"]
        clock.now += 100
        assert asking.token(site) is not None
        assert len(server.paths("/fhir/.well-known")) == 2


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (300, 300),
        ("300", 300),
        (570.5, 570.5),
        (0, LEAST_SECONDS),
        (-5, LEAST_SECONDS),
        (10**12, MOST_SECONDS),
        ("1e400", MOST_SECONDS),
        (None, UNSAID_SECONDS),
        (True, UNSAID_SECONDS),
        ("NaN", UNSAID_SECONDS),
        ("soon", UNSAID_SECONDS),
        ([300], UNSAID_SECONDS),
    ],
)
def test_a_token_lasts_a_bounded_time_whatever_is_said(
    said: object, seconds: float, tmp_path: Path
) -> None:
    clock = Monotonic()
    with hospital() as server:
        server.granted["expires_in"] = said
        token = tokens(clock).token(site_of(server, tmp_path))
    assert token is not None
    assert token.ends_at - clock.now == seconds
    assert clock.now < token.renew_at < token.ends_at


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("system/Observation.rs", "system/Observation.rs"),
        ("", "system/*.rs"),
        (None, "system/*.rs"),
        (7, "system/*.rs"),
    ],
)
def test_a_narrower_scope_is_kept_and_an_absent_one_is_what_was_asked(
    said: object, kept: str, tmp_path: Path
) -> None:
    with hospital() as server:
        server.granted["scope"] = said
        token = tokens().token(site_of(server, tmp_path))
    assert token is not None
    assert token.scope == kept
