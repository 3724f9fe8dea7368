"""Reading keys over real HTTP from servers that do not behave, and from files."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cds.config import Issuer
from cds.trust import Keys, Limits
from cds.trust.key_source import MAX_BYTES, KeysUnread, read_source, read_url
from tests.conformance.tokens import ec, encoded


SIGNER = ec("one")
SET = encoded({"keys": [SIGNER.public()]})
Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    server: "Server"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.seen.append(dict(self.headers))
        with suppress(OSError):  # the reader leaves, as it should
            self.server.answer(self)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Quiet."""


class Server(ThreadingHTTPServer):
    answer: Answer
    seen: list[dict[str, str]]
    daemon_threads = True


@contextmanager
def serving(answer: Answer) -> Iterator[tuple[str, Server]]:
    server = Server(("127.0.0.1", 0), Handler)
    server.answer, server.seen = answer, []
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/jwks.json", server
    finally:
        server.shutdown()
        server.server_close()


def answering(
    body: bytes = SET, status: int = 200, media: str = "application/json", **headers: str
) -> Answer:
    def answer(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", media)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def dripping_body(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(SET)))
    handler.end_headers()
    for byte in SET:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(0.05)


def dripping_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(60):
        handler.wfile.write(b"X")
        handler.wfile.flush()
        time.sleep(0.05)


def chunked(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/jwk-set+json")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    half = len(SET) // 2
    for part in (SET[:half], SET[half:], b""):
        handler.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")


def endless(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    while True:
        handler.wfile.write(b" " * 65536)


@pytest.mark.parametrize(
    "answer",
    [
        answering(),
        answering(media="application/jwk-set+json"),
        answering(media="Application/JSON; charset=UTF-8"),
        chunked,
    ],
    ids=["json", "jwk-set+json", "with a charset", "chunked"],
)
def test_a_key_set_is_read_as_it_is_published(answer: Answer) -> None:
    with serving(answer) as (url, _):
        assert read_url(url) == SET


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (answering(status=404), "answered 404"),
        (answering(status=500), "answered 500"),
        (answering(status=204), "answered 204"),
        (answering(media="text/html"), "not JSON"),
        (answering(media=""), "not JSON"),
        (answering(Content_Encoding="gzip"), "compressed"),
        (answering(body=b" " * (MAX_BYTES + 1)), "larger"),
        (endless, "larger"),
        (dripping_body, "used up"),
        (dripping_headers, "used up|not JSON"),
        (lambda handler: handler.wfile.write(b"SSH-2.0-x\r\n"), "ConnectionError"),
        (lambda _: time.sleep(1), "used up|Timeout"),
    ],
    ids=[
        "not found",
        "a fault",
        "no content",
        "a web page",
        "no media type",
        "compressed",
        "too large",
        "endless",
        "a body byte by byte",
        "a header byte by byte",
        "not HTTP",
        "no answer",
    ],
)
def test_what_is_not_a_good_answer_is_refused_in_time(answer: Answer, why: str) -> None:
    started = time.monotonic()
    with serving(answer) as (url, _), pytest.raises(KeysUnread, match=why):
        read_url(url, seconds=0.3)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with (
        serving(answering()) as (elsewhere, other),
        serving(answering(b"", status, Location=elsewhere)) as (url, _),
    ):
        with pytest.raises(KeysUnread, match=str(status)):
            read_url(url)
        assert other.seen == []


def test_a_server_that_drips_its_header_holds_no_call_up() -> None:
    with serving(dripping_headers) as (url, _):
        keys = Keys(monotonic=time.monotonic, limits=Limits(wait_seconds=0.2))
        started = time.monotonic()
        assert keys.find(Issuer(iss="x", jwks_url=url), "one") is None
        assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "url",
    [
        "http://ehr.example.org/jwks.json",
        "http://127.0.0.1.example.org/jwks.json",
        "http://127.0.0.1@ehr.example.org/jwks.json",
        "http://user@127.0.0.1:1/jwks.json",
        "http://0.0.0.0/jwks.json",
        "ftp://127.0.0.1/jwks.json",
        "file:///etc/hostname",
        "//127.0.0.1/jwks.json",
        "jwks.json",
        "",
    ],
)
def test_keys_are_read_over_https_or_from_this_machine(url: str) -> None:
    with pytest.raises(KeysUnread, match="https only"):
        read_url(url)


def test_nobody_listening_is_an_answer_too() -> None:
    with serving(answering()) as (url, _):
        pass
    with pytest.raises(KeysUnread, match="ConnectionError"):
        read_url(url)


def test_no_credentials_of_this_machine_are_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving(answering()) as (url, server):
        read_url(url)
        assert "Authorization" not in server.seen[0]
        assert "Cookie" not in server.seen[0]
        assert server.seen[0]["Accept-Encoding"] == "identity"


def test_a_pinned_file_is_read_and_read_again_when_it_was_replaced(tmp_path: Path) -> None:
    file, now = tmp_path / "keys.json", 0.0
    issuer = Issuer(iss="x", jwks_file=file)
    file.write_bytes(SET)
    keys = Keys(monotonic=lambda: now)
    assert keys.find(issuer, "one") is not None
    file.write_text(json.dumps({"keys": [ec("two").public()]}))
    assert keys.find(issuer, "two") is None
    now = 31.0
    assert keys.find(issuer, "two") is not None


def test_a_file_that_is_missing_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeysUnread, match="FileNotFoundError"):
        read_source(Issuer(iss="x", jwks_file=tmp_path / "none"))
    with pytest.raises(KeysUnread, match="IsADirectoryError"):
        read_source(Issuer(iss="x", jwks_file=tmp_path))
    (tmp_path / "large").write_bytes(b" " * (MAX_BYTES + 1))
    with pytest.raises(KeysUnread, match="larger"):
        read_source(Issuer(iss="x", jwks_file=tmp_path / "large"))
    with pytest.raises(KeysUnread, match="neither"):
        read_source(Issuer(iss="x"))
