"""A deployment of five sites whose clients sign their calls, and its key server."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cds.config import Settings, Site
from knowledge.library import Library
from tests.conformance.deployment import issuers_of
from tests.conformance.tokens import ENDPOINT, INFERNO, PUBLIC_URL, SANDBOX, Client, Json, encoded
from tests.conftest import CALL
from tests.functional.bodies import FHIR_BASE
from tests.functional.serving import write_config


PROTOCOLS = {
    "epic": "us-label",
    "sandbox": "community-sop",
    "inferno": "nhs-waht",
    "north-hospital": "us-label",
    "south-hospital": "community-sop",
}
ORIGIN = "http://127.0.0.1:3000"


class PublishedKeys(ThreadingHTTPServer):
    """A JWK Set that its owner may change; it keeps what it was asked."""

    asked: list[str]
    keys: list[Json]

    @property
    def url(self) -> str:
        """Where the set is."""
        return f"http://127.0.0.1:{self.server_port}/jwks.json"


class _Handler(BaseHTTPRequestHandler):
    server: PublishedKeys

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        body = encoded({"keys": self.server.keys})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def published_keys() -> Iterator[PublishedKeys]:
    """A key server that publishes Inferno's key at first."""
    server = PublishedKeys(("127.0.0.1", 0), _Handler)
    server.asked, server.keys = [], [INFERNO.signer.public()]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def hospitals(folder: Path, jwks_url: str, library: Library, **of_epic: Any) -> Settings:
    """Its settings; the keys of all but Inferno are files of `folder`. `of_epic`: of that site."""
    sites = {
        name: Site(
            id=name,
            fhir_base=FHIR_BASE,
            protocol=PROTOCOLS[name],
            zone=ZoneInfo("UTC"),
            approved_knowledge=library.sha256,
            issuers=issuers,
            **(of_epic if name == "epic" else {}),
        )
        for name, issuers in issuers_of(folder, jwks_url).items()
    }
    return Settings(
        host="127.0.0.1",
        port=8080,
        public_url=PUBLIC_URL,
        auth="jwt",
        sites=sites,
        origins=frozenset({ORIGIN}),
    )


def bearer(client: Client, path: str = "", **claims: Any) -> dict[str, str]:
    """The header of a signed call to the order-sign service, or to `path` of the public URL."""
    aud = f"{PUBLIC_URL}{path}" if path else ENDPOINT
    token = client.token(claims={"jti": _fresh(), "aud": aud, **claims})
    return {"Authorization": f"Bearer {token}"}


ISSUER = f"""
[[sites.demo.issuers]]
iss = "{SANDBOX.claims["iss"]}"
jwks_file = "sandbox.json"
jku = ["{SANDBOX.header["jku"]}"]
algorithms = ["ES384"]
"""


def signed_config(folder: Path) -> Path:
    """A configuration file for a real server whose one site trusts the sandbox."""
    (folder / "sandbox.json").write_bytes(encoded({"keys": [SANDBOX.signer.public()]}))
    return write_config(folder, auth="jwt", top="", site=ISSUER)


def bearer_now() -> dict[str, str]:
    """The header of a call to a real server, which reads the real clock."""
    now = int(time.time())
    return bearer(SANDBOX, aud=f"http://127.0.0.1{CALL}", iat=now, exp=now + 300)


_counter = iter(range(1_000_000))


def _fresh() -> str:
    return f"{next(_counter):064x}"
