"""`try` and `doctor` on servers that are wrong, closed, silent or hostile: one sentence, no trace.

Every server is real and on the loopback address; what each says is in the table.
"""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from cds.cli import main
from cds.services import PREFETCH
from tests.functional.bodies import Json
from tests.functional.fhir_upstream import (
    Behaviour,
    Listener,
    Upstream,
    raw,
    reply,
    running,
    silent,
)
from tests.functional.secured import secured


TOKEN = "Canary-token-88"
PATIENT = "Canary-patient-88"
HTML = reply(b"<html><title>Log in</title></html>", kind="text/html")
METADATA: Json = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": []}
GOOD = reply(METADATA)
GOOD_BYTES = json.dumps(METADATA).encode()
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n"
PERSON = f"Patient/{PATIENT}"


class Case(NamedTuple):
    """A server by what it does, by path, and the cause the reader is told."""

    name: str
    does: dict[str, Behaviour]
    cause: str


SERVERS = [
    Case("no metadata", {}, "(404)"),
    Case("HTML instead of metadata", {"metadata": HTML}, "not FHIR JSON"),
    Case("a redirect", {"metadata": reply(b"", status=302, Location="/login")}, "redirect"),
    Case("no JSON", {"metadata": reply(b"{")}, "not FHIR JSON"),
    Case("a JSON list", {"metadata": reply([])}, "not FHIR JSON"),
    Case("another JSON", {"metadata": reply({"swagger": "2.0"})}, "no CapabilityStatement"),
    Case(
        "an older FHIR",
        {"metadata": reply({**METADATA, "fhirVersion": "3.0.2"})},
        "FHIR 3.0.2, not R4",
    ),
    Case(
        "a newer FHIR",
        {"metadata": reply({**METADATA, "fhirVersion": "5.0.0"})},
        "FHIR 5.0.0, not R4",
    ),
    Case("XML alone", {"metadata": reply(b"", status=406)}, "not answer in JSON (406)"),
    Case("XML all the same", {"metadata": reply(b"<a/>", kind="text/xml")}, "not FHIR JSON"),
    Case("a byte order mark", {"metadata": reply(b"\xef\xbb\xbf" + GOOD_BYTES)}, "not FHIR JSON"),
    Case("not a number", {"metadata": reply(GOOD_BYTES[:-1] + b',"x":NaN}')}, "not FHIR JSON"),
    Case("metadata forbidden", {"metadata": reply(b"", status=403)}, "Statement (403)"),
    Case("a fault", {"metadata": reply(b"", status=503)}, "a fault of its own"),
    Case("too often", {"metadata": reply(b"", status=429)}, "too often"),
    Case("no end of silence", {"metadata": silent}, "did not answer in time"),
    Case(
        "headers byte by byte",
        {"metadata": raw(b"HTTP/1.1 200 OK\r\n", every=0.05, for_ever=b"X")},
        "did not answer in time",
    ),
    Case("half a header", {"metadata": raw(b"HTTP/1.1 200 OK\r\nContent-")}, "not FHIR JSON"),
    Case(
        "half a body",
        {"metadata": raw(f"{HEAD}Content-Length: 99\r\n\r\n{{".encode())},
        "broke off",
    ),
    Case("an expired token", {"metadata": GOOD, PERSON: reply(b"", status=401)}, "token (401)"),
    Case("a missing scope", {"metadata": GOOD, PERSON: reply(b"", status=403)}, "Patient (403)"),
    Case("an unknown patient", {"metadata": GOOD}, "no such patient (404)"),
    Case("a deleted patient", {"metadata": GOOD, PERSON: reply(b"", status=410)}, "patient (410)"),
    Case("HTML instead of a patient", {"metadata": GOOD, PERSON: HTML}, "not FHIR JSON"),
    Case(
        "another patient",
        {"metadata": GOOD, PERSON: reply({"resourceType": "Patient", "id": "other-77"})},
        "another patient",
    ),
    Case(
        "another resource",
        {"metadata": GOOD, PERSON: reply({"resourceType": "Basic", "id": PATIENT})},
        "not FHIR JSON",
    ),
]


def tried(base: str, *options: str) -> int:
    words = ["--fhir", base, "--patient", PATIENT, "--order", "teclistamab", "--timeout", "0.6"]
    return main(["try", *words, *options])


def configured(folder: Path, base: str) -> Path:
    config = folder / "site.toml"
    config.write_text(
        f"""
bind = "127.0.0.1:8099"
public_url = "http://127.0.0.1:8099"
auth = "off"
default_site = "ward"
store = "sqlite:///{folder / "store.db"}"
spool = "{folder / "spool"}"

[sites.ward]
fhir_base = "{base}"
protocol = "us-label"
time_zone = "UTC"
""",
        encoding="utf-8",
    )
    return config


