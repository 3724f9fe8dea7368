"""A deployment for tokens to arrive at: sites, keys, a key server, a canary and a memory of ids."""

import socket
import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import msgspec

from cds.config import Issuer
from cds.trust import Keys
from tests.conformance.forged import Forged
from tests.conformance.tokens import (
    CLIENTS,
    EPIC,
    EPIC_JKU,
    EPIC_SUBJECT,
    INFERNO,
    ORACLE,
    OTHER_TENANT,
    SANDBOX,
    encoded,
)


class Canary:
    """A socket that nobody may connect to; it counts who does."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def connections(self) -> int:
        """How many came since this was last asked."""
        found = 0
        while True:
            try:
                self._socket.accept()[0].close()
            except BlockingIOError:
                return found
            found += 1

    def close(self) -> None:
        self._socket.close()


class KeyServer(ThreadingHTTPServer):
    """Inferno's key server; it keeps what it was asked."""

    asked: list[str]


class KeyHandler(BaseHTTPRequestHandler):
    server: KeyServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        body = encoded({"keys": [INFERNO.signer.public()]})
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


class Remembered:
    """What the store does for JWT ids, behind a lock instead of a database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.seen: dict[tuple[str, str], datetime] = {}

    def __call__(self, iss: str, jti: str, until: datetime, now: datetime) -> bool:
        with self._lock:
            if (iss, jti) in self.seen:
                return False
            self.seen[iss, jti] = until
            return True


class World(NamedTuple):
    """One deployment with five sites, real key files and one real key server."""

    issuers: dict[str, tuple[Issuer, ...]]
    keys: Keys
    canary: Canary
    server: KeyServer
    forged: dict[str, Forged]


def issuers_of(folder: Path, inferno: str) -> dict[str, tuple[Issuer, ...]]:
    """By site; keys in files of `folder`, Inferno's at its address."""
    for name, client in CLIENTS.items():
        (folder / name).write_bytes(encoded({"keys": [client.signer.public()]}))
    oracle = Issuer(
        iss=ORACLE.claims["iss"],
        jwks_file=folder / "oracle",
        tenants=frozenset({ORACLE.claims["tenant"]}),
    )
    return {
        "epic": (
            Issuer(
                iss=EPIC.claims["iss"],
                jwks_file=folder / "epic",
                jku=frozenset({EPIC_JKU}),
                algorithms=("RS384",),
                subjects=frozenset({EPIC_SUBJECT}),
            ),
        ),
        "sandbox": (
            Issuer(
                iss=SANDBOX.claims["iss"],
                jwks_file=folder / "sandbox",
                jku=frozenset({SANDBOX.header["jku"]}),
                algorithms=("ES384",),
            ),
        ),
        "inferno": (
            Issuer(
                iss=INFERNO.claims["iss"],
                jwks_url=inferno,
                jku=frozenset({INFERNO.header["jku"]}),
            ),
        ),
        "north-hospital": (oracle,),
        "south-hospital": (msgspec.structs.replace(oracle, tenants=frozenset({OTHER_TENANT})),),
    }
