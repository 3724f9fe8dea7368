"""A hospital on a real socket: a token endpoint that checks how a client proves itself, and a FHIR
base that wants the token; either misbehaves as it is told.

RFC 7523, RFC 6749 and SMART Backend Services, read from their text, not from our client.
"""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote_plus
from zoneinfo import ZoneInfo

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from cds.backend import BackendTokens
from cds.clock import system_clock
from cds.config import Backend, Site
from tests.functional.fhir_upstream import Behaviour


Json = dict[str, Any]
CLIENT = "btce-cds-backend"
SECRET = "s3cret/with+signs"
SCOPE = "system/*.rs"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Asked(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


class Reply(NamedTuple):
    status: int
    body: object = None
    headers: Mapping[str, str] = {}


Route = Callable[[Asked], Reply]


class Hospital(ThreadingHTTPServer):
    """`granted`: the members of a good token answer. `token_does`: instead of any answer there."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, key: ECKey | RSAKey, algorithm: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.key, self.algorithm = key, algorithm
        self.asked: list[Asked] = []
        self.granted: Json = {"token_type": "bearer", "expires_in": 300, "scope": SCOPE}
        self.refusals: list[str] = []
        self.does: dict[str, Behaviour] = {}
        self.fhir: Route = lambda _: Reply(200, {"resourceType": "Basic", "id": "1"})
        self.valid: set[str] = set()
        self.wait = 0.0
        self._seen: set[str] = set()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def base(self) -> str:
        return f"{self.url}/fhir"

    @property
    def token_url(self) -> str:
        return f"{self.url}/token"

    def paths(self, part: str) -> list[Asked]:
        """What came to paths that begin so."""
        return [one for one in self.asked if one.path.startswith(part)]

    def answer(self, asked: Asked) -> Reply:
        """By path: discovery, token, FHIR."""
        if asked.path == "/fhir/.well-known/smart-configuration":
            return Reply(200, {"token_endpoint": self.token_url, "capabilities": []})
        if asked.path == "/token":
            return self._token(asked)
        sent = asked.headers.get("Authorization", "")
        if sent.removeprefix("Bearer ") not in self.valid:
            return Reply(401, {"resourceType": "OperationOutcome", "issue": []})
        return self.fhir(asked)

    def _token(self, asked: Asked) -> Reply:
        wrong = self._wrong(asked)
        if wrong:
            self.refusals.append(wrong)
            return Reply(401, {"error": "invalid_client"})
        with self._lock:
            value = f"Canary-token-{len(self.valid) + 1}"
            self.valid.add(value)
        return Reply(200, {"access_token": value, **self.granted}, {"Cache-Control": "no-store"})

    def _wrong(self, asked: Asked) -> str:
        form = asked.form
        if asked.method != "POST" or form.get("grant_type") != "client_credentials":
            return "not a client credentials request"
        if asked.headers.get("Content-Type") != "application/x-www-form-urlencoded":
            return "not a form"
        basic = asked.headers.get("Authorization", "")
        if basic:
            name, _, secret = base64.b64decode(basic.removeprefix("Basic ")).decode().partition(":")
            good = (unquote_plus(name), unquote_plus(secret)) == (CLIENT, SECRET)
            return "" if good and "client_assertion" not in form else "secret"
        if form.get("client_assertion_type") != JWT_BEARER:
            return "assertion type"
        return self._wrong_assertion(form.get("client_assertion", ""))

    def _wrong_assertion(self, text: str) -> str:
        try:
            token = jwt.decode(text, self.key, algorithms=[self.algorithm])
        except (JoseError, ValueError) as error:
            return type(error).__name__
        header, claims, now = token.header, token.claims, time.time()
        if (header.get("typ"), header.get("kid")) != ("JWT", "k1"):
            return "header"
        if claims.get("iss") != CLIENT or claims.get("sub") != CLIENT:
            return "iss, sub"
        if claims.get("aud") != self.token_url:
            return "aud"
        if not isinstance(claims.get("exp"), int) or not now < claims["exp"] <= now + 300:
            return "exp"
        if not claims.get("jti") or claims["jti"] in self._seen:
            return "jti"
        self._seen.add(claims["jti"])
        return ""


class _Handler(BaseHTTPRequestHandler):
    server: Hospital
    protocol_version = "HTTP/1.1"

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        asked = Asked(self.command, self.path, dict(self.headers), body)
        self.server.asked.append(asked)
        does = self.server.does.get(self.path.partition("?")[0])
        with suppress(OSError):  # the client leaves, as it should
            if does is not None:
                does(self.connection)
                self.close_connection = True
                return
            time.sleep(self.server.wait)
            self._send(self.server.answer(asked))

    do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815 - the names the base class calls

    def _send(self, reply: Reply) -> None:
        data = b"" if reply.body is None else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        if reply.body is not None:
            kind = "application/fhir+json" if "/fhir" in self.path else "application/json"
            self.send_header("Content-Type", kind)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Quiet."""


class Monotonic:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def private(algorithm: str) -> ECKey | RSAKey:
    """A new key; nobody's secret."""
    if algorithm.startswith("ES"):
        return ECKey.generate_key({"ES256": "P-256", "ES384": "P-384"}[algorithm])
    return RSAKey.generate_key(2048)


@contextmanager
def hospital(algorithm: str = "ES384") -> Iterator[Hospital]:
    """One that is closed afterwards."""
    server = Hospital(private(algorithm), algorithm)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def site_of(server: Hospital, folder: Path, **changes: Any) -> Site:
    """A site of this hospital, with the key it knows, or with its secret."""
    key = folder / "key.json"
    key.write_text(json.dumps({**server.key.as_dict(private=True), "kid": "k1"}))
    secret = folder / "secret"
    secret.write_text(f"{SECRET}\n")
    members: Json = {
        "client_id": CLIENT,
        "key_file": key,
        "secret_file": secret,
        "algorithm": server.algorithm,
        "scope": SCOPE,
    }
    backend = Backend(**{**members, **changes})
    zone = ZoneInfo("UTC")
    return Site(id="north", fhir_base=server.base, protocol="us-label", zone=zone, backend=backend)


def tokens(monotonic: Callable[[], float] = time.monotonic) -> BackendTokens:
    return BackendTokens(clock=system_clock, monotonic=monotonic)
