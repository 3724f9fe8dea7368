"""A FHIR server of the sandbox that can be stopped, closed to strangers or made to answer wrongly.

And what is charted at it, or at any other: a patient, fever, low oxygen, what is taken back.
"""

import json
import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
from flask import Flask, Response, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from cds.clock import system_clock
from cds.demo import observations, patients
from cds.demo.fhir import Quirks, Sandbox, create_fhir
from cds.demo.fhir.call import Ask
from cds.demo.fhir.errors import FhirError
from cds.demo.story import Story, Vitals, load
from tests.live.events import HOST, free_port
from tests.live.fhir import Fhir, Json, new_id, updated


_POLL = 0.02  # seconds in which a server sees that it is to stop


class Hospital:
    """A sandbox FHIR server on a port of its own, which it keeps when it is stopped.

    `tokens`: the bearer tokens it takes; None: it asks for none. `alter`: changes the body of an
    answer to a path below the base. `asked`: port, path and query of every GET, in their order.
    """

    def __init__(self, *, quirks: Quirks | None = None, ports: int = 1) -> None:
        self.tokens: set[str] | None = None
        self.alter: Callable[[str, Json], None] | None = None
        self.asked: list[tuple[int, str, str]] = []
        self.ports = [free_port() for _ in range(ports)]
        self.bases = [f"http://{HOST}:{port}/fhir" for port in self.ports]
        self.base = self.bases[0]
        self._store = Sandbox()
        self._app = Flask("hospital", static_folder=None)
        self._app.register_blueprint(
            create_fhir(
                self._store,
                base=self.base,
                clock=system_clock,
                quirks=quirks,
                authorize=self._authorize,
            )
        )
        self._app.after_request(self._answered)
        self._servers: list[tuple[BaseWSGIServer, threading.Thread]] = []

    def loaded(self) -> Story:
        """As `admitted`, but without telling anybody."""
        story, resources = _record("")
        self._store.load(resources, now=system_clock())
        return story

    def start(self) -> None:
        """Answer, on the same ports as before."""
        for port in self.ports:
            with socket.create_server((HOST, port)) as listening:
                server = make_server(
                    HOST,
                    port,
                    self._app,
                    threaded=True,
                    request_handler=_Quiet,
                    fd=listening.fileno(),
                )
            thread = threading.Thread(target=server.serve_forever, args=(_POLL,))
            thread.start()
            self._servers.append((server, thread))

    def stop(self) -> None:
        """Refuse connections."""
        for server, thread in self._servers:
            server.shutdown()
            thread.join()
            server.server_close()
        self._servers.clear()

    def _authorize(self, ask: Ask) -> None:
        if self.tokens is not None and ask.authorization.removeprefix("Bearer ") not in self.tokens:
            raise FhirError(401, "login", "no such token")

    def _answered(self, response: Response) -> Response:
        """Every port has its own base, so that its addresses lead back to it."""
        path = request.path.removeprefix("/fhir").lstrip("/")
        port = int(request.environ["SERVER_PORT"])
        if request.method == "GET":
            self.asked.append((port, path, request.query_string.decode()))
        if self.alter is not None and response.status_code == 200:
            body = json.loads(response.get_data())
            self.alter(path, body)
            response.set_data(json.dumps(body))
        if port != self.ports[0]:
            base = f"http://{HOST}:{port}/fhir"
            response.set_data(response.get_data().replace(self.base.encode(), base.encode()))
        return response


class TokenEndpoint(ThreadingHTTPServer):
    """Gives tokens for the client secret; `refuses`: to nobody. `tokens`: those that are good."""

    def __init__(self) -> None:
        super().__init__((HOST, 0), _TokenHandler)
        self.tokens: set[str] = set()
        self.refuses = False
        self.asked = 0

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{HOST}:{self.server_port}/token"


class _TokenHandler(BaseHTTPRequestHandler):
    server: TokenEndpoint

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked += 1
        status, body = 200, {"access_token": uuid.uuid4().hex, "token_type": "bearer"}
        if self.server.refuses or not self.headers.get("Authorization", "").startswith("Basic "):
            status, body = 503, {"error": "temporarily_unavailable"}
        else:
            self.server.tokens.add(body["access_token"])
        sent = json.dumps(body | {"expires_in": 3600}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: object) -> None:
        """Quiet."""


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing."""


@contextmanager
def hospital(*, quirks: Quirks | None = None, ports: int = 1) -> Iterator[Hospital]:
    """One that runs."""
    one = Hospital(quirks=quirks, ports=ports)
    one.start()
    try:
        yield one
    finally:
        one.stop()


@contextmanager
def token_endpoint() -> Iterator[TokenEndpoint]:
    """One that runs."""
    server = TokenEndpoint()
    thread = threading.Thread(target=server.serve_forever, args=(_POLL,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def client(base: str, token: str = "") -> Iterator[Fhir]:
    """A client of one server, as its own staff have it."""
    one = Fhir(base)
    if token:
        one.session.headers["Authorization"] = f"Bearer {token}"
    with one.session:
        yield one


def admitted(fhir: Fhir, name: str = "") -> Story:
    """A new patient a week after a dose of teclistamab, whose record is complete and normal."""
    story, resources = _record(name)
    fhir.transaction(*map(updated, resources))
    return story


def _record(name: str) -> tuple[Story, list[Json]]:
    now = system_clock()
    story = msgspec.structs.replace(load()["nothing-wrong"], id=name or new_id("p"))
    record = (patients.patient(story, now), patients.encounter(story, now))
    return story, [*record, *patients.chart(story, now)]


def charted(fhir: Fhir, story: Story, entry: Vitals) -> list[Json]:
    """A set of vital signs of now, as the server has it."""
    now = patients.instant(system_clock())
    made = (
        {
            **one,
            "id": new_id("o"),
            "subject": {"reference": f"Patient/{story.id}"},
            "effectiveDateTime": now,
        }
        for one in observations.vitals(entry)
    )
    return [fhir.put(one) for one in made]


def fever(fhir: Fhir, story: Story) -> list[Json]:
    """38.9 Cel, nothing else: ASTCT 2019 grade 1 as long as nothing else is abnormal."""
    return charted(fhir, story, Vitals(at=0, temperature=38.9))


def hypoxia(fhir: Fhir, story: Story) -> list[Json]:
    """88 % on 2 L/min by nasal cannula: with fever, ASTCT 2019 grade 2."""
    return charted(fhir, story, Vitals(at=0, spo2=88, device="nasal-cannula", flow=2))


def taken_back(fhir: Fhir, charted: Sequence[Json]) -> None:
    """These were never observed of this patient (R4 `entered-in-error`)."""
    for one in charted:
        fhir.put({**one, "status": "entered-in-error"})
