"""The sandbox FHIR server on a real socket, a client for it, and a subscriber that listens."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import requests
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from cds.clock import Clock
from cds.demo.fhir import Quirks, Sandbox, create_fhir
from cds.demo.fhir.call import Authorize, open_to_all


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FHIR_JSON = "application/fhir+json"
_POLL = 0.02  # seconds in which a server sees that it is to stop
Json = dict[str, Any]


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing."""


class Client(NamedTuple):
    """A client of one running server; paths are below the base unless they are absolute."""

    base: str
    store: Sandbox

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """One request; `body`: JSON, or the bytes as they are."""
        url = path if path.startswith("http") else f"{self.base}/{path}".rstrip("/")
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if data is not None:
            named.setdefault("Content-Type", FHIR_JSON)
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method, url, data=data, headers=named, timeout=10, allow_redirects=False
            )

    def get(self, path: str, **headers: str) -> requests.Response:
        """GET."""
        return self.ask("GET", path, **headers)

    def bundle(self, path: str, **headers: str) -> Json:
        """The Bundle of a search that succeeds."""
        answer = self.get(path, **headers)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        assert found["resourceType"] == "Bundle"
        return found

    def ids(self, path: str, mode: str = "match") -> list[str]:
        """`Type/id` of what a search shows on its first page."""
        entries = self.bundle(path).get("entry", [])
        return [ref(one["resource"]) for one in entries if one["search"]["mode"] == mode]

    def create(self, resource: Json, **headers: str) -> Json:
        """The new resource."""
        answer = self.ask("POST", resource["resourceType"], resource, **headers)
        assert answer.status_code == 201, answer.text
        made: Json = answer.json()
        return made

    def put(self, resource: Json, **headers: str) -> requests.Response:
        """Update under the resource's own id."""
        return self.ask("PUT", ref(resource), resource, **headers)


def ref(resource: Json) -> str:
    """Type/id."""
    return f"{resource['resourceType']}/{resource['id']}"


def clock() -> datetime:
    """The fixed time."""
    return NOW


@contextmanager
def served(
    *,
    clock: Clock = clock,
    quirks: Quirks | None = None,
    authorize: Authorize = open_to_all,
    path: str = "/fhir",
) -> Iterator[Client]:
    """A server with an empty store on a free port of the loopback address."""
    store = Sandbox()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        base = f"http://127.0.0.1:{listening.getsockname()[1]}{path}"
        app = Flask("sandbox", static_folder=None)
        app.register_blueprint(
            create_fhir(store, base=base, clock=clock, quirks=quirks, authorize=authorize)
        )
        server = make_server(
            "127.0.0.1",
            0,
            app,
            threaded=True,
            request_handler=_Quiet,
            fd=listening.fileno(),
        )
    thread = threading.Thread(target=server.serve_forever, args=(_POLL,))
    thread.start()
    try:
        yield Client(base, store)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Heard(NamedTuple):
    """One request a subscriber received; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Subscriber:
    """Listens on the loopback address and answers what its `status` gives, 200 unless told."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.status: Callable[[Heard], int] = lambda _: 200
        subscriber = self

        class _Handler(BaseHTTPRequestHandler):
            def _take(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                one = Heard(self.command, self.path, headers, self.rfile.read(length))
                subscriber.heard.append(one)
                self.send_response(subscriber.status(one))
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_PUT = do_DELETE = do_GET = _take  # noqa: N815 - the library's names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the same
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/told"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL,))

    def __enter__(self) -> "Subscriber":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait_for(self, count: int) -> list[Heard]:
        """The first `count` requests; fails when they do not come."""
        until(lambda: len(self.heard) >= count)
        return self.heard[:count]


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Return when it holds; fail when it does not come to hold."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.01)


LOINC = "http://loinc.org"


def patient(id_: str, **members: Any) -> Json:
    """A synthetic patient."""
    return {"resourceType": "Patient", "id": id_, **members}


def observation(id_: str, of: str = "Patient/p1", code: str = "8310-5", **members: Any) -> Json:
    """A vital sign of a synthetic patient."""
    category = "http://terminology.hl7.org/CodeSystem/observation-category"
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "category": [{"coding": [{"system": category, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": of},
        "effectiveDateTime": "2026-11-21T10:00:00Z",
        **members,
    }