def examined(folder: Path, base: str, *options: str) -> int:
    words = ["--config", str(configured(folder, base)), "--patient", PATIENT, "--timeout", "0.6"]
    return main(["doctor", *words, "--token-env", "SANDBOX_TOKEN", *options])


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_TOKEN", TOKEN)


def one_sentence(err: str, cause: str) -> None:
    """One line with the cause, a colon and the next step; nothing of the request or the server."""
    assert err.endswith(".\n"), err
    assert err.count("\n") == 1, err
    assert cause in err
    head, colon, step = err.rpartition(": ")
    assert colon
    assert cause in head
    assert len(step.split()) >= 3
    for secret in (TOKEN, PATIENT, "127.0.0.1", "other-77", "Log in", "Traceback"):
        assert secret not in err


@contextmanager
def acting(case: Case) -> Iterator[Upstream]:
    with running() as server:
        server.does.update(case.does)
        yield server


@pytest.mark.parametrize("case", SERVERS, ids=lambda case: case.name)
def test_try_says_the_cause_and_the_next_step(
    case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    with acting(case) as server:
        status = tried(server.base, "--token-env", "SANDBOX_TOKEN")
        assert set(server.paths()) <= {"metadata", PERSON}  # nothing more is asked
    said = capsys.readouterr()
    assert status == 2
    assert said.out == ""
    cause = "no CapabilityStatement" if case.name == "no metadata" else case.cause
    one_sentence(said.err, cause)


@pytest.mark.parametrize("case", SERVERS, ids=lambda case: case.name)
def test_doctor_fails_a_check_and_says_why(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with acting(case) as server:
        status = examined(tmp_path, server.base)
    said = capsys.readouterr()
    assert status == 1
    cause = "another resource" if case.name == "another resource" else case.cause
    one_sentence(said.err, cause)
    failed = [line for line in said.out.splitlines() if " FAIL " in line]
    assert any(cause in line and " Next: " in line for line in failed)
    assert "not checked" in said.out
    for secret in (TOKEN, PATIENT, "other-77", "Log in"):
        assert secret not in said.out


# --- before a server answers ----------------------------------------------------------------------


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"http://127.0.0.1:{probe.getsockname()[1]}/fhir"


UNREACHED: list[tuple[str, Callable[[], str], str]] = [
    ("refused", closed_port, "the connection is refused"),
    ("no such host", lambda: "https://ehr.invalid/fhir", "cannot be resolved"),
]


@pytest.mark.parametrize(("name", "url", "cause"), UNREACHED, ids=[one[0] for one in UNREACHED])
def test_a_server_that_is_not_reached(
    name: str,
    url: Callable[[], str],
    cause: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    base = url()
    assert tried(base) == 2
    one_sentence(capsys.readouterr().err, cause)
    if base.startswith("http://127"):  # auth = "off" is for this machine alone
        assert examined(tmp_path, base) == 1
        said = capsys.readouterr()
        one_sentence(said.err, cause)
        assert "it is not reached" in said.out


def test_nothing_is_asked_of_a_server_whose_certificate_is_not_trusted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with secured(tmp_path, until=datetime(2099, 1, 1, tzinfo=UTC)) as (server, _):
        assert tried(server.base, "--token-env", "SANDBOX_TOKEN") == 2
        one_sentence(capsys.readouterr().err, "certificate is not trusted (self-signed")
        assert examined(tmp_path, server.base) == 1
        one_sentence(capsys.readouterr().err, "certificate is not trusted (self-signed")
        assert server.asked == []


def test_an_expired_certificate_and_one_for_another_name_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with secured(tmp_path, until=datetime(2021, 1, 1, tzinfo=UTC)) as (server, certificate):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert tried(server.base) == 2
        one_sentence(capsys.readouterr().err, "not trusted (certificate has expired)")
    with secured(tmp_path, until=datetime(2099, 1, 1, tzinfo=UTC)) as (server, certificate):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert tried(server.base.replace("127.0.0.1", "localhost")) == 2
        one_sentence(capsys.readouterr().err, "not trusted (it is for another host name)")


class Plain(Listener):
    """Speaks HTTP, and says so to whoever says hello in TLS."""

    def talk(self, connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize("kind", [Plain, Listener], ids=["speaks http", "says nothing"])
def test_https_of_a_server_without_tls(
    kind: type[Listener], capsys: pytest.CaptureFixture[str]
) -> None:
    server = kind()
    try:
        assert tried(f"https://127.0.0.1:{server.port}/fhir") == 2
    finally:
        server.close()
    one_sentence(capsys.readouterr().err, "does not speak TLS")


def test_a_process_of_its_own_prints_one_sentence_and_no_library_beside_it() -> None:
    with running() as server:
        server.does["metadata"] = raw(b"HTTP/1.1 200 OK\r\nContent-")
        words = ["--fhir", server.base, "--patient", PATIENT, "--order", "teclistamab"]
        done = subprocess.run(  # noqa: S603 - this interpreter, words of a test
            [sys.executable, "-m", "cds", "try", *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stdout) == (2, "")
    one_sentence(done.stderr, "not FHIR JSON")


# --- before a connection --------------------------------------------------------------------------

URLS = [
    ("ehr.example.org/fhir", "not the URL of a server"),
    ("ftp://ehr.example.org/fhir", "not the URL of a server"),
    ("https://", "not the URL of a server"),
    ("https://user:pass@ehr.example.org/fhir", "not the URL of a server"),
    ("https://ehr.example.org:port/fhir", "not the URL of a server"),
    ("http://127.0.0.1:0/fhir", "not the URL of a server"),
    ("https://[::1/fhir", "not the URL of a server"),
    ("https://ehr.example.org/fhir\n", "not the URL of a server"),
    ("https://ehr.example.org/fhir?_format=json", "no query"),
    ("https://ehr.example.org/fhir#top", "no query and no fragment"),
    ("http://ehr.example.org/fhir", "http is for this machine alone"),
    ("", "not the URL of a server"),
]


@pytest.mark.parametrize(("url", "cause"), URLS)
def test_a_wrong_url(url: str, cause: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert tried(url) == 2
    one_sentence(capsys.readouterr().err, cause)


OPTIONS = [
    (("--order", "tecl"), "--order names no medicine"),
    (("--order", "norepinephrine"), "--order names no medicine"),
    (("--protocol", "no-such"), "--protocol names no protocol"),
    (("--patient", "a/b"), "--patient is not the id"),
    (("--patient", "a?b=c"), "--patient is not the id"),
    (("--patient", ""), "--patient is not the id"),
    (("--token-env", "NOT_SET_ANYWHERE"), "--token-env names is not set"),
    (("--token-env", "EMPTY_TOKEN"), "--token-env names is not set"),
    (("--token-env", "ODD_TOKEN"), "characters no bearer token has"),
]


@pytest.mark.parametrize(("options", "cause"), OPTIONS)
def test_a_wrong_option_is_told_before_anything_is_asked(
    options: tuple[str, str],
    cause: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EMPTY_TOKEN", " ")
    monkeypatch.setenv("ODD_TOKEN", f"{TOKEN} {TOKEN}")
    with running(dict.fromkeys(PREFETCH)) as server:
        server.does["metadata"] = GOOD
        assert tried(server.base, *options) == 2
        assert server.asked == []
    one_sentence(capsys.readouterr().err, cause)


def test_a_token_is_asked_for_where_none_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    with running() as server:
        server.does.update({"metadata": GOOD, PERSON: reply(b"", status=401)})
        assert tried(server.base) == 2
    one_sentence(capsys.readouterr().err, "the server asks for a token (401)")


def test_without_a_token_none_is_blamed_for_what_is_not_allowed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with running() as server:
        server.does.update({"metadata": GOOD, PERSON: reply(b"", status=403)})
        assert tried(server.base) == 2
    said = capsys.readouterr().err
    one_sentence(said, "without a token the server does not allow reading Patient (403)")
    assert "--token-env" in said


def test_metadata_that_is_forbidden_asks_for_no_scope(capsys: pytest.CaptureFixture[str]) -> None:
    with running() as server:
        server.does["metadata"] = reply(b"", status=403)
        assert tried(server.base, "--token-env", "SANDBOX_TOKEN") == 2
    said = capsys.readouterr().err
    assert "CapabilityStatement.rs" not in said
    assert "ask its operator" in said


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "soon", "601"])
def test_a_timeout_that_is_none(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        tried("http://127.0.0.1:9/fhir", "--timeout", text)
    assert ended.value.code == 2
    assert "--timeout" in capsys.readouterr().err


DOCTOR = [
    (("--site", "other"), "--site names no site"),
    (("--patient", "a/b"), "--patient is not the id"),
    (("--token-env", "NOT_SET_ANYWHERE"), "--token-env names is not set"),
    (("--config", "/nowhere/site.toml"), "No such file"),
]


@pytest.mark.parametrize(("options", "cause"), DOCTOR)
def test_doctor_refuses_bad_input_with_2(
    options: tuple[str, str], cause: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert examined(tmp_path, "http://127.0.0.1:9/fhir", *options) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert cause in said.err
    assert said.err.count("\n") == 1


def test_doctor_names_every_problem_of_a_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = configured(tmp_path, "http://ehr.example.org/fhir")
    assert main(["doctor", "--config", str(config)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "sites.ward.fhir_base" in said.err
