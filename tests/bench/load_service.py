"""The service as a hospital runs it, on loopback: two workers, signed calls, a database on disk.

Writes its configuration and keys; signs tokens as an EHR would (ES384, each good for one call).
"""

import json
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from joserfc.jwk import ECKey
from joserfc.jwt import encode

from tests.bench import process
from tests.bench.process import HOST, Server


WORKERS = 2
PATH = "/cds-services/btce-order-sign"
ISSUER = "https://ehr.example.org"
LIFE = 1800  # seconds a token is good for: signed before the run, used during it
_KEY_ID = "bench-1"


class Client:
    """The EHR of the run: its key, and the tokens it signs."""

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-384")

    def jwks(self) -> bytes:
        """The public key as its owner publishes it."""
        public = {**self._key.as_dict(private=False), "kid": _KEY_ID, "use": "sig", "alg": "ES384"}
        return json.dumps({"keys": [public]}).encode()

    def tokens(self, count: int, *, audience: str, now: datetime) -> list[str]:
        """That many tokens, each with an id of its own."""
        header = {"alg": "ES384", "typ": "JWT", "kid": _KEY_ID}
        issued = int(now.timestamp())
        claims = {"iss": ISSUER, "aud": audience, "iat": issued, "exp": issued + LIFE}
        return [
            encode(header, {**claims, "jti": str(uuid.uuid4())}, self._key, algorithms=["ES384"])
            for _ in range(count)
        ]


@contextmanager
def serving(client: Client, work: Path, *, fhir_base: str) -> Iterator[Server]:
    """The running service; its database is in `work`."""
    port = process.free_port()
    keys, config = work / "ehr-keys.json", work / f"load-{port}.toml"
    keys.write_bytes(client.jwks())
    config.write_text("\n".join(_settings(port, keys, work / f"load-{port}.db", fhir_base)))
    with process.running(
        "load", _command(config), port=port, ready="/livez", log=work / f"load-{port}.log"
    ) as server:
        yield server


def audience(port: int) -> str:
    """The `aud` of a call of the order-sign service."""
    return f"http://{HOST}:{port}{PATH}"


def _command(config: Path) -> Sequence[str]:
    serve = [sys.executable, "-m", "cds", "serve", "--config", str(config)]
    return [*serve, "--workers", str(WORKERS)]


def _settings(port: int, keys: Path, store: Path, fhir_base: str) -> Sequence[str]:
    return (
        f'bind = "{HOST}:{port}"',
        f'public_url = "http://{HOST}:{port}"',
        'auth = "jwt"',
        f'store = "sqlite:///{store}"',
        f'spool = "{store}.spool"',
        "[sites.bench]",
        f'fhir_base = "{fhir_base}"',
        'protocol = "us-label"',
        'time_zone = "UTC"',
        "[[sites.bench.issuers]]",
        f'iss = "{ISSUER}"',
        f'jwks_file = "{keys}"',
    )
