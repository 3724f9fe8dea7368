"""The sandbox on a real socket, with two doors to one store: one asks for tokens, one does not."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import requests
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from cds.clock import system_clock
from cds.demo.authorization import (
    Authority,
    create_authorization,
    enforcing,
    open_authority,
    security,
)
from cds.demo.fhir import Quirks, Sandbox, create_fhir
from cds.demo.fhir.feed import Feed
from tests.demo.authorization.hospital import CLIENTS, DOCTOR, resources
from tests.demo.fhir_sandbox import NOW


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        """Nothing."""


class Served(NamedTuple):
    """One sandbox with two doors."""

    origin: str
    authority: Authority

    def ask(self, path: str, token: str = "") -> int:
        """The status of a GET."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"{self.origin}{path}", headers=headers, timeout=10).status_code

    def post(self, path: str, body: object) -> int:
        """The status of a POST of a resource."""
        headers = {"Content-Type": "application/fhir+json"}
        with requests.Session() as session:
            session.trust_env = False
            url = f"{self.origin}{path}"
            return session.post(url, json.dumps(body), headers=headers, timeout=10).status_code


@contextmanager
def served() -> Iterator[Served]:
    """`/fhir` with tokens and `/open/fhir` without, until the block ends."""
    store = Sandbox()
    store.load(resources(), now=NOW)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
        base = f"{origin}/fhir"
        authority = open_authority(
            store,
            base=base,
            issuer=f"{origin}/oauth2",
            clients=CLIENTS,
            clock=system_clock,
            user=DOCTOR,
            algorithm="ES384",
        )
        feed = Feed(store, base=base, clock=system_clock, quirks=Quirks())
        app = Flask("tests.two_doors", static_folder=None)
        app.register_blueprint(create_authorization(authority))
        app.register_blueprint(
            create_fhir(
                store,
                base=base,
                clock=system_clock,
                authorize=enforcing(authority),
                security=security(authority),
                feed=feed,
            )
        )
        app.register_blueprint(
            create_fhir(
                store, base=f"{origin}/open/fhir", clock=system_clock, feed=feed, name="open_fhir"
            )
        )
        server = make_server(
            "127.0.0.1", 0, app, threaded=True, request_handler=_Quiet, fd=listening.fileno()
        )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Served(origin, authority)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
