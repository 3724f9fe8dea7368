"""Reading what a request left out: `explain --fetch` over real HTTP, and what the guard refuses."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import requests
import responses

from cds.cli import main
from cds.fhir_fetch import fetch_missing, fhir_server
from cds.fhir_guard import MAX_BYTES, GuardedSession, ReadRefused
from cds.hook_request import parse
from cds.services import PREFETCH
from tests.functional.bodies import Json, bundle, fever, order_sign


NOW = "2026-11-21T13:00:00+01:00"
BASE = "https://ehr.example.org/fhir"


class Ehr(ThreadingHTTPServer):
    """A FHIR server that answers from a request's own prefetch and keeps what it was asked."""

    answers: Json
    asked: list[tuple[str, str]]


class Handler(BaseHTTPRequestHandler):
    server: Ehr

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Authorization", "")))
        paths = {
            "/fhir/" + t.replace("{{context.patientId}}", "p1"): k for k, t in PREFETCH.items()
        }
        key = paths.get(unquote(self.path))
        if key is None or key not in self.server.answers:
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = json.dumps(self.server.answers[key]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    server = Ehr(("127.0.0.1", 0), Handler)
    server.answers, server.asked = {}, []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def bare(server: str) -> Json:
    """A request with nothing prefetched and a token for its own server."""
    body = order_sign(*fever())
    token = {
        "access_token": "secret-token",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "btce",
    }
    return {**body, "prefetch": {}, "fhirServer": server, "fhirAuthorization": token}


def run(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, Json, str]:
    status = main(["explain", str(path), "--now", NOW, *options])
    captured = capsys.readouterr()
    return status, json.loads(captured.out), captured.err


def test_fetch_gives_the_answer_of_the_same_data_prefetched(
    ehr: Ehr, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = order_sign(*fever())
    ehr.answers = {key: value or bundle() for key, value in whole["prefetch"].items()}
    url = f"http://127.0.0.1:{ehr.server_port}/fhir"
    path = tmp_path / "request.json"
    path.write_text(json.dumps({**whole, "fhirServer": url}))
    expected = run(path, capsys)[1]

    path.write_text(json.dumps(bare(url)))
    status, document, err = run(path, capsys, "--fetch")

    assert status == 0
    absent = set(PREFETCH) - set(whole["prefetch"])
    assert err.count("not fetched") == len(absent)
    assert document["assessment"] == expected["assessment"]
    assert len(ehr.asked) == len(PREFETCH)
    assert {token for _, token in ehr.asked} == {"Bearer secret-token"}


def test_without_fetch_no_server_is_asked_and_with_it_only_what_is_absent(
    ehr: Ehr, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"http://127.0.0.1:{ehr.server_port}/fhir"
    path = tmp_path / "request.json"
    path.write_text(json.dumps(bare(url)))
    assert run(path, capsys)[0] == 0
    assert ehr.asked == []

    path.write_text(json.dumps({**bare(url), "prefetch": dict.fromkeys(PREFETCH)}))
    assert run(path, capsys, "--fetch")[0] == 0
    assert ehr.asked == []


def test_a_refused_query_leaves_its_facts_unknown_and_is_named(
    ehr: Ehr, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ehr.answers = {
        key: value
        for key, value in order_sign(*fever())["prefetch"].items()
        if key != "administrations"
    }
    path = tmp_path / "request.json"
    path.write_text(json.dumps(bare(f"http://127.0.0.1:{ehr.server_port}/fhir")))
    status, document, err = run(path, capsys, "--fetch")
    assert status == 0
    assert "not fetched: administrations: the server does not allow it" in err
    assert "secret-token" not in err
    assert "vasopressors" in {m["fact"] for m in document["assessment"]["crs"]["missing"]}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"fhirServer": None, "fhirAuthorization": None}, "fhirServer"),
        ({"fhirServer": "http://ehr.example.org/fhir"}, "https only"),
    ],
    ids=["no server", "token over http"],
)
def test_fetch_needs_a_server_and_keeps_the_token_off_plain_http(
    change: Json, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "request.json"
    path.write_text(json.dumps({**bare(BASE), **change}))
    status, document, err = run(path, capsys, "--fetch")
    assert status == 2
    assert document["error"]["code"] == "bad-hook-request"
    assert reason in err


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.org/fhir/Patient/p1",
        "https://ehr.example.org.evil.example.org/fhir/Patient/p1",
        "https://ehr.example.org/fhirevil/Patient/p1",
        "https://ehr.example.org/fhir/../admin",
        "http://ehr.example.org/fhir/Patient/p1",
    ],
)
@responses.activate
def test_guard_reads_below_its_base_only(url: str) -> None:
    responses.get(url, json={})
    with pytest.raises(ReadRefused):
        GuardedSession(BASE, "t", seconds=5).get(url)
    assert len(responses.calls) == 0


@responses.activate
def test_guard_follows_no_redirect_and_sends_nothing_but_reads() -> None:
    responses.get(f"{BASE}/Patient/p1", status=302, headers={"Location": f"{BASE}/Patient/p2"})
    session = GuardedSession(BASE, "t", seconds=5)
    with pytest.raises(ReadRefused, match="redirect"):
        session.get(f"{BASE}/Patient/p1")
    with pytest.raises(ReadRefused):
        session.post(f"{BASE}/Patient", json={})
    assert len(responses.calls) == 1


@responses.activate
def test_guard_ends_at_the_size_cap_and_at_the_deadline() -> None:
    many = b"x" * (MAX_BYTES + 1)
    responses.get(f"{BASE}/Patient/p1", body=many, content_type="application/fhir+json")
    with pytest.raises(ReadRefused, match="larger"):
        GuardedSession(BASE, None, seconds=5).get(f"{BASE}/Patient/p1")

    ticks = iter([0.0, 1.0, 6.0])
    session = GuardedSession(BASE, None, seconds=5, clock=lambda: next(ticks, 9.0))
    with pytest.raises(ReadRefused, match="time"):
        session.get(f"{BASE}/Patient/p1")
    with pytest.raises(ReadRefused, match="time"):
        session.get(f"{BASE}/Patient/p1")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"status": 401}, "the server does not allow it"),
        ({"status": 404}, "the server does not have it"),
        ({"status": 500}, "the server reports a fault"),
        ({"body": "<html>"}, "the answer is not what was asked for"),
        ({"body": requests.ConnectTimeout("to Patient/p1")}, "the server did not answer in time"),
        ({"body": requests.ConnectionError("to Patient/p1")}, "the server cannot be reached"),
    ],
)
@responses.activate
def test_every_kind_of_failure_is_named_without_the_patient(
    answer: dict[str, Any], reason: str
) -> None:
    responses.get(f"{BASE}/Patient/p1", **answer)
    request = parse(json.dumps(bare(BASE)).encode())
    server = fhir_server(BASE, GuardedSession(BASE, None, seconds=5))
    found = fetch_missing(request, {"patient": PREFETCH["patient"]}, server)
    assert [str(one) for one in found.failed] == [f"patient: {reason}"]
    assert "patient" not in found.request.prefetch
